"""Adversarial steps: the shift goes where the loss grows; training with it learns and saves."""

import keras
import numpy as np
import tensorflow as tf

import zoo
from training.adversarial import train_adversarially, worst_shift
from zoo.models import Sentiment
from zoo.text.vocabulary import WordVocabulary

WORDS = ["good", "bad", "film", "a"]
INPUTS = {
    "tokens": tf.constant([[5, 2, 4], [5, 3, 4], [2, 4, 0], [3, 0, 0]]),
    "lengths": tf.constant([3, 3, 2, 1]),
}
LABELS = tf.constant([1, 0, 1, 0])


def tiny():
    keras.utils.set_random_seed(3)
    return Sentiment(
        WordVocabulary(WORDS), embedding_units=6, units=5, attention_units=4,
        embedding_dropout=0.0, readout_dropout=0.0, bidirectional=False,
    )  # fmt: skip


def test_the_shift_has_its_radius_and_the_direction_of_the_slope():
    slope = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    slope[1] *= 1e-25  # whose squares are 0 in float32
    slope[2] = 0
    shift = worst_shift(tf.constant(slope), tf.constant([0.5, 2.0, 1.0])).numpy()
    np.testing.assert_allclose(np.sqrt((shift**2).sum((1, 2))), [0.5, 2.0, 0.0], rtol=1e-5)
    ratios = shift[:2] / slope[:2]
    assert (ratios > 0).all()
    for of_row in ratios:
        np.testing.assert_allclose(of_row, of_row[0, 0], rtol=1e-4)


def gradients(model):
    """What one step hands to the optimizer."""
    seen = []

    class Watching(keras.optimizers.SGD):
        def apply(self, grads, trainable_variables=None):
            seen.extend(tf.convert_to_tensor(grad).numpy() for grad in grads)

    model.compile(optimizer=Watching(), loss=model.loss, run_eagerly=True)
    model.train_step((INPUTS, LABELS))
    return seen


def test_a_step_of_size_0_is_a_plain_step():
    plain, adversarial = tiny(), tiny()
    train_adversarially(adversarial, 0.0)
    for one, other in zip(gradients(plain), gradients(adversarial), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_loss_at_the_shifted_text_is_the_larger_one():
    model = tiny()
    train_adversarially(model, 0.3)
    losses = []
    compute_loss = model.compute_loss

    def watched(*args, **kwargs):
        losses.append(float(compute_loss(*args, **kwargs)))
        return compute_loss(*args, **kwargs)

    model.compute_loss = watched
    gradients(model)
    at_text, beside = losses
    assert beside > at_text


def test_training_learns_and_what_is_saved_is_a_plain_model(tmp_path):
    model = tiny()
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss=model.loss, metrics=["accuracy"])
    train_adversarially(model, 0.05)
    data = tf.data.Dataset.from_tensors((INPUTS, LABELS)).repeat()
    history = model.fit(data, steps_per_epoch=20, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    assert history["accuracy"][1] == 1.0
    zoo.save(model, tmp_path / "preset", half=False)
    loaded = zoo.load(tmp_path / "preset")
    np.testing.assert_allclose(loaded(INPUTS), model(INPUTS), atol=1e-6)
