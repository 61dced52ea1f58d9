"""What a classifier answers: the label of a text, and what each token weighed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

TOKEN_OUTPUTS = ("tokens", "starts", "ends", "weights")


class TokenWeight(NamedTuple):
    """What one token weighs in the decision.

    Attributes:
        text: The token as it stands in the text.
        start, end: Its place in the text, in characters, `end` exclusive.
        weight: Its share of the attention; the shares of a text sum to 1.
    """

    text: str
    start: int
    end: int
    weight: float


class Classification(NamedTuple):
    """The label of one text.

    Attributes:
        label: The most probable label.
        score: Its probability.
        probabilities: The probability of every label, in the order of the model's `labels`.
        tokens: The tokens that were read, with their weights; None unless asked for.
    """

    label: str
    score: float
    probabilities: dict[str, float]
    tokens: list[TokenWeight] | None

    def _repr_html_(self) -> str:
        from zoo.drawing.fragments import classification_fragment

        return classification_fragment(self)


def label_outputs(logits: tf.Tensor, labels: Sequence[str]) -> dict[str, tf.Tensor]:
    """What the signatures of a classifier give, of logits `[batch, labels]`; in the graph."""
    probabilities = tf.nn.softmax(logits)
    names = tf.constant(labels)
    return {
        "label": tf.gather(names, tf.argmax(logits, axis=-1)),
        "score": tf.reduce_max(probabilities, axis=-1),
        "probabilities": probabilities,
        # What each probability is of; on every row, since an answer is read row by row.
        "labels": tf.tile(names[tf.newaxis], [tf.shape(logits)[0], 1]),
    }


def classification(row: dict[str, np.ndarray], labels: Sequence[str]) -> Classification:
    """One row of what the signatures of a classifier give, as an answer."""
    tokens = None
    if "tokens" in row:
        columns = [row[name][: row["lengths"]].tolist() for name in TOKEN_OUTPUTS]
        tokens = [TokenWeight(text.decode(), *rest) for text, *rest in zip(*columns, strict=True)]
    probabilities = dict(zip(labels, row["probabilities"].tolist(), strict=True))
    return Classification(row["label"].decode(), float(row["score"]), probabilities, tokens)
