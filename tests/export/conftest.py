"""A model small enough to export in a second, with strings in and out and all that must be saved.

It has variables (a Keras layer), a SentencePiece model and a lookup table, and, as a trained model
has, an optimizer with slots and a dropout seed, which must not be saved.
"""

import io

import keras
import numpy as np
import pytest
import sentencepiece
import tensorflow as tf
import tensorflow_text as tf_text

import export
from zoo.models.base import Signature

SENTENCES = ["a dog runs in the snow", "two men play ball", "a woman reads a book in the park"]
EXAMPLE = np.array([b"a dog reads", "a bärk 🐕 in the snow".encode(), b""], dtype=object)


class Scorer(keras.Model):
    """``text`` -> itself from its pieces (``echo``), a score, its words counted by a table."""

    def __init__(self, subwords: bytes):
        super().__init__()
        self.tokenizer = tf_text.SentencepieceTokenizer(subwords, out_type=tf.int32)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer([0, 1, 2], ["none", "one", "two"]), "many"
        )
        self.unused = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(["a"], [1]), default_value=0
        )
        self.embedding = keras.layers.Embedding(64, 8)
        self.dropout = keras.layers.Dropout(0.5)
        self.dense = keras.layers.Dense(1)

    def call(self, ids, training=None):
        return self.dense(self.dropout(tf.reduce_sum(self.embedding(ids), 1), training=training))

    def answer(self, text):
        pieces = self.tokenizer.tokenize(text)
        words = tf.cast(tf.strings.split(text).row_lengths(), tf.int32)
        return {
            "echo": self.tokenizer.detokenize(pieces),
            "score": self(pieces.to_tensor())[:, 0],
            "words": self.table.lookup(words),
        }

    def lengths(self, text):
        return {"lengths": tf.cast(self.tokenizer.tokenize(text).row_lengths(), tf.int32)}

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


@pytest.fixture(scope="session")
def subwords() -> bytes:
    """A serialised SentencePiece model of 60 pieces."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=model,
        vocab_size=40,
        hard_vocab_limit=False,
        pad_id=0,
        unk_id=1,
        bos_id=2,
        eos_id=3,
        minloglevel=2,
    )
    return model.getvalue()


@pytest.fixture(scope="session")
def scorer(subwords) -> Scorer:
    """The model after a step of training, so that its optimizer has slots."""
    keras.utils.set_random_seed(1)
    model = Scorer(subwords)
    model.compile("adam", "mse")
    model.fit(tf.ones([2, 3], tf.int32), tf.ones([2, 1]), verbose=0)
    return model


@pytest.fixture(scope="session")
def base(scorer, tmp_path_factory):
    """A base directory with version 1 of ``scorer``, verified. Tests must leave it as it is."""
    base = tmp_path_factory.mktemp("models") / "scorer"
    export.saved_model(scorer, base)
    return base
