"""The presets that ship: whole, small, measured, and good for a few plain texts."""

import functools
import json

import numpy as np
import pytest

import zoo
from zoo.presets import PRESETS_DIR, read_config
from zoo.registry import model_class, model_name, model_names
from zoo.reports.bleu import cased_bleu
from zoo.training import recipes
from zoo.training.evaluation.lookup import evaluation_of, preset_name, recipe_of
from zoo.training.evaluation.report import read_metrics

# Captions of our own, in the manner of the corpus, with what a person would say in German.
CAPTIONS = {
    "A dog runs through the snow.": "Ein Hund rennt durch den Schnee.",
    "A man is playing guitar.": "Ein Mann spielt Gitarre.",
    "Two men are standing on the street.": "Zwei Männer stehen auf der Straße.",
    "A woman in a red shirt is sitting.": "Eine Frau in einem roten Hemd sitzt.",
    "A little girl plays in the water.": "Ein kleines Mädchen spielt im Wasser.",
    "Three children are playing soccer.": "Drei Kinder spielen Fußball.",
}

# Verdicts of our own, as plain as they come.
REVIEWS = {
    "What a wonderful film! The story is moving and the actors are superb.": "positive",
    "A dull, badly acted mess. I want my two hours back.": "negative",
    "One of the best performances of the year, funny and touching.": "positive",
    "The plot makes no sense and the jokes are painfully bad.": "negative",
    "I loved every minute of it.": "positive",
    "Terrible. The worst thing I have seen in a long time.": "negative",
}

NAMES = zoo.list_models()
VERBS = {name: model_class(read_config(name)["model"]).task for name in NAMES}
HEARS = [name for name in NAMES if read_config(name)["model"] == "audio_classifier"]


def presets(verb):
    """A test for each preset that does this."""
    return pytest.mark.parametrize("name", [n for n in NAMES if VERBS[n] == verb])


@functools.cache
def load(name):
    return zoo.load(name)


def test_every_model_ships_a_preset_under_its_own_name():
    shipped = {model_name(model_class(read_config(name)["model"])) for name in NAMES}
    own = {name for name in model_names() if model_class(name).__module__.startswith("zoo.")}
    assert shipped == own
    assert [preset_name(read_config(name)) for name in NAMES] == NAMES


@presets("translate")
def test_translates_plain_captions(name):
    hypotheses = load(name).translate(list(CAPTIONS))
    score = cased_bleu(hypotheses, list(CAPTIONS.values())).score
    assert score > 40, dict(zip(CAPTIONS, hypotheses, strict=True))


def test_attention_follows_the_words():
    model = load("nmt_attention")
    best = model.translate(["A dog runs through the snow."], return_attention=True)[0]
    source = [token.strip("▁") for token in best.source_tokens]
    looked_at = {
        token.strip("▁"): source[row.argmax()]
        for token, row in zip(best.target_tokens, best.attention, strict=True)
    }
    assert looked_at["Hund"] == "dog"
    assert looked_at["Schnee"] == "snow"


@pytest.mark.parametrize("name", [n for n in NAMES if VERBS[n] == "classify" and n not in HEARS])
def test_tells_plain_verdicts(name):
    results = load(name).classify(list(REVIEWS))
    assert {t: r.label for t, r in zip(REVIEWS, results, strict=True)} == REVIEWS


@presets("tag")
def test_finds_names_of_people_and_places(name):
    text = "Albert Einstein was born in Ulm. 🙂 In 1933 he emigrated to America."
    found = load(name).tag(text)
    people = [entity for entity in found if entity.type in ("PER", "person")]
    assert [(e.text, text[e.start : e.end]) for e in people] == [("Albert Einstein",) * 2]
    assert "America" in [e.text for e in found if e.type in ("LOC", "location")]


@pytest.mark.parametrize("name", NAMES)
def test_figures_belong_to_these_weights(name):
    metrics = read_metrics(name_folder := PRESETS_DIR / name)
    config = read_config(name)
    assert metrics["weights_sha256"] == config["files"]["model.weights.h5"]
    assert metrics["training"] == config["training"]
    card = zoo.card(name)
    # Every row of the figures stands in the card, of all splits that the task measures.
    evaluation = evaluation_of(config)
    assert set(metrics["splits"]) == set(evaluation.default_splits(recipe_of(config)))
    for split, *figures in evaluation.table(metrics)[1]:
        assert split in card
        assert figures[0] in card
    assert json.loads((name_folder / "config.json").read_text()) == config


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_in_the_code_makes_this_network(name):
    told = read_config(name)["training"]["recipe"]
    recipe = recipes.recipe(name)
    assert model_class(told["model"]) is model_class(recipe.model)
    assert told["network"] == recipe.network


@pytest.mark.parametrize("name", NAMES)
def test_small_enough_to_ship(name):
    size = sum(path.stat().st_size for path in (PRESETS_DIR / name).rglob("*") if path.is_file())
    assert size < 25e6


@presets("forecast")
def test_a_year_like_those_before_comes_again(name):
    model = load(name)
    months = np.arange(model.window + model.horizon)
    series = 20 + 3 * np.sin(2 * np.pi * months / 12)
    series += np.random.default_rng(0).normal(size=len(series), scale=0.3)
    answer = model.forecast(series[: model.window])
    came = series[model.window :]
    assert np.abs(answer.mean - came).mean() < 0.6
    assert np.mean((answer.lower <= came) & (came <= answer.upper)) > 0.8


@presets("complete")
def test_a_sentence_is_likelier_than_its_words_shuffled(name):
    model = load(name)
    sentence, shuffled = model.score(
        [
            "the company said it expects to report a loss",
            "report a the loss to expects it company said",
        ]
    )
    assert 5 * sentence.perplexity < 100 < shuffled.perplexity
    (words,) = model.complete(["shares of the company"], max_tokens=8, temperature=0)
    assert 1 <= len(words.split()) <= 8
    assert "<unk>" not in words
    assert words == " ".join(model.stream("shares of the company", max_tokens=8, temperature=0))


@presets("caption")
def test_says_something_of_a_drawn_picture(name):
    model = load(name)
    (picture,) = model.examples
    caption = model.caption(picture, return_attention=True)
    assert 3 <= len(caption.words) <= 20
    assert caption.text == " ".join(caption.words).replace(" 's", "'s")
    if model.has_attention:
        assert caption.maps.shape == (len(caption.words), 7, 7)


@pytest.mark.parametrize("name", HEARS)
def test_hears_any_sound_as_one_of_its_words(name):
    """No recording of a voice is here; the figures are of those."""
    model = load(name)
    heard = model.listen(model.signatures()["serving_default"].examples["audio_bytes"][0])
    assert heard.answer.label in model.labels
    assert sum(heard.answer.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert heard.frames.shape == (50, model.bands)
