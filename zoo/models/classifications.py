"""What a classifier answers: the label of a text, or several, and what each token weighed."""

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


class MultiClassification(NamedTuple):
    """The labels of one text, of a model that may give it several, or none.

    Attributes:
        chosen: The labels whose probability reaches their threshold, with that probability, the
            most probable first; an empty dict is none of the labels.
        probabilities: The probability of every label, in the order of the model's `labels`; each
            is between 0 and 1 by itself, whatever the others are.
        tokens: The tokens that were read, with their weights; None unless asked for.
    """

    chosen: dict[str, float]
    probabilities: dict[str, float]
    tokens: list[TokenWeight] | None

    @property
    def labels(self) -> list[str]:
        """The names of those that are chosen, the most probable first."""
        return list(self.chosen)

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


def label_set_outputs(
    logits: tf.Tensor, labels: Sequence[str], thresholds: tf.Tensor | tf.Variable
) -> dict[str, tf.Tensor]:
    """What the signatures of a classifier of several labels give, in the graph.

    Args:
        logits: float32 `[batch, labels]`.
        labels: The names of the classes.
        thresholds: float32 `[labels]`, the probability from which on each is chosen.

    Returns:
        `chosen` bool, `probabilities` float32, and on every row the `labels` and `thresholds` these
        are of: each `[batch, labels]`.
    """
    probabilities = tf.sigmoid(logits)
    rows = [tf.shape(logits)[0], 1]
    return {
        "chosen": probabilities >= thresholds,
        "probabilities": probabilities,
        "labels": tf.tile(tf.constant(labels)[tf.newaxis], rows),
        "thresholds": tf.tile(tf.convert_to_tensor(thresholds)[tf.newaxis], rows),
    }


def classification(row: dict[str, np.ndarray], labels: Sequence[str]) -> Classification:
    """One row of what the signatures of a classifier give, as an answer."""
    probabilities = dict(zip(labels, row["probabilities"].tolist(), strict=True))
    label, score = row["label"].decode(), float(row["score"])
    return Classification(label, score, probabilities, _tokens(row))


def multi_classification(row: dict[str, np.ndarray], labels: Sequence[str]) -> MultiClassification:
    """One row of what the signatures of a classifier of several labels give, as an answer."""
    probabilities = dict(zip(labels, row["probabilities"].tolist(), strict=True))
    chosen = [label for label, right in zip(labels, row["chosen"], strict=True) if right]
    chosen.sort(key=lambda label: -probabilities[label])
    return MultiClassification(
        {label: probabilities[label] for label in chosen}, probabilities, _tokens(row)
    )


def _tokens(row: dict[str, np.ndarray]) -> list[TokenWeight] | None:
    if "tokens" not in row:
        return None
    columns = [row[name][: row["lengths"]].tolist() for name in TOKEN_OUTPUTS]
    return [TokenWeight(text.decode(), *rest) for text, *rest in zip(*columns, strict=True)]
