"""Reports on language models: perplexity, among how many words, all alike, it is at a loss."""

import math
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from zoo.reports.base import Report
from zoo.reports.tables import Table, share
from zoo.text.vocabulary import UNK_ID


class LanguageModelReport(Report):
    """How well a language model foresees the next word of a text."""

    kind = "language_modelling"

    @property
    def perplexity(self) -> float:
        """`exp` of the mean cross-entropy of a word, over the whole vocabulary."""
        return self.figures["perplexity"]

    @property
    def words(self) -> int:
        """Words that were predicted, the ends of texts among them; the first of each is given."""
        return self.figures["words"]

    @property
    def unknown(self) -> float:
        """The share of them that the vocabulary lacks, from 0 to 1; they count as one word."""
        return self.figures["unknown"]

    def headline(self) -> str:
        """Perplexity."""
        return f"{self.rows:,} rows, {self.words:,} words, perplexity {self.perplexity:.2f}"

    def tables(self) -> list[Table]:
        """The figures."""
        rows = [["perplexity", f"{self.perplexity:.2f}"], ["unknown words", share(self.unknown)]]
        return [Table(["figure", "value"], rows)]


def perplexity(batches: Iterable[tuple[tf.Tensor, tf.Tensor]]) -> tuple[float, int, float]:
    """Perplexity over the whole vocabulary: `exp` of the mean cross-entropy of a word.

    Args:
        batches: Ids of the words to predict, int32 `[tokens]`, and the cross-entropy of each,
            float `[tokens]`.

    Returns:
        Perplexity, how many words there were, and the share of them that are unknown.

    Raises:
        ValueError: There was no word to predict.
    """
    total, count, unknown = 0.0, 0, 0
    for ids, losses in batches:
        total += float(tf.reduce_sum(losses))
        count += int(tf.size(ids))
        unknown += int(np.count_nonzero(ids.numpy() == UNK_ID))
    if not count:
        raise ValueError("There is no word to predict: all texts are blank")
    return math.exp(total / count), count, unknown / count
