"""Reports on classifiers: the figures are scikit-learn's, whatever form the rows have."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import tensorflow as tf

from tests import corpus
from zoo.reports.classification import classification_report, multi_label_report
from zoo.reports.measuring import measure_classifier

LABELS = ["bug", "feature", "question"]
TRUTH = ["bug", "bug", "feature", "question", "bug", "feature"]
ANSWERS = ["bug", "feature", "feature", "bug", "bug", "feature"]
TEXTS = ["The film was good.", "The plot was bad.", "dull", "a warm ending", "", "funny"]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    return corpus.loud(corpus.tiny_sentiment(labels=LABELS))


@pytest.fixture(scope="module")
def report(model):
    return model.evaluate_report(TEXTS, TRUTH)


def test_every_figure_is_that_of_scikit_learn():
    report = classification_report(TRUTH, ANSWERS, LABELS)
    expected = sklearn.metrics.classification_report(
        TRUTH, ANSWERS, output_dict=True, zero_division=0
    )
    assert report.accuracy == pytest.approx(expected["accuracy"]) == pytest.approx(4 / 6)
    for label, scores in report.classes.items():
        assert scores == pytest.approx(tuple(expected[label].values()))
    assert report.macro == pytest.approx(tuple(expected["macro avg"].values()))
    assert report.weighted == pytest.approx(tuple(expected["weighted avg"].values()))
    np.testing.assert_array_equal(report.confusion, [[2, 1, 0], [0, 2, 0], [1, 0, 0]])


def test_a_label_that_nobody_has_is_shown_and_lowers_no_average():
    report = classification_report(TRUTH, ANSWERS, [*LABELS, "praise"])
    assert report.classes["praise"] == (0, 0, 0, 0)
    assert report.macro == classification_report(TRUTH, ANSWERS, LABELS).macro
    assert report.labels == [*LABELS, "praise"]


def test_the_report_is_of_what_classify_answers(model, report):
    answers = [answer.label for answer in model.classify(TEXTS)]
    assert len(set(answers)) > 1
    expected = classification_report(TRUTH, answers, LABELS)
    assert report == expected
    assert model.evaluate_report(TEXTS, TRUTH, batch_size=2) == expected


@pytest.mark.parametrize(
    "give",
    [
        lambda x, y: (np.array(x), np.array(y)),
        lambda x, y: (pd.Series(x), pd.Series(y)),
        lambda x, y: (pd.DataFrame({"texts": x, "labels": y}),),
        lambda x, y: ({"texts": x, "labels": y},),
        lambda x, y: (tf.data.Dataset.from_tensor_slices((x, y)),),
        lambda x, y: (tf.data.Dataset.from_tensor_slices({"texts": x, "labels": y}).batch(4),),
        lambda x, y: (iter(zip(x, y, strict=True)),),
    ],
)
def test_rows_come_in_all_the_forms_that_fit_takes(model, report, give):
    assert model.evaluate_report(*give(TEXTS, TRUTH)) == report


def test_integers_are_labels_only_if_one_says_so(model, report):
    numbers = [LABELS.index(label) for label in TRUTH]
    with pytest.raises(ValueError, match="labels_are_numbers=True"):
        model.evaluate_report(TEXTS, numbers)
    with pytest.warns(UserWarning, match="0 is 'bug'"):
        assert model.evaluate_report(TEXTS, numbers, labels_are_numbers=True) == report


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((TEXTS, TRUTH[:-1]), {}, ValueError, "one entry for each other"),
        ((TEXTS, ["bug"] * 5 + ["bgu"]), {}, ValueError, r"Received: labels\[5\]='bgu'"),
        (([], []), {}, ValueError, "must not be empty"),
        ((TEXTS,), {}, ValueError, "`labels` must be given"),
        ((TEXTS, TRUTH), {"beam_size": 3}, TypeError, "can classify has no argument `beam_size`"),
        ((TEXTS, TRUTH), {"batch_size": 0}, ValueError, "`batch_size` must be"),
        (
            ({"texts": TEXTS, "labels": TRUTH, "sample_weight": [1.0] * 6},),
            {},
            ValueError,
            "counts each row once",
        ),
        ((tf.data.Dataset.from_tensors(TEXTS), TRUTH), {}, ValueError, "come in the data set"),
    ],
)
def test_what_cannot_be_measured_is_told(model, arguments, options, error, message):
    with pytest.raises(error, match=message):
        model.evaluate_report(*arguments, **options)


def test_preprocessed_batches_are_refused(model):
    batches = tf.data.Dataset.from_tensors((TEXTS, TRUTH)).map(model.preprocess)
    with pytest.raises(TypeError, match="needs raw data"):
        model.evaluate_report(batches)
    with pytest.raises(TypeError, match="needs raw data"):
        model.evaluate_report(iter(batches))


def test_a_missing_library_is_told_with_its_extra(model, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.metrics", None)
    with pytest.raises(ImportError, match=r'sklearn.* missing.* pip install "rnn-zoo\[training\]"'):
        model.evaluate_report(TEXTS, TRUTH)


def test_it_is_shown_as_text_html_and_plain_values():
    report = classification_report(TRUTH, ANSWERS, LABELS)
    shown = str(report).splitlines()
    assert shown[0] == "6 rows, accuracy 0.667, macro F1 0.489"
    assert "question              0.000   0.000  0.000        1" in shown
    assert shown[-3:] == [
        "bug               2        1         0",
        "feature           0        2         0",
        "question          1        0         0",
    ]
    assert report.to_dict() == json.loads(json.dumps(report.to_dict()))
    assert report.to_dict()["kind"] == "classification"
    report.to_dict()["classes"].clear()
    assert report.labels == LABELS
    page = classification_report(["<b>"] * 2, ["<b>", "a|b"], ["<b>", "a|b"])
    assert "&lt;b&gt;" in page._repr_html_()
    assert "<b>" not in page._repr_html_()
    assert "a\\|b" in page.markdown()


def test_of_many_labels_the_worst_confusions_are_listed():
    labels = [f"label {i}" for i in range(12)]
    truth = ["label 1"] * 5 + ["label 2"] * 2 + ["label 3"]
    answers = ["label 4"] * 5 + ["label 2", "label 0", "label 3"]
    table = classification_report(truth, answers, labels).tables()[1]
    assert table.rows == [["label 1", "label 4", "5"], ["label 2", "label 0", "1"]]


SETS = [["bug"], ["bug", "question"], [], ["feature"]]
FOUND = [["bug"], ["question"], ["bug"], ["feature"]]


def test_several_labels_for_a_row_are_counted_each():
    report = multi_label_report(SETS, FOUND, LABELS)
    assert report.counts["bug"] == {
        "true_positive": 1,
        "false_negative": 1,
        "false_positive": 1,
        "true_negative": 1,
    }
    assert report.classes["bug"] == (0.5, 0.5, 0.5, 2)
    assert report.classes["feature"] == (1, 1, 1, 1)
    assert report.exact == 0.5
    assert report.micro == (0.75, 0.75, 0.75, 4)  # 3 of 4 given, 3 of 4 found
    assert report.macro.f1 == pytest.approx((0.5 + 1 + 1) / 3)
    assert "all labels right 0.500" in str(report)
    assert report.to_dict()["kind"] == "multi_label_classification"


@pytest.mark.parametrize(
    "truth",
    [
        tf.ragged.constant(SETS, dtype=tf.string),
        tf.constant([[1, 0, 0], [1, 0, 1], [0, 0, 0], [0, 1, 0]], tf.float32),
    ],
)
def test_a_classifier_of_several_labels_is_measured_by_its_sets(truth):
    model = SimpleNamespace(
        labels=LABELS,
        multi_label=True,
        classify=lambda texts, **options: [
            SimpleNamespace(chosen=dict.fromkeys(found, 0.9)) for found in FOUND
        ],
    )
    report = measure_classifier(model, (tf.constant(TEXTS[:4]), truth), 64, False)
    assert report == multi_label_report(SETS, FOUND, LABELS)


@pytest.mark.parametrize("count", [2, 40])
def test_the_figure_shows_the_matrix_and_every_class(tmp_path, count):
    labels = [f"Klasse {i}" for i in range(count)]
    report = classification_report(labels, labels[::-1], labels)
    figure = report.plot(tmp_path / "report.png")
    matrix, bars = figure.axes
    assert [tick.get_text() for tick in matrix.get_yticklabels()] == labels
    assert len(bars.patches) == 3 * count
    assert matrix.get_images()[0].get_array().sum() == count  # each row of the matrix is 1
    assert (tmp_path / "report.png").stat().st_size > 1000
    with pytest.raises(ValueError, match=r"must end with \.png"):
        report.plot(tmp_path / "report.bmp")


def test_the_figure_of_several_labels_has_their_bars(tmp_path):
    figure = multi_label_report(SETS, FOUND, LABELS).plot(tmp_path / "report.svg")
    lengths = [bar.get_width() for bar in figure.axes[0].patches]
    assert lengths[:3] == [0.5, 1, 1]  # precision
