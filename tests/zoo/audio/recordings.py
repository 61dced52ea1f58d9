"""Recordings that the standard library and SciPy wrote: what is read is compared with another's."""

import io
import wave

import numpy as np
import scipy.io.wavfile


def notes(rate=8000, seconds=0.3, pitch=440.0):
    """A note that swells and fades: float64 `[samples]`, from -0.5 to 0.5."""
    time = np.arange(int(rate * seconds)) / rate
    return 0.5 * np.sin(2 * np.pi * pitch * time) * np.sin(np.pi * time / seconds) ** 2


def pcm(samples, rate=8000, width=2):
    """WAV of integers of `width` bytes, written by `wave`: `[samples]` or `[samples, channels]`."""
    samples = np.asarray(samples)
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    whole = np.round(samples.ravel() * (2 ** (8 * width - 1) - 1)).astype(np.int64)
    if width == 1:
        whole += 128
    data = b"".join(int(v).to_bytes(width, "little", signed=width > 1) for v in whole)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(data)
    return file.getvalue()


def scipys(samples, rate=8000):
    """WAV written by SciPy, in the type of the samples."""
    file = io.BytesIO()
    scipy.io.wavfile.write(file, rate, samples)
    return file.getvalue()
