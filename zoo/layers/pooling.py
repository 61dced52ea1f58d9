"""From a sequence of outputs to one vector per row (the lecture's classification case study)."""

from typing import Any

import keras
import tensorflow as tf

from zoo.layers.recurrent_cell import check_positive, zero_padding


def last_relevant(outputs: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """The output at each row's last real token.

    Args:
        outputs: `[B, T, U]`.
        lengths: `[B]` int; one above `T` counts as `T`, as in `DynamicRNN`.

    Returns:
        `[B, U]`; zeros for a row of length 0.
    """
    # One step of zeros in front: a row of length 0 has somewhere to look, even when T is 0.
    padded = tf.pad(outputs, [[0, 0], [1, 0], [0, 0]])
    return tf.gather(padded, _at_most_time(lengths, outputs), axis=1, batch_dims=1)


def average_pooling(outputs: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """The mean of each row's outputs over its real tokens.

    Args:
        outputs: `[B, T, U]`; what stands in the padding is ignored.
        lengths: `[B]` int; one above `T` counts as `T`.

    Returns:
        `[B, U]`; zeros for a row of length 0.
    """
    total = tf.reduce_sum(zero_padding(outputs, lengths), axis=1)
    counts = tf.maximum(_at_most_time(lengths, outputs), 1)
    return total / tf.cast(counts, outputs.dtype)[:, None]


def _at_most_time(lengths: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    return tf.minimum(tf.cast(lengths, tf.int32), tf.shape(outputs)[1])


@keras.saving.register_keras_serializable(package="zoo")
class AttentionPooling(keras.layers.Layer):
    """A weighted mean of the outputs, with learnt weights (Yang et al. 2016, NAACL).

        score_t = v . tanh(outputs_t W + b)
        weights = softmax of the scores over the row's real tokens
        pooled  = sum_t weights_t outputs_t

    Args:
        units: Size of the hidden layer that scores a token.

    Call arguments:
        outputs: `[B, T, U]`.
        lengths: `[B]` int.

    Returns:
        `(pooled [B, U], weights [B, T])`; weights are exactly 0 in the padding and sum to 1 over
        the real tokens. Both are zeros for a row of length 0.

    Raises:
        ValueError: If `units` is not a positive integer.

    Example:
        >>> pooled, weights = AttentionPooling(16)(tf.ones([2, 5, 8]), tf.constant([5, 3]))
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive("units", units)
        self.units = units

    def build(self, outputs_shape: tuple) -> None:
        """Creates the variables."""
        self.kernel = self.add_weight(
            name="kernel", shape=(outputs_shape[-1], self.units), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.context = self.add_weight(
            name="context", shape=(self.units, 1), initializer="glorot_uniform"
        )

    def call(self, outputs: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Pools; arguments and results are those of the class."""
        outputs = zero_padding(outputs, lengths)
        scores = tf.squeeze(tf.tanh(outputs @ self.kernel + self.bias) @ self.context, -1)
        # Scores are summed in float32 or better: bfloat16 would lose the small weights.
        scores = tf.cast(scores, tf.float64 if scores.dtype == tf.float64 else tf.float32)
        mask = tf.sequence_mask(lengths, tf.shape(outputs)[1])
        weights = tf.nn.softmax(tf.where(mask, scores, scores.dtype.min))
        weights = tf.cast(tf.where(mask, weights, tf.zeros_like(weights)), outputs.dtype)
        return tf.einsum("bt,btu->bu", weights, outputs), weights

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        return {**super().get_config(), "units": self.units}
