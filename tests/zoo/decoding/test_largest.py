import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.decoding.largest import WIDTH, largest_logits


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(0, 3),
    k=st.integers(1, 6),
    vocabulary=st.one_of(st.integers(1, 40), st.integers(8 * WIDTH, 70 * WIDTH)),
    levels=st.sampled_from([1, 2, 5, 10_000]),
    forbidden=st.sampled_from([0.0, 0.9, 1.0]),
)
def test_it_equals_a_stable_sort(seed, rows, k, vocabulary, levels, forbidden):
    """Few levels make many equals, the lowest id of which comes first; -inf is one of them."""
    rng = np.random.default_rng(seed)
    logits = rng.integers(0, levels, size=(rows, vocabulary)).astype(np.float32)
    logits[rng.random(logits.shape) < forbidden] = -np.inf
    values, ids = largest_logits(tf.constant(logits), k)
    expected = np.argsort(-logits, axis=-1, kind="stable")[:, :k]
    np.testing.assert_array_equal(ids, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(logits, expected, axis=-1))


def test_it_takes_a_vocabulary_of_unknown_width():
    @tf.function(input_signature=[tf.TensorSpec([None, None])], autograph=False)
    def largest(logits):
        return largest_logits(logits, 3)

    np.testing.assert_array_equal(largest([[1.0, 5.0, 2.0, 5.0]])[1], [[1, 3, 2]])
    np.testing.assert_array_equal(largest([[1.0, 5.0]])[1], [[1, 0]])
