"""Pictures of every kind are decoded in the graph as PIL shows them; wrong ones are told."""

import re
import struct

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.zoo.pictures import pictures
from zoo.pictures import decode_pictures

SIZE = 24
KINDS = pictures.every_kind()


@pytest.fixture(scope="module")
def decode():
    spec = tf.TensorSpec([None], tf.string)
    return tf.function(lambda c: decode_pictures(c, SIZE), [spec], autograph=False)


@pytest.fixture(scope="module")
def decoded(decode):
    """All kinds in one batch."""
    return dict(zip(KINDS, decode(list(KINDS.values())).numpy(), strict=True))


def told(decode, *contents):
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        decode(list(contents))
    return re.search(r"\[(instances\[.*\))\]", error.value.message)[1].replace("\\'", "'")


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_looks_as_pil_shows_it(decoded, kind):
    seen = pictures.as_seen(KINDS[kind], SIZE).astype(int)
    assert decoded[kind].dtype == np.uint8
    np.testing.assert_allclose(decoded[kind], seen, atol=1)


def test_of_an_animation_the_first_frame_is_taken(decoded):
    np.testing.assert_array_equal(decoded["animated gif"], decoded["gif"])


def test_a_frame_that_is_not_the_first_may_be_damaged(decode, decoded):
    content = KINDS["animated gif"]
    np.testing.assert_array_equal(decode([content[:-40]])[0], decoded["gif"])


def test_a_picture_of_the_right_size_keeps_its_pixels():
    image = pictures.photo().crop((0, 0, 36, 36))
    pixels = decode_pictures(tf.constant([pictures.saved(image, "PNG")]), 36)
    np.testing.assert_array_equal(pixels[0], np.asarray(image))


def test_jpegs_are_decoded_by_the_accurate_method():
    content = pictures.saved(pictures.photo().crop((0, 0, 36, 36)), "JPEG", quality=60)
    exact = tf.io.decode_jpeg(content, dct_method="INTEGER_ACCURATE")
    np.testing.assert_array_equal(decode_pictures(tf.constant([content]), 36)[0], exact)


def test_others_in_the_batch_change_nothing(decode, decoded):
    for kind in ("jpeg", "exif 6", "clear gif"):
        np.testing.assert_array_equal(decode([KINDS[kind]])[0], decoded[kind])


def test_a_batch_may_be_empty(decode):
    assert decode(tf.zeros([0], tf.string)).shape == (0, SIZE, SIZE, 3)


def test_it_works_outside_of_a_graph_too(decoded):
    pixels = decode_pictures(tf.constant([KINDS["exif 5"]]), SIZE)
    np.testing.assert_array_equal(pixels[0], decoded["exif 5"])


