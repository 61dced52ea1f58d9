"""Several labels for a text: every form of them, their loss, thresholds, weights, and bad input."""

import copy
import pickle

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from tests import corpus
from zoo.models.classifications import MultiClassification
from zoo.models.label_f1 import LabelF1
from zoo.models.losses import LabelCrossEntropy
from zoo.models.thresholds import best_threshold

pytestmark = pytest.mark.usefixtures("few_steps")

OWN = ["cheap", "slow", "noisy"]
TEXTS = ["good film", "bad film, 1999", "", "warm and funny 😀"]
SETS = [["cheap", "noisy"], [], ["slow"], ["noisy", "cheap", "slow"]]
HOT = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]])
WEIGHTS = [1.0, 0.5, 3.0, 2.0]


def several(**arguments):
    keras.utils.set_random_seed(3)
    sizes = {"embedding_dropout": 0.0, "readout_dropout": 0.0, "labels": OWN, **arguments}
    model = corpus.loud(corpus.tiny_sentiment(multi_label=True, **sizes))
    model.compile(keras.optimizers.SGD(0.0), **model.head.compile_arguments())
    return model


@pytest.fixture(scope="module")
def model():
    """A model that `fit` leaves as it is, so that its losses are those of `evaluate`."""
    return several()


def probabilities(model, texts=TEXTS):
    return np.array([list(answer.probabilities.values()) for answer in model.classify(texts)])


def losses(found, hot=HOT):
    """By hand: the cross-entropy of each label of each text."""
    return -np.log(np.where(hot, found, 1 - found))


def sets_of(answers):
    return [set(answer.labels) for answer in answers]


# Learning and answering.


@pytest.mark.usefixtures("many_steps")
def test_learns_what_stands_in_a_text():
    keras.utils.set_random_seed(0)
    texts = [
        f"The {thing} was {one} and {other}."
        for thing in corpus.THINGS
        for one in ("good", "bad", "the")
        for other in ("funny", "dull", "i")
    ]
    words = {"good": "praise", "bad": "blame", "funny": "fun"}
    sets = [[label for word, label in words.items() if word in text] for text in texts]
    model = corpus.tiny_sentiment(
        labels=list(words.values()), multi_label=True, embedding_dropout=0.0, readout_dropout=0.0
    )
    model.compile(keras.optimizers.Adam(0.05), model.loss)
    train = [i for i in range(len(texts)) if i % 5]
    model.fit([texts[i] for i in train], [sets[i] for i in train], 6, epochs=6, verbose=0)
    assert sets_of(model.classify(texts[::5])) == [set(row) for row in sets[::5]]
    assert {len(row) for row in sets[::5]} == {0, 1, 2}


def test_an_answer_has_the_chosen_labels_and_all_probabilities(model):
    answers = model.classify(TEXTS, return_attention=True)
    for answer, row in zip(answers, probabilities(model), strict=True):
        assert isinstance(answer, MultiClassification)
        assert list(answer.probabilities) == OWN
        assert set(answer.chosen) == {x for x, p in answer.probabilities.items() if p >= 0.5}
        assert list(answer.chosen.values()) == sorted(answer.chosen.values(), reverse=True)
        assert all(answer.probabilities[x] == p for x, p in answer.chosen.items())
        np.testing.assert_allclose(list(answer.probabilities.values()), row, rtol=1e-5)
    assert len({len(answer.chosen) for answer in answers}) > 1
    assert [token.text for token in answers[0].tokens] == ["good", "film"]
    logits = model(model.make_inputs(model.words_of(tf.constant(TEXTS))))
    np.testing.assert_allclose(probabilities(model), 1 / (1 + np.exp(-logits)), rtol=1e-4)


def test_signatures_say_what_the_verb_says(model):
    expected = model.classify(TEXTS)
    for signature in model.signatures().values():
        answer = {k: v.numpy() for k, v in signature.function(text=tf.constant(TEXTS)).items()}
        for row, wanted in enumerate(expected):
            names = answer["labels"][row][answer["chosen"][row]]
            assert {name.decode() for name in names} == set(wanted.chosen)
        np.testing.assert_allclose(answer["probabilities"], probabilities(model), rtol=1e-5)
        assert answer["thresholds"].tolist() == [[0.5] * 3] * 4
        empty = signature.function(text=tf.zeros([0], tf.string))
        assert {value.shape[0] for value in empty.values()} == {0}


