"""What Keras, TensorFlow and Python offer to save or copy a model: it works, or is refused."""

import copy
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests import corpus
from tests.zoo.models.tiny_forecaster import quarters, tiny_forecaster

pytestmark = pytest.mark.usefixtures("few_steps")

KEEP = r"zoo\.save\(model, folder\).*zoo\.load\(folder\)"
TEXT = "The film was clever."


@pytest.fixture(scope="module")
def classifier():
    return corpus.loud(corpus.tiny_sentiment(labels=["bug", "praise", "question"]))


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_is_whole_and_apart(classifier, how):
    copied = how(classifier)
    assert type(copied) is type(classifier)
    assert copied.get_config() == classifier.get_config()
    assert copied.assets() == classifier.assets()
    assert copied.classify(TEXT) == classifier.classify(TEXT)
    before = classifier.get_weights()
    copied.fit([TEXT] * 4, ["bug"] * 4, verbose=0)
    for kept, weight in zip(before, classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weight)


def test_a_copy_of_frozen_layers_has_the_weights(classifier):
    classifier.layers[0].trainable = False
    try:
        assert copy.deepcopy(classifier).classify(TEXT) == classifier.classify(TEXT)
    finally:
        classifier.layers[0].trainable = True


@pytest.mark.parametrize(
    ("make", "entry"),
    [
        (lambda _: corpus.tiny_ner(), TEXT),
        (corpus.tiny_vanilla, TEXT),
        (lambda _: corpus.tiny_language_model(), TEXT),
        (lambda _: tiny_forecaster(), quarters(20)),
    ],
    ids=["tagger", "translator", "language model", "forecaster"],
)
def test_others_can_be_copied_too(make, entry, tokenizer):
    model = make(tokenizer)
    copied = copy.deepcopy(model)
    found, expected = (getattr(of, model.task)([entry]) for of in (copied, model))
    assert str(found) == str(expected)


@pytest.mark.parametrize(
    "refused",
    [
        lambda model, path: keras.saving.save_model(model, path / "m.keras"),
        lambda model, path: keras.saving.save_model(model, path / "m.h5"),
        lambda model, path: keras.saving.save_model(model, path / "m", zipped=False),
        lambda model, path: keras.saving.serialize_keras_object(model),
        lambda model, path: keras.models.clone_model(model),
        lambda model, path: type(model).from_config(model.get_config()),
        lambda model, path: model.save(path / "m.keras"),
        lambda model, path: model.to_json(),
    ],
)
def test_what_would_lose_the_vocabulary_is_refused(classifier, tmp_path, refused):
    with pytest.raises(NotImplementedError, match=KEEP):
        refused(classifier, tmp_path)
    # Keras opens its file, or makes its folder, before it asks: nothing of a model is in there.
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 1000
    assert classifier.get_config()["labels"] == ["bug", "praise", "question"]


@pytest.mark.parametrize(
    "refused",
    [
        lambda model, path: model.export(path),
        lambda model, path: tf.saved_model.save(model, path),
    ],
)
def test_a_saved_model_is_written_by_the_exporter(classifier, tmp_path, refused):
    with pytest.raises(NotImplementedError, match=r"zoo-export.*export\.saved_model\(model"):
        refused(classifier, tmp_path / "exported")
    assert not (tmp_path / "exported").exists()


def test_weights_and_checkpoints_are_saved_as_ever(classifier, tmp_path):
    classifier.save_weights(tmp_path / "m.weights.h5")
    tf.train.Checkpoint(model=classifier).write(str(tmp_path / "checkpoint"))
    zoo.save(classifier, tmp_path / "folder")
    assert zoo.load(tmp_path / "folder").get_config() == classifier.get_config()


def test_a_checkpoint_goes_on_where_training_stopped(classifier, tmp_path):
    def trained(model, *callbacks, epochs=1):
        texts, labels = [TEXT, "a dull ending", "good"], ["bug", "praise", "question"]
        model.fit(texts, labels, epochs=epochs, shuffle=False, callbacks=list(callbacks), verbose=0)
        return model

    def fresh():
        model = copy.deepcopy(classifier)
        model.embedding_dropout.rate = model.readout_dropout.rate = 0.0
        return model

    path = tmp_path / "m.weights.h5"
    checkpoint = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    trained(fresh(), checkpoint)
    resumed = fresh()
    resumed.load_weights(path)
    assert resumed.optimizer.iterations.numpy() == 1
    whole, trained_on = trained(fresh(), epochs=2), trained(resumed)
    for wanted, found in zip(whole.get_weights(), trained_on.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_a_checkpoint_of_a_whole_model_is_refused_before_training(classifier, tmp_path):
    before = classifier.get_weights()
    for path in ("m.keras", "m.h5"):
        checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / path)
        for callbacks in (checkpoint, [checkpoint], keras.callbacks.CallbackList([checkpoint])):
            with pytest.raises(NotImplementedError, match=r"save_weights_only=True.*m\.(keras|h5)"):
                classifier.fit([TEXT], ["bug"], callbacks=callbacks, verbose=0)
    for kept, weight in zip(before, classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weight)


class Batches(keras.callbacks.Callback):
    """Counts the batches of validation."""

    count = 0

    def on_test_batch_end(self, batch, logs=None):
        self.count += 1


@pytest.fixture(scope="module")
def trained(classifier):
    """A classifier that tests may train."""
    return copy.deepcopy(classifier)


@pytest.mark.parametrize(("size", "expected"), [(None, 2), (1, 4), (3, 2), (4, 1)])
@pytest.mark.parametrize("given", ["split", "data"])
def test_validation_has_a_batch_size_of_its_own(trained, given, size, expected):
    batches = Batches()
    texts, labels = [TEXT] * 8, ["bug", "praise"] * 4
    held_out = {"validation_split": 0.5}
    if given == "data":
        held_out = {"validation_data": (texts[:4], labels[:4])}
    trained.fit(
        texts,
        labels,
        batch_size=2,
        validation_batch_size=size,
        callbacks=[batches],
        verbose=0,
        **held_out,
    )
    assert batches.count == expected


def test_a_wrong_batch_size_of_validation_is_refused(classifier):
    with pytest.raises(ValueError, match="`validation_batch_size` must be"):
        classifier.fit([TEXT], ["bug"], validation_batch_size=0)


def test_a_tilde_is_the_users_home(classifier, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert zoo.save(classifier, "~/models/mine") == tmp_path / "models/mine"
    assert zoo.load("~/models/mine").get_config() == classifier.get_config()
    assert not (tmp_path / "~").exists()
