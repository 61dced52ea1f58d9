"""What is measured of a classifier, its card, and the comparison of the read-outs."""

import dataclasses
import json
from typing import NamedTuple

import pytest

from tests.training.corpora.made_up_imdb import TEXTS, write_folder
from zoo.training.corpora.imdb import load_imdb
from zoo.training.corpora.reviews import digest
from zoo.training.evaluation.card import card_text
from zoo.training.evaluation.classification import accuracy, by_length, evaluate
from zoo.training.evaluation.lookup import evaluation_of, recipe_of
from zoo.training.experiments import readouts

TEST_TEXTS = [text for (side, _), texts in TEXTS.items() if side == "test" for text in texts]


class Answer(NamedTuple):
    label: str


class Judge:
    """Right about every review but those with a certain word in them."""

    labels = ("negative", "positive")

    def __init__(self, wrong_about):
        self.wrong_about = wrong_about

    def classify(self, texts, batch_size=64):
        assert isinstance(texts, list)
        return [
            Answer(self.labels[("pos" in text) != (self.wrong_about in text)]) for text in texts
        ]

    def count_params(self):
        return 7


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "imdb")


def test_accuracy_is_that_of_each_split(folder):
    metrics = evaluate(Judge("film 3,"), folder, ["imdb_test", "imdb_dev"], verify=False)
    test = metrics["splits"]["imdb_test"]
    assert test["texts"] == 40
    assert test["accuracy"] == 95.0  # two of the reviews are of film 3
    assert test["low"] < 95 < test["high"]
    assert test["sha256"] == digest(load_imdb(folder, "test", verify=False))
    assert not test["published_data"]
    assert test["texts_per_second"] > 0
    dev = load_imdb(folder, "dev", verify=False).texts
    wrong = sum("film 3," in text for text in dev)
    assert metrics["splits"]["imdb_dev"]["accuracy"] == 100 * (1 - wrong / len(dev))
    assert metrics["parameters"] == 7
    assert metrics["latency"]["texts"] == 40


def test_wilsons_interval():
    # Wilson's own properties: within [0, 100], and not a point where all answers are right.
    assert accuracy([True] * 10) == {"accuracy": 100.0, "low": 72.25, "high": 100.0}
    assert accuracy([True, False] * 50) == {"accuracy": 50.0, "low": 40.38, "high": 59.62}


def test_accuracy_by_length():
    texts = ["one", "one two", "one two three", "one two three four"]
    buckets = by_length(texts, [True, False, True, True], edges=(2, 4, 9))
    assert buckets == [
        {"from": 0, "to": 1, "texts": 1, "accuracy": 100.0},
        {"from": 2, "to": 3, "texts": 2, "accuracy": 50.0},
        {"from": 4, "to": 8, "texts": 1, "accuracy": 100.0},
        {"from": 9, "to": None, "texts": 0, "accuracy": None},
    ]


def test_unknown_splits_and_other_labels_are_refused(folder):
    for splits in ("imdb_test", [], ["imdb"]):
        with pytest.raises(ValueError, match="`splits` must name some of imdb_dev"):
            evaluate(Judge("x"), folder, splits, verify=False)
    several, more = Judge("x"), Judge("x")
    several.multi_label = True
    more.labels = ("bug", "feature", "question")
    for judge in (several, more):
        with pytest.raises(ValueError, match="a negative or a positive label"):
            evaluate(judge, folder, ["imdb_test"], verify=False)


def config(name, **recipe):
    recipe = {"name": name, "seed": 1, "pretraining": None, **recipe}
    training = {"command": "zoo-train x", "recipe": recipe, "epoch": 2}
    return {"model": "sentiment", "config": {"units": 3}, "training": training}


def default_splits(config):
    return evaluation_of(config).default_splits(recipe_of(config))


def test_default_splits_are_those_of_the_presets_corpus():
    assert default_splits(config("sentiment", corpus="imdb")) == (
        "imdb_dev",
        "imdb_test",
    )
    assert default_splits(config("sentiment_sst", corpus="sst2")) == (
        "sst2_dev",
        "sst2_validation",
    )
    assert default_splits({"model": "sentiment"}) == ("imdb_dev", "imdb_test")


