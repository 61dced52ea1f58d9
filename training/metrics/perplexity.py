"""Perplexity: among how many words, all alike, a language model is at a loss."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from training.loop.batches import bucketed_batches
from zoo.models.language_model import next_word

ROWS_AT_ONCE = 8  # a batch has scores of each of its tokens over the whole vocabulary


def perplexity(model: Any, rows: Sequence[np.ndarray]) -> float:
    """Perplexity over the whole vocabulary: `exp` of the mean cross-entropy of a word.

    Args:
        model: A `zoo.models.LanguageModel`.
        rows: Ids of texts, int32; the first word of each is given, the others are predicted.
    """
    total = count = 0
    for tokens, lengths in bucketed_batches(lambda rng, epoch: (rows,), ROWS_AT_ONCE, 0, 0, 1):
        losses = model.token_losses(*next_word(tf.constant(tokens), tf.constant(lengths)))
        total, count = total + float(tf.reduce_sum(losses)), count + len(losses)
    return math.exp(total / count)
