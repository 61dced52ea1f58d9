"""Models small enough to export in a second.

`Scorer` has strings in and out and all that must be saved: variables (a Keras layer), a
SentencePiece model and a lookup table, and, as a trained model has, an optimizer with slots and a
dropout seed, which must not be saved. The others have no strings to read.
"""

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from zoo.models.base import Signature
from zoo.text.subwords import SubwordTokenizer

EXAMPLE = np.array([b"a dog reads", "a bärk 🐕 in the snow".encode(), b""], dtype=object)


def meta_graph(folder):
    """What the file of a SavedModel holds."""
    return SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0]


def signature_names(folder):
    return set(meta_graph(folder).signature_def) - {"__saved_model_init_op"}


class Scorer(keras.Model):
    """`text` -> itself from its pieces (`echo`), a score, its words counted by a table."""

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


class Pictures(keras.Model):
    """`image` -> the name of its class, and what the network saw: floats, integers and booleans."""

    def __init__(self):
        super().__init__()
        self.names = tf.constant(["cat", "dog", "boat"])
        self.convolution = keras.layers.Conv2D(4, 3, strides=4, padding="same")
        self.normalization = keras.layers.BatchNormalization()
        self.dense = keras.layers.Dense(3)

    def call(self, pixels, training=None):
        rows = tf.shape(pixels)[0]
        # What oneDNN's convolution gives for no rows has the shape of its input: so there is one.
        padding = [[0, tf.cast(rows == 0, tf.int32)], [0, 0], [0, 0], [0, 0]]
        pixels = tf.pad(tf.cast(pixels, tf.float32), padding)  # up to 255, not scaled on purpose
        features = self.normalization(self.convolution(pixels), training=training)[:rows]
        return features, self.dense(tf.reduce_mean(features, [1, 2]))

    def answer(self, image):
        features, logits = self(image)
        return {
            "label": tf.gather(self.names, tf.argmax(logits, 1)),
            "logits": logits,
            "features": features,
            "corners": image[:, ::31, ::31],
            "order": tf.argsort(tf.reduce_mean(image, 3)[:, 0]),
            "dark": tf.reduce_max(image, [1, 2]) < 250,
        }

    def signatures(self):
        example = np.random.default_rng(0).integers(0, 256, [2, 32, 32, 3], np.uint8)
        spec = tf.TensorSpec([None, 32, 32, 3], tf.uint8)
        return {"serving_default": Signature(self.answer, {"image": spec}, {"image": example})}


class Stepper(keras.Model):
    """One step of a writer: `ids`, a float and an integer state in, `logits` and both out."""

    def __init__(self, vocabulary_size=7, units=5):
        super().__init__()
        self.sizes = vocabulary_size, units
        self.embedding = keras.layers.Embedding(vocabulary_size, 4)
        self.cell = keras.layers.GRUCell(units)
        self.dense = keras.layers.Dense(vocabulary_size)

    def step(self, ids, state, seen):
        output, states = self.cell(self.embedding(ids), [state])
        seen += tf.one_hot(ids, self.sizes[0], dtype=tf.int32)
        return {"logits": self.dense(output), "state": states[0], "seen": seen}

    def signatures(self):
        vocabulary_size, units = self.sizes
        random = np.random.default_rng(0)
        examples = {
            "ids": np.array([0, 6, 3], np.int32),
            "state": random.normal(size=[3, units]).astype(np.float32),
            "seen": random.integers(0, 3, [3, vocabulary_size], np.int32),
        }
        inputs = {
            name: tf.TensorSpec([None, *example.shape[1:]], example.dtype)
            for name, example in examples.items()
        }
        return {"serving_default": Signature(self.step, inputs, examples)}
