"""Sound files, their bytes and arrays of samples to log-mel frames, decoded in the graph."""

from zoo.audio.decoding import decode_recordings
from zoo.audio.log_mel import log_mel
from zoo.audio.reading import is_recording, read_recordings

__all__ = ["decode_recordings", "is_recording", "log_mel", "read_recordings"]
