"""Preset folders: what is saved comes back, and what is damaged is named, never half loaded."""

import errno
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
import zoo.presets
import zoo.weights
from tests import corpus

TEXTS = ["A dog runs in the park.", "A woman reads.", ""]


@pytest.fixture(scope="module")
def saved(tmp_path_factory, model):
    return zoo.save(model, tmp_path_factory.mktemp("saved") / "deep" / "preset")


@pytest.fixture
def folder(saved, tmp_path):
    """A copy to damage."""
    return Path(shutil.copytree(saved, tmp_path / "preset"))


@pytest.fixture
def shipped(monkeypatch, tmp_path, saved):
    """As if the saved folder shipped as two presets."""
    for name in ("nmt_one", "nmt_two"):
        shutil.copytree(saved, tmp_path / "shipped" / name)
    (tmp_path / "shipped" / "no preset").mkdir()
    monkeypatch.setattr(zoo.presets, "PRESETS_DIR", tmp_path / "shipped")
    return tmp_path / "shipped"


def logits(model):
    inputs, _, _ = model.preprocess(tf.constant(TEXTS), tf.constant(TEXTS))
    return model(inputs).numpy()


def content(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def change_config(folder, **entries):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **entries}))


def test_exact_weights_give_equal_logits(model, tmp_path):
    again = zoo.load(zoo.save(model, tmp_path / "exact", half=False))
    np.testing.assert_array_equal(logits(again), logits(model))
    assert type(again) is type(model)
    assert again.translate(TEXTS) == model.translate(TEXTS)
    assert again.get_config() == model.get_config()
    assert again.compiled


def test_half_precision_gives_close_logits(model, saved):
    np.testing.assert_allclose(logits(zoo.load(saved)), logits(model), atol=5e-3)
    assert zoo.load(str(saved)).get_config() == model.get_config()


def test_a_folder_holds_what_its_config_says(model, saved):
    files = ["assets/subwords.model", "card.md", "config.json", "model.weights.h5"]
    assert sorted(content(saved)) == files
    config = zoo.presets.read_config(saved)
    assert config["files"] == {
        name: zoo.presets.file_sha256(saved / name)
        for name in ("model.weights.h5", "assets/subwords.model")
    }
    assert config["training"] is None
    assert config["zoo_version"] == zoo.__version__


def test_shipped_presets_are_listed_and_loaded_by_name(shipped, model):
    assert zoo.list_models() == ["nmt_one", "nmt_two"]
    assert zoo.presets.preset_folder("nmt_two") == shipped / "nmt_two"
    assert type(zoo.load("nmt_one")) is type(model)


def test_an_unknown_name_gets_the_close_ones(shipped):
    with pytest.raises(ValueError, match=r"Did you mean 'nmt_two'.*Received: 'nmt_twoo'"):
        zoo.load("nmt_twoo")
    with pytest.raises(ValueError, match=r"No name is close\. Presets: nmt_one, nmt_two"):
        zoo.load("qqq")
    with pytest.raises(ValueError, match="neither a preset nor a folder"):
        zoo.load("")


@pytest.mark.parametrize("name", [None, 3, b"nmt_one", ["nmt_one"]])
def test_a_name_of_a_wrong_type_is_told(name):
    with pytest.raises(TypeError, match=r"`name_or_folder` must be the name .* Received: "):
        zoo.load(name)


def test_a_folder_that_is_no_preset_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a folder without config\.json"):
        zoo.load(tmp_path)


@pytest.mark.parametrize("name", ["model.weights.h5", "assets/subwords.model"])
def test_one_flipped_byte_is_found_and_its_sha256_named(folder, name):
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="damaged or was changed") as caught:
        zoo.load(folder)
    assert str(path) in str(caught.value)
    assert zoo.presets.file_sha256(path) in str(caught.value)
    assert zoo.presets.read_config(folder)["files"][name] in str(caught.value)


@pytest.mark.parametrize("name", ["model.weights.h5", "assets/subwords.model"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing: the preset is not complete"):
        zoo.load(folder)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe\x00", b"[]", b"3", b'"model"', b"{}"])
def test_a_config_that_is_none_is_told(folder, text):
    (folder / "config.json").write_bytes(text)
    with pytest.raises(ValueError, match=r"config\.json is damaged"):
        zoo.load(folder)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"model": None}, "'model' of type str"),
        ({"model": "nmt_magic"}, "unknown model: 'nmt_magic'"),
        ({"config": []}, "'config' of type dict"),
        ({"config": {"gears": 5}}, "makes no nmt_.*gears"),
        ({"config": {"embedding_units": "wide"}}, "makes no nmt_"),
        ({"files": None}, "'files' of type dict"),
        ({"files": {}}, r"must name model\.weights\.h5"),
    ],
)
def test_damaged_entries_of_a_config_are_named(folder, entries, message):
    change_config(folder, **entries)
    with pytest.raises(ValueError, match=message) as caught:
        zoo.load(folder)
    assert "config.json" in str(caught.value)


def test_a_config_without_its_assets_is_told(folder):
    files = zoo.presets.read_config(folder)["files"]
    change_config(folder, files={"model.weights.h5": files["model.weights.h5"]})
    with pytest.raises(ValueError, match=r"damaged: it makes no .*subwords\.model"):
        zoo.load(folder)