def test_one_label_is_a_question_of_yes_or_no():
    model = several(labels=["spam"])
    (spam,) = probabilities(model).T
    found = model.evaluate(TEXTS, [["spam"], [], [], []], return_dict=True, verbose=0)
    hot = np.array([1, 0, 0, 0])
    assert found["loss"] == pytest.approx(losses(spam, hot).mean(), rel=1e-4)
    weighted = model.evaluate(TEXTS, hot[:, None], sample_weight=WEIGHTS, verbose=0)[0]
    assert weighted == pytest.approx((losses(spam, hot) * WEIGHTS).mean(), rel=1e-4)


# The forms of labels.


def forms():
    """Labels in every form in which `fit` takes them: `(x, y)`."""
    slices = tf.data.Dataset.from_tensor_slices
    ragged = tf.ragged.constant(SETS)
    texts = tf.constant(TEXTS)
    lists = [list(row) for row in SETS]
    frame = pd.DataFrame(HOT, columns=OWN)
    padded = slices((texts, ragged)).map(lambda x, y: (x, tf.convert_to_tensor(y)))
    return {
        "lists": (TEXTS, lists),
        "sets": (TEXTS, [set(row) for row in SETS]),
        "tuples of arrays": (tuple(TEXTS), tuple(np.array(row, object) for row in SETS)),
        "bytes": (TEXTS, [[name.encode() for name in row] for row in SETS]),
        "series": (pd.Series(TEXTS), pd.Series(lists)),
        "ragged": (texts, ragged),
        "dict": ({"texts": TEXTS, "labels": lists}, None),
        "data frame": (pd.DataFrame({"texts": TEXTS, "labels": lists}), None),
        "numbers": (TEXTS, HOT.tolist()),
        "array": (TEXTS, HOT),
        "floats": (TEXTS, HOT.astype(np.float32)),
        "booleans": (TEXTS, HOT.astype(bool)),
        "tensor": (texts, tf.constant(HOT)),
        "columns": (TEXTS, frame[OWN[::-1]]),
        "rows": (slices((texts, ragged)), None),
        "batches": (slices((texts, ragged)).batch(4), None),
        "padded batches": (padded.padded_batch(4), None),
        "rows of numbers": (slices((texts, HOT)), None),
        "batches of numbers": (slices((texts, HOT.astype(np.float32))).batch(4), None),
        "dicts": (slices({"texts": texts, "labels": ragged}), None),
        "generator": (iter(zip(TEXTS, SETS, strict=True)), None),
        "generator of numbers": (iter(zip(TEXTS, HOT, strict=True)), None),
        "generator of batches": (iter([(TEXTS, SETS)]), None),
    }


@pytest.mark.parametrize("form", forms())
def test_all_forms_mean_the_same(model, form):
    (batch,) = model._raw_data().batches(*forms()[form])
    inputs, targets = batch
    assert (targets.dtype, targets.shape[1]) == (tf.float32, 3)
    np.testing.assert_array_equal(targets, HOT)
    assert inputs["lengths"].numpy().tolist() == [2, 4, 0, 4]


def test_loss_and_metrics_are_what_they_say(model):
    found = probabilities(model)
    chosen = found >= 0.5
    f1 = 2 * (chosen & (HOT > 0)).sum() / (chosen.sum() + HOT.sum())
    expected = {
        "loss": losses(found).mean(),
        "binary_accuracy": (chosen == HOT).mean(),
        "f1": f1,
    }
    for size in (4, 3):  # the metrics are those of all texts, whatever the batches
        got = model.evaluate(TEXTS, SETS, batch_size=size, return_dict=True, verbose=0)
        del got["loss" if size == 3 else "f1"]
        assert got == pytest.approx({k: expected[k] for k in got}, rel=1e-4)
    weighted = model.evaluate(TEXTS, SETS, sample_weight=WEIGHTS, verbose=0)[0]
    assert weighted == pytest.approx((losses(found).mean(1) * WEIGHTS).mean(), rel=1e-4)
    keras_own = keras.losses.BinaryCrossentropy()(HOT.astype(np.float32), found)
    assert expected["loss"] == pytest.approx(float(keras_own), rel=1e-4)


