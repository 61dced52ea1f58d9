"""Losses that a user adds to a model that computes its loss itself: they are trained too."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import corpus
from zoo.models import LanguageModel
from zoo.text.vocabulary import WordVocabulary

pytestmark = pytest.mark.usefixtures("few_steps")


def tagger():
    model = corpus.tiny_ner(word_dropout=0.0, input_dropout=0.0, output_dropout=0.0)
    return model, ([["Ann", "ran"], ["Ulm"]], [["B-PER", "O"], ["B-LOC"]])


def language_model():
    # Whatever negatives are drawn, the same words: the loss is the same at each call.
    vocabulary = WordVocabulary(["a", "b"])
    sizes = {"embedding_units": 4, "units": 5, "dropout": 0.0, "negatives": 5000}
    return LanguageModel(vocabulary, **sizes), (["a b a", "b"],)


@pytest.mark.parametrize(("make", "tolerance"), [(tagger, 1e-5), (language_model, 0.02)])
def test_regularizers_and_add_loss_count_and_are_trained(make, tolerance):
    keras.utils.set_random_seed(0)
    model, data = make()
    kernel = model.projection.kernel
    kernel.assign(np.full(kernel.shape, 0.5))
    plain = model.evaluate(*data, verbose=0, return_dict=True)["loss"]
    call = model.encoder.call

    def adding(*args, **kwargs):
        model.encoder.add_loss(tf.constant(0.25))
        return call(*args, **kwargs)

    model.encoder.call = adding
    kernel.regularizer = keras.regularizers.L2(10.0)
    model.compile(keras.optimizers.SGD(0.01))
    expected = plain + 0.25 + 10.0 * 0.5**2 * np.prod(kernel.shape)
    received = model.evaluate(*data, verbose=0, return_dict=True)["loss"]
    assert received == pytest.approx(expected, abs=tolerance, rel=1e-5)
    history = model.fit(*data, verbose=0).history
    assert history["loss"] == pytest.approx([expected], abs=tolerance, rel=1e-5)
    # The gradient of the penalty is 10 at each entry, which outweighs that of two rows.
    np.testing.assert_allclose(kernel, np.full(kernel.shape, 0.5 - 0.01 * 10.0), atol=0.02)
