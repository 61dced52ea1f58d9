"""SavedModels that answer with what is rare: certainty, weights of zero, doubts, pictures."""

from pathlib import Path

import tensorflow as tf

from zoo.text.words import WordTokenizer

_TEXT = [tf.TensorSpec([None], tf.string, name="text")]


class Certain(tf.Module):
    """Finds every text positive, and looks at its first word only.

    It is all but sure, "sure" makes it sure, and with "maybe" it has its doubts.
    """

    def __init__(self):
        super().__init__()
        self.words = WordTokenizer()

    @tf.function(input_signature=_TEXT)
    def classify(self, text):
        positive = tf.where(tf.strings.regex_full_match(text, ".*sure.*"), 1.0, 0.99996)
        return {
            "label": tf.fill([tf.size(text)], "positive"),
            "score": positive,
            "probabilities": tf.stack([1 - positive, positive], axis=1),
            "labels": tf.tile([["negative", "positive"]], [tf.size(text), 1]),
            "low_confidence": tf.strings.regex_full_match(text, ".*maybe.*"),
        }

    @tf.function(input_signature=_TEXT)
    def attend(self, text):
        words = self.words.tokenize(text)
        tokens = words.tokens.to_tensor("")
        weights = tf.one_hot(tf.zeros_like(tokens[:, 0], tf.int32), tf.shape(tokens)[1])
        return {
            **self.classify(text),
            "tokens": tokens,
            "starts": words.starts.to_tensor(0),
            "ends": words.ends.to_tensor(0),
            "weights": weights,
            "lengths": tf.cast(words.tokens.row_lengths(), tf.int32),
        }


class Literal(tf.Module):
    """Translates each word into itself, and looks at nothing else the while."""

    @tf.function(input_signature=_TEXT)
    def best(self, text):
        return {
            "translation": tf.identity(text),
            "score": tf.fill([tf.size(text)], -0.125),
            "low_confidence": tf.strings.regex_full_match(text, ".*maybe.*"),
        }

    @tf.function(input_signature=_TEXT)
    def attend(self, text):
        words = tf.strings.split(text)
        tokens = words.to_tensor("")
        lengths = tf.cast(words.row_lengths(), tf.int32)
        return {
            **self.best(text),
            "source_tokens": tokens,
            "target_tokens": tf.identity(tokens),
            "attention": tf.eye(tf.shape(tokens)[1], batch_shape=[tf.size(text)]),
            "source_lengths": lengths,
            "target_lengths": tf.identity(lengths),
        }


class Picture(tf.Module):
    """Tells how bright pictures are, small ones, large ones, and how long their files are."""

    @tf.function(input_signature=[tf.TensorSpec([None, 32, 32, 3], tf.float32, name="image")])
    def small(self, image):
        return {"brightness": tf.reduce_mean(image, axis=[1, 2, 3])}

    @tf.function(input_signature=[tf.TensorSpec([None, 224, 224, 3], tf.float32, name="image")])
    def large(self, image):
        return {"brightness": tf.reduce_mean(image, axis=[1, 2, 3])}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def file(self, image_bytes):
        return {"bytes": tf.strings.length(image_bytes)}


def save_edges(root: Path) -> dict[str, Path]:
    """Saves a version 1 of each below `root`; returns the base paths by name."""
    certain, literal, picture = Certain(), Literal(), Picture()
    models = {
        "certain": (
            certain,
            {"serving_default": certain.classify, "attention": certain.attend},
        ),
        "literal": (literal, {"serving_default": literal.best, "attention": literal.attend}),
        "picture": (
            picture,
            {"serving_default": picture.small, "large": picture.large, "file": picture.file},
        ),
    }
    for name, (module, signatures) in models.items():
        tf.saved_model.save(module, str(root / name / "1"), signatures=signatures)
    return {name: root / name for name in models}
