"""The attention decoder: the kernel with its hand-derived gradient against one step at a time."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import AttentionCell, BahdanauAttention, BasicLSTMCell, GRUCell

BATCH, TIME, SOURCE, INPUT, UNITS, MEMORY, ATTENTION = 3, 5, 4, 3, 6, 7, 5


def problem(dtype, seed=0):
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return tf.constant(rng.normal(size=shape), dtype)

    return {
        "inputs": draw(BATCH, TIME, INPUT),
        "states": [draw(BATCH, UNITS), draw(BATCH, UNITS)],
        "memory": draw(BATCH, SOURCE, MEMORY),
        "lengths": tf.constant([4, 1, 2]),
    }


def decoder(dtype, cell=None, input_in_query=False):
    keras.utils.set_random_seed(0)
    cell = cell or BasicLSTMCell(UNITS, dtype=dtype)
    attention = BahdanauAttention(ATTENTION, dtype=dtype)
    layer = AttentionCell(cell, attention, input_in_query, dtype=dtype)
    layer.build_for(INPUT, MEMORY)
    return layer


def loss_and_gradients(layer, run, data):
    """A loss that touches every output, with gradients for variables and all float inputs."""
    flat = [data["inputs"], *data["states"], data["memory"]]
    with tf.GradientTape() as tape:
        tape.watch(flat)
        keys = layer.attention.keys(data["memory"])
        *sequences, states = run(
            data["inputs"], data["states"], keys, data["memory"], data["lengths"]
        )
        loss = sum(tf.reduce_sum(tf.sin(part)) for part in (*sequences, *states))
    variables = [variable.value for variable in layer.trainable_variables]
    return [*sequences, *states], tape.gradient(loss, flat + variables)


@pytest.mark.parametrize("make", [BasicLSTMCell, GRUCell])
def test_an_empty_batch(make):
    layer, data = decoder("float32", make(UNITS)), problem("float32")
    empty = {name: tf.nest.map_structure(lambda x: x[:0], part) for name, part in data.items()}
    empty["states"] = empty["states"][: len(layer.state_size)]
    outputs, gradients = loss_and_gradients(layer, layer.unroll, empty)
    assert outputs[0].shape == (0, TIME, UNITS)
    assert not any(np.any(gradient) for gradient in gradients)


@pytest.mark.parametrize("input_in_query", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 2e-5)])
def test_kernel_equals_step_by_step(dtype, tolerance, input_in_query):
    layer, data = decoder(dtype, input_in_query=input_in_query), problem(dtype)
    outputs, gradients = loss_and_gradients(layer, layer.unroll, data)

    def steps(*arguments):
        return layer._unroll_steps(*arguments, training=False)

    expected_outputs, expected_gradients = loss_and_gradients(layer, steps, data)
    for got, expected in zip(
        outputs + gradients, expected_outputs + expected_gradients, strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("input_in_query", [False, True])
def test_kernel_gradient_equals_finite_differences(input_in_query):
    layer, data = decoder("float64", input_in_query=input_in_query), problem("float64")

    @tf.function(autograph=False)
    def loss(inputs, h, c, memory):
        keys = layer.attention.keys(memory)
        *parts, states = layer.unroll(inputs, [h, c], keys, memory, data["lengths"])
        return sum(tf.reduce_sum(tf.sin(part)) for part in (*parts, *states))

    theoretical, numerical = tf.test.compute_gradient(
        loss, [data["inputs"], *data["states"], data["memory"]], delta=1e-5
    )
    for got, expected in zip(theoretical, numerical, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


def test_longer_padding_changes_nothing():
    layer, data = decoder("float32"), problem("float32")
    padded = dict(
        data, memory=tf.pad(data["memory"], [[0, 0], [0, 3], [0, 0]], constant_values=9.0)
    )
    outputs, gradients = loss_and_gradients(layer, layer.unroll, data)
    wide_outputs, wide_gradients = loss_and_gradients(layer, layer.unroll, padded)
    wide_outputs[2] = wide_outputs[2][:, :, :SOURCE]
    wide_gradients[3] = wide_gradients[3][:, :SOURCE]
    for got, expected in zip(wide_outputs + wide_gradients, outputs + gradients, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("input_in_query", [False, True])
def test_any_cell_unrolls_and_beams_share_a_memory(input_in_query):
    layer, data = decoder("float32", GRUCell(UNITS), input_in_query), problem("float32")
    keys = layer.attention.keys(data["memory"])
    states = data["states"][:1]
    outputs, _, alignments, _ = layer.unroll(
        data["inputs"], states, keys, data["memory"], data["lengths"]
    )
    # Two hypotheses in each row, both fed the same: each must do what the row alone does.
    twice = [tf.repeat(x, 2, axis=0) for x in (data["inputs"][:, 0], states[0])]
    output, _, alignment, _ = layer(twice[0], [twice[1]], keys, data["memory"], data["lengths"])
    np.testing.assert_allclose(output, tf.repeat(outputs[:, 0], 2, axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        alignment, tf.repeat(alignments[:, 0], 2, axis=0), rtol=1e-5, atol=1e-6
    )


def test_query_follows_the_token_before():
    """What the token before was moves the first step's alignment if, and only if, it is asked."""
    data = problem("float32")
    other = dict(data, inputs=data["inputs"] + 1.0)
    for input_in_query in (False, True):
        layer = decoder("float32", input_in_query=input_in_query)
        first, second = (
            layer.unroll(
                d["inputs"],
                d["states"],
                layer.attention.keys(d["memory"]),
                d["memory"],
                d["lengths"],
            )[2][:, 0]
            for d in (data, other)
        )
        assert np.allclose(first, second, atol=1e-7) != input_in_query


def test_config_round_trip():
    layer = decoder("float32", input_in_query=True)
    again = AttentionCell.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert isinstance(again.cell, BasicLSTMCell)


def test_mixed_bfloat16_stays_near_float32():
    data = problem("float32")
    exact, mixed = decoder("float32"), decoder("mixed_bfloat16")
    mixed.set_weights(exact.get_weights())

    def outputs(layer):
        keys = layer.attention.keys(data["memory"])
        return layer.unroll(data["inputs"], data["states"], keys, data["memory"], data["lengths"])[
            0
        ]

    assert outputs(mixed).dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(outputs(mixed), tf.float32), outputs(exact), atol=0.05)
