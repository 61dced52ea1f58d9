"""Bahdanau attention against its equations in NumPy, and what padding must never do."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.layers import BahdanauAttention

UNITS, QUERY, MEMORY = 4, 3, 5


def layer():
    attention = BahdanauAttention(UNITS)
    attention.build_for(QUERY, MEMORY)
    return attention


def reference(attention, query, memory, length):
    """Equations 5 and 6 of the paper for one row."""
    w_a = attention.query_layer.kernel.numpy()
    u_a, b_a = (v.numpy() for v in attention.memory_layer.weights)
    h = memory[:length]
    energies = np.tanh(query @ w_a + h @ u_a + b_a) @ attention.energy_vector.numpy()
    alpha = np.exp(energies - energies.max()) / np.exp(energies - energies.max()).sum()
    return alpha @ h, alpha


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    per_row=st.integers(1, 3),
    seed=st.integers(0, 2**16),
)
def test_equals_the_paper_and_padding_gets_exactly_zero(lengths, per_row, seed):
    attention = layer()
    rng = np.random.default_rng(seed)
    memory = rng.normal(size=(len(lengths), 6, MEMORY)).astype("float32")
    query = 3 * rng.normal(size=(len(lengths) * per_row, QUERY)).astype("float32")
    context, alignment = attention(query, attention.keys(memory), memory, tf.constant(lengths))
    for row in range(len(query)):
        length = lengths[row // per_row]
        expected = reference(attention, query[row], memory[row // per_row], length)
        np.testing.assert_allclose(context[row], expected[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(alignment[row, :length], expected[1], rtol=1e-4, atol=1e-6)
        assert not alignment[row, length:].numpy().any()


def test_row_of_length_0_and_huge_energies_stay_finite():
    attention = layer()
    attention.energy_vector.assign(np.full(UNITS, 1e4))
    memory = np.random.default_rng(0).normal(size=(2, 3, MEMORY)).astype("float32")
    query = np.ones((2, QUERY), "float32")
    with tf.GradientTape() as tape:
        context, alignment = attention(query, attention.keys(memory), memory, tf.constant([0, 2]))
        loss = tf.reduce_sum(context)
    assert not alignment[0].numpy().any()
    assert not context[0].numpy().any()
    assert np.isfinite(context).all()
    gradients = tape.gradient(loss, [v.value for v in attention.trainable_variables])
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_empty_batch():
    attention = layer()
    memory = tf.zeros([0, 3, MEMORY])
    context, alignment = attention(
        tf.zeros([0, QUERY]), attention.keys(memory), memory, tf.zeros([0], tf.int32)
    )
    assert context.shape == (0, MEMORY)
    assert alignment.shape == (0, 3)


@pytest.mark.parametrize("units", [0, -1, 2.5, True, "8"])
def test_bad_units_are_named(units):
    with pytest.raises(ValueError, match="units="):
        BahdanauAttention(units)
