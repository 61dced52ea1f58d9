"""The attention decoder: the kernel with its hand-derived gradient against one step at a time."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import (
    AttentionCell,
    BahdanauAttention,
    BasicLSTMCell,
    BasicRNNCell,
    DropoutWrapper,
    GRUCell,
)

BATCH, TIME, SOURCE, INPUT, UNITS, MEMORY, ATTENTION = 4, 5, 4, 3, 6, 7, 5
CELLS = [BasicRNNCell, BasicLSTMCell, GRUCell]


def problem(dtype, make=BasicLSTMCell, seed=0):
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return tf.constant(rng.normal(size=shape), dtype)

    return {
        "inputs": draw(BATCH, TIME, INPUT),
        "states": [draw(BATCH, UNITS) for _ in range(make.step.states)],
        "memory": draw(BATCH, SOURCE, MEMORY),
        "lengths": tf.constant([4, 1, 2, 0]),
    }


def decoder(dtype, make=BasicLSTMCell, input_in_query=False, gated=False):
    """A decoder with weights that are nowhere 0."""
    keras.utils.set_random_seed(0)
    attention = BahdanauAttention(ATTENTION, dtype=dtype)
    cell = make(UNITS, dtype=dtype)
    layer = AttentionCell(cell, attention, input_in_query, gated, dtype=dtype)
    layer.build_for(INPUT, MEMORY)
    random = np.random.default_rng(1)
    layer.set_weights([random.uniform(-0.7, 0.7, w.shape) for w in layer.weights])
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


@pytest.mark.parametrize("make", CELLS)
def test_an_empty_batch(make):
    layer, data = decoder("float32", make), problem("float32", make)
    empty = {name: tf.nest.map_structure(lambda x: x[:0], part) for name, part in data.items()}
    outputs, gradients = loss_and_gradients(layer, layer.unroll, empty)
    assert outputs[0].shape == (0, TIME, UNITS)
    assert not any(np.any(gradient) for gradient in gradients)


@pytest.mark.parametrize("steps", [1, TIME])
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("input_in_query", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 2e-5)])
@pytest.mark.parametrize("make", CELLS)
def test_kernel_equals_step_by_step(make, dtype, tolerance, input_in_query, gated, steps):
    layer, data = decoder(dtype, make, input_in_query, gated), problem(dtype, make)
    data["inputs"] = data["inputs"][:, :steps]
    outputs, gradients = loss_and_gradients(layer, layer.unroll, data)

    def plain(*arguments):
        return layer._unroll_steps(*arguments, training=False)

    expected_outputs, expected_gradients = loss_and_gradients(layer, plain, data)
    for got, expected in zip(
        outputs + gradients, expected_outputs + expected_gradients, strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("make", CELLS)
def test_no_steps(make):
    layer, data = decoder("float32", make), problem("float32", make)
    data["inputs"] = data["inputs"][:, :0]
    (outputs, contexts, alignments, *states), gradients = loss_and_gradients(
        layer, tf.function(layer.unroll, autograph=False), data
    )
    assert outputs.shape == (BATCH, 0, UNITS)
    assert contexts.shape == (BATCH, 0, MEMORY)
    assert alignments.shape == (BATCH, 0, SOURCE)
    for state, start in zip(states, data["states"], strict=True):
        np.testing.assert_array_equal(state, start)
    of_states = gradients[1 : 1 + len(states)]
    for gradient, start in zip(of_states, data["states"], strict=True):
        np.testing.assert_allclose(gradient, tf.cos(start), rtol=1e-6)
    assert not any(np.any(gradient) for gradient in gradients[1 + len(states) :])


@pytest.mark.parametrize("input_in_query", [False, True])
@pytest.mark.parametrize("make", CELLS)
def test_kernel_gradient_equals_finite_differences(make, input_in_query):
    layer, data = decoder("float64", make, input_in_query), problem("float64", make)

    @tf.function(autograph=False)
    def loss(inputs, memory, *states):
        keys = layer.attention.keys(memory)
        *parts, states = layer.unroll(inputs, states, keys, memory, data["lengths"])
        return sum(tf.reduce_sum(tf.sin(part)) for part in (*parts, *states))

    theoretical, numerical = tf.test.compute_gradient(
        loss, [data["inputs"], data["memory"], *data["states"]], delta=1e-5
    )
    for got, expected in zip(theoretical, numerical, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("make", CELLS)
def test_longer_padding_changes_nothing(make):
    layer, data = decoder("float32", make), problem("float32", make)
    padded = dict(
        data, memory=tf.pad(data["memory"], [[0, 0], [0, 3], [0, 0]], constant_values=9.0)
    )
    outputs, gradients = loss_and_gradients(layer, layer.unroll, data)
    wide_outputs, wide_gradients = loss_and_gradients(layer, layer.unroll, padded)
    wide_outputs[2] = wide_outputs[2][:, :, :SOURCE]
    of_memory = 1 + len(data["states"])
    assert not np.any(wide_gradients[of_memory][:, SOURCE:])
    wide_gradients[of_memory] = wide_gradients[of_memory][:, :SOURCE]
    for got, expected in zip(wide_outputs + wide_gradients, outputs + gradients, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", CELLS)
def test_batch_mates_change_nothing(make):
    layer, data = decoder("float32", make), problem("float32", make)
    outputs, gradients = loss_and_gradients(layer, layer.unroll, data)
    floats = 2 + len(data["states"])  # gradients that belong to a row
    together = [*outputs, *gradients[:floats]]
    for row in range(BATCH):
        one = slice(row, row + 1)
        alone = {
            name: tf.nest.map_structure(lambda x, at=one: x[at], x) for name, x in data.items()
        }
        outputs, gradients = loss_and_gradients(layer, layer.unroll, alone)
        for got, expected in zip([*outputs, *gradients[:floats]], together, strict=True):
            np.testing.assert_allclose(got, expected[one], rtol=1e-5, atol=1e-5)


def test_a_wrapped_cell_takes_one_step_at_a_time():
    """A wrapper may change what it wraps, so that the kernel of the cell is not for it."""
    data = problem("float32", GRUCell)
    keras.utils.set_random_seed(0)
    wrapped = DropoutWrapper(GRUCell(UNITS), output_keep_prob=0.5, seed=1)
    layer = AttentionCell(wrapped, BahdanauAttention(ATTENTION))
    layer.build_for(INPUT, MEMORY)
    keys = layer.attention.keys(data["memory"])
    arguments = (data["inputs"], data["states"], keys, data["memory"], data["lengths"])
    outputs, *_ = layer.unroll(*arguments, training=True)
    dropped = np.mean(outputs.numpy() == 0)
    assert 0.2 < dropped < 0.8
    assert np.all(layer.unroll(*arguments, training=False)[0])


@pytest.mark.parametrize("input_in_query", [False, True])
def test_any_cell_unrolls_and_beams_share_a_memory(input_in_query):
    layer, data = decoder("float32", GRUCell, input_in_query), problem("float32", GRUCell)
    keys = layer.attention.keys(data["memory"])
    states = data["states"]
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


@pytest.mark.parametrize("make", CELLS)
def test_mixed_bfloat16_stays_near_float32(make):
    data = problem("float32", make)
    exact, mixed = decoder("float32", make), decoder("mixed_bfloat16", make)
    mixed.set_weights(exact.get_weights())

    def outputs(layer):
        keys = layer.attention.keys(data["memory"])
        return layer.unroll(data["inputs"], data["states"], keys, data["memory"], data["lengths"])[
            0
        ]

    assert outputs(mixed).dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(outputs(mixed), tf.float32), outputs(exact), atol=0.05)
