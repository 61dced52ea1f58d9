"""The loss of models that choose tokens."""

import keras
import tensorflow as tf


class TokenCrossEntropy(keras.losses.Loss):
    """Cross-entropy of each token, with label smoothing (Szegedy et al. 2016, section 7).

    ``(1 - smoothing) * -log p(y) + smoothing * mean_v -log p(v)``, the mean over real tokens.

    Args:
        label_smoothing: share of the probability spread evenly over the vocabulary, in [0, 1).

    Call arguments:
        y_true: int ``[batch, time]``.
        y_pred: logits, float ``[batch, time, vocabulary]``.

    Raises:
        ValueError: ``label_smoothing`` outside [0, 1).
    """

    def __init__(self, label_smoothing=0.0, name="token_cross_entropy"):
        super().__init__(name=name, reduction="mean_with_sample_weight")
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"`label_smoothing` must be in [0, 1). Received: label_smoothing={label_smoothing}"
            )
        self.label_smoothing = float(label_smoothing)

    def call(self, y_true, y_pred):
        flat = tf.reshape(y_pred, [-1, tf.shape(y_pred)[-1]])
        ids = tf.reshape(tf.cast(y_true, tf.int32), [-1])
        return tf.reshape(_cross_entropy(flat, ids, self.label_smoothing), tf.shape(y_true))

    def get_config(self):
        return {"label_smoothing": self.label_smoothing, "name": self.name}


def _cross_entropy(logits, ids, smoothing):
    """Smoothed cross-entropy ``[rows]`` of logits ``[rows, vocabulary]`` with ids ``[rows]``.

    The gradient is written out, ``p - (1 - smoothing) onehot(y) - smoothing / vocabulary``: a
    vocabulary is wide, and this passes over it three times where TensorFlow's operations for the
    parts take a dozen.
    """

    @tf.custom_gradient
    def run(logits):
        logits -= tf.reduce_max(logits, axis=-1, keepdims=True)
        exponentials = tf.exp(logits)
        total = tf.reduce_sum(exponentials, axis=-1)
        picked = tf.gather(logits, ids, batch_dims=1)
        loss = tf.math.log(total) - (1 - smoothing) * picked
        if smoothing:
            loss -= smoothing * tf.reduce_mean(logits, axis=-1)

        def gradient(upstream):
            size = tf.cast(tf.shape(logits)[-1], logits.dtype)
            rows = tf.range(tf.shape(ids)[0])
            result = exponentials * (upstream / total)[:, tf.newaxis]
            if smoothing:
                result -= (upstream * smoothing / size)[:, tf.newaxis]
            places = tf.stack([rows, ids], axis=1)
            return tf.tensor_scatter_nd_sub(result, places, upstream * (1 - smoothing))

        return loss, gradient

    return run(logits)
