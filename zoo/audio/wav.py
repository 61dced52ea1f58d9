"""WAV: how its samples are stored, out of its chunks, and the samples themselves, in the graph.

`tf.audio.decode_wav` takes 16 bits alone, and says of nothing else what it is. Here 8, 16, 24 and
32 bits and floats are read, of any number of channels, also where the header is of the extensible
kind or other chunks stand before the samples.
"""

from typing import NamedTuple

import tensorflow as tf

from zoo.pictures.header import cut_off, first_fault, is_at, number

MAGIC, KIND = b"RIFF", b"WAVE"
FIRST, MOST_CHUNKS = 12, 1000  # where the chunks begin, and how many are looked at
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
SUBFORMAT = 24  # where an extensible header has the format that it means
UNKNOWN_SIZE = 0xFFFFFF00  # what is written into a pipe says no size: the rest is samples
MOST_CHANNELS = 32
RATES = 4_000, 384_000  # samples a second


class Layout(NamedTuple):
    """Where a WAV's samples are, and what they are.

    Attributes:
        fault: String scalar: what is wrong, as "is a WAV that ..."; empty if nothing is.
        code: int64 scalar: `PCM` or `FLOAT`.
        bits: int64 scalar, of one sample.
        channels: int64 scalar.
        rate: int64 scalar, samples a second of each channel.
        start: int64 scalar: where the first sample begins.
        count: int64 scalar: samples of each channel.
    """

    fault: tf.Tensor
    code: tf.Tensor
    bits: tf.Tensor
    channels: tf.Tensor
    rate: tf.Tensor
    start: tf.Tensor
    count: tf.Tensor


def layout(data: tf.Tensor) -> Layout:
    """Looks at a WAV before it is decoded.

    Args:
        data: uint8 `[bytes]`, which begin with `MAGIC`.
    """
    form, samples = _chunks(data)
    at = tf.maximum(form, 0)
    code = number(data, at, 2, False)
    code = tf.where(code == EXTENSIBLE, number(data, at + SUBFORMAT, 2, False), code)
    channels, rate = number(data, at + 2, 2, False), number(data, at + 4, 4, False)
    bits = number(data, at + 14, 2, False)
    size = tf.size(data, tf.int64)
    start = tf.maximum(samples, 0)
    told = number(data, tf.maximum(start - 4, 0), 4, False)
    told = tf.where(told >= UNKNOWN_SIZE, size - start, told)
    count = told // tf.maximum(channels * bits // 8, 1)
    known = _any_of(code, PCM) & _any_of(bits, 8, 16, 24, 32)
    known |= _any_of(code, FLOAT) & _any_of(bits, 32, 64)
    kind = tf.strings.join(["is a WAV of format ", tf.as_string(code), " and ", tf.as_string(bits)])
    low, high = RATES
    speed = tf.strings.join(["is a WAV of ", tf.as_string(rate), " samples a second"])
    fault = first_fault(
        (~is_at(data, 8, KIND) & (size >= FIRST), "is a RIFF file, but no WAV"),
        ((form < 0) & (samples >= 0), "is a WAV with a damaged header. Save it anew"),
        ((form < 0) | (samples < 0), cut_off("a WAV", data)),
        (
            ~known,
            tf.strings.join([kind, " bits, which is not decoded. Save it as PCM of 16 bits"]),
        ),
        (
            (channels < 1) | (channels > MOST_CHANNELS),
            tf.strings.join(["is a WAV of ", tf.as_string(channels), " channels. Save it as mono"]),
        ),
        (
            (rate < low) | (rate > high),
            tf.strings.join([speed, f": from {low:,} to {high:,} are read. Resample it"]),
        ),
        (start + told > size, cut_off("a WAV", data)),
        (count < 1, "is a WAV without samples: there is nothing to hear"),
    )
    return Layout(fault, code, bits, channels, rate, start, count)


def decode(data: tf.Tensor, of: Layout, most: tf.Tensor) -> tf.Tensor:
    """The first samples, channels mixed down: float32 `[samples]`, from -1 to 1.

    Args:
        data: As of `layout`.
        of: What it gave, without a fault.
        most: int64 scalar: how many are read at most.
    """
    count = tf.minimum(of.count, most)
    width = of.bits // 8
    raw = data[of.start : of.start + count * of.channels * width]
    words = tf.reshape(raw, tf.stack([count * of.channels, width]))
    values = tf.cond(of.code == FLOAT, lambda: _floats(words), lambda: _integers(words))
    return tf.reduce_mean(tf.reshape(values, tf.stack([count, of.channels])), axis=1)


def _integers(words: tf.Tensor) -> tf.Tensor:
    """Little-endian integers of some bytes each, uint8 `[n, bytes]`, as float32 from -1 to 1."""
    width = tf.shape(words)[1]
    # Eight bits are unsigned, more are signed: the highest byte, which comes last, has the sign.
    top = tf.cast(words[:, -1], tf.int64)
    signed = tf.where(width == 1, top - 128, tf.where(top < 128, top, top - 256))
    places = tf.cast(tf.bitwise.left_shift(1, 8 * tf.range(width - 1)), tf.int64)
    below = tf.reduce_sum(tf.cast(words[:, :-1], tf.int64) * places, axis=1)
    highest = tf.bitwise.left_shift(tf.constant(1, tf.int64), tf.cast(8 * width - 8, tf.int64))
    whole = tf.cast(signed * highest + below, tf.float32)
    return whole / tf.cast(128 * highest, tf.float32)


def _floats(words: tf.Tensor) -> tf.Tensor:
    """IEEE floats of 4 or 8 bytes each, uint8 `[n, bytes]`, as float32."""

    def single() -> tf.Tensor:
        return tf.bitcast(tf.ensure_shape(words, [None, 4]), tf.float32)

    def double() -> tf.Tensor:
        return tf.cast(tf.bitcast(tf.ensure_shape(words, [None, 8]), tf.float64), tf.float32)

    return tf.cond(tf.shape(words)[1] == 4, single, double)


def _chunks(data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where the contents of the chunks `fmt ` and `data` begin, int64; -1 where one is missing."""
    size = tf.size(data, tf.int64)

    def goes_on(at: tf.Tensor, form: tf.Tensor, samples: tf.Tensor) -> tf.Tensor:
        return (samples < 0) & (at + 8 <= size)

    def step(at: tf.Tensor, form: tf.Tensor, samples: tf.Tensor) -> tuple[tf.Tensor, ...]:
        # A chunk is its name, its length and as many bytes, one more if that is odd.
        length = number(data, at + 4, 4, False)
        whole = at + 8 + length <= size
        form = tf.where(is_at(data, at, b"fmt ") & whole & (length >= 16), at + 8, form)
        samples = tf.where(is_at(data, at, b"data"), at + 8, samples)
        return at + 8 + length + length % 2, form, samples

    none = tf.constant(-1, tf.int64)
    start = tf.constant(FIRST, tf.int64), none, none
    return tf.while_loop(goes_on, step, start, maximum_iterations=MOST_CHUNKS)[1:]


def _any_of(value: tf.Tensor, *values: int) -> tf.Tensor:
    return tf.reduce_any(value == tf.constant(values, tf.int64))
