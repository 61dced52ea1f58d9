"""A model small enough to export in a second, with strings in and out and all that must be saved.

It has variables (a Keras layer), a SentencePiece model and a lookup table, and, as a trained model
has, an optimizer with slots and a dropout seed, which must not be saved.
"""

import keras
import numpy as np
import tensorflow as tf

from zoo.models.base import Signature
from zoo.text.subwords import SubwordTokenizer

EXAMPLE = np.array([b"a dog reads", "a bärk 🐕 in the snow".encode(), b""], dtype=object)


class Scorer(keras.Model):
    """``text`` -> itself from its pieces (``echo``), a score, its words counted by a table."""

    def __init__(self, tokenizer: SubwordTokenizer):
        super().__init__()
        self.tokenizer = tokenizer
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer([0, 1, 2], ["none", "one", "two"]), "many"
        )
        self.unused = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(["a"], [1]), default_value=0
        )
        self.embedding = keras.layers.Embedding(tokenizer.vocabulary_size, 8)
        self.dropout = keras.layers.Dropout(0.5)
        self.dense = keras.layers.Dense(1)

    def call(self, ids, training=None):
        return self.dense(self.dropout(tf.reduce_sum(self.embedding(ids), 1), training=training))

    def answer(self, text):
        ids, lengths = self.tokenizer.encode(text)
        words = tf.cast(tf.strings.split(text).row_lengths(), tf.int32)
        return {
            "echo": self.tokenizer.decode(ids, lengths - 1),
            "score": self(ids)[:, 0],
            "words": self.table.lookup(words),
        }

    def lengths(self, text):
        return {"lengths": self.tokenizer.encode(text)[1]}

    def signatures(self):
        return {"serving_default": signature(self.answer), "lengths": signature(self.lengths)}


class Offers(tf.Module):
    """A module that offers the given signatures."""

    def __init__(self, **signatures):
        super().__init__()
        self._signatures = signatures

    def signatures(self):
        return dict(self._signatures)


def signature(function, dtype=tf.string, shape=(None,), example=EXAMPLE, name="text"):
    """A signature with one input."""
    return Signature(function, {name: tf.TensorSpec(shape, dtype, name=name)}, {name: example})
