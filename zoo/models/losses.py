"""The losses of models that choose tokens, or several labels."""

from typing import Any

import keras
import tensorflow as tf

from zoo.layers.custom_gradient import custom_gradient


@keras.saving.register_keras_serializable("zoo")
class TokenCrossEntropy(keras.losses.Loss):
    """Cross-entropy of each token, with label smoothing (Szegedy et al. 2016, section 7).

    `(1 - smoothing) * -log p(y) + smoothing * mean_v -log p(v)`, the mean over real tokens.

    Args:
        label_smoothing: Share of the probability spread evenly over the vocabulary, in [0, 1).

    Call arguments:
        y_true: Int `[batch, time]`.
        y_pred: Logits, float `[batch, time, vocabulary]`.

    Raises:
        ValueError: `label_smoothing` outside [0, 1).
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "token_cross_entropy") -> None:
        super().__init__(name=name, reduction="mean_with_sample_weight")
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"`label_smoothing` must be in [0, 1). Received: label_smoothing={label_smoothing}"
            )
        self.label_smoothing = float(label_smoothing)

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The loss of each token, float `[batch, time]`; see the class."""
        flat = tf.reshape(y_pred, [-1, tf.shape(y_pred)[-1]])
        ids = tf.reshape(tf.cast(y_true, tf.int32), [-1])
        return tf.reshape(_cross_entropy(flat, ids, self.label_smoothing), tf.shape(y_true))

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return {"label_smoothing": self.label_smoothing, "name": self.name}


@keras.saving.register_keras_serializable("zoo")
class LabelCrossEntropy(keras.losses.Loss):
    """Binary cross-entropy of each label by itself, the mean over labels and texts.

    What `keras.losses.BinaryCrossentropy(from_logits=True)` is, but that a label of a text may have
    a weight of its own.

    Call arguments:
        y_true: 0 and 1, or probabilities, `[batch, labels]`.
        y_pred: Logits, float `[batch, labels]`.
        sample_weight: Of texts, `[batch]`, or of each label of each, `[batch, labels]`.
    """

    def __init__(self, name: str = "label_cross_entropy") -> None:
        super().__init__(name=name)

    def __call__(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> tf.Tensor:
        """The mean, a scalar; see the class."""
        if sample_weight is not None:
            sample_weight = tf.convert_to_tensor(sample_weight)
            if sample_weight.shape.rank == 1:
                sample_weight = sample_weight[:, tf.newaxis]
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The loss of each label, float `[batch, labels]`; see the class."""
        return tf.nn.sigmoid_cross_entropy_with_logits(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return {"name": self.name}


def _cross_entropy(logits: tf.Tensor, ids: tf.Tensor, smoothing: float) -> tf.Tensor:
    """Smoothed cross-entropy `[rows]` of logits `[rows, vocabulary]` with ids `[rows]`.

    The gradient is written out, `p - (1 - smoothing) onehot(y) - smoothing / vocabulary`: a
    vocabulary is wide, and this passes over it three times where TensorFlow's operations for the
    parts take a dozen.
    """

    @custom_gradient
    def run(logits: tf.Tensor) -> tuple:
        logits -= tf.reduce_max(logits, axis=-1, keepdims=True)
        exponentials = tf.exp(logits)
        total = tf.reduce_sum(exponentials, axis=-1)
        picked = tf.gather(logits, ids, batch_dims=1)
        loss = tf.math.log(total) - (1 - smoothing) * picked
        if smoothing:
            loss -= smoothing * tf.reduce_mean(logits, axis=-1)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            size = tf.cast(tf.shape(logits)[-1], logits.dtype)
            rows = tf.range(tf.shape(ids)[0])
            result = exponentials * (upstream / total)[:, tf.newaxis]
            if smoothing:
                result -= (upstream * smoothing / size)[:, tf.newaxis]
            places = tf.stack([rows, ids], axis=1)
            return tf.tensor_scatter_nd_sub(result, places, upstream * (1 - smoothing))

        return loss, gradient

    return run(logits)


def sampled_cross_entropy(
    features: tf.Tensor, ids: tf.Tensor, table: tf.Tensor, bias: tf.Tensor, uniform: tf.Tensor
) -> tf.Tensor:
    """Cross-entropy against a sample of words, the same for all tokens.

    The sum over the vocabulary is estimated by importance sampling (Bengio and Senécal 2008; Jean
    et al. 2015). With `s_w = table_w . x + bias_w` and `S`, `n` draws from `q`::

        loss = log(exp s_y + sum_{w in S, w != y} exp(s_w) / (n q_w)) - s_y

    `q_w = log(1 + 1 / (w + 1)) / log(V + 1)` follows Zipf's law where ids are in the order of
    frequency.

    Args:
        features: float32 `[tokens, units]`.
        ids: int32 `[tokens]`.
        table: float32 `[V, units]`.
        bias: float32 `[V]`.
        uniform: float32 `[n]` in [0, 1): what the sample is drawn by.

    Returns:
        float32 `[tokens]`.
    """
    size = tf.cast(tf.shape(table)[0], tf.float32)
    # The inverse of q's distribution function; the last word is as far as rounding may go.
    sample = tf.cast(tf.exp(uniform * tf.math.log(size + 1)) - 1, tf.int32)
    sample = tf.minimum(sample, tf.shape(table)[0] - 1)

    share = tf.math.log1p(1 / (tf.cast(sample, tf.float32) + 1)) / tf.math.log(size + 1)
    log_expected = tf.math.log(share * tf.cast(tf.size(uniform), tf.float32))
    others = tf.matmul(features, tf.gather(table, sample), transpose_b=True)
    others += tf.gather(bias, sample) - log_expected
    others = tf.where(ids[:, tf.newaxis] == sample, others.dtype.min, others)
    own = tf.reduce_sum(features * tf.gather(table, ids), -1) + tf.gather(bias, ids)
    return tf.nn.softplus(tf.reduce_logsumexp(others, -1) - own)
