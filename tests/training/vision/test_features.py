"""Features are computed once: kept, found, resumed, and never taken for another encoder's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.pictures import pictures as made
from zoo.pictures import decode_pictures
from zoo.training.vision import features
from zoo.training.vision.features import flippable, picture_features

SIZE = 8


@keras.saving.register_keras_serializable(package="tests")
class Encoder(keras.layers.Layer):
    """A grid of 2 by 2 in one convolution, and what enters it."""

    image_size = SIZE

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.convolution = keras.layers.Conv2D(5, 4, strides=4)
        self.rows, self.blocks = [], [self.convolution]

    def first_layers(self):
        return []

    def build(self, shape=None):
        self.convolution.build((None, SIZE, SIZE, 3))

    def call(self, pixels):
        tf.py_function(lambda p: self.rows.append(len(p) // 2), [pixels], [])
        return self.convolution(tf.cast(pixels, tf.float32) / 255)

    def call_until(self, pixels, block):
        return tf.cast(pixels[:, ::2, ::4], tf.float32) / (block + 1)


@pytest.fixture
def quick(monkeypatch):
    """Decodes PNGs alone: what is traced in a tenth of the time."""

    def decode(contents, size):
        def one(content):
            pixels = tf.image.resize(tf.io.decode_png(content), [size, size], antialias=True)
            return tf.cast(tf.round(pixels), tf.uint8)

        return tf.map_fn(
            one, contents, fn_output_signature=tf.TensorSpec([size, size, 3], tf.uint8)
        )

    monkeypatch.setattr(features, "decode_pictures", decode)


@pytest.fixture
def encoder():
    keras.utils.set_random_seed(0)
    encoder = Encoder()
    encoder.build()
    return encoder


@pytest.fixture(scope="module")
def contents():
    shades = range(0, 250, 50)
    return [made.saved(made.photo().point(lambda p, s=s: p * s // 255), "PNG") for s in shades]


def expected(encoder, contents):
    pixels = decode_pictures(tf.constant(contents), SIZE).numpy()
    both = [encoder.convolution(p / 255.0) for p in (pixels, pixels[:, :, ::-1])]
    return np.stack([np.reshape(one, [len(contents), 4, 5]) for one in both], axis=1)


def test_a_row_has_the_picture_and_its_flipped_self(encoder, contents, tmp_path):
    found = picture_features(encoder, contents, tmp_path / "new", "train", batch_size=2)
    assert found.shape == (5, 2, 4, 5)
    assert found.dtype == np.float16
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    np.testing.assert_allclose(found, expected(encoder, contents), atol=2e-3)
    assert [path.name[:6] for path in (tmp_path / "new").iterdir()] == ["train-"]


def test_what_enters_a_block_keeps_its_places(encoder, contents, tmp_path):
    found = picture_features(encoder, contents, tmp_path, "train", block=1)
    assert found.shape == (5, 2, 4, 2, 3)
    pixels = decode_pictures(tf.constant(contents), SIZE).numpy()[:, :, ::-1]
    np.testing.assert_allclose(found[:, 1], pixels[:, ::2, ::4] / 2, rtol=1e-3)


@pytest.mark.usefixtures("quick")
def test_they_are_computed_once(encoder, contents, tmp_path):
    first = picture_features(encoder, contents, tmp_path, "train")
    encoder.rows.clear()
    np.testing.assert_array_equal(picture_features(encoder, contents, tmp_path, "train"), first)
    assert not encoder.rows


@pytest.mark.usefixtures("quick")
def test_other_weights_pictures_or_blocks_are_not_taken_for_these(encoder, contents, tmp_path):
    picture_features(encoder, contents, tmp_path, "train")
    picture_features(encoder, contents[::-1], tmp_path, "train")
    picture_features(encoder, contents, tmp_path, "train", block=0)
    encoder.convolution.bias.assign_add(tf.ones([5]))
    other = picture_features(encoder, contents, tmp_path, "train")
    assert len(list(tmp_path.iterdir())) == 4
    # What enters a block is the same whatever its weights are.
    picture_features(encoder, contents, tmp_path, "train", block=0)
    assert len(list(tmp_path.iterdir())) == 4
    np.testing.assert_allclose(other, expected(encoder, contents), atol=2e-3)


@pytest.mark.usefixtures("quick")
def test_other_preprocessing_is_not_taken_for_this(encoder, contents, tmp_path, monkeypatch):
    picture_features(encoder, contents, tmp_path, "train")
    monkeypatch.setattr(features, "PREPROCESSING", "another")
    picture_features(encoder, contents, tmp_path, "train")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.usefixtures("quick")
def test_a_run_that_was_ended_goes_on_where_it_was(encoder, contents, tmp_path, monkeypatch):
    wrote, write = [], features.write_atomically

    def ended(path, data):
        write(path, data)
        wrote.append(data)
        if len(wrote) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(features, "write_atomically", ended)
    with pytest.raises(KeyboardInterrupt):
        picture_features(encoder, contents, tmp_path, "train", batch_size=2)
    monkeypatch.setattr(features, "write_atomically", write)
    encoder.rows.clear()
    found = picture_features(encoder, contents, tmp_path, "train", batch_size=2)
    assert encoder.rows == [1]
    np.testing.assert_allclose(found, expected(encoder, contents), atol=2e-3)
    assert len(list(tmp_path.iterdir())) == 1


def test_no_pictures_are_told(encoder, tmp_path):
    with pytest.raises(ValueError, match="`pictures` must hold at least one"):
        picture_features(encoder, [], tmp_path, "train")


@pytest.mark.parametrize(
    ("caption", "true_of_both"),
    [
        ("A dog runs through the snow .", True),
        ("The boy on the left waves .", False),
        ("A Right turn", False),
        ("two dogs, one looking left", False),
        ("The leftover food is bright", True),
        ("A left-handed pitcher", False),
        ("", True),
    ],
)
def test_captions_with_sides_are_not_for_flipped_pictures(caption, true_of_both):
    assert flippable(caption) == true_of_both
