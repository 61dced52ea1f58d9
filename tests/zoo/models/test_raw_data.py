"""What Keras users hand to ``fit`` besides data and labels: weights, splits, odd shapes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import corpus
from zoo.models.raw_data import split_rows

pytestmark = pytest.mark.usefixtures("few_steps")

TEXTS = ["The film was good.", "a dull ending", "", "The music was clever."]
LABELS = ["positive", "negative", "negative", "positive"]
TOKENS = [["Ada", "was", "in", "Ulm", "."], ["Nobody"], [], ["Ulm", "was", "there"]]
TAGS = [["B-PER", "O", "O", "B-LOC", "O"], ["O"], [], ["B-LOC", "O", "O"]]
WEIGHTS = [1.0, 0.0, 3.0, 0.5]


def still(model):
    """The model, whose weights ``fit`` does not move."""
    model.compile(keras.optimizers.SGD(0.0), loss=model.loss)
    return model


@pytest.fixture(scope="module")
def classifier():
    return still(corpus.loud(corpus.tiny_sentiment(embedding_dropout=0.0, readout_dropout=0.0)))


@pytest.fixture(scope="module", params=["classifier", "tagger"])
def case(request, classifier):
    """A model and its two raw columns."""
    if request.param == "classifier":
        return classifier, TEXTS, LABELS
    return still(corpus.loud(corpus.tiny_ner())), TOKENS, TAGS


def loss_of(model, *data, **arguments):
    return model.evaluate(*data, verbose=0, return_dict=True, **arguments)["loss"]


def test_weights_of_rows_scale_their_losses(case):
    model, x, y = case
    losses = [loss_of(model, [row], [target]) for row, target in zip(x, y, strict=True)]
    expected = np.mean(np.multiply(losses, WEIGHTS))
    assert loss_of(model, x, y, sample_weight=WEIGHTS) == pytest.approx(expected, rel=1e-4)
    columns = (*model.raw_columns(x, y), tf.constant(WEIGHTS))
    data = tf.data.Dataset.from_tensor_slices(columns)
    for given in (data, data.ragged_batch(4)):
        assert loss_of(model, given) == pytest.approx(expected, rel=1e-4)


def test_weights_of_rows_are_multiplied_into_those_of_tokens(model):
    sources, targets = ["a dog runs", "a man"], ["ein Hund läuft", "ein Mann"]
    first = loss_of(model, sources[:1], targets[:1])
    assert loss_of(model, sources, targets, sample_weight=[1, 0]) == pytest.approx(first, rel=1e-4)


def test_the_last_rows_are_split_off(classifier):
    expected = loss_of(classifier, TEXTS[2:], LABELS[2:])
    history = classifier.fit(TEXTS, LABELS, validation_split=0.3, verbose=0).history
    assert history["val_loss"] == pytest.approx([expected], rel=1e-4)
    # As in Keras, data of its own come first; here with weights.
    validation = [TEXTS[2:], LABELS[2:], [2.0, 2.0]]
    history = classifier.fit(
        TEXTS, LABELS, validation_split=0.9, validation_data=validation, verbose=0
    ).history
    assert history["val_loss"] == pytest.approx([2 * expected], rel=1e-4)


def test_ragged_columns_are_split_as_well():
    train, held_out = split_rows((tf.ragged.constant(TOKENS), tf.constant(WEIGHTS)), 0.3)
    assert (train[0].nrows(), held_out[0].nrows()) == (2, 2)
    assert held_out[0].to_list() == [[], [b"Ulm", b"was", b"there"]]
    np.testing.assert_array_equal(held_out[1], WEIGHTS[2:])


def test_classes_are_weighted_by_name_or_number(classifier):
    weights = [3.0 if label == "positive" else 0.5 for label in LABELS]
    expected = loss_of(classifier, TEXTS, LABELS, sample_weight=weights)
    for classes in ({"negative": 0.5, "positive": 3.0}, {0: 0.5, 1: 3.0}):
        history = classifier.fit(TEXTS, LABELS, class_weight=classes, verbose=0).history
        assert history["loss"] == pytest.approx([expected], rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_weight": [1.0]}, "`texts` and `sample_weight` .* 4 and 1 entries"),
        ({"sample_weight": 2.0}, "`sample_weight` must be a list of numbers"),
        ({"class_weight": {"good": 2.0}}, r"negative.*Received: \['good'\]"),
        ({"validation_split": 0.9}, "validation_split=0.9 of 4 rows"),
        ({"validation_split": 1.5}, "validation_split=1.5 of 4 rows"),
        ({"validation_data": TEXTS}, "`validation_data` must be"),
        ({"validation_data": (TEXTS,)}, "`validation_data` must be"),
    ],
)
def test_bad_arguments_of_fit_are_named(classifier, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        classifier.fit(TEXTS, LABELS, **arguments)


def test_bad_data_sets_are_named(classifier):
    data = tf.data.Dataset.from_tensor_slices((TEXTS, LABELS))
    for arguments, message in (
        ({"sample_weight": WEIGHTS}, "`sample_weight` must come in the data set"),
        ({"validation_split": 0.5}, "`validation_split` needs lists"),
    ):
        with pytest.raises(ValueError, match=message):
            classifier.fit(data, **arguments)
    columns = np.array(TEXTS)[:, None], np.array(LABELS)[:, None]
    for x, y in (columns, (TEXTS, np.eye(2, dtype=int)[[1, 0, 0, 1]])):
        with pytest.raises(ValueError, match="rows of rank 0 or batches of rank 1"):
            classifier.fit(tf.data.Dataset.from_tensor_slices((x, y)).batch(2))
    with pytest.raises(ValueError, match="`labels` must be given beside `texts`"):
        classifier.fit(tf.constant(TEXTS))


def test_predict_is_the_network_and_names_the_verb(classifier):
    inputs, _ = classifier.preprocess(tf.constant(TEXTS), tf.constant(LABELS))
    expected = classifier(inputs)
    for given in (inputs, tf.data.Dataset.from_tensors(inputs)):
        np.testing.assert_allclose(classifier.predict(given, verbose=0), expected, atol=1e-5)
    for raw in (TEXTS, np.array(TEXTS), tf.data.Dataset.from_tensor_slices(TEXTS), "one"):
        with pytest.raises(TypeError, match=r"for raw data use `model.classify\(...\)`"):
            classifier.predict(raw)


def test_a_keras_file_is_refused_before_it_is_written(classifier, tmp_path):
    with pytest.raises(NotImplementedError, match=r"zoo.save\(model, folder\)"):
        classifier.save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())
