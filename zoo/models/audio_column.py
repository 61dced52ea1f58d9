"""The raw column of models that hear: recordings, as files, bytes or arrays of samples."""

import functools
from dataclasses import dataclass

import tensorflow as tf

from zoo.audio import is_recording, read_recordings
from zoo.models.columns import Column


@dataclass(frozen=True)
class AudioColumn(Column):
    """Recordings in whatever form a user has them; as a tensor each is a file's contents."""

    reads_files = True

    def is_entry(self, value: object) -> bool:
        """A path, contents, an array of one recording, or an array with its sampling rate."""
        return is_recording(value)


def audio_column(sample_rate: int) -> AudioColumn:
    """The column; `sample_rate`: of arrays that come without one."""
    return AudioColumn(
        "audio",
        tf.string,
        (),
        functools.partial(read_recordings, sample_rate),
        wire_name="audio_bytes",
        what="recordings",
    )
