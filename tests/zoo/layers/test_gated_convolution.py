"""The gated convolution: the paper's equation, causal, step by step as all at once, no padding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import DropoutWrapper, DynamicRNN, GatedConvolution, MultiRNNCell
from zoo.layers.recurrent_cell import unroll_steps

BATCH, TIME, INPUTS, UNITS = 4, 7, 3, 5
LENGTHS = np.array([7, 3, 0, 1], np.int32)
X = np.random.default_rng(0).normal(size=[BATCH, TIME, INPUTS]).astype(np.float32)


def cell_of(units=UNITS, kernel_size=3, inputs=INPUTS, **more):
    keras.utils.set_random_seed(1)
    cell = GatedConvolution(units, kernel_size, inputs, **more)
    cell.build((None, inputs))
    cell.built = True
    cell.bias.assign(np.random.default_rng(2).normal(size=2 * units))
    return cell


@pytest.mark.parametrize("kernel_size", [1, 2, 4, 9])
@pytest.mark.parametrize("units", [UNITS, INPUTS])
def test_it_is_the_papers_equation(kernel_size, units):
    cell = cell_of(units, kernel_size)
    outputs, _ = cell.unroll(tf.constant(X))
    weights, bias = (weight.numpy() for weight in cell.weights)
    for t in range(TIME):
        before = [X[:, t - k] if t >= k else 0 * X[:, 0] for k in reversed(range(kernel_size))]
        linear = sum(x @ weights[k] for k, x in enumerate(before)) + bias
        expected = linear[:, :units] / (1 + np.exp(-linear[:, units:]))
        if units == INPUTS:
            expected += X[:, t]
        np.testing.assert_allclose(outputs[:, t], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("kernel_size", [1, 3, 9])
def test_all_at_once_is_step_by_step(lengths, kernel_size):
    cell = cell_of(kernel_size=kernel_size)
    start = [tf.random.stateless_normal([BATCH, cell.state_size[0]], [1, 2])]
    found = cell.unroll(tf.constant(X), lengths, start)
    expected = unroll_steps(cell, tf.constant(X), lengths, start)
    for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_padding_and_what_comes_later_change_nothing():
    rnn = DynamicRNN(MultiRNNCell([cell_of(INPUTS), cell_of(INPUTS)]))
    outputs, state = rnn(tf.constant(X), tf.constant(LENGTHS))
    wild = X.copy()
    for row, length in enumerate(LENGTHS):
        wild[row, length:] = np.nan
        assert not outputs[row, length:].numpy().any()
    again = rnn(tf.constant(np.pad(wild, [(0, 0), (0, 2), (0, 0)])), tf.constant(LENGTHS))
    np.testing.assert_allclose(again[0][:, :TIME], outputs, rtol=1e-5, atol=1e-6)
    for one, other in zip(tf.nest.flatten(again[1]), tf.nest.flatten(state), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    with tf.GradientTape() as tape:
        x = tf.constant(X)
        tape.watch(x)
        loss = tf.reduce_sum(rnn(x)[0][:, 3])
    gradient = tape.gradient(loss, x).numpy()
    assert not gradient[:, 4:].any()  # two layers of three: 3 sees -1 to 3
    assert gradient[:, :4].all()


def test_a_text_in_pieces_is_the_text():
    rnn = DynamicRNN(DropoutWrapper(cell_of(kernel_size=4), output_keep_prob=0.5))
    whole, last = rnn(tf.constant(X))
    first, state = rnn(tf.constant(X[:, :2]))
    second, state = rnn(tf.constant(X[:, 2:]), None, state)
    np.testing.assert_allclose(tf.concat([first, second], 1), whole, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(state[0], last[0])


def test_it_is_made_again_from_its_config():
    cell = cell_of(residual=False)
    again = GatedConvolution.from_config(cell.get_config())
    assert again.get_config() == cell.get_config()
    assert again.state_size == [2 * INPUTS]
    assert not again.residual


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "`units` must be a positive integer"),
        ({"kernel_size": 0}, "`kernel_size` must be a positive integer"),
        ({"residual": True}, "`residual` needs inputs of the size of the output"),
    ],
)
def test_sizes_that_cannot_be_are_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        GatedConvolution(**{"units": UNITS, "input_units": INPUTS, **arguments})


def test_inputs_of_another_size_are_told():
    with pytest.raises(ValueError, match="`input_units` must be the size of the inputs, 3"):
        DynamicRNN(GatedConvolution(UNITS))(tf.constant(X))
