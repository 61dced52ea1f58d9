"""Masks of Keras in the layers that unroll: the same as lengths, or refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import BasicLSTMCell, BidirectionalRNN, DynamicRNN

TOKENS = np.array([[3, 1, 2, 0, 0], [4, 4, 4, 4, 4], [5, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
LENGTHS = np.array([3, 5, 1, 0])
HOLES = [np.array([[3, 0, 2, 0, 0]]), np.array([[0, 0, 1, 2, 3]])]
MAKERS = {
    "forwards": lambda: DynamicRNN(BasicLSTMCell(4)),
    "backwards": lambda: DynamicRNN(BasicLSTMCell(4), go_backwards=True),
    "both": lambda: BidirectionalRNN(BasicLSTMCell(2), BasicLSTMCell(2)),
}


@pytest.fixture(params=sorted(MAKERS))
def rnn(request):
    keras.utils.set_random_seed(1)
    return MAKERS[request.param]()


def embedding(mask_zero=True):
    return keras.layers.Embedding(6, 3, mask_zero=mask_zero)


def models(rnn):
    """Two functional models of the same layers: one has a mask, the other is given lengths."""
    table = embedding()
    tokens = keras.Input([None], dtype="int32")
    lengths = keras.Input([], dtype="int32")
    masked = keras.Model(tokens, rnn(table(tokens)))
    plain = embedding(mask_zero=False)
    given = keras.Model([tokens, lengths], rnn(plain(tokens), sequence_length=lengths))
    plain.set_weights(table.get_weights())
    return masked, given


def assert_same(left, right):
    for one, other in zip(tf.nest.flatten(left), tf.nest.flatten(right), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.filterwarnings("error:.*does not support masking")
def test_a_mask_counts_as_lengths(rnn):
    masked, given = models(rnn)
    expected = given([TOKENS, LENGTHS])
    outputs = masked(TOKENS)
    assert_same(outputs, expected)
    assert not np.any(outputs[0].numpy()[TOKENS == 0])
    assert_same(masked.predict(TOKENS, verbose=0), expected)
    inputs = tf.constant(masked.layers[1](TOKENS).numpy())
    assert_same(rnn(inputs, mask=tf.constant(TOKENS != 0)), expected)
    np.testing.assert_array_equal(outputs[0]._keras_mask, TOKENS != 0)


def test_a_mask_counts_beside_an_initial_state(rnn):
    inputs = embedding()(TOKENS)
    _, state = rnn(inputs)
    state = tf.nest.map_structure(tf.ones_like, state)
    expected = rnn(tf.constant(inputs.numpy()), tf.constant(LENGTHS), initial_state=state)
    assert_same(rnn(inputs, initial_state=state), expected)


def test_lengths_win_over_a_mask(rnn):
    shorter = tf.constant([2, 2, 1, 0])
    inputs = embedding()(TOKENS)
    assert_same(rnn(inputs, shorter), rnn(tf.constant(inputs.numpy()), shorter))
    holes = embedding()(HOLES[0])
    assert not np.any(rnn(holes, tf.constant([1]))[0][:, 1:])


@pytest.mark.parametrize("tokens", HOLES)
def test_a_mask_with_holes_is_refused(rnn, tokens):
    masked, _ = models(rnn)
    for run in (masked, lambda tokens: masked.predict(tokens, verbose=0)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="`mask` must be true"):
            run(tokens)


def test_a_mask_of_another_shape_is_refused(rnn):
    with pytest.raises(ValueError, match="`mask` must be"):
        rnn(tf.ones([2, 5, 3]), mask=tf.ones([2, 4], tf.bool))


def test_training_with_a_mask_is_training_with_lengths(rnn):
    masked, given = models(rnn)
    start = rnn.get_weights()
    targets = np.ones([4, 5, 4], "float32")
    trained = []
    for model, inputs in ((masked, TOKENS), (given, [TOKENS, LENGTHS])):
        rnn.set_weights(start)
        outputs = keras.Model(model.inputs, model.outputs[0] * 1.0)  # no mask for the loss
        outputs.compile(keras.optimizers.SGD(0.1), loss="mse")
        outputs.fit(inputs, targets, epochs=2, shuffle=False, verbose=0)
        trained.append(rnn.get_weights())
    assert_same(*trained)
    assert not np.allclose(trained[0][0], start[0])