def test_the_metric_counts_weights():
    metric = LabelF1(lambda logits: logits >= 0)
    truth, logits = tf.constant([[1.0, 0], [1, 1]]), tf.constant([[2.0, 1], [-1, 3]])
    metric.update_state(truth, logits, sample_weight=tf.constant([3.0, 1.0]))
    assert float(metric.result()) == pytest.approx(2 * 4 / ((3 + 2) + (6 + 1)))
    metric.reset_state()
    assert float(metric.result()) == 0


# Weights.


@pytest.mark.parametrize(
    ("class_weight", "present", "absent"),
    [
        ({"slow": 3.0}, [1, 3, 1], [1, 1, 1]),
        ({0: 2, "noisy": 0.0}, [2, 1, 0], [1, 1, 1]),
        ("balanced", [1, 1, 1], [1, 1, 1]),  # two of the four texts have each
    ],
)
def test_classes_weigh_in_their_own_decision(model, class_weight, present, absent):
    weights = np.where(HOT, present, absent)
    expected = (losses(probabilities(model)) * weights).mean()
    for x, y in ((TEXTS, SETS), (*forms()["rows"][:1], None)):
        if class_weight != "balanced" or y is not None:
            history = model.fit(x, y, class_weight=class_weight, verbose=0).history
            assert history["loss"] == pytest.approx([expected], rel=1e-4)


def test_balanced_weights_and_weights_of_rows_are_multiplied(model):
    texts, hot = TEXTS[:3], HOT[:3]
    present = np.array([3 / (2 * 1)] * 3)
    absent = np.array([3 / (2 * 2)] * 3)
    weights = np.where(hot, present, absent) * np.array(WEIGHTS[:3])[:, None]
    expected = (losses(probabilities(model, texts), hot) * weights).mean()
    history = model.fit(
        [*TEXTS[:3], "x"],
        [*SETS[:3], OWN],
        class_weight="balanced",
        sample_weight=[*WEIGHTS[:3], 1.0],
        validation_split=0.25,
        verbose=0,
    ).history
    assert history["loss"] == pytest.approx([expected], rel=1e-4)


def test_weights_of_classes_need_the_loss_that_takes_them(model):
    other = copy.deepcopy(model)
    other.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    other.fit(TEXTS, SETS, sample_weight=WEIGHTS, verbose=0)
    with pytest.raises(ValueError, match=r"`class_weight` .*LabelCrossEntropy\(\)"):
        other.fit(TEXTS, SETS, class_weight={"slow": 2.0}, verbose=0)
    other.compile("adam", LabelCrossEntropy.from_config(LabelCrossEntropy().get_config()))
    other.fit(TEXTS, SETS, class_weight={"slow": 2.0}, verbose=0)


# Thresholds.


def test_thresholds_decide_and_metrics_and_signatures_follow():
    model = several()
    before = model.evaluate(TEXTS, SETS, verbose=0, return_dict=True)
    found = probabilities(model)
    limits = np.sort(found, axis=0)[1:3].mean(axis=0)  # two texts above, two below
    model.thresholds = dict(zip(OWN, limits.tolist(), strict=True))
    chosen = found >= limits
    assert sets_of(model.classify(TEXTS)) == [
        {name for name, right in zip(OWN, row, strict=True) if right} for row in chosen
    ]
    signature = model.signatures()["serving_default"]
    answer = signature.function(text=tf.constant(TEXTS))
    np.testing.assert_array_equal(answer["chosen"], chosen)
    np.testing.assert_allclose(answer["thresholds"], [limits] * 4, rtol=1e-6)
    after = model.evaluate(TEXTS, SETS, verbose=0, return_dict=True)
    assert after["binary_accuracy"] == pytest.approx((chosen == HOT).mean())
    assert after["binary_accuracy"] != before["binary_accuracy"]
    model.thresholds = 0.0
    assert all(len(answer.chosen) == 3 for answer in model.classify(TEXTS))
    model.thresholds = {"slow": 1}
    assert model.thresholds == {"cheap": 0.5, "slow": 1.0, "noisy": 0.5}


