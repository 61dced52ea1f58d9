"""F1 of labels as a metric of training, where a text may have several of them."""

from collections.abc import Callable

import keras
import tensorflow as tf


class LabelF1(keras.metrics.Metric):
    """Micro F1 of all labels of all texts since the last reset, from 0 to 1.

    `2 right / (given + chosen)`: each pair of a text and a label counts once, so that labels which
    no text has make no difference.

    Args:
        choose: `(logits) -> bool`, both `[batch, labels]`: which labels a text gets.
        name: The key in `History` and logs.
    """

    def __init__(self, choose: Callable[[tf.Tensor], tf.Tensor], name: str = "f1") -> None:
        super().__init__(name=name)
        self.choose = choose
        self.right, self.given, self.chosen = (
            self.add_variable((), "zeros", name=name) for name in ("right", "given", "chosen")
        )

    def update_state(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> None:
        """Counts the labels of a batch.

        Args:
            y_true: 0 and 1, `[batch, labels]`.
            y_pred: Logits, float `[batch, labels]`.
            sample_weight: How much each row, `[batch]`, or each label of it, `[batch, labels]`,
                counts.
        """
        given, chosen = (tf.cast(of, tf.float32) for of in (y_true, self.choose(y_pred)))
        weights = tf.ones_like(given)
        if sample_weight is not None:
            sample_weight = tf.cast(sample_weight, tf.float32)
            weights *= (
                sample_weight[:, tf.newaxis] if sample_weight.shape.rank == 1 else sample_weight
            )
        for count, which in (
            (self.right, given * chosen),
            (self.given, given),
            (self.chosen, chosen),
        ):
            count.assign_add(tf.reduce_sum(which * weights))

    def result(self) -> tf.Tensor:
        """F1 of what was counted; 0 without any label, given or chosen."""
        return tf.math.divide_no_nan(2 * self.right.value, self.given.value + self.chosen.value)
