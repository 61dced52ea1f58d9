"""Recordings as users have them: one and several, arrays on every scale, bad input."""

from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile
import tensorflow as tf

from tests.zoo.audio.recordings import notes, pcm
from zoo.audio import is_recording, read_recordings

NOTE = notes().astype(np.float32)
WHOLE = pcm(NOTE)


def read(entries, rate=8000):
    return read_recordings(rate, "audio", entries).numpy().tolist()


def unpacked(content, tmp_path):
    """Rate and samples as SciPy reads them."""
    (tmp_path / "read.wav").write_bytes(content)
    return scipy.io.wavfile.read(tmp_path / "read.wav")


def test_files_are_their_contents(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(WHOLE)
    assert read([path, str(path), WHOLE, tf.constant(WHOLE)]) == [WHOLE] * 4
    assert read(path) == read(str(path)) == read(WHOLE) == [WHOLE]
    assert read(np.array([str(path)])) == read(tf.constant([WHOLE, WHOLE])[:1]) == [WHOLE]


def test_arrays_become_files_without_loss(tmp_path):
    pair = np.stack([NOTE, -NOTE], axis=1)
    for entry, rate, expected in (
        (NOTE, 8000, NOTE),
        (NOTE.tolist(), 8000, NOTE),
        (tf.constant(NOTE), 8000, NOTE),
        ((NOTE.astype(np.float64), 44_100), 44_100, NOTE),
        (pair, 8000, pair),
        ((pair, np.int64(16_000)), 16_000, pair),
        (np.array([-(2**15), 0, 2**14], np.int16), 8000, [-1, 0, 0.5]),
        (np.array([-(2**31), 0, 2**30], np.int32), 8000, [-1, 0, 0.5]),
        (np.array([0, 128, 192], np.uint8), 8000, [-1, 0, 0.5]),
    ):
        (content,) = read(entry)
        found_rate, found = unpacked(content, tmp_path)
        assert found_rate == rate
        np.testing.assert_array_equal(found, np.float32(expected))


def test_one_and_several_are_told_apart():
    for one in (
        "a.wav",
        b"RIFF",
        Path("a.wav"),
        NOTE,
        NOTE.tolist(),
        (NOTE, 8000),
        np.ones([9, 2]),
    ):
        assert is_recording(one)
    for several in ([NOTE], (NOTE, NOTE), ["a.wav"], np.ones([2, 9]), [(NOTE, 8000)], [], None):
        assert not is_recording(several)
    assert len(read(np.ones([3, 400], np.float32))) == 3


@pytest.mark.parametrize(
    ("entries", "error", "message"),
    [
        ([], ValueError, "must hold at least one recording"),
        ([WHOLE, b""], ValueError, r"`audio\[1\]` must hold a recording. Received: no bytes"),
        ([b"fLaC" + bytes(9)], ValueError, "13 bytes that begin with b'fLaC.*ffmpeg.*soundfile"),
        (["none.wav"], FileNotFoundError, r"`audio\[0\]` must be a file.*'none.wav', which is not"),
        ([Path(__file__).parent], IsADirectoryError, r"a folder.*glob\('\*\.wav'\)"),
        (__file__, ValueError, r"`audio\[0\]='/.*test_reading.py'` must hold a recording"),
        ("https://a.org/b.wav", ValueError, "an address: fetch it"),
        (
            [NOTE, NOTE * np.nan],
            ValueError,
            r"`audio\[1\]` must hold finite numbers.*nan at sample",
        ),
        (NOTE * 20_000, ValueError, r"floats from -1 to 1.*Divide by 32768"),
        (np.zeros([0], np.float32), ValueError, r"must hold samples.*Received: none"),
        (np.zeros([2, 3, 9]), ValueError, r"some \[recordings, samples\].*shape \[2, 3, 9\]"),
        ([np.zeros([9, 9])], ValueError, r"at most 8 channels. Received: shape \[9, 9\]"),
        (np.zeros([9], np.int64), TypeError, "floats from -1 to 1, or uint8, int16, int32.*int64"),
        ([(NOTE, 0)], ValueError, r"sampling rate from 4,000 to 384,000.*Received: 0"),
        ([(NOTE, 44100.5)], ValueError, "a whole number. Received: 44100.5"),
        ([None], TypeError, r"`audio\[0\]` must be one of paths.*NoneType"),
        (7, TypeError, "must hold paths.*Received: a int"),
        ({"array": NOTE}, TypeError, "Received: a dict"),
    ],
)
def test_what_is_no_recording_is_told(entries, error, message):
    with pytest.raises(error, match=message):
        read(entries)
