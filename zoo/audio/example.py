"""A sound for warm-up and for those who have no recording: two notes, one after the other."""

import functools

import numpy as np

from zoo.audio.reading import wav_of


@functools.cache
def example_recording(sample_rate: int) -> bytes:
    """The content of a WAV of half a second; `sample_rate`: samples a second."""
    time = np.arange(sample_rate // 2) / sample_rate
    pitch = np.where(time < 0.25, 440, 660)
    wave = np.sin(2 * np.pi * pitch * time) * np.sin(4 * np.pi * time) ** 2 / 4
    return wav_of(wave[:, np.newaxis], sample_rate)
