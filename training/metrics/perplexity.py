"""Perplexity: among how many words, all alike, a language model is at a loss."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.models.language_model import next_word
from zoo.reports import language_modelling
from zoo.training.loop.aligned_batches import padded_rows
from zoo.training.loop.batches import bucketed_batches

ROWS_AT_ONCE = 8  # a batch has scores of each of its tokens over the whole vocabulary
SCORES_AT_ONCE = 1000  # tokens, likewise


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


def stream_perplexity(model: Any, ids: np.ndarray, rows: int = 1) -> float:
    """Perplexity of running text, the state carried through all of it.

    Args:
        model: A `zoo.models.LanguageModel`.
        ids: Int32 `[words]`, all of which are predicted, the first one after the end of a text.
        rows: Places of the text that are read side by side: 1 is exact, more are faster, and a
            little higher, since all but the first start without their past.

    Returns:
        `exp` of the mean cross-entropy of a word over the whole vocabulary.
    """
    tokens, targets, lengths = padded_rows(ids, rows)
    total, state = 0.0, model.pack_state(model.start_state(rows))
    steps = max(1, SCORES_AT_ONCE // rows)
    for start in range(0, tokens.shape[1], steps):
        piece = slice(start, start + steps)
        left = np.clip(lengths - start, 0, tokens[:, piece].shape[1])
        read = model.read_on(*map(tf.constant, (tokens[:, piece], targets[:, piece], left)), state)
        total += float(np.sum(read["losses"]))
        state = tf.constant(read["state"])
    return math.exp(total / len(ids))
