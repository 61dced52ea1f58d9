"""Perplexity: among how many words, all alike, a language model is at a loss."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.models.language_model import next_word
from zoo.reports import language_modelling
from zoo.training.loop.batches import bucketed_batches

ROWS_AT_ONCE = 8  # a batch has scores of each of its tokens over the whole vocabulary


def perplexity(model: Any, rows: Sequence[np.ndarray]) -> float:
    """Perplexity over the whole vocabulary: `exp` of the mean cross-entropy of a word.

    Args:
        model: A `zoo.models.LanguageModel`.
        rows: Ids of texts, int32; the first word of each is given, the others are predicted.
    """
    batches = bucketed_batches(lambda rng, epoch: (rows,), ROWS_AT_ONCE, 0, 0, 1)
    words = (next_word(tf.constant(tokens), tf.constant(lengths)) for tokens, lengths in batches)
    value, *_ = language_modelling.perplexity(
        (ids, model.token_losses(inputs, ids)) for inputs, ids in words
    )
    return value