def test_weights_of_another_architecture_are_refused(folder, model):
    config = {**model.get_config(), "embedding_units": 20}
    change_config(folder, config=config)
    with pytest.raises(ValueError, match="does not hold the weights of this model"):
        zoo.load(folder)


def test_an_existing_folder_is_not_touched_unasked(folder, model):
    before = content(folder)
    with pytest.raises(FileExistsError, match=r"overwrite=True\. Received"):
        zoo.save(model, folder)
    assert content(folder) == before


def test_overwriting_replaces_all_of_a_preset_and_nothing_else(folder, model, tmp_path):
    (folder / "card.md").write_text("figures of the old weights")
    zoo.save(model, folder, overwrite=True, training={"epoch": 3})
    assert "figures of the old weights" not in zoo.card(folder)
    assert zoo.presets.read_config(folder)["training"] == {"epoch": 3}
    zoo.load(folder)
    (tmp_path / "home").mkdir()
    zoo.save(model, tmp_path / "home", overwrite=True)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("mine")
    for place in ("thesis", "thesis/chapter"):
        with pytest.raises(FileExistsError, match="something else than a preset"):
            zoo.save(model, tmp_path / place, overwrite=True)
    assert content(tmp_path / "thesis") == {"chapter": b"mine"}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_full_disk_leaves_the_old_preset(folder, model, monkeypatch, error):
    before = content(folder)

    def fill_the_disk(model, path, half):
        path.write_bytes(b"half a file")
        raise error

    monkeypatch.setattr(zoo.weights, "save_weights", fill_the_disk)
    with pytest.raises(type(error)):
        zoo.save(model, folder, overwrite=True)
    assert content(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["preset"]


@pytest.mark.parametrize("what", [None, "nmt_attention", keras.Sequential()])
def test_only_models_of_the_zoo_are_saved(tmp_path, what):
    with pytest.raises(TypeError, match=r"`model` must be one of .*nmt_attention, nmt_vanilla"):
        zoo.save(what, tmp_path / "preset")
    assert not list(tmp_path.iterdir())


def test_the_card_is_the_file_or_what_the_config_tells(folder):
    (folder / "card.md").write_text("# Überblick\n", encoding="utf-8")
    assert zoo.card(folder) == "# Überblick\n"
    (folder / "card.md").unlink()
    assert zoo.card(folder).startswith("# preset\n\nTranslates texts.")
    (folder / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="damaged"):
        zoo.card(folder)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    keras.utils.set_random_seed(4)
    model = corpus.loud(corpus.tiny_sentiment())
    return model, zoo.save(model, tmp_path_factory.mktemp("saved") / "preset", half=False)


def body(model):
    head = {id(weight) for weight in model.classifier.weights}
    return [weight.numpy() for weight in model.weights if id(weight) not in head]


def assert_equal_weights(some, others):
    for weight, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(weight, other)


@pytest.mark.parametrize("labels", [["bug", "feature", "question"], ("bug", "feature")])
def test_other_labels_keep_the_encoder_and_get_a_fresh_head(classifier, labels, tmp_path):
    """Two other labels too: that the shapes would fit does not make a head of another task."""
    model, folder = classifier
    changed = zoo.load(folder, labels=labels)
    assert_equal_weights(body(changed), body(model))
    kernel = changed.classifier.kernel.numpy()
    assert kernel.shape == (12, len(labels))
    assert not np.isin(kernel, model.classifier.kernel.numpy()).any()
    assert not changed.classifier.bias.numpy().any()
    assert changed.get_config() == {**model.get_config(), "labels": list(labels)}
    assert changed.classify("good").label in labels
    again = zoo.load(zoo.save(changed, tmp_path / "again", half=False))
    assert again.classify(TEXTS) == changed.classify(TEXTS)


def test_the_same_labels_and_what_has_no_weights_keep_the_head(classifier):
    model, folder = classifier
    changed = zoo.load(folder, labels=("negative", "positive"), readout_dropout=0.1)
    assert_equal_weights(changed.get_weights(), model.get_weights())
    assert changed.readout_dropout.rate == 0.1
    assert changed.compiled


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (
            {"lables": ["a", "b"]},
            TypeError,
            "no argument `lables`, only labels, readout, .*Received",
        ),
        ({"labels": ["a"]}, ValueError, "^`labels` must be at least two"),
        ({"units": 7}, ValueError, r"do not fit .*kernel of shape \(8, 24\), .* \(8, 28\)"),
        ({"readout": "last"}, ValueError, "do not fit the arguments that were changed"),
        ({"bidirectional": False, "labels": ["a", "b"]}, ValueError, "do not fit the arguments"),
    ],
)
def test_overrides_that_cannot_be_are_told(classifier, overrides, error, message):
    with pytest.raises(error, match=message):
        zoo.load(classifier[1], **overrides)


def test_a_fresh_head_is_trained(classifier):
    keras.utils.set_random_seed(0)
    changed = zoo.load(classifier[1], labels=["bug", "praise"])
    texts = ["a bad film", "a good film"] * 4
    history = changed.fit(texts, ["bug", "praise"] * 4, epochs=10, batch_size=2, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
