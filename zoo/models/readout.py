"""From the decoder's state to scores over the vocabulary."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def scaled_embedding(vocabulary_size: int, units: int) -> keras.layers.Embedding:
    """An embedding scaled so that, as the output matrix, it gives first logits of order 1."""
    return keras.layers.Embedding(
        vocabulary_size,
        units,
        embeddings_initializer=keras.initializers.RandomNormal(0, units**-0.5),
    )


class TiedReadout(keras.layers.Layer):
    """Deep output of Bahdanau et al. (2015), appendix A.2.2, on tied embeddings.

    `logits = E maxout(W [parts]) + b`: the parts (state, context, token before) go through one
    linear layer, the larger of each two neighbours is kept (maxout, Goodfellow et al. 2013), and
    the result is compared with every row of the embedding `E`.

    Args:
        embedding: A `keras.layers.Embedding`; the read-out has its width.
        dropout: Share of the maxout units dropped in training.

    Call arguments:
        parts: List of float tensors `[..., units]`, joined on the last axis.

    Returns:
        float32 `[..., vocabulary]`.
    """

    def __init__(self, embedding: keras.layers.Embedding, dropout: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.embedding = embedding
        self.linear = keras.layers.Dense(2 * embedding.output_dim)
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, parts_shape: list[tuple[int | None, ...]]) -> None:
        """Makes the variables for parts of these shapes."""
        width = sum(shape[-1] for shape in parts_shape)
        self.linear.build((None, width))
        self.bias = self.add_weight(
            name="bias", shape=(self.embedding.input_dim,), initializer="zeros"
        )

    def call(self, parts: list[tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """Logits of the parts; see the class."""
        return self.scorer(training)(parts)

    def scorer(self, training: bool | None = None) -> Callable[[list[tf.Tensor]], tf.Tensor]:
        """A function from parts to logits that transposes the embedding once, not at each step."""
        dtype = self.compute_dtype
        kernel = tf.transpose(tf.cast(self.embedding.embeddings, dtype))

        def score(parts: list[tf.Tensor]) -> tf.Tensor:
            hidden = self.linear(tf.concat([tf.cast(part, dtype) for part in parts], axis=-1))
            pairs = tf.reshape(hidden, tf.concat([tf.shape(hidden)[:-1], [kernel.shape[0], 2]], 0))
            hidden = self.dropout(tf.reduce_max(pairs, axis=-1), training=training)
            flat = tf.matmul(tf.reshape(hidden, [-1, kernel.shape[0]]), kernel)
            flat = tf.cast(flat, tf.float32) + tf.cast(self.bias, tf.float32)
            return tf.reshape(flat, tf.concat([tf.shape(hidden)[:-1], [flat.shape[-1]]], 0))

        return score
