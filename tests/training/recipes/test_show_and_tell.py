"""The recipes of the captioners from corpus to preset, and what is measured of one."""

import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from tests.training.recipes.made_up_flickr8k import random_encoder, small_recipe, write_flickr8k
from tests.zoo.models.tiny_captioners import scenes
from zoo.training import recipes
from zoo.training.evaluation import captioning
from zoo.training.evaluation.card import card_text
from zoo.training.loop.schedule import changed
from zoo.training.recipes import show_and_tell
from zoo.training.recipes import show_and_tell_batches as batches_module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_flickr8k(tmp_path_factory.mktemp("flickr8k"))


@pytest.fixture(scope="module")
def presets(folder, tmp_path_factory):
    """The preset of each recipe; all share one folder of features.

    `show_and_tell_frozen` is trained because `show_and_tell` begins with it.
    """
    out = tmp_path_factory.mktemp("runs")

    def run(name, epochs=2, **arguments):
        return recipes.train(
            small_recipe(name, epochs=epochs),
            out / name,
            folder,
            verify=False,
            command=f"zoo-train {name}",
            features=out / "features",
            **arguments,
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(show_and_tell, "pretrained_encoder", random_encoder)
        patch.setitem(
            show_and_tell.RECIPES, "show_and_tell_frozen", small_recipe("show_and_tell_frozen")
        )
        rewarded = run("show_and_tell", epochs=1)
        frozen = run("show_attend_tell_frozen")
        tuned = run("show_attend_tell_tuned", start_from=frozen)
    return {
        "show_and_tell_frozen": out / "show_and_tell" / "show_and_tell_frozen" / "preset",
        "show_and_tell": rewarded,
        "show_attend_tell_frozen": frozen,
        "show_attend_tell_tuned": tuned,
    }


def test_a_run_leaves_a_preset_that_captions(presets):
    pictures, _ = scenes()
    for name, preset in presets.items():
        training = json.loads((preset / "config.json").read_text())["training"]
        assert training["recipe"]["name"] == name
        command = {"show_and_tell_frozen": "show_and_tell"}.get(name, name)
        assert training["command"] == f"zoo-train {command}"
    for name in ("show_and_tell", "show_attend_tell_tuned"):
        captions = zoo.load(presets[name]).caption(pictures[:2])
        assert all(isinstance(text, str) for text in captions)
    features = presets["show_attend_tell_tuned"].parents[1] / "features"
    assert len(list(features.glob("*.npy"))) == 4  # of two splits, and of what enters a block


def test_the_encoder_is_frozen_or_learns_from_its_block_on(presets):
    given = random_encoder("tiny")
    for name, preset in presets.items():
        model = zoo.load(preset)
        assert model.trained_from is None
        moved = {
            weight.path.split("/")[1]
            for weight, before in zip(model.encoder.weights, given.weights, strict=True)
            if not np.allclose(weight, before, rtol=1e-3, atol=1e-4)
        }
        last = {model.encoder.blocks[-1].name, "head"}
        assert moved == (last if name == "show_attend_tell_tuned" else set())


def test_what_a_recipe_begins_with_is_trained_first(presets):
    before, after = (
        json.loads((presets[name] / "config.json").read_text())
        for name in ("show_and_tell_frozen", "show_and_tell")
    )
    assert after["config"] == before["config"]  # its dropout too, which was off
    assert after["files"]["model.weights.h5"] != before["files"]["model.weights.h5"]


def test_what_a_tuned_run_began_with_is_told(presets):
    began, kept = presets["show_attend_tell_frozen"], presets["show_attend_tell_tuned"]
    config = json.loads((kept / "config.json").read_text())
    told = config["training"]["began_with"]
    first = json.loads((began / "config.json").read_text())
    assert told["weights_sha256"] == first["files"]["model.weights.h5"]
    assert told["training"] == first["training"]


def test_a_run_begins_with_a_preset_of_its_model(folder, presets, tmp_path):
    for name, start, message in (
        (
            "show_and_tell_tuned",
            "show_attend_tell_frozen",
            "`start_from` must be a preset of show_and",
        ),
        ("show_and_tell_frozen", "show_and_tell_frozen", "--start-from means nothing to show_and"),
    ):
        with pytest.raises(ValueError, match=message):
            recipes.train(
                small_recipe(name), tmp_path, folder, verify=False, start_from=presets[start]
            )


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), st.integers(1, 5), st.integers(0, 2**32))
def test_neighbours_are_in_order_and_alike_likely(count, each, seed):
    rng = np.random.default_rng(seed)
    drawn = np.array([batches_module.neighbours(rng, count, each) for _ in range(200)])
    assert drawn.shape == (200, each)
    assert (np.diff(drawn) >= (1 if count >= each else 0)).all()
    if count >= each:
        shares = np.bincount(drawn.ravel(), minlength=count) / 200
        np.testing.assert_allclose(shares, each / count, atol=0.2)


