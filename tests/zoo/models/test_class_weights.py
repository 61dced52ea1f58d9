"""Weights of classes: by name, by number, balanced; and models that have no classes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import corpus
from zoo.models import LanguageModel
from zoo.text.vocabulary import WordVocabulary

pytestmark = pytest.mark.usefixtures("few_steps")

TEXTS = ["good film", "bad film", "warm and funny", "dull", "silly", "endless plot"]
LABELS = ["bug", "praise", "bug", "bug", "question", "bug"]
OWN = ["bug", "question", "praise"]


def still(**arguments):
    """A classifier that `fit` leaves as it is, so that its losses are those of `evaluate`."""
    keras.utils.set_random_seed(3)
    sizes = {"embedding_dropout": 0.0, "readout_dropout": 0.0, **arguments}
    model = corpus.loud(corpus.tiny_sentiment(**sizes))
    model.compile(keras.optimizers.SGD(0.0), model.loss)
    return model


@pytest.fixture(scope="module")
def own():
    return still(labels=OWN)


def weighted_loss(model, texts, labels, weights):
    """By hand: the mean over rows of weight times negative log-probability."""
    answers = model.classify(texts)
    losses = [
        -weights[label] * np.log(answer.probabilities[label])
        for answer, label in zip(answers, labels, strict=True)
    ]
    return np.mean(losses)


@pytest.mark.parametrize(
    ("class_weight", "weights"),
    [
        ({"bug": 3.0}, [3, 1, 1]),
        ({0: 3.0}, [3, 1, 1]),
        ({"question": 0.5}, [1, 0.5, 1]),
        ({"praise": 2, 0: 0}, [0, 1, 2]),
        ({}, [1, 1, 1]),
        ("balanced", [6 / (3 * 4), 6 / (3 * 1), 6 / (3 * 1)]),
    ],
)
def test_classes_weigh_what_they_are_given_and_else_1(own, class_weight, weights):
    expected = weighted_loss(own, TEXTS, LABELS, dict(zip(OWN, weights, strict=True)))
    history = own.fit(TEXTS, LABELS, class_weight=class_weight, verbose=0).history
    assert history["loss"] == pytest.approx([expected], rel=1e-4)


def test_balanced_counts_the_training_rows_alone(own):
    weights = {"bug": 4 / (2 * 3), "praise": 4 / (2 * 1)}  # no row is a question
    expected = weighted_loss(own, TEXTS[:4], LABELS[:4], weights)
    for x, y in (
        (TEXTS, LABELS),
        ({"texts": TEXTS, "labels": np.array(LABELS)}, None),
    ):
        history = own.fit(x, y, class_weight="balanced", validation_split=0.33, verbose=0).history
        assert history["loss"] == pytest.approx([expected], rel=1e-4)


def test_numbers_weigh_the_names_that_they_are():
    stars = still(labels=["1", "2"])
    expected = weighted_loss(stars, TEXTS, ["1", "2"] * 3, {"1": 5.0, "2": 1.0})
    history = stars.fit(TEXTS, [1, 2] * 3, class_weight={1: 5.0}, verbose=0).history
    assert history["loss"] == pytest.approx([expected], rel=1e-4)


def test_a_data_set_takes_weights_by_name_and_none_that_are_counted(own):
    data = tf.data.Dataset.from_tensor_slices((TEXTS, LABELS))
    expected = weighted_loss(own, TEXTS, LABELS, {"bug": 1.0, "question": 1.0, "praise": 4.0})
    history = own.fit(data, class_weight={"praise": 4.0}, verbose=0).history
    assert history["loss"] == pytest.approx([expected], rel=1e-4)
    for given in (data, iter(zip(TEXTS, LABELS, strict=True))):
        with pytest.raises(ValueError, match=r'`class_weight="balanced"` needs lists or arrays'):
            own.fit(given, class_weight="balanced")


class Prepared(keras.utils.PyDataset):
    """One batch of what `preprocess` gives, with weights of rows."""

    def __init__(self, batch):
        super().__init__()
        self.batch, self.epochs = batch, 0

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch

    def on_epoch_end(self):
        self.epochs += 1


def test_weights_of_classes_and_of_rows_are_multiplied(own):
    rows = [1.0, 0.5, 3.0, 2.0, 0.0, 1.0]
    weights = {"bug": 1.0, "question": 1.0, "praise": 4.0}
    answers = own.classify(TEXTS)
    expected = np.mean(
        [
            -row * weights[label] * np.log(answer.probabilities[label])
            for answer, label, row in zip(answers, LABELS, rows, strict=True)
        ]
    )
    batch = (*own.preprocess(tf.constant(TEXTS), tf.constant(LABELS)), tf.constant(rows))
    kept = Prepared(tf.nest.map_structure(np.asarray, batch))
    for x, arguments in (
        (TEXTS, {"y": LABELS, "sample_weight": rows}),
        ({"texts": TEXTS, "labels": LABELS, "sample_weight": rows}, {}),
        (tf.data.Dataset.from_tensor_slices((TEXTS, LABELS, rows)), {}),
        (iter([(TEXTS, LABELS, rows)]), {}),
        (tf.data.Dataset.from_tensors(batch), {}),
        (iter([batch]), {}),
        (kept, {}),
    ):
        history = own.fit(x, class_weight={"praise": 4.0}, verbose=0, **arguments).history
        assert history["loss"] == pytest.approx([expected], rel=1e-4)
    told = kept.epochs
    own.fit(kept, verbose=0)
    assert kept.epochs == 2 * told > 0  # as often as Keras tells a data set without weights


def test_weights_of_classes_are_for_training_alone(own):
    expected = own.evaluate(TEXTS, LABELS, verbose=0, return_dict=True)["loss"]
    held_out = {"validation_data": (TEXTS, LABELS)}
    history = own.fit(TEXTS, LABELS, class_weight="balanced", verbose=0, **held_out).history
    assert history["val_loss"] == pytest.approx([expected], rel=1e-4)
    assert history["loss"] != pytest.approx([expected], rel=1e-2)


class Counted(list):
    """A list that counts how often it is read."""

    reads = 0

    def __iter__(self):
        self.reads += 1
        return super().__iter__()


def test_lists_are_read_once_also_to_be_counted(own):
    texts, labels = Counted(TEXTS), Counted(LABELS)
    own.fit(texts, labels, class_weight="balanced", validation_split=0.2, verbose=0)
    assert (texts.reads, labels.reads) == (1, 1)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({"bog": 2.0}, r"entries of .*Received: \['bog'\]\. Did you mean 'bug'"),
        ({"bug": 2.0, 0: 3.0}, "`class_weight` must name each class once"),
        ({"bug": "much"}, r"`class_weight` must hold finite.*class_weight\['bug'\]='much'"),
        ({"bug": float("nan")}, r"`class_weight` must hold finite numbers"),
        ({"bug": -1}, r"`class_weight` must hold finite numbers of at least 0"),
        ("even", r"`class_weight` must be a dict.*Received: class_weight='even'"),
        ([1.0, 2.0, 3.0], r"`class_weight` must be a dict"),
    ],
)
def test_bad_weights_are_named(own, class_weight, message):
    with pytest.raises((TypeError, ValueError), match=message):
        own.fit(TEXTS, LABELS, class_weight=class_weight)


@pytest.mark.parametrize("class_weight", [{0: 2.0}, {"PER": 2.0}, {}, "balanced"])
def test_models_without_classes_refuse_them(class_weight, tokenizer):
    language_model = LanguageModel(WordVocabulary(["a", "b"]), embedding_units=4, units=4)
    with pytest.raises(ValueError, match=r"`class_weight` must be left out.*`sample_weight`"):
        language_model.fit(["a b"], class_weight=class_weight)
    translator = corpus.tiny_vanilla(tokenizer)
    with pytest.raises(ValueError, match=r"`class_weight` must be left out.*`sample_weight`"):
        translator.fit(["A dog."], ["Ein Hund."], class_weight=class_weight)