@pytest.mark.parametrize("kind", ["jpeg", "progressive jpeg", "png", "gif", "bmp", "exif 6"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_file_that_was_cut_off_is_told(decode, kind, part):
    content = KINDS[kind][: int(len(KINDS[kind]) * part)]
    form = {"exif": "JPEG"}.get(kind.split()[0], kind.split()[-1].upper())
    message = f"instances[0] is a {form} whose end is missing ({len(content)} bytes)"
    assert message in told(decode, content)


def test_every_wrong_picture_is_told_and_the_others_are_counted(decode):
    message = told(decode, KINDS["jpeg"], b"", KINDS["png"], b"some text", KINDS["bmp"])
    first, second = message.split("; ")
    assert first.startswith("instances[1] is empty: hand over the content")
    assert second.startswith("instances[3] is no picture (9 bytes): JPEG, PNG, GIF and BMP")
    assert second.endswith("(2 of 5)")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFF\x10\0\0\0WEBPVP8 ", "is a WebP picture"),
        (b"\0\0\0\x18ftypheic\0", "is a HEIC or AVIF picture"),
        (b"II*\0\x08\0\0\0", "is a TIFF"),
        (b"%PDF-1.7", "is a PDF"),
        (b"<!DOCTYPE html>", "is a text in XML or HTML"),
        (b"https://example.org/cat.jpg", "is an address: fetch it"),
        (b"data:image/png;base64,", "is a data URL"),
        (b"/9j/4AAQSkZJRg", "is a JPEG in base64"),
        (b"iVBORw0KGgoAAAANSUhEUgAA", "is a PNG in base64"),
        (b"x", "is no picture (1 bytes)"),
        (b"\xff\xd8\xff", "is a JPEG whose end is missing (3 bytes)"),
        (b"\xff\xd8\xff\xe0\0\x02garbage\xff\xd9\xff\xda", "is a JPEG with a damaged header"),
        (
            KINDS["jpeg"].replace(b"\xff\xc0", b"\xff\xc3"),
            "is a JPEG of a kind that is not decoded",
        ),
        (
            KINDS["jpeg"].replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c"),
            "is a JPEG of a kind",
        ),
        (b"BM", "is a BMP whose end is missing"),
        (b"GIF89a" + b"\1\0\1\0\0\0\0;", "is a GIF without a picture"),
        (KINDS["png"][:12] + b"IDAT" + KINDS["png"][16:], "is a PNG with a damaged header"),
        (KINDS["bmp"][:28] + b"\4\0" + KINDS["bmp"][30:], "is a BMP of 4 bits a pixel"),
    ],
)
def test_what_is_wrong_is_told(decode, content, message):
    assert f"instances[0] {message}" in told(decode, content)


def of_size(kind, width, height):
    """A content whose header tells another size; of the pixels there are as many as before."""
    content = bytearray(KINDS[kind])
    before, gap, form = {
        "png": (b"IHDR", 4, ">II"),
        "bmp": (b"BM", 18, "<ii"),
        "gif": (b"\x2c\0\0\0\0", 5, "<HH"),
        "jpeg": (b"\xff\xc0", 5, ">HH"),
    }[kind]
    at = content.index(before) + gap
    sizes = (height, width) if kind == "jpeg" else (width, height)
    content[at : at + struct.calcsize(form)] = struct.pack(form, *sizes)
    return bytes(content)


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "bmp"])
def test_a_decompression_bomb_is_refused_by_its_header(decode, kind):
    message = told(decode, of_size(kind, 20_000, 20_000))
    assert (
        f"instances[0] is a {kind.upper()} of 20000 x 20000 pixels: at most 50,000,000" in message
    )


def test_the_largest_sizes_do_not_overflow(decode):
    assert "4294967295 x 4294967295 pixels: at most" in told(
        decode, of_size("png", 2**32 - 1, 2**32 - 1)
    )


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "bmp"])
def test_no_size_is_told(decode, kind):
    assert f"is a {kind.upper()} of 0 x 36 pixels: there is nothing" in told(
        decode, of_size(kind, 0, 36)
    )


def test_how_many_pixels_are_decoded_can_be_chosen():
    content = tf.constant([KINDS["png"]])
    pixels = pictures.WIDTH * pictures.HEIGHT
    assert decode_pictures(content, SIZE, max_pixels=pixels).shape == (1, SIZE, SIZE, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"photos\[0\] is a PNG of 48 x 36"):
        decode_pictures(content, SIZE, name="photos", max_pixels=pixels - 1)


def test_a_gif_of_countless_blocks_is_refused(decode):
    head = KINDS["gif"][: KINDS["gif"].index(b"\x2c\0\0\0\0")]
    comment = b"\x21\xfe" + b"\1a" * 20_000 + b"\0"
    assert "is a GIF without a picture" in told(decode, head + comment + b";")


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["jpeg", "exif 6", "png with a palette", "clear gif", "bmp"]),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=4),
    early=st.booleans(),
)
def test_damaged_bytes_end_in_pixels_or_in_an_error(decode, kind, changes, early):
    content = bytearray(KINDS[kind])
    for place, byte in changes:
        content[int(place * (min(150, len(content)) if early else len(content)))] = byte
    try:
        pixels = decode([bytes(content)])
    except tf.errors.InvalidArgumentError:
        return
    assert pixels.shape == (1, SIZE, SIZE, 3)
