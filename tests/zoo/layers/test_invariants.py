"""Padding and batch-mates never change a row's outputs, loss or gradient."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.layers import (
    AttentionPooling,
    BasicLSTMCell,
    BasicRNNCell,
    BidirectionalRNN,
    DynamicRNN,
    GRUCell,
    MultiRNNCell,
    average_pooling,
    last_relevant,
)

INPUTS, UNITS = 3, 4
LONGEST = 9
RNNS = {
    "rnn": lambda: DynamicRNN(BasicRNNCell(UNITS)),
    "lstm": lambda: DynamicRNN(BasicLSTMCell(UNITS)),
    "gru": lambda: DynamicRNN(GRUCell(UNITS)),
    "backwards": lambda: DynamicRNN(BasicLSTMCell(UNITS), go_backwards=True),
    "stack": lambda: DynamicRNN(MultiRNNCell([BasicLSTMCell(3), GRUCell(UNITS)])),
    "bidirectional": lambda: BidirectionalRNN(BasicLSTMCell(UNITS), BasicLSTMCell(UNITS)),
}


class Reader:
    """A layer with a loss, traced once for all batch sizes and lengths."""

    def __init__(self, make):
        self.rnn = make()
        self.pool = AttentionPooling(2)
        pooled_width = self.rnn(tf.zeros([1, 1, INPUTS]))[0].shape[-1]
        self.pool(tf.zeros([1, 1, pooled_width]), tf.constant([1]))
        self.run = tf.function(
            self._run,
            input_signature=[
                tf.TensorSpec([None, None, INPUTS]),
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([None]),
            ],
            autograph=False,
        )

    def _run(self, inputs, lengths, counted):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs, state = self.rnn(inputs, lengths)
            attended, _ = self.pool(outputs, lengths)
            pooled = [average_pooling(outputs, lengths), last_relevant(outputs, lengths), attended]
            values = [*pooled, *tf.nest.flatten(state)]
            losses = tf.add_n([tf.reduce_sum(tf.sin(v + 0.3), -1) for v in values])
            loss = tf.reduce_sum(losses * counted)
        weights = [*self.rnn.trainable_variables, *self.pool.trainable_variables]
        d_inputs, *gradients = tape.gradient(loss, [inputs, *weights])
        return outputs, values, losses, d_inputs, gradients


@pytest.fixture(scope="module", params=RNNS)
def reader(request):
    return Reader(RNNS[request.param])


@st.composite
def batches(draw):
    """Rows of 0 to LONGEST steps; the first is the one looked at."""
    lengths = draw(st.lists(st.integers(0, LONGEST), min_size=1, max_size=5))
    extra = draw(st.integers(0, 3))
    filler = draw(st.sampled_from([0.0, 1e3, np.inf, np.nan]))
    seed = draw(st.integers(0, 2**16))
    return lengths, extra, filler, seed


@settings(max_examples=30, deadline=None)
@given(batches())
def test_a_row_is_what_it_is_alone(reader, batch):
    lengths, extra, filler, seed = batch
    random = np.random.default_rng(seed)
    inputs = np.full([len(lengths), max(lengths) + extra, INPUTS], filler, np.float32)
    for row, length in enumerate(lengths):
        inputs[row, :length] = random.normal(size=[length, INPUTS])
    # Only the first row counts in the loss, so its gradient must be that of the row alone.
    counted = np.eye(1, len(lengths), dtype=np.float32)[0]
    length = lengths[0]
    together = reader.run(inputs, lengths, counted)
    alone = reader.run(inputs[:1, :length], lengths[:1], counted[:1])
    near = {"rtol": 1e-4, "atol": 1e-5}

    outputs, values, losses, d_inputs, gradients = together
    np.testing.assert_allclose(outputs[0, :length], alone[0][0], **near)
    assert np.all(outputs[0, length:].numpy() == 0)
    for a, b in zip(values, alone[1], strict=True):
        np.testing.assert_allclose(a[0], b[0], **near)
    np.testing.assert_allclose(losses[0], alone[2][0], **near)
    np.testing.assert_allclose(d_inputs[0, :length], alone[3][0], **near)
    assert np.all(d_inputs[0, length:].numpy() == 0)
    assert np.all(d_inputs[1:].numpy() == 0)
    for a, b in zip(gradients, alone[4], strict=True):
        np.testing.assert_allclose(a, b, **near)