def test_tuned_thresholds_are_the_best_there_are():
    model = several()
    with pytest.warns(UserWarning, match="'noisy' stay as they are"):
        tuned = model.tune_thresholds(TEXTS, [["cheap"], [], ["slow"], ["slow"]])
    assert tuned == model.thresholds == model.get_config()["thresholds"]
    assert tuned["noisy"] == 0.5
    hot = np.array([[1, 0], [0, 0], [0, 1], [0, 1]])
    for column in (0, 1):
        found, truth = probabilities(model)[:, column], hot[:, column]

        def f1(limit, found=found, truth=truth):
            chosen = found >= limit
            return 2 * (chosen * truth).sum() / (chosen.sum() + truth.sum())

        best = max(f1(limit) for limit in found)
        assert f1(tuned[OWN[column]]) == pytest.approx(best)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.625, 0.9, 1.0]), st.booleans()),
        min_size=1,
        max_size=8,
    )
)
def test_no_threshold_has_a_better_f1(rows):
    found, truth = (np.array(column) for column in zip(*rows, strict=True))
    limit = best_threshold(found, truth)
    if truth.all() or not truth.any():
        assert limit is None
        return

    def f1(limit):
        chosen = found >= limit
        return 2 * (chosen & truth).sum() / (chosen.sum() + truth.sum())

    assert f1(limit) == pytest.approx(max(f1(at) for at in [*found, 2.0]))


def test_a_report_does_not_outlive_the_thresholds_it_was_of(model):
    own = copy.deepcopy(model)
    for thresholds, kept in (({"slow": 0.5}, True), ({"slow": 0.4}, False)):
        own.provenance.measured(own.get_weights(), {"rows": 4})
        own.thresholds = thresholds
        assert ("report" in own.provenance.to_config(own.get_weights)) == kept


# Files and copies.


def test_all_of_it_is_saved_loaded_and_copied(model, tmp_path):
    own = copy.deepcopy(model)
    own.thresholds = {"slow": 0.3}
    zoo.save(own, tmp_path / "own", half=False)
    loaded = zoo.load(tmp_path / "own")
    for other in (loaded, copy.deepcopy(own), pickle.loads(pickle.dumps(own))):
        assert other.multi_label
        assert other.thresholds == {"cheap": 0.5, "slow": 0.3, "noisy": 0.5}
        assert other.get_config() == own.get_config()
        assert other.classify(TEXTS) == own.classify(TEXTS)
    tf.train.Checkpoint(model=own).write(str(tmp_path / "checkpoint"))
    own.save_weights(tmp_path / "own.weights.h5")
    # What is said of the classes goes with them, and stays as long as they do.
    assert zoo.load(tmp_path / "own", labels=["new"]).thresholds == {"new": 0.5}
    assert zoo.load(tmp_path / "own", labels=OWN).thresholds["slow"] == 0.3
    assert zoo.load(tmp_path / "own", readout_dropout=0.2).thresholds["slow"] == 0.3
    assert zoo.load(tmp_path / "own", thresholds=0.2).thresholds == dict.fromkeys(OWN, 0.2)
    one = zoo.load(tmp_path / "own", multi_label=False)
    assert (one.multi_label, one.thresholds, one.labels) == (False, None, OWN)
    kernel = one.classifier.kernel.numpy()
    assert not np.allclose(kernel, own.classifier.kernel)  # the last layer is fresh
    assert np.allclose(one.embedding.embeddings, own.embedding.embeddings)


def test_a_preset_gets_several_labels():
    model = zoo.load("sentiment_sst", labels=OWN, multi_label=True)
    assert (model.multi_label, model.labels) == (True, OWN)
    history = model.fit(["slow and loud", "it is cheap"], [["slow", "noisy"], []], verbose=0)
    assert set(history.history) == {"loss", "binary_accuracy", "f1"}


