"""DropoutWrapper and MultiRNNCell."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import (
    BasicLSTMCell,
    BasicRNNCell,
    DropoutWrapper,
    DynamicRNN,
    GRUCell,
    MultiRNNCell,
)

ONES = tf.ones([2, 6, 50])


def zero_pattern(outputs):
    return outputs.numpy() == 0


def test_variational_output_mask_is_one_per_sequence():
    fresh, _ = DynamicRNN(DropoutWrapper(GRUCell(40), output_keep_prob=0.5, seed=0))(
        ONES, training=True
    )
    fixed, _ = DynamicRNN(
        DropoutWrapper(GRUCell(40), output_keep_prob=0.5, variational=True, seed=0)
    )(ONES, training=True)
    pattern = zero_pattern(fixed)
    assert np.all(pattern == pattern[:, :1])
    assert not np.all(pattern[0] == pattern[1])
    pattern = zero_pattern(fresh)
    assert not np.all(pattern == pattern[:, :1])


def test_recurrent_connections_are_not_dropped_by_default():
    cell = BasicLSTMCell(8)
    wrapped = DropoutWrapper(cell, output_keep_prob=0.5)
    _, plain = DynamicRNN(cell)(ONES)
    _, dropped = DynamicRNN(wrapped)(ONES, training=True)
    for a, b in zip(plain, dropped, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("variational", [False, True])
def test_state_dropout_spares_the_memory(variational):
    cell = MultiRNNCell([BasicLSTMCell(40), BasicLSTMCell(40)])
    wrapped = DropoutWrapper(cell, state_keep_prob=0.5, variational=variational, seed=0)
    _, state = DynamicRNN(wrapped)(ONES, training=True)
    for h, c in state:
        assert 0.2 < np.mean(h.numpy() == 0) < 0.8
        assert np.all(c.numpy() != 0)


def test_nothing_is_dropped_outside_training():
    cell = BasicLSTMCell(8)
    plain, _ = DynamicRNN(cell)(ONES)
    for training in (None, False):
        kept, _ = DynamicRNN(DropoutWrapper(cell, 0.5, 0.5, 0.5))(ONES, training=training)
        np.testing.assert_array_equal(plain, kept)


def test_single_steps_drop_too():
    cell = DropoutWrapper(BasicRNNCell(400), output_keep_prob=0.5, seed=0)
    output, (h,) = cell(tf.ones([1, 3]), cell.get_initial_state(1), training=True)
    assert np.mean(output.numpy() == 0) == pytest.approx(0.5, abs=0.1)
    assert np.all(h.numpy() != 0)


@pytest.mark.parametrize("kind", ["SimpleRNNCell", "LSTMCell", "GRUCell"])
def test_dropout_of_a_keras_cell_is_drawn_once_per_sequence(kind):
    cell = getattr(keras.layers, kind)(40, dropout=0.5, recurrent_dropout=0.5)
    rnn = DynamicRNN(MultiRNNCell([BasicRNNCell(50), cell]))
    rnn.build((None, None, 50))
    cell.recurrent_kernel.assign(tf.zeros_like(cell.recurrent_kernel))
    lower = rnn.cell.cells[0]
    lower.recurrent_kernel.assign(tf.zeros_like(lower.recurrent_kernel))
    graph = tf.function(lambda inputs: rnn(inputs, training=True)[1][1][0])
    # In the graph, in a graph for another batch size, and then without one.
    states = [graph(ONES), graph(ONES), graph(ONES[:1]), rnn(ONES, training=True)[1][1][0]]
    assert not np.allclose(states[0], states[1])
    assert not np.allclose(states[0], states[3])
    if kind == "SimpleRNNCell":  # h_t is a function of x_t alone, and all of these are alike
        outputs, _ = rnn(ONES, training=True)
        np.testing.assert_allclose(outputs[:, 1:], outputs[:, :-1], atol=1e-6)


def test_dropout_learns_in_fit():
    inputs = keras.Input((None, 3))
    cell = DropoutWrapper(BasicLSTMCell(4), 0.9, 0.9, 0.9, seed=0)
    model = keras.Model(inputs, DynamicRNN(cell)(inputs)[0])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    losses = model.fit(ONES[..., :3], tf.ones([2, 6, 4]), epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_variational_wrapper_refuses_a_single_training_step():
    cell = DropoutWrapper(BasicRNNCell(4), 0.5, variational=True)
    with pytest.raises(ValueError, match="one mask per sequence"):
        cell(tf.ones([1, 3]), cell.get_initial_state(1), training=True)


@pytest.mark.parametrize("name", ["input_keep_prob", "output_keep_prob", "state_keep_prob"])
@pytest.mark.parametrize("value", [0.0, -0.1, 1.5, float("nan")])
def test_bad_keep_prob(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be in \(0, 1\]. Received: {name}="):
        DropoutWrapper(BasicRNNCell(4), **{name: value})


def test_stack_is_its_layers_one_by_one():
    lower, upper = BasicLSTMCell(6), GRUCell(5)
    stack = MultiRNNCell([lower, upper])
    lengths = tf.constant([6, 2])
    outputs, (lower_state, upper_state) = DynamicRNN(stack)(ONES, lengths)
    middle, expected_lower = DynamicRNN(lower)(ONES, lengths)
    expected, expected_upper = DynamicRNN(upper)(middle, lengths)
    np.testing.assert_array_equal(outputs, expected)
    for a, b in zip([*lower_state, *upper_state], [*expected_lower, *expected_upper], strict=True):
        np.testing.assert_array_equal(a, b)
    # And step by step, as Keras runs it.
    np.testing.assert_allclose(
        keras.layers.RNN(stack, return_sequences=True)(ONES), DynamicRNN(stack)(ONES)[0], atol=1e-6
    )


def test_prototype_makes_separate_layers():
    stack = MultiRNNCell((DropoutWrapper(BasicLSTMCell(50), output_keep_prob=0.5, seed=7), 2))
    _, state = DynamicRNN(stack)(ONES, training=True)
    assert len(stack.trainable_variables) == 6
    assert len({id(v) for v in stack.trainable_variables}) == 6
    assert [cell.seed for cell in stack.cells] == [7, 8]
    assert np.shape(state) == (2, 2, 2, 50)


def test_the_slide_trap_of_one_cell_times_n():
    cell = BasicLSTMCell(4)
    with pytest.raises(ValueError, match=r"share one set of weights.*Received: cells="):
        MultiRNNCell([cell] * 3)
    with pytest.raises(ValueError, match="in layers 0 and 1"):
        MultiRNNCell([DropoutWrapper(cell), DropoutWrapper(cell)])


def test_bad_stacks():
    with pytest.raises(ValueError, match="at least one cell"):
        MultiRNNCell([])
    with pytest.raises(ValueError, match="`count` must be a positive integer"):
        MultiRNNCell((BasicLSTMCell(4), 0))
    for cells in (BasicLSTMCell(4), [4, 4], (BasicLSTMCell(4), "2")):
        with pytest.raises(TypeError, match="`cells` must be a list of cells"):
            MultiRNNCell(cells)
