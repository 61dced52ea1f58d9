"""Adversarial training: the model must be right about the worst texts next to the given ones.

Miyato, Dai and Goodfellow (2017), "Adversarial Training Methods for Semi-Supervised Text
Classification", arXiv:1605.07725. The embeddings `e` of a text are shifted a little, towards where
the loss grows fastest, and the loss there counts as much as the one at the text itself::

    g = dL(e) / de        r = radius g / ||g||        loss = (L(e) + L(e + r)) / 2

A step costs twice as much as a plain one.
"""

import contextlib

import keras
import numpy as np
import tensorflow as tf


def train_adversarially(model, size):
    """Lets `fit` of a compiled `Sentiment` take adversarial steps; what it computes stays as it is.

    Args:
        model: The model, its embedding initialised.
        size: The radius as a share of the length of the vector of all words of a text, at the
            embedding's present spread; Miyato et al. had about 0.02 for a review.
    """
    table = keras.ops.convert_to_numpy(model.embedding.embeddings)
    radius_of_word = size * float(np.sqrt((table**2).sum(-1).mean()))
    shifted = _ShiftedInputs(model.embedding_dropping)

    def train_step(data):
        inputs, labels = data
        weights = [weight.value for weight in model.trainable_variables]
        shape = tf.shape(inputs["tokens"])
        shift = tf.zeros([shape[0], shape[1], table.shape[1]])

        def gradient(shift, sources):
            with tf.GradientTape() as tape:
                tape.watch(shift)
                with shifted.by(shift):
                    logits = model(inputs, training=True)
                loss = model.compute_loss(inputs, labels, logits)
            slopes = tape.gradient(loss, sources)
            return loss, logits, [tf.convert_to_tensor(slope) for slope in slopes]

        loss, logits, (*at_text, slope) = gradient(shift, [*weights, shift])
        radius = radius_of_word * tf.sqrt(tf.cast(inputs["lengths"], tf.float32))
        shift = tf.stop_gradient(worst_shift(slope, radius))
        _, _, beside = gradient(shift, weights)
        model.optimizer.apply(
            [(a + b) / 2 for a, b in zip(at_text, beside, strict=True)], model.trainable_variables
        )
        for metric in model.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
        return model.compute_metrics(inputs, labels, logits)

    model.train_step = train_step


def worst_shift(slope, radius):
    """The shift of each row along its slope.

    Args:
        slope: float32 `[batch, time, units]`, 0 in the padding.
        radius: float32 `[batch]`, the length of each row's shift.

    Returns:
        float32 `[batch, time, units]`; 0 for a row without slope.
    """
    # Slopes are small, and their squares smaller: scaled first, lest they come out as 0.
    largest = tf.reduce_max(tf.abs(slope), axis=[1, 2], keepdims=True)
    slope = tf.math.divide_no_nan(slope, largest)
    norm = tf.sqrt(tf.reduce_sum(slope**2, axis=[1, 2], keepdims=True))
    return tf.math.divide_no_nan(slope, norm) * radius[:, tf.newaxis, tf.newaxis]


class _ShiftedInputs:
    """Adds a shift to what a layer gets, while one is set."""

    def __init__(self, layer):
        self._shift = None
        call = layer.call

        def shifted_call(inputs, training=None):
            if self._shift is not None:
                inputs += self._shift
            return call(inputs, training=training)

        # Not a layer of its own: Keras lets none into a model that is built.
        layer.call = shifted_call

    @contextlib.contextmanager
    def by(self, shift):
        """Within the block inputs are shifted by `shift`."""
        self._shift = shift
        try:
            yield
        finally:
            self._shift = None