def test_captions_of_a_picture_share_its_pass_through_the_encoder(folder):
    model = small_model(trained_from=1)
    captions = [["a dog runs", "a dog", "a man on the left"], ["a man sits", "two men", "men"]]
    activations = np.random.default_rng(0).random(
        [2, 2, *model.network_inputs["activations"].shape[1:]]
    )
    recipe = small_recipe("show_attend_tell_tuned", captions_each=2, batch_size=2, flips=False)
    batches = batches_module.picture_batches(
        model, recipe, captions, activations.astype(np.float16)
    )
    inputs, target, weights = next(iter(batches(range(1, 2))))
    assert inputs["activations"].shape[0] == 2
    assert target.shape[0] == inputs["target"].shape[0] == weights.shape[0] == 4
    each = {name: tf.repeat(of, 2, axis=0) for name, of in inputs.items() if name != "target"}
    np.testing.assert_allclose(
        model(inputs), model({**each, "target": inputs["target"]}), atol=1e-5
    )


def test_an_epoch_has_every_caption_once_and_flips_only_what_may_be(folder):
    captions = [["a dog runs", "a dog on the left"], ["a man sits", "two men"]]
    model = small_model()
    features = np.zeros([2, 2, 4, 1280], np.float16)
    features[:, 1] = 1  # flipped
    features[1] += 2
    recipe = small_recipe("show_attend_tell_frozen", batch_size=3)
    batches = batches_module.pair_batches(model, recipe, captions, features)
    unbatched = [row for epoch in (1, 2, 3, 4) for row in rows_of(batches(range(epoch, epoch + 1)))]
    assert len(unbatched) == 4 * 4
    seen = {(words, float(picture)) for words, picture in unbatched}
    assert {picture for words, picture in seen if words == "a man sits"} == {2.0, 3.0}
    assert {picture for words, picture in seen if words == "a dog on the left"} == {0.0}


def small_model(**arguments):
    words = ["a dog runs on the left man sits two men"] * 2
    model = show_and_tell.model_class("show_attend_tell")
    tokenizer = show_and_tell.SubwordTokenizer(show_and_tell.train_words(words, 1))
    network = small_recipe("show_attend_tell_frozen").network
    return model(tokenizer, **{**network, **arguments})


def rows_of(dataset):
    tokenizer = small_model().tokenizer
    for inputs, target, weights in dataset:
        lengths = weights.numpy().sum(axis=1).astype(np.int32) - 1
        texts = tokenizer.decode(target, lengths).numpy()
        assert inputs["target"].shape == target.shape
        for text, picture in zip(texts, inputs["features"].numpy(), strict=True):
            assert len(set(picture.flat)) == 1
            yield text.decode(), picture[0, 0]


def test_means_are_of_places():
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 6, [3, 2, 4, 8]).astype(np.float16)
    means = batches_module.mean_of_places(features)
    assert (means.shape, means.dtype) == ((3, 2, 1, 8), np.float16)
    np.testing.assert_allclose(means[:, :, 0], features.mean(axis=2), rtol=2e-3)


def test_the_corpus_must_be_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="`data_dir` must be a folder with Flickr8k"):
        recipes.train(recipes.recipe("show_and_tell_frozen"), tmp_path / "run")


class Parrot:
    """Says of each picture what its first caption says."""

    def __init__(self, known):
        self.known = known

    def caption(self, pictures, beam_size, batch_size):
        assert (beam_size, batch_size) == (2, 4)
        return [self.known[picture] for picture in pictures]

    def count_params(self):
        return 3


def test_what_is_measured_and_what_the_card_says(folder, presets, monkeypatch):
    split = captioning.catalogue.split("flickr8k_validation").load(folder, False)
    parrot = Parrot(dict(zip(split.pictures, (of[0] for of in split.captions), strict=True)))
    counted = {"bleu_1": 61.234, "bleu_2": 40.0, "bleu_3": 30.0, "bleu_4": 20.0}
    counted |= {"meteor": 20.0, "cider": 0.5678, "rouge_l": 45.0}
    monkeypatch.setattr(captioning, "coco_scores", lambda captions, references: counted)
    metrics = captioning.evaluate(
        parrot, folder, ["flickr8k_validation"], verify=False, beam_size=2, batch_size=4
    )
    figures = metrics["splits"]["flickr8k_validation"]
    assert figures["pictures"] == 6
    assert figures["as_xu"]["bleu_1"] == pytest.approx(100)
    assert figures["different_captions"] == 3
    assert not figures["published_data"]

    preset = presets["show_attend_tell_tuned"]
    config = json.loads((preset / "config.json").read_text())
    began = config["training"]["began_with"]
    config["training"]["recipe"]["network"]["encoder"] = "lite0"  # one that has public weights
    metrics |= {"model": "show_attend_tell", "weights_sha256": "0", "command": "zoo-train evaluate"}
    metrics |= {"versions": {}, "machine": {"cores": 2, "processor": "x"}}
    text = card_text(config, {**metrics, "training": config["training"]})
    assert "| flickr8k_validation | 61.2 | 40.0 | 30.0 | 20.0 | 20.0 | 45.0 | 0.568 |" in text
    assert "BLEU-4 on validation" in text
    assert "van Miltenburg" in text
    assert f"It began with weights of SHA-256 `{began['weights_sha256']}`" in text
    assert "zoo-train show_attend_tell_frozen" in text
    assert "trained further" in text
    assert "Xu et al. 2015 |" not in text  # published figures are of the published test split


def test_splits_and_a_beam_are_checked(folder):
    with pytest.raises(ValueError, match="`splits` must name some of flickr8k_validation, "):
        captioning.evaluate(Parrot({}), folder, ["train"])
    assert changed(recipes.recipe("show_and_tell_frozen"), least_count=5).least_count == 5
