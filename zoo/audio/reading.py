"""Recordings as users have them, to the contents of files, which `decode_recordings` decodes.

So there is one way for the data: an array is packed as WAV of floats, without loss, and comes out
of the graph as a file does.
"""

import os
import struct

import numpy as np
import tensorflow as tf

from zoo.audio.decoding import CONVERT, TAKEN
from zoo.audio.wav import FLOAT, KIND, MAGIC, RATES
from zoo.pictures.paths import entries_of, named_content, unwrapped

WANTED = "paths or contents of .wav files, arrays [samples], or (array, sampling rate)"
MOST_COLUMNS = 8  # channels of an array; of more it is taken for several recordings
SCALES = {"uint8": (128, 128), "int16": (0, 2**15), "int32": (0, 2**31)}  # silence, loudest
LARGEST = 2.0  # a float beyond it is on another scale than from -1 to 1


def read_recordings(sample_rate: int, name: str, entries: object) -> tf.Tensor:
    """What `Column.read` of a column of recordings is, but for the first argument.

    Args:
        sample_rate: Of arrays that come without one, samples a second.
        name: The column's name, for messages.
        entries: One recording or some of them: the path of a file (str or Path), the content of one
            (bytes), an array `[samples]` or `[samples, channels]` (at most 8), or a tuple of such
            an array and its sampling rate, as `soundfile.read` and `librosa.load` give it. An array
            `[recordings, samples]` and a tensor of contents are taken too. Floats are from -1 to 1;
            uint8, int16 and int32 are on the scales that WAV has for them.

    Returns:
        String tensor `[recordings]`: contents of files, and arrays as WAV.

    Raises:
        FileNotFoundError: If there is no file at a path.
        IsADirectoryError: If a path is that of a folder.
        TypeError: If an entry is nothing of this kind.
        ValueError: If there are no entries, or one holds no recording. The message names the entry.

    Example:
        >>> read_recordings(8000, "audio", np.zeros([400], np.float32)).shape
        TensorShape([1])
    """
    entries = entries_of(name, entries, is_recording, WANTED)
    if len(shape := getattr(entries, "shape", ())) > 2:
        raise ValueError(
            f"`{name}` must be one recording [samples] or [samples, channels], or some "
            f"[recordings, samples]. Received: shape {list(shape)}"
        )
    contents = [_content(f"{name}[{row}]", entry, sample_rate) for row, entry in enumerate(entries)]
    if not contents:
        raise ValueError(f"`{name}` must hold at least one recording. Received: none")
    return tf.constant(contents, tf.string)


def is_recording(value: object) -> bool:
    """Whether a user gave one recording rather than a list of them.

    Args:
        value: Anything; see `read_recordings`.
    """
    if isinstance(value, str | bytes | os.PathLike) or _is_rated(value):
        return True
    if isinstance(value, list | tuple):
        return len(value) > 0 and all(isinstance(of, int | float | np.number) for of in value)
    shape = getattr(value, "shape", None)
    if shape is None or not hasattr(value, "__array__"):
        return False
    if _is_text(value):
        return len(shape) == 0
    return len(shape) == 1 or (len(shape) == 2 and shape[1] <= MOST_COLUMNS)


def wav_of(samples: np.ndarray, sample_rate: int) -> bytes:
    """The content of a WAV of 32-bit floats.

    Args:
        samples: float32 `[samples, channels]`.
        sample_rate: Samples a second.
    """
    channels, data = samples.shape[1], samples.astype("<f4").tobytes()
    rates = sample_rate, 4 * channels * sample_rate, 4 * channels, 32
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, FLOAT, channels, *rates)
    body = KIND + form + struct.pack("<4sI", b"data", len(data)) + data
    return MAGIC + struct.pack("<I", len(body)) + body


def _is_text(value: object) -> bool:
    """Whether these are paths or contents of files, not samples."""
    dtype = getattr(value, "dtype", None)
    return dtype == tf.string or getattr(dtype, "kind", None) in ("O", "S", "U")


def _is_rated(value: object) -> bool:
    """Whether this is an array with its sampling rate."""
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    array, rate = value
    whole = isinstance(rate, int | float | np.number) and not isinstance(rate, bool)
    return whole and hasattr(array, "__len__") and not isinstance(array, str | bytes)


def _content(name: str, entry: object, sample_rate: int) -> bytes:
    """One entry as the content of a file; `name` is as `audio[2]`."""
    entry = unwrapped(entry)
    if file := named_content(name, entry, ".wav"):
        return _known(*file)
    if _is_rated(entry):
        entry, sample_rate = entry
    if isinstance(entry, dict) or not (hasattr(entry, "__array__") or is_recording(entry)):
        raise TypeError(f"`{name}` must be one of {WANTED}. Received: a {type(entry).__name__}")
    low, high = RATES
    if sample_rate != int(sample_rate) or not low <= sample_rate <= high:
        raise ValueError(
            f"`{name}` must have a sampling rate from {low:,} to {high:,}, a whole number. "
            f"Received: {sample_rate!r}"
        )
    return wav_of(_scaled(name, np.asarray(entry)), int(sample_rate))


def _known(name: str, content: bytes) -> bytes:
    """Refuses what is no WAV at all; the graph looks at it more closely."""
    if not content:
        raise ValueError(f"`{name}` must hold a recording. Received: no bytes")
    if not content.startswith(MAGIC):
        raise ValueError(
            f"`{name}` must hold a recording; {TAKEN}. Received: {len(content)} bytes that begin "
            f"with {content[:12]!r}. {CONVERT.partition('. ')[2]}; or hand over what "
            "soundfile.read(path) gives"
        )
    return content


def _scaled(name: str, array: np.ndarray) -> np.ndarray:
    """Samples as floats from -1 to 1: float32 `[samples, channels]`."""
    shaped = array[:, np.newaxis] if array.ndim == 1 else array
    if shaped.ndim != 2 or not 1 <= shaped.shape[1] <= MOST_COLUMNS:
        raise ValueError(
            f"`{name}` must have shape [samples], or [samples, channels] of at most {MOST_COLUMNS} "
            f"channels. Received: shape {list(array.shape)}"
        )
    if not len(shaped):
        raise ValueError(f"`{name}` must hold samples: there is nothing to hear. Received: none")
    if (scale := SCALES.get(array.dtype.name)) is not None:
        silence, loudest = scale
        return ((shaped - float(silence)) / loudest).astype(np.float32)
    if array.dtype.kind != "f":
        raise TypeError(
            f"`{name}` must hold floats from -1 to 1, or {', '.join(SCALES)}. "
            f"Received: {array.dtype}"
        )
    if not np.isfinite(shaped).all():
        bad = int(np.argwhere(~np.isfinite(shaped))[0][0])
        raise ValueError(
            f"`{name}` must hold finite numbers. Received: {array[bad]} at sample {bad}"
        )
    if (largest := np.abs(shaped).max()) > LARGEST:
        raise ValueError(
            f"`{name}` must hold floats from -1 to 1. Received: {array.dtype} up to {largest:g}. "
            "Divide by 32768 what was on the scale of 16 bits"
        )
    return shaped.astype(np.float32)
