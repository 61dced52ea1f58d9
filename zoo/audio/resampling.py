"""Another sampling rate, by the spectrum: what both rates can hold is kept, nothing is folded."""

import tensorflow as tf

GUARD = 50  # a part of a second of silence, so that the end does not run into the beginning


def resample(samples: tf.Tensor, rate: tf.Tensor, wanted: int) -> tf.Tensor:
    """Samples at another rate.

    A signal without frequencies above half of both rates keeps its values exactly, but for
    rounding, where it does not begin or end abruptly.

    Args:
        samples: float32 `[samples]`, at least one.
        rate: int64 scalar, samples a second.
        wanted: The rate of what is returned.

    Returns:
        float32 `[ceil(samples * wanted / rate)]`.
    """
    wanted = tf.constant(wanted, tf.int64)
    count = tf.size(samples, tf.int64)
    divisor = _common_divisor(rate, wanted)
    # Of whole blocks the length is a whole number at either rate, and so are all frequencies.
    block, blocks = rate // divisor, -(-(count + rate // GUARD) * divisor // rate)
    padded = tf.pad(samples, [[0, blocks * block - count]])
    longer = blocks * (wanted // divisor)
    spectrum = tf.signal.rfft(padded)
    bins = tf.minimum(blocks * block, longer) // 2
    spectrum = tf.pad(spectrum[:bins], [[0, longer // 2 + 1 - bins]])
    found = tf.signal.irfft(spectrum, [tf.cast(longer, tf.int32)])
    found *= tf.cast(wanted, tf.float32) / tf.cast(rate, tf.float32)
    return found[: -(-count * wanted // rate)]


def _common_divisor(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """The greatest, after Euclid."""
    return tf.while_loop(lambda _, rest: rest > 0, lambda a, b: (b, a % b), (one, other))[0]
