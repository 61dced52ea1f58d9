"""WAV in the graph: every kind of samples, channels and rates; and what is no WAV, by its place."""

import struct

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.audio.recordings import notes, pcm, scipys
from zoo.audio import decode_recordings

SECONDS = 2.0
NOTE = notes()
WHOLE = pcm(NOTE)


@pytest.fixture(scope="module")
def decode():
    """Traced once; gives the samples of each recording."""
    spec = tf.TensorSpec([None], tf.string)
    graph = tf.function(lambda of: decode_recordings(of, 8000, SECONDS), [spec], autograph=False)

    def decode(*contents):
        samples, lengths = graph(tf.constant(contents, tf.string))
        assert not samples.numpy()[~tf.sequence_mask(lengths, samples.shape[1])].any()
        return [row[:length] for row, length in zip(samples.numpy(), lengths.numpy(), strict=True)]

    return decode


def with_chunks(content):
    """The same sound behind a chunk of odd length, with one of text at the end."""
    head, form, data = content[:12], content[12:36], content[36:]
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    return head + odd + form + data + odd


def extensible(content, code):
    """The same sound under a header of 40 bytes, as several channels or 24 bits often have."""
    guid = bytes.fromhex("000000001000800000aa00389b71")
    form = struct.pack("<H", 0xFFFE) + content[22:36] + struct.pack("<HHIH", 22, 16, 4, code) + guid
    return content[:12] + b"fmt " + struct.pack("<I", len(form)) + form + content[36:]


def test_every_kind_of_samples_is_read(decode):
    contents = {
        "8 bits": (pcm(NOTE, width=1), 1 / 128),
        "16 bits": (WHOLE, 1 / 32768),
        "24 bits": (pcm(NOTE, width=3), 2**-23),
        "32 bits": (scipys((NOTE * 2**31).astype(np.int32)), 1e-7),
        "floats": (scipys(NOTE.astype(np.float32)), 1e-7),
        "doubles": (scipys(NOTE), 1e-7),
        "further chunks": (with_chunks(WHOLE), 1 / 32768),
        "extensible": (extensible(WHOLE, 1), 1 / 32768),
        "a pipe": (WHOLE[:40] + b"\xff" * 4 + WHOLE[44:], 1 / 32768),
    }
    found = decode(*(content for content, _ in contents.values()))
    for samples, (kind, (_, step)) in zip(found, contents.items(), strict=True):
        assert len(samples) == len(NOTE), kind
        np.testing.assert_allclose(samples, NOTE, atol=1.1 * step, err_msg=kind)


def test_of_16_bits_every_sample_is_exact(decode):
    whole = np.random.default_rng(0).integers(-(2**15), 2**15, 500, np.int16)
    (found,) = decode(scipys(whole))
    np.testing.assert_array_equal(found, whole / np.float32(32768))
    theirs, _ = tf.audio.decode_wav(scipys(whole))
    np.testing.assert_array_equal(found, theirs[:, 0])


def test_channels_are_mixed_down(decode):
    other = notes(pitch=700.0)
    (found,) = decode(pcm(np.stack([NOTE, other, 0 * NOTE], axis=1)))
    np.testing.assert_allclose(found, (NOTE + other) / 3, atol=1e-4)


@pytest.mark.parametrize("rate", [44_100, 48_000, 11_025, 16_001, 4_000])
def test_another_rate_is_resampled(decode, rate):
    """Frequencies that both rates hold keep their shape, higher ones are left out."""
    sound = notes(rate)
    if rate > 16_000:
        sound = sound + notes(rate, pitch=6000.0)
    (found,) = decode(scipys(sound.astype(np.float32), rate))
    assert len(found) == len(NOTE)
    np.testing.assert_allclose(found, NOTE[: len(found)], atol=2e-4)


def test_the_beginning_of_a_long_one_is_heard(decode):
    long = notes(seconds=3 * SECONDS)
    found, resampled = decode(pcm(long), pcm(notes(16_000, 3 * SECONDS), 16_000))
    np.testing.assert_allclose(found, long[: int(8000 * SECONDS)], atol=1e-4)
    np.testing.assert_allclose(resampled[:-99], found[:-99], atol=2e-3)  # it ends abruptly


def test_mates_and_an_empty_batch_change_nothing(decode):
    alone = decode(WHOLE)[0]
    for found in decode(WHOLE, pcm(notes(seconds=1.0)), WHOLE)[::2]:
        np.testing.assert_array_equal(found, alone)
    assert decode() == []


NAN = np.where(np.arange(99) == 50, np.nan, 0.1).astype(np.float32)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty: hand over the content of a .wav file"),
        (b"RIFF", "is a WAV whose end is missing (4 bytes)"),
        (WHOLE[:30], "is a WAV whose end is missing (30 bytes)"),
        (WHOLE[:44], "is a WAV whose end is missing (44 bytes)"),
        (WHOLE[:-1], "is a WAV whose end is missing"),
        (pcm([]), "is a WAV without samples: there is nothing to hear"),
        (scipys(NAN), "is a WAV with samples that are no numbers (NaN or infinite)"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(40), "is a RIFF file, but no WAV"),
        (WHOLE[:20] + b"\x11" + WHOLE[21:], "is a WAV of format 17 and 16 bits"),
        (WHOLE[:12] + b"junk" + WHOLE[16:], "is a WAV with a damaged header"),
        (WHOLE[:22] + b"\0" + WHOLE[23:], "is a WAV of 0 channels"),
        (pcm(NOTE, 999), "is a WAV of 999 samples a second: from 4,000 to 384,000 are read"),
        (b"ID3\x04" + bytes(40), "is an MP3: WAV is decoded. Convert it, such as with `ffmpeg"),
        (b"OggS" + bytes(40), "is an Ogg file"),
        (b"https://example.org/a.wav", "is an address: fetch it"),
        (b"UklGRiQ", "is a WAV in base64: hand over its bytes"),
        (b"seven", "is no recording (5 bytes): WAV is decoded"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(decode, content, fault):
    with pytest.raises(tf.errors.InvalidArgumentError) as told:
        decode(WHOLE, content)
    assert f"instances[1] {fault}" in told.value.message
    assert "(1 of 2)" in told.value.message
