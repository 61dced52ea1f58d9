"""The model of ``tiny_models``, trained for a step and exported once for all tests."""

import keras
import pytest
import tensorflow as tf
from tiny_models import Scorer

import export


@pytest.fixture(scope="session")
def scorer(tokenizer) -> Scorer:
    """The model after a step of training, so that its optimizer has slots."""
    keras.utils.set_random_seed(1)
    model = Scorer(tokenizer)
    model.compile("adam", "mse")
    model.fit(tf.ones([2, 3], tf.int32), tf.ones([2, 1]), verbose=0)
    return model


@pytest.fixture(scope="session")
def base(scorer, tmp_path_factory):
    """A base directory with version 1 of ``scorer``, verified. Tests must leave it as it is."""
    base = tmp_path_factory.mktemp("models") / "scorer"
    export.saved_model(scorer, base)
    return base
