"""What a classifier does with its logits: one label for a text, or as many as apply.

Both kinds offer the same, and all that differs between them is here::

    one label       p = softmax(z)    the most probable     loss -log p(y)
    several labels  p_l = sigmoid(z_l)  those with p_l >= t_l  loss -mean_l log p_l(y_l)

Several labels are so many decisions of yes or no, which share all but a row of the last layer
("binary relevance"; Nam et al. 2014, arXiv:1312.5419, on this loss for texts).
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.models.class_weights import balanced, class_weights
from zoo.models.classifications import (
    Classification,
    MultiClassification,
    classification,
    label_outputs,
    label_set_outputs,
    multi_classification,
)
from zoo.models.columns import Column
from zoo.models.label_f1 import LabelF1
from zoo.models.label_sets import label_set_column, multi_hot
from zoo.models.labels import label_column, label_numbers
from zoo.models.losses import LabelCrossEntropy
from zoo.models.thresholds import checked_thresholds


class OneLabel:
    """Classes that exclude each other.

    Args:
        labels: The names of the classes, at least two.
    """

    thresholds = None

    def __init__(self, labels: list[str]) -> None:
        self.labels = labels

    def column(self, numbers: bool = False) -> Column:
        """The column of labels; `numbers`: integers are places in `labels`."""
        return label_column(self.labels, numbers)

    def targets(self, given: tf.Tensor) -> tf.Tensor:
        """Label numbers, int32 `[batch]`, of what the column gives, in the graph."""
        return label_numbers(self.labels, given)

    def compile_arguments(self) -> dict[str, Any]:
        """The loss and the metrics, of logits."""
        return {
            "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "metrics": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        }

    def outputs(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """What signatures give, of logits float32 `[batch, labels]`."""
        return label_outputs(logits, self.labels)

    def answer(self, row: dict[str, np.ndarray]) -> Classification:
        """The answer of one row of what signatures give."""
        return classification(row, self.labels)

    def check(self, given: tf.Tensor) -> None:
        """Raises ValueError if nothing can be learnt of a whole column of labels."""

    def weights(self, class_weight: object) -> np.ndarray:
        """What the user gave for each class, float `[labels]`."""
        return np.array(class_weights(self.labels, class_weight))

    def balanced_weights(self, given: tf.Tensor) -> np.ndarray:
        """Weights with which all classes of a column count alike, float `[labels]`."""
        numbers = self.targets(given).numpy()
        return balanced(np.bincount(numbers, minlength=len(self.labels)))

    def check_loss(self, loss: object) -> None:
        """Raises ValueError if a loss cannot take what `weights_of` gives."""

    def weights_of(self, weights: np.ndarray, targets: tf.Tensor) -> tf.Tensor:
        """The weight of each row, float32 `[batch]`, by the weights of classes."""
        return tf.gather(tf.constant(weights, tf.float32), tf.reshape(targets, [-1]))


class SeveralLabels:
    """Labels of which a text may have any number.

    Args:
        labels: The names of the classes.
        thresholds: The probability from which on a label is chosen: a dict by label, a number
            for all, or None, which is 0.5.
    """

    def __init__(self, labels: list[str], thresholds: object = None) -> None:
        self.labels = labels
        self._thresholds = checked_thresholds(labels, thresholds)
        # A variable: what has been traced follows when it changes, and an export carries it.
        self._limits = tf.Variable(
            list(self._thresholds.values()), trainable=False, dtype=tf.float32, name="thresholds"
        )

    @property
    def thresholds(self) -> dict[str, float]:
        """The threshold of each label, as `__init__` takes them."""
        return dict(self._thresholds)

    @thresholds.setter
    def thresholds(self, thresholds: object) -> None:
        self._thresholds = checked_thresholds(self.labels, thresholds)
        self._limits.assign(list(self._thresholds.values()))

    def column(self, numbers: bool = False) -> Column:
        """The column of sets of labels; `numbers` is refused: 0 and 1 would be ambiguous."""
        if numbers:
            raise ValueError(
                "`labels_are_numbers` is for models of one label: several are given by their "
                "names, or as 0 and 1 for each label. Received: labels_are_numbers=True"
            )
        return label_set_column(self.labels)

    def targets(self, given: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
        """0 and 1, float32 `[batch, labels]`, of what the column gives, in the graph."""
        return multi_hot(self.labels, given)

    def compile_arguments(self) -> dict[str, Any]:
        """The loss and the metrics, of logits; the metrics follow the thresholds."""
        return {
            "loss": LabelCrossEntropy(),
            "metrics": [
                keras.metrics.MeanMetricWrapper(self._right, name="binary_accuracy"),
                LabelF1(self._chosen),
            ],
        }

    def _chosen(self, logits: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(logits) >= self._limits

    def _right(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The share of the labels that are rightly chosen or left, float32 `[batch]`."""
        right = self._chosen(y_pred) == (tf.cast(y_true, tf.float32) > 0.5)
        return tf.reduce_mean(tf.cast(right, tf.float32), axis=-1)

    def outputs(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """What signatures give, of logits float32 `[batch, labels]`."""
        return label_set_outputs(logits, self.labels, self._limits)

    def answer(self, row: dict[str, np.ndarray]) -> MultiClassification:
        """The answer of one row of what signatures give."""
        return multi_classification(row, self.labels)

    def check(self, given: tf.RaggedTensor) -> None:
        """Raises ValueError if nothing can be learnt of a whole column of labels."""
        if not tf.size(given.flat_values):
            raise ValueError(
                "`labels` must name a label in some row: of empty lists alone nothing is learnt. "
                f"Received: {given.nrows()} rows without a label"
            )

    def weights(self, class_weight: object) -> np.ndarray:
        """For texts without and with each label, float `[2, labels]`: those with it are weighed."""
        given = class_weights(self.labels, class_weight)
        return np.stack([np.ones(len(given)), given])

    def balanced_weights(self, given: tf.RaggedTensor) -> np.ndarray:
        """Weights with which texts with and without a label count alike, float `[2, labels]`."""
        present = self.targets(given).numpy().sum(axis=0)
        return balanced(np.stack([given.shape[0] - present, present]))

    def check_loss(self, loss: object) -> None:
        """Raises ValueError if a loss cannot take what `weights_of` gives."""
        if not isinstance(loss, LabelCrossEntropy):
            raise ValueError(
                "`class_weight` of a model with several labels needs its own loss, which takes a "
                "weight for each: compile it with `loss=zoo.models.losses.LabelCrossEntropy()`. "
                f"Received: loss={loss!r}"
            )

    def weights_of(self, weights: np.ndarray, targets: tf.Tensor) -> tf.Tensor:
        """The weight of each label of each row, float32 `[batch, labels]`."""
        without, present = tf.unstack(tf.constant(weights, tf.float32))
        return tf.where(targets > 0, present, without)
