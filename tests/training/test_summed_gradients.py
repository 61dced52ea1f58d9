"""An embedding's step is that of its summed gradient, however often a word is looked up."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.recipes import sentiment
from training.runs import averaging_adam
from training.summed_gradients import summing_adam

RECIPE = sentiment.RECIPES["sentiment_sst"]


def table_after_steps(optimizer, look_up):
    table = keras.Variable(np.linspace(-1, 1, 12).reshape(4, 3), dtype="float32")
    for _ in range(3):
        with tf.GradientTape() as tape:
            rows = look_up(tf.convert_to_tensor(table), tf.constant([1, 1, 1, 2]))
            loss = tf.reduce_sum(rows**2 * tf.reshape(tf.range(12.0), [4, 3]))
        (gradient,) = tape.gradient(loss, [table.value])
        optimizer.apply([gradient], [table])
    return table.numpy()


def by_one_hot(table, ids):
    return tf.one_hot(ids, 4) @ table


@pytest.mark.parametrize("clip_norm", [1.0, None])
def test_a_step_is_that_of_the_dense_gradient(clip_norm):
    recipe = dataclasses.replace(RECIPE, learning_rate=0.1, warmup_steps=1, clip_norm=clip_norm)
    expected = table_after_steps(averaging_adam(recipe, 10), by_one_hot)
    np.testing.assert_allclose(
        table_after_steps(summing_adam(recipe, 10), tf.gather), expected, atol=1e-7
    )
    # Keras alone does otherwise: a wrong norm to clip by, or squares before sums.
    keras_alone = table_after_steps(averaging_adam(recipe, 10), tf.gather)
    assert np.abs(keras_alone - expected).max() > 1e-5


def test_everything_else_is_as_in_averaging_adam():
    ours, plain = (make(RECIPE, 10).get_config() for make in (summing_adam, averaging_adam))
    assert ours | {"name": ""} == plain | {"name": ""}
