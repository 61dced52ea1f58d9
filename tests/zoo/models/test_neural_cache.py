"""The neural cache: what Grave et al. write, in one go as word by word, in any batch."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.models.neural_cache import EMPTY, PENDING, empty_cache, read_through, step_through

ROWS, TIME, SIZE, UNITS, WORDS = 3, 7, 4, 5, 6
FLATNESS, WEIGHT = 0.7, 0.3
_rng = np.random.default_rng(0)
TOKENS = _rng.integers(0, WORDS, [ROWS, TIME + 1]).astype(np.int32)
OUTPUTS = _rng.normal(size=[ROWS, TIME, UNITS]).astype(np.float32)
LOGITS = _rng.normal(size=[ROWS, TIME, WORDS]).astype(np.float32)
SETTINGS = (FLATNESS, WEIGHT)


def softmax(of):
    exponentials = np.exp(of - of.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def oracle():
    """Equations 2 and 3 of the paper, one word after the other."""
    mixed = softmax(LOGITS)
    for row in range(ROWS):
        for t in range(1, TIME):
            first = max(0, t - SIZE)
            share = softmax(FLATNESS * OUTPUTS[row, first:t] @ OUTPUTS[row, t])
            recent = np.zeros(WORDS)
            np.add.at(recent, TOKENS[row, first + 1 : t + 1], share)
            mixed[row, t] = (1 - WEIGHT) * mixed[row, t] + WEIGHT * recent
    return np.log(mixed)


def test_steps_are_the_papers():
    cache, expected = empty_cache(ROWS, SIZE, UNITS), oracle()
    for t in range(TIME):
        found, cache = step_through(cache, TOKENS[:, t], OUTPUTS[:, t], LOGITS[:, t], *SETTINGS)
        np.testing.assert_allclose(found, expected[:, t], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(cache.words[:, :-1], TOKENS[:, TIME - SIZE + 1 : TIME])
    np.testing.assert_array_equal(cache.words[:, -1], PENDING)
    np.testing.assert_array_equal(cache.keys, OUTPUTS[:, -SIZE:])


@pytest.mark.parametrize("cuts", [(7,), (3, 4), (0, 1, 0, 5, 1)])
def test_sequences_are_so_many_steps_in_pieces_of_any_length(cuts):
    expected = np.take_along_axis(oracle(), TOKENS[:, 1:, np.newaxis], 2)[..., 0]
    alone = -np.log(np.take_along_axis(softmax(LOGITS), TOKENS[:, 1:, np.newaxis], 2)[..., 0])
    cache, start, found = empty_cache(ROWS, SIZE, UNITS), 0, []
    for cut in cuts:
        # With padding behind, which changes nothing.
        piece, pad = slice(start, start + cut), ((0, 0), (0, 2))
        losses, cache = read_through(
            cache,
            np.pad(TOKENS[:, :-1][:, piece], pad),
            np.pad(TOKENS[:, 1:][:, piece], pad),
            tf.fill([ROWS], cut),
            np.pad(OUTPUTS[:, piece], (*pad, (0, 0)), constant_values=9.0),
            np.pad(alone[:, piece], pad),
            *SETTINGS,
        )
        found.append(losses[:, :cut])
        start += cut
    np.testing.assert_allclose(-np.concatenate(found, 1), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(cache.words[:, -1], PENDING)
    np.testing.assert_array_equal(cache.keys, OUTPUTS[:, -SIZE:])


def test_an_empty_cache_says_nothing():
    cache = empty_cache(ROWS, SIZE, UNITS)
    assert (cache.words.numpy() == EMPTY).all()
    found, _ = step_through(cache, TOKENS[:, 0], OUTPUTS[:, 0], LOGITS[:, 0], *SETTINGS)
    np.testing.assert_allclose(found, np.log(softmax(LOGITS[:, 0])), rtol=1e-4, atol=1e-5)
