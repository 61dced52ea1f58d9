"""The presets that ship: whole, small, measured, and good for a few plain captions."""

import json

import pytest

import zoo
from training.bleu import cased_bleu
from training.evaluate import read_metrics
from zoo.models import MODELS
from zoo.presets import PRESETS_DIR, read_config

# Captions of our own, in the manner of the corpus, with what a person would say in German.
CAPTIONS = {
    "A dog runs through the snow.": "Ein Hund rennt durch den Schnee.",
    "A man is playing guitar.": "Ein Mann spielt Gitarre.",
    "Two men are standing on the street.": "Zwei Männer stehen auf der Straße.",
    "A woman in a red shirt is sitting.": "Eine Frau in einem roten Hemd sitzt.",
    "A little girl plays in the water.": "Ein kleines Mädchen spielt im Wasser.",
    "Three children are playing soccer.": "Drei Kinder spielen Fußball.",
}

NAMES = zoo.list_models()


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    return zoo.load(name)


def test_every_model_ships_a_preset():
    assert set(MODELS) == set(NAMES)


def test_translates_plain_captions(name, model):
    hypotheses = model.translate(list(CAPTIONS))
    score = cased_bleu(hypotheses, list(CAPTIONS.values())).score
    assert score > 40, dict(zip(CAPTIONS, hypotheses, strict=True))


def test_attention_follows_the_words(name, model):
    if not model.has_attention:
        pytest.skip("this model has no attention")
    best = model.translate(["A dog runs through the snow."], return_attention=True)[0]
    source = [token.strip("▁") for token in best.source_tokens]
    looked_at = {
        token.strip("▁"): source[row.argmax()]
        for token, row in zip(best.target_tokens, best.attention, strict=True)
    }
    assert looked_at["Hund"] == "dog"
    assert looked_at["Schnee"] == "snow"


def test_figures_belong_to_these_weights(name):
    metrics = read_metrics(name_folder := PRESETS_DIR / name)
    config = read_config(name)
    assert metrics["weights_sha256"] == config["files"]["model.weights.h5"]
    assert metrics["training"]["recipe"]["model"] == name
    card = zoo.card(name)
    for split in ("test_2016_flickr", "test_2017_flickr"):
        assert f"{metrics['splits'][split]['bleu']['score']:.2f}" in card
    assert json.loads((name_folder / "config.json").read_text()) == config


def test_small_enough_to_ship(name):
    size = sum(path.stat().st_size for path in (PRESETS_DIR / name).rglob("*") if path.is_file())
    assert size < 25e6
