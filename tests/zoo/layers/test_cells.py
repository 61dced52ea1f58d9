"""One step and whole sequences of each cell: against NumPy, against Keras, and inside Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import BasicLSTMCell, BasicRNNCell, DynamicRNN, GRUCell
from zoo.layers.recurrent_cell import unroll_steps

BATCH, TIME, INPUTS, UNITS = 4, 6, 3, 5
LENGTHS = np.array([6, 3, 0, 1], np.int32)
CELLS = [BasicRNNCell, BasicLSTMCell, GRUCell]
# How far two ways to compute the same may differ, relative to the largest value.
TOLERANCE = {"float64": 1e-12, "float32": 2e-6, "mixed_bfloat16": 3e-2}


def random_weights(cell, inputs=INPUTS):
    """Builds `cell` and gives it weights that are nowhere 0."""
    if not cell.built:
        cell.build((None, inputs))
        cell.built = True
    random = np.random.default_rng(1)
    cell.set_weights([random.uniform(-0.7, 0.7, w.shape) for w in cell.weights])
    return cell


def random_inputs(dtype="float32", batch=BATCH, time=TIME):
    return tf.constant(np.random.default_rng(2).normal(size=(batch, time, INPUTS)), dtype)


def random_state(cell, dtype="float32", batch=BATCH):
    random = np.random.default_rng(3)
    return [tf.constant(random.normal(size=(batch, size)), dtype) for size in cell.state_size]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_step(cell, x, state):
    """The equations, written down a second time."""
    w, u, b = (weight.numpy().astype(np.float64) for weight in cell.weights)
    h = state[0]
    if isinstance(cell, BasicRNNCell):
        return [np.tanh(x @ w + h @ u + b)]
    if isinstance(cell, BasicLSTMCell):
        i, f, g, o = np.split(x @ w + h @ u + b, 4, axis=-1)
        c = sigmoid(f + cell.forget_bias) * state[1] + sigmoid(i) * np.tanh(g)
        return [sigmoid(o) * np.tanh(c), c]
    w_z, w_r, w_g = np.split(w, 3, axis=-1)
    u_z, u_r, u_g = np.split(u, 3, axis=-1)
    b_z, b_r, b_g = np.split(b, 3)
    z, r = sigmoid(x @ w_z + h @ u_z + b_z), sigmoid(x @ w_r + h @ u_r + b_r)
    return [z * h + (1 - z) * np.tanh(x @ w_g + (r * h) @ u_g + b_g)]


@pytest.mark.parametrize("make", CELLS)
def test_equations(make):
    cell = random_weights(make(UNITS, dtype="float64"))
    inputs, start = random_inputs("float64"), random_state(cell, "float64")
    state = [s.numpy() for s in start]
    expected = np.zeros([BATCH, TIME, UNITS])
    for t in range(TIME):
        new = numpy_step(cell, inputs[:, t].numpy(), state)
        alive = (t < LENGTHS)[:, None]
        expected[:, t] = np.where(alive, new[0], 0)
        state = [np.where(alive, a, b) for a, b in zip(new, state, strict=True)]
    outputs, last = DynamicRNN(cell, dtype="float64")(inputs, LENGTHS, start)
    np.testing.assert_allclose(outputs, expected, atol=1e-12)
    for ours, theirs in zip(last, state, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "keras_cell"),
    [
        (BasicRNNCell, keras.layers.SimpleRNNCell(UNITS)),
        (BasicLSTMCell, keras.layers.LSTMCell(UNITS)),
        (GRUCell, keras.layers.GRUCell(UNITS, reset_after=False)),
    ],
)
def test_keras_cell_with_the_same_weights(make, keras_cell):
    cell = random_weights(make(UNITS))
    keras_cell.build((None, INPUTS))
    kernel, recurrent_kernel, bias = cell.get_weights()
    if make is BasicLSTMCell:  # Keras keeps the forget bias in the variable
        bias[UNITS : 2 * UNITS] += cell.forget_bias
    keras_cell.set_weights([kernel, recurrent_kernel, bias])
    inputs, state = random_inputs(), random_state(cell)
    theirs = keras.layers.RNN(keras_cell, return_sequences=True, return_state=True)(
        inputs, initial_state=state
    )
    # Our cell in Keras's loop, Keras's cell in our loop, our cell in our loop.
    in_keras = keras.layers.RNN(cell, return_sequences=True, return_state=True)(
        inputs, initial_state=state
    )
    guest, guest_state = DynamicRNN(keras_cell)(inputs, initial_state=state)
    ours, our_state = DynamicRNN(cell)(inputs, initial_state=state)
    for result in (in_keras, [guest, *guest_state], [ours, *our_state]):
        for a, b in zip(result, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def value_and_gradients(run, cell, inputs, state, lengths):
    """Outputs, state and all gradients of a loss in which each of them has another weight."""
    random = np.random.default_rng(4)
    weights = tf.constant(random.normal(size=(*inputs.shape[:2], UNITS)), cell.compute_dtype)

    @tf.function(autograph=False)
    def compute(inputs, state):
        with tf.GradientTape() as tape:
            tape.watch([inputs, *state])
            outputs, last = run(inputs, lengths, state)
            loss = tf.reduce_sum(outputs * weights) + tf.add_n(
                [tf.reduce_sum(tf.sin(s) * (i + 1)) for i, s in enumerate(last)]
            )
        gradients = tape.gradient(loss, [inputs, *state, *cell.trainable_variables])
        return [outputs, *last, *gradients]

    return [tf.cast(value, tf.float64).numpy() for value in compute(inputs, state)]


@pytest.mark.parametrize("policy", TOLERANCE)
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "padded"])
@pytest.mark.parametrize("make", CELLS)
def test_kernel_is_the_plain_loop_and_its_gradient_is_autodiff(make, lengths, policy):
    cell = random_weights(make(UNITS, dtype=policy))
    inputs = random_inputs(cell.compute_dtype)
    state = random_state(cell, cell.compute_dtype)
    fast = value_and_gradients(cell.unroll, cell, inputs, state, lengths)
    plain = value_and_gradients(
        lambda *args: unroll_steps(cell, *args), cell, inputs, state, lengths
    )
    for a, b in zip(fast, plain, strict=True):
        np.testing.assert_allclose(a, b, atol=TOLERANCE[policy] * max(1, np.abs(b).max()))


@pytest.mark.parametrize("make", CELLS)
def test_gradients_are_finite_differences(make):
    cell = random_weights(make(UNITS, dtype="float64"))
    inputs, state = random_inputs("float64"), random_state(cell, "float64")

    def loss(inputs, *state):
        outputs, last = cell.unroll(inputs, LENGTHS, list(state))
        return tf.reduce_sum(tf.sin(outputs)) + tf.add_n([tf.reduce_sum(s**2) for s in last])

    with tf.GradientTape() as tape:
        tape.watch([inputs, *state])
        value = loss(inputs, *state)
    tensors = [inputs, *state, *(v.value for v in cell.trainable_variables)]
    gradients = tape.gradient(value, tensors)
    random = np.random.default_rng(5)
    steps = [1e-6 * random.normal(size=tensor.shape) for tensor in tensors]
    values = []
    for sign in (1, -1):
        moved = [tensor + sign * step for tensor, step in zip(tensors, steps, strict=True)]
        old = cell.get_weights()
        cell.set_weights([m.numpy() for m in moved[1 + len(state) :]])
        values.append(loss(*moved[: 1 + len(state)]).numpy())
        cell.set_weights(old)
    predicted = sum(np.sum(g * s) for g, s in zip(gradients, steps, strict=True))
    np.testing.assert_allclose((values[0] - values[1]) / 2, predicted, rtol=1e-7)


@pytest.mark.parametrize("make", CELLS)
@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 0)], ids=str)
def test_no_rows_or_no_steps(make, shape):
    cell = random_weights(make(UNITS))
    batch, time = shape
    state = random_state(cell, batch=batch)

    @tf.function(input_signature=[tf.TensorSpec([None, None, INPUTS])], autograph=False)
    def run(inputs):
        with tf.GradientTape() as tape:
            outputs, last = cell.unroll(inputs, tf.zeros([tf.shape(inputs)[0]], tf.int32), state)
            loss = tf.reduce_sum(outputs) + tf.reduce_sum(last[0])
        return outputs, last, tape.gradient(loss, cell.trainable_variables)

    outputs, last, gradients = run(tf.zeros([batch, time, INPUTS]))
    assert outputs.shape == (batch, time, UNITS)
    for a, b in zip(last, state, strict=True):
        np.testing.assert_array_equal(a, b)
    assert all(np.all(g.numpy() == 0) for g in gradients)


def test_gru_starts_by_keeping_its_state():
    cell = GRUCell(2)
    cell.build((None, 3))
    np.testing.assert_array_equal(cell.bias, [1, 1, 1, 1, 0, 0])


@pytest.mark.parametrize("make", CELLS)
@pytest.mark.parametrize("units", [0, -1, 2.5, True, None])
def test_bad_units(make, units):
    with pytest.raises(ValueError, match=r"`units` must be a positive integer\. Received: units="):
        make(units)


def test_drop_connect_drops_the_same_weights_at_all_steps():
    """Against a cell that has lost these weights for good."""
    inputs, state = tf.random.stateless_normal([2, 5, 3], [1, 2]), [tf.ones([2, 4])] * 2
    cell = BasicLSTMCell(4, drop_connect=0.5, seed=3)
    plain = BasicLSTMCell(4)
    for of in (cell, plain):
        of.build((None, 3))
    plain.set_weights(cell.get_weights()[:3])
    for training in (False, None):
        outputs, _ = cell.unroll(inputs, None, state, training)
        np.testing.assert_array_equal(outputs, plain.unroll(inputs, None, state)[0])
    cell.seed_generator.state.assign([3, 0])
    kernel = cell.fused_weights(training=True)[1]
    assert 0.2 < np.mean(kernel == 0) < 0.8
    plain.recurrent_kernel.assign(kernel)
    cell.seed_generator.state.assign([3, 0])
    with tf.GradientTape() as tape:
        outputs, _ = cell.unroll(inputs, None, state, training=True)
    np.testing.assert_allclose(outputs, plain.unroll(inputs, None, state)[0], rtol=1e-5, atol=1e-6)
    gradient = tape.gradient(outputs, cell.recurrent_kernel).numpy()
    assert (gradient[kernel == 0] == 0).all()
    again, _ = cell.unroll(inputs, None, state, training=True)
    assert np.abs(again - outputs).max() > 1e-3
    with pytest.raises(ValueError, match="cannot take a single step in training"):
        cell(inputs[:, 0], state, training=True)
    assert BasicLSTMCell.from_config(cell.get_config()).drop_connect == 0.5


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_of_weights_that_cannot_be_dropped_is_told(share):
    with pytest.raises(ValueError, match=r"`drop_connect` must be in \[0, 1\)"):
        GRUCell(2, drop_connect=share)
