"""A classifier of the zoo through the whole export, at a tiny size and untrained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import corpus
from tests.export.tiny_models import signature_names
from zoo import export

TEXTS = ["The film was good.", "bad", "", "我 😀 b\x00d", "a dull ending " * 40]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(7)
    return corpus.loud(corpus.tiny_sentiment(labels=["bug", "feature", "question"]))


@pytest.fixture(scope="module")
def served(model, exported):
    return tf.saved_model.load(str(exported(model))).signatures


def test_signatures_and_their_outputs(served):
    answer = {
        "label": (tf.string, [None]),
        "score": (tf.float32, [None]),
        "probabilities": (tf.float32, [None, 3]),
        "labels": (tf.string, [None, 3]),
    }
    words = {name: (tf.int32, [None, None]) for name in ("starts", "ends")}
    words |= {"tokens": (tf.string, [None, None]), "weights": (tf.float32, [None, None])}
    assert {
        name: {key: (t.dtype, t.shape.as_list()) for key, t in f.structured_outputs.items()}
        for name, f in served.items()
    } == {
        "serving_default": answer,
        "attention": {**answer, **words, "lengths": (tf.int32, [None])},
    }


def test_classifies_as_the_model_does(served, model):
    own = model.classify(TEXTS, return_attention=True)
    got = {k: v.numpy() for k, v in served["attention"](text=tf.constant(TEXTS)).items()}
    assert [label.decode() for label in got["label"]] == [row.label for row in own]
    np.testing.assert_allclose(got["score"], [row.score for row in own], rtol=1e-4)
    for row, expected in enumerate(own):
        columns = [got[name][row, : got["lengths"][row]] for name in ("starts", "ends", "weights")]
        expected = [np.array([t[i] for t in expected.tokens]) for i in (1, 2, 3)]
        for column, values in zip(columns, expected, strict=True):
            np.testing.assert_allclose(column, values, rtol=1e-4)


def test_a_batch_without_rows(served):
    for function in served.values():
        answers = function(text=tf.zeros([0], tf.string))
        assert {len(answer) for answer in answers.values()} == {0}


def test_a_classifier_without_attention_has_one_signature(tmp_path):
    model = corpus.tiny_sentiment(readout="last", bidirectional=False)
    folder = export.saved_model(model, tmp_path, verify=False)
    assert signature_names(folder) == {"serving_default"}


def test_several_labels_are_chosen_as_the_model_does(exported):
    """In a fresh process they are the operations of the one label, verified above, and a `>=`."""
    keras.utils.set_random_seed(7)
    labels = ["bug", "feature", "question"]
    model = corpus.loud(corpus.tiny_sentiment(labels=labels, multi_label=True))
    found = np.array([list(row.probabilities.values()) for row in model.classify(TEXTS)])
    limits = (found.min(axis=0) + found.max(axis=0)) / 2
    model.thresholds = dict(zip(labels, limits.tolist(), strict=True))
    served = tf.saved_model.load(str(exported(model, verify=False))).signatures
    answer = {
        "chosen": (tf.bool, [None, 3]),
        "probabilities": (tf.float32, [None, 3]),
        "labels": (tf.string, [None, 3]),
        "thresholds": (tf.float32, [None, 3]),
    }
    for signature in served.values():
        outputs = signature.structured_outputs
        assert {k: (outputs[k].dtype, outputs[k].shape.as_list()) for k in answer} == answer
        got = {k: v.numpy() for k, v in signature(text=tf.constant(TEXTS)).items()}
        np.testing.assert_array_equal(got["chosen"], found >= limits)
        np.testing.assert_allclose(got["probabilities"], found, rtol=1e-4)
        np.testing.assert_allclose(got["thresholds"], [limits] * len(TEXTS), rtol=1e-6)
        assert got["labels"].tolist() == [[label.encode() for label in labels]] * len(TEXTS)
        none = signature(text=tf.zeros([0], tf.string))
        assert {len(of) for of in none.values()} == {0}
    assert set(served) == {"serving_default", "attention"}
    assert set(served["serving_default"].structured_outputs) == set(answer)
    assert {row.tobytes() for row in got["chosen"]} != {got["chosen"][0].tobytes()}
