"""Log-mel frames: what an ear would tell of each hundredth of a second.

As in most of speech recognition since Davis and Mermelstein (1980): the power of overlapping
windows at each frequency, summed in bands that are as wide as the ear's, as logarithms::

    P_t(f) = |FFT(window * x around t)|^2
    m_t(k) = log max(sum_f T_k(f) P_t(f), e^-RANGE max)

Everything that is quieter than the loudest place by more than `RANGE` counts as that quiet: without
it the silence of a good microphone would weigh more than the word. The mean is subtracted, so a
recording that is twice as loud is the same.
"""

import tensorflow as tf

WINDOW, STEP = 0.025, 0.010  # seconds
LOWEST = 60.0  # Hz
FLOOR = 1e-10  # power: of nothing at all there is a logarithm too
RANGE = 11.5  # natural logarithm of power: 50 decibels


def log_mel(
    samples: tf.Tensor, lengths: tf.Tensor, sample_rate: int, bands: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Frames of recordings, one for each step of 10 milliseconds that has begun.

    Args:
        samples: float32 `[batch, samples]`, zeros behind the end of each recording.
        lengths: int32 `[batch]`, how many samples each has.
        sample_rate: Samples a second.
        bands: Mel bands, from 60 Hz to half of `sample_rate`.

    Returns:
        float32 `[batch, time, bands]`, natural logarithms of power, less their mean over the
        recording, zeros behind the end of each; and int32 `[batch]`, how many frames each has.
    """
    window, step = round(WINDOW * sample_rate), round(STEP * sample_rate)
    size = 1 << (window - 1).bit_length()
    pieces = tf.signal.frame(samples, window, step, pad_end=True)
    # Padded here: TensorFlow leaves it out where there are no rows, and fails.
    pieces = tf.pad(pieces * tf.signal.hann_window(window), [[0, 0], [0, 0], [0, size - window]])
    power = tf.square(tf.abs(tf.signal.rfft(pieces, [size])))
    mel = tf.signal.linear_to_mel_weight_matrix(
        bands, size // 2 + 1, sample_rate, LOWEST, sample_rate / 2
    )
    frames = tf.math.log(tf.einsum("btf,fk->btk", power, mel) + FLOOR)
    counts = -(-lengths // step)
    real = tf.sequence_mask(counts, tf.shape(frames)[1])[:, :, tf.newaxis]
    loudest = tf.reduce_max(tf.where(real, frames, frames.dtype.min), [1, 2], keepdims=True)
    frames = tf.where(real, tf.maximum(frames, loudest - RANGE), 0.0)
    values = tf.cast(tf.maximum(counts, 1) * bands, tf.float32)[:, tf.newaxis, tf.newaxis]
    mean = tf.reduce_sum(frames, [1, 2], keepdims=True) / values
    return tf.where(real, frames - mean, 0.0), counts
