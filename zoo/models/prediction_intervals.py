"""Prediction intervals out of past errors: split conformal prediction, one step ahead and further.

A forecaster trained on squared errors says what to expect, and not how sure it is. Its errors on
rows that it was not trained on tell that (Papadopoulos et al. 2002; Lei et al. 2018,
arXiv:1604.04173): of `n` errors, the `ceil((n + 1) p)`-th smallest is a half-width that covers a
further one with probability `p`, whatever the distribution, as long as it is like the others. A
series changes, so this is to be measured, not believed: `evaluate_report` does.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

LEVELS = 99  # 1 % to 99 %
LEAST_ERRORS = 10


class PredictionIntervals(keras.layers.Layer):
    """Half-widths by horizon and probability, kept among a model's weights.

    Args:
        horizon: Steps that are foretold.
    """

    def __init__(self, horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon = horizon
        self.build()

    def build(self, input_shape: object = None) -> None:
        """Makes the table, which has a half-width below 0 as long as nothing was measured."""
        if not self.built:
            self.table = self.add_weight(
                name="table", shape=(LEVELS, self.horizon), initializer=_unknown, trainable=False
            )
            self.built = True

    @property
    def known(self) -> bool:
        """Whether there are intervals."""
        return bool(np.all(self.table.numpy() >= 0))

    def forget(self) -> None:
        """What was measured holds no more."""
        self.table.assign(tf.fill(self.table.shape, -1.0))

    def measure(self, errors: np.ndarray) -> None:
        """Takes half-widths from errors, on rows that nothing was trained on.

        Args:
            errors: Float `[rows, horizon]`, scaled, of any sign.

        Raises:
            ValueError: Fewer rows than `LEAST_ERRORS`.
        """
        count = len(errors)
        if count < LEAST_ERRORS:
            raise ValueError(
                f"Prediction intervals need at least {LEAST_ERRORS} windows that the model was "
                f"not trained on: give longer series. Received: {count} windows"
            )
        probabilities = np.arange(1, LEVELS + 1) / (LEVELS + 1)
        ranks = np.ceil((count + 1) * probabilities - 1e-9).astype(int)
        ordered = np.sort(np.abs(errors), axis=0)
        self.table.assign(ordered[np.minimum(ranks, count) - 1])

    def half_widths(self, interval: tf.Tensor) -> tf.Tensor:
        """Half-widths for probabilities, between the levels in proportion.

        Args:
            interval: float32 `[batch]`, from 0.01 to 0.99; what is beyond counts as the nearest.

        Returns:
            float32 `[batch, horizon]`, scaled as the errors were.
        """
        place = tf.clip_by_value(interval * (LEVELS + 1) - 1, 0.0, LEVELS - 1.0)
        below = tf.floor(place)
        table = tf.convert_to_tensor(self.table)
        low = tf.gather(table, tf.cast(below, tf.int32))
        high = tf.gather(table, tf.cast(tf.math.ceil(place), tf.int32))
        return low + (place - below)[:, tf.newaxis] * (high - low)


def _unknown(shape: tuple[int, ...], dtype: object = None) -> tf.Tensor:
    return tf.fill(shape, tf.constant(-1.0, dtype or tf.float32))