# Bad input.


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([["cheep"], []], ValueError, r"`labels\[0\]` must hold .*'cheep'\. Did you mean 'cheap'"),
        ([[], ["xyz"]], ValueError, r"`labels\[1\]` .*zoo\.load\(name, labels=\[\.\.\.\]\)"),
        (["cheap", "slow"], TypeError, r"labels\[0\]='cheap' .*For one label give \['cheap'\]"),
        (["cheap|slow", ""], TypeError, r"It is not split: give \['cheap', 'slow'\] if"),
        ([["cheap", "cheap"], []], ValueError, r"`labels\[0\]` must name each label once"),
        ([[""], ["slow"]], ValueError, "none of the labels has an empty list"),
        ([["slow"], None], TypeError, r"an empty list\. Received: labels\[1\]=None"),
        ([["slow"], float("nan")], TypeError, r"an empty list\. Received: labels\[1\]=nan"),
        ([["slow"], {"slow": 1}], TypeError, r"labels\[1\]=\{'slow': 1\}"),
        ([[1, 0], [0, 1]], ValueError, r"0 and 1, a number for each of 'cheap', 'slow', 'noisy'"),
        ([[1, 0, 2], [0, 1, 0]], ValueError, r"`labels\[0\]` .*0 and 1"),
        ([[1, "slow", 0], []], ValueError, r"`labels\[0\]` .*0 and 1"),
        (np.array([[0.5, 0, 1], [0, 0, 0]]), ValueError, r"`labels\[0\]` .*0 and 1"),
        (np.array([[np.nan, 0, 1], [0, 0, 0]]), ValueError, r"`labels\[0\]` .*0 and 1"),
        ([0, 1], TypeError, r"labels\[0\]=0"),
        (np.zeros([2, 3, 1]), ValueError, "one dimension"),
        ("cheap", TypeError, "`labels` must be a list of lists of names"),
        ([], ValueError, "`labels` must not be empty"),
        ([["slow"]], ValueError, "`texts` and `labels` .* 2 and 1 entries"),
        ([[], []], ValueError, "must name a label in some row.*2 rows without"),
        (HOT[:2] * 0, ValueError, "must name a label in some row"),
        (pd.DataFrame({"cheap": [1, 0], "slo": [0, 1], "noisy": [0, 0]}), ValueError,
         "as its columns, cheap, slow, noisy.*'slow': Did you mean 'slo'"),
        (pd.DataFrame({**{name: [0, 1] for name in OWN}, "id": [0, 1]}), ValueError, "noisy, id"),
    ],
)  # fmt: skip
def test_bad_labels_are_named(model, labels, error, message):
    with pytest.raises(error, match=message):
        model.fit(["a", "b"], labels, verbose=0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (tf.ragged.constant([["cheap"], ["fast", "slow"]]), "must hold .*cheap.*fast"),
        ([[0, 1, 0], [0, 3, 1]], "must be 0 or 1.*3"),
        ([[0, 1], [1, 1]], "3 numbers in a row.*2"),
    ],
)
def test_bad_labels_of_data_sets_are_named(model, labels, message):
    data = tf.data.Dataset.from_tensor_slices((["a", "b"], labels))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        model.evaluate(data, verbose=0)


def test_bad_arguments_are_named(model):
    for arguments, error, message in (
        ({"multi_label": 1}, TypeError, "`multi_label` must be a bool"),
        ({"thresholds": 0.5}, ValueError, "`thresholds` needs `multi_label=True`"),
        ({"multi_label": True, "labels": []}, ValueError, "must be different strings"),
        ({"multi_label": True, "thresholds": {"cheep": 0.5}}, ValueError, "'cheep'"),
        ({"multi_label": True, "thresholds": {"negative": 2}}, ValueError, "from 0 to 1.*=2"),
        ({"multi_label": True, "thresholds": [0.5, 0.5]}, TypeError, "must be a dict"),
    ):
        with pytest.raises(error, match=message):
            corpus.tiny_sentiment(**arguments)
    for call, message in (
        (lambda: model.fit(TEXTS, SETS, labels_are_numbers=True), "0 and 1 for each label"),
        (lambda: model.fit(TEXTS, SETS, class_weight={"slo": 2.0}), "Did you mean 'slow'"),
        (lambda: setattr(model, "thresholds", {"slo": 0.5}), "Did you mean 'slow'"),
        (lambda: model.tune_thresholds(forms()["rows"][0]), "lists, arrays or a data frame"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert model.thresholds == dict.fromkeys(OWN, 0.5)


def test_a_model_of_one_label_says_so():
    one = corpus.tiny_sentiment(labels=OWN)
    assert (one.multi_label, one.thresholds) == (False, None)
    for call in (
        lambda: setattr(one, "thresholds", 0.4),
        lambda: one.tune_thresholds(TEXTS, SETS),
        lambda: one.fit(TEXTS, SETS),
    ):
        with pytest.raises(ValueError, match=r"zoo.load\(name, labels=\[...\], multi_label=True\)"):
            call()
