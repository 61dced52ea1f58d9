"""The token loss against its definition, value and gradient."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.models.losses import TokenCrossEntropy


def problem(dtype="float64"):
    rng = np.random.default_rng(0)
    logits = tf.constant(3 * rng.normal(size=(2, 4, 7)), dtype)
    ids = tf.constant(rng.integers(0, 7, size=(2, 4)))
    weights = tf.constant([[1, 1, 1, 0], [1, 0, 0, 0]], tf.float32)
    return logits, ids, weights


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equals_its_definition(smoothing):
    logits, ids, weights = problem()
    target = (1 - smoothing) * tf.one_hot(ids, 7, dtype=tf.float64) + smoothing / 7

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        loss = TokenCrossEntropy(smoothing)(ids, logits, weights)
        per_token = -tf.reduce_sum(target * tf.nn.log_softmax(logits), axis=-1)
        mask = tf.cast(weights, tf.float64)
        expected = tf.reduce_sum(per_token * mask) / tf.reduce_sum(mask)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    got, wanted = tape.gradient(loss, logits), tape.gradient(expected, logits)
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-8)


def test_masked_tokens_and_huge_logits_are_harmless():
    logits, ids, weights = problem("float32")
    loss = TokenCrossEntropy(0.1)(ids, logits, weights)
    shaken = tf.where(weights[..., tf.newaxis] > 0, logits, 1e4)
    np.testing.assert_allclose(TokenCrossEntropy(0.1)(ids, shaken, weights), loss, rtol=1e-6)
    assert np.isfinite(TokenCrossEntropy(0.1)(ids, 1e4 * logits, weights))


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_bad_smoothing_is_named(smoothing):
    with pytest.raises(ValueError, match="label_smoothing="):
        TokenCrossEntropy(smoothing)
