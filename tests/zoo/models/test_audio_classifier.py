"""The classifier of recordings: one way for all forms, what changes no answer, `fit`, bad input."""

import io

import numpy as np
import pytest
import scipy.io.wavfile
import tensorflow as tf

import zoo
from tests.zoo.audio.recordings import notes, pcm, scipys
from tests.zoo.models.tiny_audio import LABELS, some, tiny_classifier
from zoo.models import AudioClassifier

AUDIO, TRUTH = some()


@pytest.fixture(scope="module")
def model():
    """Random weights; tests leave them alone."""
    return tiny_classifier()


@pytest.fixture(scope="module")
def learner():
    """For tests that train: a graph of a step is traced once."""
    model = tiny_classifier(readout_dropout=0.0)
    model.optimizer.learning_rate = 0.02
    return model


def probabilities(answers):
    return np.array([list(answer.probabilities.values()) for answer in answers])


@pytest.fixture(scope="module")
def expected(model):
    """One at a time: neither mates nor padding."""
    found = probabilities([model.classify(content) for content in AUDIO])
    assert np.ptp(found[:, 0]) > 0.05
    return found


def test_neither_padding_nor_mates_count(model, expected):
    for batch_size in (5, 64):
        found = probabilities(model.classify(AUDIO, batch_size=batch_size))
        np.testing.assert_allclose(found, expected, atol=1e-5)
    inputs = model.make_inputs(tf.constant(AUDIO))
    longer = {**inputs, "frames": tf.pad(inputs["frames"], [[0, 0], [0, 9], [0, 0]])}
    logits = model(inputs)
    np.testing.assert_allclose(model(longer), logits, atol=1e-5)
    np.testing.assert_allclose(tf.nn.softmax(logits), expected, atol=1e-5)  # eagerly
    empty = {"frames": inputs["frames"], "lengths": tf.zeros_like(inputs["lengths"])}
    assert np.isfinite(model(empty)).all()
    assert np.ptp(model(empty)[:, 0]) == 0


def test_every_form_is_the_same_sound(model, expected, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(AUDIO[0])
    rate, whole = scipy.io.wavfile.read(io.BytesIO(AUDIO[0]))
    forms = [path, str(path), AUDIO[0], whole, whole / 32768, (whole / 32768, rate)]
    forms.append(np.stack([whole, whole], axis=1))  # stereo
    np.testing.assert_allclose(probabilities(model.classify(forms)), expected[[0] * 7], atol=1e-5)
    one = model.classify((whole / 32768).astype(np.float32))
    assert one.label in LABELS
    assert one.score == pytest.approx(expected[0].max(), abs=1e-5)


def test_another_rate_is_the_same_sound(model):
    answers = model.classify([pcm(notes()), scipys(notes(48_000), 48_000), (notes(44_100), 44_100)])
    found = probabilities(answers)
    np.testing.assert_allclose(found[1:], found[[0, 0]], atol=5e-3)


def test_what_it_heard_and_where_it_listened(model, expected):
    heard = model.listen(AUDIO)
    np.testing.assert_allclose(probabilities([of.answer for of in heard]), expected, atol=1e-5)
    for of, content in zip(heard, AUDIO, strict=True):
        samples = (len(content) - 44) // 2
        assert of.frames.shape == (-(-samples // 80), 8)
        assert of.weights.shape == of.frames.shape[:1]
        assert of.weights.sum() == pytest.approx(1, abs=1e-5)


def test_what_cannot_be_read_is_told_of_the_entry(model):
    with pytest.raises(ValueError, match=r"^`audio\[1\]` is a WAV whose end is missing.*\(1 of 2"):
        model.classify([AUDIO[0], AUDIO[0][:-9]])
    with pytest.raises(ValueError, match=r"`audio\[0\]` is a WAV without samples"):
        model.classify(pcm([]))
    with pytest.raises(ValueError, match=r"`audio\[0\]` must hold finite numbers"):
        model.classify(np.full(900, np.nan))
    with pytest.raises(ValueError, match="recording 1 of 2 is a WAV whose end is missing"):
        model.evaluate([AUDIO[0], AUDIO[0][:-9]], LABELS)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": ["one"]}, ValueError, "at least two different strings"),
        ({"labels": "ab"}, TypeError, "list of strings"),
        ({"sample_rate": 44_100.5}, ValueError, "`sample_rate` must be an int"),
        ({"sample_rate": 100}, ValueError, "`sample_rate` must be from 4,000"),
        ({"bands": 0}, ValueError, "`bands` must be an int of at least 1"),
        ({"units": -2}, ValueError, "`units` must be an int of at least 1"),
        ({"max_seconds": 0}, ValueError, "`max_seconds` must be a number above 0"),
        ({"thresholds": 0.4}, ValueError, "`thresholds` needs `multi_label=True`"),
    ],
)
def test_arguments_that_make_no_network_are_told(arguments, error, message):
    with pytest.raises(error, match=message):
        AudioClassifier(**arguments)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # of the generator
def test_training_learns_and_all_forms_of_data_are_alike(learner):
    history = learner.fit(AUDIO, TRUTH, validation_split=0.25, epochs=8, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert "val_accuracy" in history
    loss, accuracy = learner.evaluate(AUDIO, TRUTH, verbose=0)
    right = np.mean([a.label == t for a, t in zip(learner.classify(AUDIO), TRUTH, strict=True)])
    assert accuracy == pytest.approx(right)
    assert learner.evaluate_report(AUDIO, TRUTH).accuracy == pytest.approx(right)
    rows = tf.data.Dataset.from_tensor_slices((AUDIO, TRUTH))
    for form in (
        {"audio": AUDIO, "labels": TRUTH},
        rows,
        rows.batch(5),
        ((content, label) for content, label in zip(AUDIO, TRUTH, strict=True)),
    ):
        assert learner.evaluate(form, verbose=0)[0] == pytest.approx(loss, rel=1e-4), type(form)


def test_a_saved_one_answers_alike_and_learns_other_labels(model, expected, tmp_path):
    loaded = zoo.load(zoo.save(model, tmp_path / "preset", half=False))
    np.testing.assert_allclose(probabilities(loaded.classify(AUDIO[:2])), expected[:2], atol=1e-6)
    card = zoo.card(tmp_path / "preset")
    assert "Is a recording low or high?" in card
    assert "zoo run preset sound.wav" in card
    other = zoo.load(tmp_path / "preset", labels=["bark", "meow", "moo"], multi_label=True)
    assert other.classifier.kernel.shape == (8, 3)
    kernels = [of.encoder.trainable_variables[0].numpy() for of in (model, other)]
    np.testing.assert_array_equal(*kernels)
    given = tf.ragged.constant([["bark"], ["moo", "meow"]])
    inputs, targets = other.preprocess(tf.constant(AUDIO[:2]), given)
    np.testing.assert_array_equal(targets, [[1, 0, 0], [0, 1, 1]])
    assert set(other.head.outputs(other(inputs))) >= {"chosen", "probabilities", "thresholds"}
