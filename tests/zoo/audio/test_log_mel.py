"""Log-mel frames against NumPy; what loudness, padding and mates do to them: nothing."""

import numpy as np
import tensorflow as tf

from tests.zoo.audio.recordings import notes
from zoo.audio import log_mel

RATE, BANDS = 8000, 12
NOTE = notes() + 0.001 * np.random.default_rng(0).normal(size=2400)


def frames_of(*waves, more=0):
    lengths = np.array([len(wave) for wave in waves], np.int32)
    padded = np.zeros([len(waves), lengths.max(initial=0) + more], np.float32)
    for row, wave in zip(padded, waves, strict=True):
        row[: len(wave)] = wave
    frames, counts = log_mel(tf.constant(padded), tf.constant(lengths), RATE, BANDS)
    assert not frames.numpy()[~tf.sequence_mask(counts, frames.shape[1])].any()
    return [row[:count] for row, count in zip(frames.numpy(), counts.numpy(), strict=True)]


def test_they_are_what_numpy_says():
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(200) / 200)
    padded = np.pad(NOTE, (0, 200))
    power = np.abs([np.fft.rfft(window * padded[at : at + 200], 256) for at in range(0, 2400, 80)])
    # Triangles between places that are evenly spaced on the mel scale.
    mel = 1127 * np.log1p(np.arange(129) * RATE / 256 / 700)
    low, high = 1127 * np.log1p(np.array([60, RATE / 2]) / 700)
    edges = np.linspace(low, high, BANDS + 2)
    rise = (mel[:, None] - edges[:-2]) / (edges[1] - edges[0])
    weights = np.maximum(0, np.minimum(rise, 2 - rise))
    weights[0] = 0  # what does not change is no sound
    logs = np.log(power**2 @ weights + 1e-10)
    logs = np.maximum(logs, logs.max() - 11.5)
    (found,) = frames_of(NOTE)
    np.testing.assert_allclose(found, logs - logs.mean(), atol=2e-3)


def test_neither_loudness_nor_padding_nor_mates_count():
    (alone,) = frames_of(NOTE)
    np.testing.assert_allclose(frames_of(NOTE / 4)[0], alone, atol=1e-3)
    for found in (frames_of(NOTE, more=999)[0], frames_of(NOTE[:500], NOTE)[1]):
        np.testing.assert_allclose(found, alone, atol=1e-5)


def test_there_is_one_for_each_step_that_has_begun():
    found = frames_of(NOTE[:1], NOTE[:80], NOTE[:81], NOTE[:0], np.zeros(200))
    assert [len(of) for of in found] == [1, 1, 2, 0, 3]
    np.testing.assert_allclose(found[-1], 0, atol=1e-5)  # silence
    assert all(np.isfinite(of).all() for of in found)
    assert frames_of() == []
