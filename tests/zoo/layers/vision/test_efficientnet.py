"""EfficientNet-Lite: parity with a network in NumPy, splitting, fine-tuning, bad input."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.layers.vision import reference
from zoo.layers.vision import EfficientNetLite


@pytest.fixture(scope="module")
def arrays():
    return reference.random_arrays(np.random.default_rng(0))


@pytest.fixture(scope="module")
def encoder(arrays):
    encoder = EfficientNetLite("lite0")
    encoder.load_state_dict(arrays)
    return encoder


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(1).integers(0, 256, [2, 70, 45, 3]).astype(np.uint8)


@pytest.fixture(scope="module")
def grid(encoder, pixels):
    return encoder(pixels).numpy()


def test_the_grid_is_that_of_the_paper(arrays, pixels, grid):
    assert grid.shape == (2, 3, 2, 1280)
    expected = reference.encoded(arrays, pixels)
    assert 0.1 < np.mean(expected > 0) < 0.9
    np.testing.assert_allclose(grid, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("variant", "size", "grid", "blocks", "weights"),
    [("lite0", 224, 7, 16, 3_350_000), ("lite2", 260, 9, 21, 4_782_024)],
)
def test_the_variants_have_the_published_sizes(variant, size, grid, blocks, weights):
    encoder = EfficientNetLite(variant)
    encoder.build()
    assert (encoder.image_size, encoder.grid_size, encoder.channels) == (size, grid, 1280)
    assert len(encoder.blocks) == blocks
    # Published: 4,652,008 and 6,092,072, with a classifier of 1,281,000; and a normalization has
    # two numbers for each channel where a bias, into which it is folded, has one.
    biases = sum(int(np.prod(w.shape)) for w in encoder.weights if w.name == "bias")
    assert encoder.count_params() == weights
    assert encoder.count_params() + biases + 1_281_000 == {16: 4_652_008, 21: 6_092_072}[blocks]


@pytest.mark.parametrize("block", [0, 7, 16])
def test_a_first_part_and_the_rest_are_the_whole(encoder, pixels, grid, block):
    activations = encoder.call_until(pixels, block)
    np.testing.assert_allclose(encoder.call_from(activations, block), grid, atol=1e-5)


def test_a_batch_may_be_empty_in_a_graph(encoder):
    run = tf.function(
        lambda p: (encoder(p), encoder.call_from(encoder.call_until(p, 11), 11)),
        [tf.TensorSpec([None, 64, 64, 3], tf.uint8)],
        autograph=False,
    )
    for grid in run(np.zeros([0, 64, 64, 3], np.uint8)):
        assert grid.shape == (0, 2, 2, 1280)


def test_others_in_the_batch_change_nothing(encoder, pixels, grid):
    np.testing.assert_allclose(encoder(pixels[1:]), grid[1:], atol=3e-4)


def test_training_does_not_move_the_normalization(encoder, pixels, grid):
    np.testing.assert_allclose(encoder(pixels, training=True), grid, atol=1e-5)


@pytest.mark.parametrize(("block", "kept"), [(None, None), (16, 16), (14, 14)])
def test_the_last_blocks_are_fine_tuned_alone(block, kept):
    encoder = EfficientNetLite()
    encoder.build()
    encoder.train_from(block)
    names = {weight.path for weight in encoder.trainable_weights}
    expected = (
        set()
        if block is None
        else {w.path for layer in [*encoder.blocks[kept:], encoder.head] for w in layer.weights}
    )
    assert names == expected
    encoder.train_from(0)
    assert len(encoder.trainable_weights) == len(encoder.weights) - len(encoder.stem.weights)


def test_gradients_reach_the_blocks_that_are_trained(encoder, pixels):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder(pixels) ** 2)
    gradients = tape.gradient(loss, [w.value for w in encoder.trainable_weights])
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_half_precision_gives_nearly_the_same(encoder, arrays, pixels, grid):
    half = EfficientNetLite("lite0", dtype="mixed_bfloat16")
    half.load_state_dict(arrays)
    outputs = half(pixels)
    assert outputs.dtype == tf.bfloat16
    assert np.corrcoef(np.ravel(tf.cast(outputs, tf.float32)), grid.ravel())[0, 1] > 0.99


def test_a_layer_is_made_again_from_its_config(encoder, pixels, grid):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(encoder))
    assert [w.shape for w in again.weights] == [w.shape for w in encoder.weights]
    again.set_weights(encoder.get_weights())
    np.testing.assert_array_equal(again(pixels), grid)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda e: EfficientNetLite("lite9"), "`variant` must be one of lite0, lite2"),
        (lambda e: e(np.zeros([2, 64, 64, 4])), r"`pixels` must have shape \[batch, height, width"),
        (lambda e: e(np.zeros([64, 64, 3])), r"Received: \(64, 64, 3\)"),
        (lambda e: e.call_until(np.zeros([1, 64, 64, 3]), 17), "`block` must be from 0 to 16"),
        (lambda e: e.call_from(np.zeros([1, 4, 4, 32]), -1), "`block` must be from 0 to 16"),
        (lambda e: e.train_from(99), "`block` must be from 0 to 16. Received: block=99"),
        (lambda e: e.load_state_dict({"a": np.zeros(1)}), "no _conv_stem.weight among 1 arrays"),
    ],
)
def test_bad_input_is_told(encoder, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(encoder)


def test_arrays_of_another_shape_are_told(arrays):
    other = {**arrays, "_conv_head.weight": np.zeros([1280, 352, 1, 1], np.float32)}
    with pytest.raises(ValueError, match=r"head has a kernel of shape \(1, 1, 320, 1280\)"):
        EfficientNetLite("lite0").load_state_dict(other)
