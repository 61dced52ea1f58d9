"""From the decoder's state to scores over the vocabulary."""

import keras
import tensorflow as tf


def scaled_embedding(vocabulary_size, units):
    """An embedding scaled so that, as the output matrix, it gives first logits of order 1."""
    return keras.layers.Embedding(
        vocabulary_size,
        units,
        embeddings_initializer=keras.initializers.RandomNormal(0, units**-0.5),
    )


class TiedReadout(keras.layers.Layer):
    """Deep output of Bahdanau et al. (2015), appendix A.2.2, on tied embeddings.

    ``logits = E maxout(W [parts]) + b``: the parts (state, context, token before) go through one
    linear layer, the larger of each two neighbours is kept (maxout, Goodfellow et al. 2013), and
    the result is compared with every row of the embedding ``E``.

    Args:
        embedding: a ``keras.layers.Embedding``; the read-out has its width.
        dropout: share of the maxout units dropped in training.

    Call arguments:
        parts: list of float tensors ``[..., units]``, joined on the last axis.

    Returns:
        float32 ``[..., vocabulary]``.
    """

    def __init__(self, embedding, dropout, **kwargs):
        super().__init__(**kwargs)
        self.embedding = embedding
        self.linear = keras.layers.Dense(2 * embedding.output_dim)
        self.dropping = keras.layers.Dropout(dropout)

    def build(self, parts_shape):
        width = sum(shape[-1] for shape in parts_shape)
        self.linear.build((None, width))
        self.bias = self.add_weight(
            name="bias", shape=(self.embedding.input_dim,), initializer="zeros"
        )

    def call(self, parts, training=None):
        return self.scorer(training)(parts)

    def scorer(self, training=None):
        """A function from parts to logits that transposes the embedding once, not at each step."""
        dtype = self.compute_dtype
        kernel = tf.transpose(tf.cast(self.embedding.embeddings, dtype))

        def score(parts):
            hidden = self.linear(tf.concat([tf.cast(part, dtype) for part in parts], axis=-1))
            pairs = tf.reshape(hidden, tf.concat([tf.shape(hidden)[:-1], [kernel.shape[0], 2]], 0))
            hidden = self.dropping(tf.reduce_max(pairs, axis=-1), training=training)
            flat = tf.matmul(tf.reshape(hidden, [-1, kernel.shape[0]]), kernel)
            flat = tf.cast(flat, tf.float32) + tf.cast(self.bias, tf.float32)
            return tf.reshape(flat, tf.concat([tf.shape(hidden)[:-1], [flat.shape[-1]]], 0))

        return score
