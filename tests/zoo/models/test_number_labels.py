"""Integers as labels: names that are numbers, places in a list, and who may give which."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import corpus

pytestmark = pytest.mark.usefixtures("few_steps")

TEXTS = ["good film", "bad film", "warm and funny", "dull"]
OWN = ["ham", "spam", "promo"]
NAMES = ["spam", "ham", "promo", "spam"]
PLACES = [1, 0, 2, 1]
STARS = ["3", "1", "5", "3"]


def classifier(labels):
    keras.utils.set_random_seed(3)
    return corpus.loud(corpus.tiny_sentiment(labels=labels, readout_dropout=0.0))


@pytest.fixture(scope="module")
def own():
    return classifier(OWN)


@pytest.fixture(scope="module")
def stars():
    return classifier(["1", "2", "3", "4", "5"])


def forms(labels, dtype=np.int64):
    """Integers in every form in which `fit` takes them: `(x, y)`."""
    slices = tf.data.Dataset.from_tensor_slices
    numbers = np.array(labels, dtype)
    return {
        "list": (TEXTS, list(labels)),
        "array": (np.array(TEXTS), numbers),
        "tensor": (tf.constant(TEXTS), tf.constant(numbers)),
        "dict": ({"texts": TEXTS, "labels": numbers}, None),
        "rows": (slices((TEXTS, numbers)), None),
        "batches": (slices((TEXTS, numbers)).batch(3), None),
        "dicts": (slices({"texts": TEXTS, "labels": numbers}), None),
    }


@pytest.mark.parametrize("form", forms(PLACES))
def test_integers_of_own_labels_are_refused_unless_they_are_meant(own, form):
    x, y = forms(PLACES)[form]
    for method in (own.fit, own.evaluate):
        with pytest.raises((TypeError, ValueError), match="labels_are_numbers=True"):
            method(x, y, verbose=0)
    expected = own.evaluate(TEXTS, NAMES, verbose=0)
    received = own.evaluate(x, y, labels_are_numbers=True, verbose=0)
    np.testing.assert_allclose(received, expected, rtol=1e-4)
    with pytest.raises((TypeError, ValueError), match="labels_are_numbers=True"):
        own.evaluate(x, y, verbose=0)  # that they were meant once says nothing of these


def test_the_message_tells_the_row_and_what_each_number_would_be(own):
    message = r"labels\[0\]=1\. Give the names; or, if 0 is 'ham', 1 is 'spam', 2 is 'promo'"
    with pytest.raises(ValueError, match=message):
        own.fit(TEXTS, PLACES)
    with pytest.raises(ValueError, match=r"0 to 2\. Received: labels\[1\]=3"):
        own.fit(TEXTS, [0, 3, 1, 1], labels_are_numbers=True)


def test_generators_of_integers_obey_the_rule(own):
    def rows():
        yield from zip(TEXTS, PLACES, strict=True)

    with pytest.raises(ValueError, match="labels_are_numbers=True"):
        own.evaluate(rows(), verbose=0)
    expected = own.evaluate(TEXTS, NAMES, verbose=0)
    received = own.evaluate(rows(), labels_are_numbers=True, verbose=0)
    np.testing.assert_allclose(received, expected, rtol=1e-4)


def test_what_is_meant_in_fit_is_meant_of_validation_too(own):
    expected = own.evaluate(TEXTS[2:], NAMES[2:], verbose=0)
    own.compile(keras.optimizers.SGD(0.0), own.loss)
    for more in ({"validation_split": 0.5}, {"validation_data": (TEXTS[2:], PLACES[2:])}):
        history = own.fit(TEXTS, PLACES, labels_are_numbers=True, verbose=0, **more).history
        assert history["val_loss"] == pytest.approx([expected[0]], rel=1e-4)


@pytest.mark.parametrize("form", forms(PLACES))
def test_integers_are_the_names_of_labels_that_are_numbers(stars, form):
    x, y = forms([int(x) for x in STARS])[form]
    expected = stars.evaluate(TEXTS, STARS, verbose=0)
    np.testing.assert_allclose(stars.evaluate(x, y, verbose=0), expected, rtol=1e-4)
    x, y = forms([0, 1, 2, 3])[form]
    for meant in (False, True):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=r"must hold .*1.*5"):
            stars.evaluate(x, y, labels_are_numbers=meant, verbose=0)


def test_negative_names_are_numbers_too_and_ambiguous_ones_are_not():
    signed = classifier(["-1", "0", "1"])
    expected = signed.evaluate(TEXTS, ["0", "-1", "1", "-1"], verbose=0)
    received = signed.evaluate(TEXTS, [0, -1, 1, -1], verbose=0)
    np.testing.assert_allclose(received, expected, rtol=1e-4)
    with pytest.raises(ValueError, match="labels_are_numbers=True"):
        classifier(["1", "01"]).evaluate(TEXTS, [1, 1, 1, 1], verbose=0)


def test_numbers_are_explained_once(own, stars):
    said = "Labels are given as numbers: 0 is 'ham', 1 is 'spam', 2 is 'promo'"
    with pytest.warns(UserWarning, match=said):
        own.evaluate(TEXTS, PLACES, labels_are_numbers=True, verbose=0)
    fresh, data = classifier(OWN), tf.data.Dataset.from_tensor_slices((TEXTS, PLACES))
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")  # as Python starts
        for _ in range(2):
            fresh.evaluate(data, labels_are_numbers=True, verbose=0)
            fresh.evaluate(TEXTS, PLACES, labels_are_numbers=True, verbose=0)
    assert sum(said in str(of.message) for of in shown) == 1


@pytest.mark.filterwarnings("error:Labels are given")
def test_names_are_not_explained(own, stars):
    own.evaluate(TEXTS, NAMES, verbose=0)
    stars.evaluate(TEXTS, [3, 1, 5, 3], verbose=0)
