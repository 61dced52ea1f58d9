"""Adam in one operation: Keras's own steps, whatever the gradients, dtypes and loops."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.models.fused_adam import FusedAdam
from zoo.training.loop.runs import SummingAdamW

SCHEDULE = keras.optimizers.schedules.PolynomialDecay(0.1, 5)


def steps(optimizer, dtype="float32", compiled=False, sparse=False):
    """Two variables after five steps."""
    rng = np.random.default_rng(0)
    table = keras.Variable(rng.normal(size=[6, 3]), dtype=dtype)
    bias = keras.Variable(rng.normal(size=[3]), dtype=dtype)
    optimizer.build([table, bias])
    gradients = [(rng.normal(size=[6, 3]), rng.normal(size=[3])) for _ in range(5)]

    def step(of_table, of_bias):
        # Rows 0 to 5, and row 2 a second time.
        rows = tf.IndexedSlices(
            tf.concat([of_table, of_table[:1]], 0), [0, 1, 2, 3, 4, 5, 2], [6, 3]
        )
        optimizer.apply([rows if sparse else tf.convert_to_tensor(rows), of_bias])

    run = tf.function(step, autograph=False) if compiled else step
    for pair in gradients:
        run(*(tf.constant(of, dtype) for of in pair))
    return [variable.numpy() for variable in (table, bias)]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": 0.05, "global_clipnorm": 0.5},
        {"learning_rate": SCHEDULE, "beta_1": 0.8, "beta_2": 0.98, "epsilon": 1e-3},
        {"learning_rate": 0.05, "weight_decay": 0.1, "use_ema": True, "amsgrad": True},
    ],
)
def test_its_steps_are_those_of_keras(arguments, compiled):
    expected = steps(keras.optimizers.Adam(**arguments))
    # Of slices Keras takes the norm before they are summed.
    for sparse in {False, "global_clipnorm" not in arguments}:
        found = steps(FusedAdam(**arguments), compiled=compiled, sparse=sparse)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_recipes_optimizer_takes_them_too():
    arguments = {"learning_rate": 0.05, "weight_decay": 0.1, "global_clipnorm": 0.5}
    expected = steps(keras.optimizers.AdamW(**arguments))
    found = steps(SummingAdamW(**arguments), compiled=True, sparse=True)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_other_dtypes(dtype):
    expected = steps(keras.optimizers.Adam(0.05), dtype)
    for ours, theirs in zip(steps(FusedAdam(0.05), dtype), expected, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours.astype("float64"), theirs.astype("float64"), atol=1e-5)


def test_a_distribution_strategy_takes_the_step_of_keras():
    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])
        optimizer = FusedAdam(0.05)
        model.compile(optimizer, "mse")
    before = [weight.copy() for weight in model.get_weights()]
    model.fit(np.ones([4, 3]), np.ones([4, 2]), verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