def test_the_card_has_figures_data_and_published_results(folder):
    metrics = evaluate(Judge("film 3,"), folder, ["imdb_test"], verify=False)
    metrics |= {
        "weights_sha256": "ab",
        "command": "zoo-train evaluate x",
        "training": config("sentiment", corpus="imdb")["training"],
        "versions": {"keras": "3"},
        "machine": {"cores": 2, "processor": "x86"},
    }
    card = card_text(config("sentiment", corpus="imdb"), metrics)
    assert "| imdb_test | 40 | 95.00 |" in card
    assert "Maas et al. 2011" in card
    assert "GloVe" in card  # no language model in this recipe
    assert "Published on imdb_test" not in card  # these are not the published reviews
    metrics["splits"]["imdb_test"]["published_data"] = True
    card = card_text(config("sentiment", corpus="imdb"), metrics)
    assert "92.8" in card
    sst = config("sentiment_sst", corpus="sst2", words_of="sentiment_pretrained")
    card = card_text(sst, metrics)
    for text in (
        "SST-2 as GLUE has it",
        "GloVe",
        "a run of `sentiment_pretrained`",
        "Maas et al. 2011",
    ):
        assert text in card
    assert "are guesses" not in card
    guessed = config("sentiment", corpus="imdb", guessed_epochs=2)
    assert "are guesses" in card_text(guessed, metrics)


def test_read_outs_are_compared_and_a_stopped_comparison_goes_on(folder, tmp_path, monkeypatch):
    trained = []

    def train(recipe, out, data_dir, verify, callbacks, word_vectors):
        assert (data_dir, verify, word_vectors) == (folder, False, "glove")
        trained.append(recipe)
        out.mkdir(parents=True, exist_ok=True)
        return out

    # Each read-out is wrong about other films, and with one seed about more than with the other.
    def load(preset):
        readout, seed = preset.name.split("-")
        film = {"last": 1, "average": 2, "attention": 3}[readout]
        return Judge(f"film {film}" if seed == "1" else f"film {film},")

    monkeypatch.setattr(readouts.sentiment, "train", train)
    monkeypatch.setattr(readouts.zoo, "load", load)

    def compare(seeds):
        return readouts.compare_readouts(tmp_path / "runs", folder, False, "glove", seeds=seeds)

    compare([1])
    first = tmp_path / "runs" / "last-1" / "result.json"
    before = first.stat().st_mtime_ns
    result = compare([1, 2])
    assert first.stat().st_mtime_ns == before
    assert json.loads((tmp_path / "runs" / "readouts.json").read_text()) == result

    # Equal conditions: nothing differs but the read-out and the seed.
    common = {
        json.dumps({**asdict, "seed": 0, "network": {**asdict["network"], "readout": ""}})
        for asdict in map(dataclasses.asdict, trained)
    }
    assert len(common) == 1
    assert {(r.network["readout"], r.seed) for r in trained} == {
        (readout, seed) for readout in ("last", "average", "attention") for seed in (1, 2)
    }

    # "film 1" is in the texts of films 1 and 10 to 18 as well, "film 1," in those of one film.
    last = result["readouts"]["last"]["accuracy"]
    wrong = [sum(w in text for text in TEST_TEXTS) for w in ("film 1", "film 1,")]
    values = [100 * (1 - n / len(TEST_TEXTS)) for n in wrong]
    assert last["mean"] == round(sum(values) / 2, 2)
    assert last["deviation"] == round(abs(values[0] - values[1]) / 2**0.5, 2)
    assert result["readouts"]["attention"]["accuracy"] == {"mean": 95.0, "deviation": 0.0}

    table = readouts.comparison_table(result)
    assert f"| all | {last['mean']:.2f} ± {last['deviation']:.2f} |" in table
    assert "| up to 99 (40) |" in table
    assert "| 100-149 (0) | - | - | - |" in table
    readouts.plot_readouts(result, tmp_path / "readouts.png")
    assert (tmp_path / "readouts.png").read_bytes().startswith(b"\x89PNG")
