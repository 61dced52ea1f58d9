"""DynamicRNN, BidirectionalRNN and pooling: contract, configuration, files, bad input."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import (
    AttentionPooling,
    BasicLSTMCell,
    BasicRNNCell,
    BidirectionalRNN,
    DropoutWrapper,
    DynamicRNN,
    GRUCell,
    MultiRNNCell,
    average_pooling,
    last_relevant,
)

LENGTHS = np.array([4, 2, 0, 1], np.int32)
INPUTS = np.random.default_rng(0).normal(size=(4, 4, 3)).astype(np.float32)


def test_go_backwards_reads_each_row_from_its_own_end():
    cell = BasicLSTMCell(5)
    outputs, state = DynamicRNN(cell, go_backwards=True)(INPUTS, LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone, alone_state = DynamicRNN(cell)(INPUTS[row : row + 1, :length][:, ::-1])
        np.testing.assert_allclose(outputs[row, :length], alone[0, ::-1], atol=1e-6)
        np.testing.assert_allclose(state[0][row], alone_state[0][0], atol=1e-6)


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "padded"])
@pytest.mark.parametrize("make", [BasicLSTMCell, GRUCell])
def test_bidirectional_is_two_dynamic_rnns(make, lengths):
    forward, backward = make(5), make(6)
    states = [
        [tf.random.normal([4, size], seed=1) for size in cell.state_size]
        for cell in (forward, backward)
    ]
    outputs, last = BidirectionalRNN(forward, backward)(INPUTS, lengths, tuple(states))
    ahead, ahead_state = DynamicRNN(forward)(INPUTS, lengths, states[0])
    behind, behind_state = DynamicRNN(backward, go_backwards=True)(INPUTS, lengths, states[1])
    np.testing.assert_allclose(outputs, np.concatenate([ahead, behind], -1), atol=1e-6)
    for a, b in zip([*last[0], *last[1]], [*ahead_state, *behind_state], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_lengths_beyond_the_padding_count_as_full():
    rnn = DynamicRNN(BasicLSTMCell(5))
    np.testing.assert_array_equal(rnn(INPUTS, np.array([9, 2, -1, 1]))[0], rnn(INPUTS, LENGTHS)[0])


def make_reader():
    inputs = keras.Input((None, 3))
    lengths = keras.Input((), dtype="int32")
    cell = MultiRNNCell((DropoutWrapper(BasicLSTMCell(4), output_keep_prob=0.8), 2))
    both, _ = BidirectionalRNN(cell, GRUCell(3))(inputs, lengths)
    again, (h,) = DynamicRNN(BasicRNNCell(5), go_backwards=True)(both, lengths)
    pooled, _ = AttentionPooling(2)(again, lengths)
    return keras.Model([inputs, lengths], keras.layers.Concatenate()([pooled, h]))


def test_save_and_load(tmp_path):
    model = make_reader()
    expected = model([INPUTS, LENGTHS])
    model.save(tmp_path / "reader.keras")
    loaded = keras.models.load_model(tmp_path / "reader.keras")
    np.testing.assert_array_equal(loaded([INPUTS, LENGTHS]), expected)
    model.save_weights(tmp_path / "reader.weights.h5")
    fresh = make_reader()
    fresh.load_weights(tmp_path / "reader.weights.h5")
    np.testing.assert_array_equal(fresh([INPUTS, LENGTHS]), expected)


def test_exported_graph_gives_the_same(tmp_path):
    model = make_reader()
    signature = [tf.TensorSpec([None, None, 3]), tf.TensorSpec([None], tf.int32)]
    module = tf.Module()
    module.model = model
    module.serve = tf.function(lambda x, n: model([x, n]), input_signature=signature)
    tf.saved_model.save(module, tmp_path / "reader")
    loaded = tf.saved_model.load(tmp_path / "reader")
    expected = model([INPUTS, LENGTHS])
    np.testing.assert_allclose(loaded.serve(INPUTS, LENGTHS), expected, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        DynamicRNN(BasicRNNCell(4), go_backwards=True),
        DynamicRNN(BasicLSTMCell(4, forget_bias=0.5)),
        DynamicRNN(DropoutWrapper(GRUCell(4), 0.9, 0.8, 0.7, variational=True, seed=3)),
        BidirectionalRNN(MultiRNNCell((BasicLSTMCell(4), 2)), GRUCell(3), dtype="mixed_bfloat16"),
        AttentionPooling(4),
    ],
    ids=lambda layer: layer.name,
)
def test_config_round_trip(layer):
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(layer)
    assert keras.saving.serialize_keras_object(again) == config


@pytest.mark.parametrize("make", [DynamicRNN, lambda cell: BidirectionalRNN(cell, GRUCell(4))])
def test_bad_inputs(make):
    rnn = make(BasicLSTMCell(4))
    for lengths in ([1, 2], [[1], [2], [3], [4]], [1.0, 2.0, 3.0, 4.0], 3):
        with pytest.raises(ValueError, match=r"`sequence_length` must.*Received: shape="):
            rnn(INPUTS, tf.constant(lengths))
    with pytest.raises(ValueError, match=r"`inputs` must be \[batch, time, size\]. Received"):
        rnn(INPUTS[0])


@pytest.mark.parametrize("cell", [BasicRNNCell, BasicLSTMCell])
def test_known_shapes_stay_known_in_a_functional_model(cell):
    outputs, _ = DynamicRNN(cell(6))(keras.Input((5, 3)))
    assert outputs.shape == (None, 5, 6)


def test_one_cell_cannot_read_both_ways():
    cell = BasicLSTMCell(4)
    with pytest.raises(ValueError, match="must be two cells"):
        BidirectionalRNN(cell, cell)


def test_pooling_by_hand():
    outputs = INPUTS.copy()
    outputs[1, 2:] = np.nan
    last = last_relevant(outputs, LENGTHS)
    mean = average_pooling(outputs, LENGTHS)
    np.testing.assert_array_equal(last, [outputs[0, 3], outputs[1, 1], np.zeros(3), outputs[3, 0]])
    for row, length in enumerate(LENGTHS):
        expected = outputs[row, :length].mean(0) if length else np.zeros(3)
        np.testing.assert_allclose(mean[row], expected, rtol=1e-6)
    # A length above T counts as T, as it does where the outputs come from.
    beyond = np.where(LENGTHS == 4, 9, LENGTHS)
    np.testing.assert_array_equal(last_relevant(outputs, beyond), last)
    np.testing.assert_array_equal(average_pooling(outputs, beyond), mean)


def test_attention_pooling_by_hand():
    outputs = INPUTS.copy()
    outputs[1, 2:] = np.nan
    layer = AttentionPooling(2)
    pooled, weights = layer(outputs, LENGTHS)
    for row, length in enumerate(LENGTHS):
        real = outputs[row, :length]
        scores = np.tanh(real @ layer.kernel.numpy() + layer.bias.numpy()) @ layer.context.numpy()
        alpha = np.exp(scores[:, 0]) / np.exp(scores).sum() if length else np.zeros(0)
        np.testing.assert_allclose(weights[row, :length], alpha, rtol=1e-5)
        np.testing.assert_allclose(pooled[row], alpha @ real, rtol=1e-5, atol=1e-6)
        assert np.all(weights[row, length:].numpy() == 0)


def test_attention_pooling_bad_units():
    with pytest.raises(ValueError, match="`units` must be a positive integer"):
        AttentionPooling(0)
