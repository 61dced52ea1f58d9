"""An embedding's step is that of its summed gradient, however often a word is looked up."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.training.loop.runs import averaging_adam
from zoo.training.recipes import sentiment

SCHEDULE = sentiment.RECIPES["sentiment_sst"].schedule
SCALE = tf.reshape(tf.range(12.0), [4, 3])


def by_one_hot(table, ids):
    return tf.one_hot(ids, 4) @ table


def loss_of_one_look_up(table, look_up):
    return tf.reduce_sum(look_up(table, [1, 1, 1, 2]) ** 2 * SCALE)


def loss_of_two_look_ups(table, look_up):
    """As of an embedding that reads source and target."""
    return loss_of_one_look_up(table, look_up) + tf.reduce_sum(look_up(table, [2, 3, 1, 2]) * SCALE)


def table_after_steps(optimizer, loss, look_up):
    table = keras.Variable(np.linspace(-1, 1, 12).reshape(4, 3), dtype="float32")
    for _ in range(3):
        with tf.GradientTape() as tape:
            value = loss(tf.convert_to_tensor(table), look_up)
        (gradient,) = tape.gradient(value, [table.value])
        assert isinstance(gradient, tf.IndexedSlices) == (look_up is tf.gather)
        optimizer.apply([gradient], [table])
    return table.numpy()


@pytest.mark.parametrize("loss", [loss_of_one_look_up, loss_of_two_look_ups])
@pytest.mark.parametrize("clip_norm", [1.0, None])
def test_a_step_is_that_of_the_dense_gradient(clip_norm, loss):
    schedule = dataclasses.replace(SCHEDULE, learning_rate=0.1, warmup_steps=1, clip_norm=clip_norm)
    ours, same = averaging_adam(schedule, 10), averaging_adam(schedule, 10)
    expected = table_after_steps(same, loss, by_one_hot)
    np.testing.assert_allclose(table_after_steps(ours, loss, tf.gather), expected, atol=1e-6)
    # Keras alone does otherwise: a wrong norm to clip by, or squares before sums.
    keras_alone = keras.optimizers.AdamW.from_config(averaging_adam(schedule, 10).get_config())
    assert np.abs(table_after_steps(keras_alone, loss, tf.gather) - expected).max() > 1e-5
