"""Whatever users have their pictures in, it comes out of the graph with the same pixels."""

from pathlib import Path

import numpy as np
import pandas
import pytest
import tensorflow as tf
from PIL import Image

from tests.zoo.pictures import pictures
from zoo.pictures import decode_pictures, is_picture, read_pictures

ARRAY = np.asarray(pictures.photo())
CONTENT = pictures.saved(pictures.photo(), "PNG")


def pixels(entries, size=pictures.HEIGHT):
    return decode_pictures(read_pictures("images", entries), size).numpy()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize(
    "given",
    [
        lambda path: path,
        str,
        lambda path: path.read_bytes(),
        lambda path: ARRAY,
        lambda path: ARRAY.astype(np.int64),
        lambda path: ARRAY.astype(np.float32) + np.float32(0.2),
        lambda path: tf.constant(ARRAY),
        lambda path: tf.constant(CONTENT),
        lambda path: np.array(CONTENT, object),
        lambda path: Image.open(path),
        lambda path: [path],
        lambda path: (str(path),),
        lambda path: np.array([str(path)]),
        lambda path: pandas.Series([str(path)]),
        lambda path: pandas.Series([ARRAY]),
        lambda path: ARRAY[None],
        lambda path: tf.constant([CONTENT]),
        lambda path: (p for p in [path]),
    ],
)
def test_every_form_of_a_picture_gives_the_same_pixels(path, given):
    np.testing.assert_array_equal(pixels(given(path)), pixels(CONTENT))


def test_several_keep_their_order(path):
    found = pixels([ARRAY, 255 - ARRAY, path])
    np.testing.assert_array_equal(found[0], found[2])
    assert np.abs(found[0].astype(int) - found[1]).max() > 50


def test_arrays_are_packed_without_loss():
    square = ARRAY[:, : pictures.HEIGHT]
    np.testing.assert_array_equal(pixels(square)[0], square)


@pytest.mark.parametrize("grey", [ARRAY[..., 0], ARRAY[..., :1]])
def test_grey_arrays_have_three_equal_colours(grey):
    np.testing.assert_array_equal(pixels(grey), pixels(np.repeat(ARRAY[..., :1], 3, 2)))


def test_alpha_is_laid_over_white():
    image = pictures.with_alpha()
    np.testing.assert_array_equal(pixels(np.asarray(image)), pixels(pictures.saved(image, "PNG")))
    np.testing.assert_array_equal(pixels(image), pixels(np.asarray(image)))


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "YCbCr", "LA"])
def test_pil_images_of_any_mode(mode):
    image = pictures.photo().convert(mode)
    seen = np.asarray(image.convert("RGBA").convert("RGB"))
    np.testing.assert_array_equal(pixels(image), pixels(seen))


def test_pil_images_of_16_bits():
    image = pictures.of_16_bits()
    np.testing.assert_array_equal(pixels(image), pixels(pictures.saved(image, "PNG")))


def test_pil_images_are_turned_as_their_exif_says(tmp_path):
    path = tmp_path / "turned.jpg"
    path.write_bytes(pictures.turned(6))
    difference = pixels(Image.open(path)).astype(int) - pixels(path)
    assert np.abs(difference).max() <= 4  # PIL has another decoder of JPEG


@pytest.mark.parametrize(
    ("value", "one"),
    [
        ("a.jpg", True),
        (b"\xff\xd8", True),
        (Path("a.jpg"), True),
        (ARRAY, True),
        (ARRAY[..., 0], True),
        (pictures.photo(), True),
        (tf.constant(CONTENT), True),
        (ARRAY[None], False),
        (["a.jpg"], False),
        ([ARRAY], False),
        (np.array(["a.jpg"]), False),
        (tf.constant([CONTENT]), False),
        (None, False),
    ],
)
def test_one_picture_or_a_list_of_them(value, one):
    assert is_picture(value) == one


@pytest.mark.parametrize(
    ("entry", "error", "message"),
    [
        (
            "nowhere.jpg",
            FileNotFoundError,
            r"`images\[1\]` must be a file.*'nowhere.jpg', which is",
        ),
        ("https://a.b/c.jpg", ValueError, r"`images\[1\]`.*an address: fetch it"),
        ("data:image/png;base64,AA", ValueError, "an address: fetch it"),
        (b"", ValueError, r"`images\[1\]` must hold a picture. Received: no bytes"),
        (b"hello", ValueError, r"5 bytes that begin with b'hello'. What PIL can open"),
        (ARRAY / 255, ValueError, r"`images\[1\]`.*on a scale from 0 to 1: multiply by 255"),
        (ARRAY - 128.0, ValueError, r"from 0 to 255. Received: -\d+ to \d+"),
        (ARRAY * np.nan, ValueError, "Received: nan to nan"),
        (ARRAY.astype(int) * 2, ValueError, r"from 0 to 255. Received: \d+ to \d+"),
        (ARRAY > 9, TypeError, "must hold numbers from 0 to 255. Received: bool"),
        (
            ARRAY[None],
            ValueError,
            r"`images\[1\]` must have shape .* Received: shape \[1, 36, 48, 3",
        ),
        (ARRAY[..., :2], ValueError, r"Received: shape \[36, 48, 2\]"),
        (ARRAY[0, 0], ValueError, r"Received: shape \[3\]"),
        (ARRAY[:0], ValueError, r"Received: shape \[0, 48, 3\]"),
        (7, TypeError, r"`images\[1\]` must be one of paths, bytes.*Received: a int"),
        (None, TypeError, "Received: a NoneType"),
    ],
)
def test_a_wrong_entry_is_told(entry, error, message):
    with pytest.raises(error, match=message):
        read_pictures("images", [ARRAY, entry])


@pytest.mark.parametrize(
    ("entries", "error", "message"),
    [
        ([], ValueError, "`images` must hold at least one picture"),
        (None, TypeError, "`images` must hold paths, bytes.*a NoneType"),
        ({"a": ARRAY}, TypeError, "a dict"),
        (np.zeros([2, 3, 4, 5, 3], np.uint8), ValueError, r"Received: shape \[2, 3, 4, 5, 3\]"),
        (np.array([["a.jpg"]]), ValueError, r"Received: shape \[1, 1\]"),
    ],
)
def test_wrong_entries_are_told(entries, error, message):
    with pytest.raises(error, match=message):
        read_pictures("images", entries)


def test_a_text_with_a_pictures_name_is_told(tmp_path):
    path = tmp_path / "notes.jpg"
    path.write_text("to do: photograph the cat")
    with pytest.raises(ValueError, match=r"`images\[0\]='.*notes.jpg'` must hold a picture"):
        read_pictures("images", path)


def test_a_folder_is_told(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"a folder: hand over the files in it.*glob"):
        read_pictures("images", [tmp_path])
