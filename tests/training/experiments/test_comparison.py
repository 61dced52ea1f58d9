"""Seeds side by side: means and deviations by hand, and runs that must not be thrown together."""

import json

import pytest

from zoo.training.experiments.comparison import comparison, plus_minus, spread

FIGURES = {"test F1": "splits.test.f1", "unseen": "splits.test.unseen.f1"}


@pytest.fixture
def run(tmp_path):
    def make(name, seed, f1, epochs=3):
        folder = tmp_path / f"{name}-{seed}-{epochs}-{f1}"
        folder.mkdir()
        recipe = {"name": name, "seed": seed, "epochs": epochs}
        splits = {"test": {"f1": f1, "unseen": {"f1": f1 - 10}}}
        metrics = {"model": "ner", "splits": splits, "training": {"recipe": recipe}}
        (folder / "metrics.json").write_text(json.dumps(metrics))
        return folder

    return make


def test_a_row_has_mean_and_deviation_over_the_seeds_of_a_recipe(run):
    folders = [run("ner", 2, 91.0), run("ner_softmax", 1, 88.0), run("ner", 1, 90.0)]
    folders.append(run("ner", 3, 92.0))
    header, rows = comparison(folders, FIGURES)
    assert header == ["recipe", "seeds", "test F1", "unseen"]
    assert rows == [
        ["ner", "1, 2, 3", "91.00 ± 1.00", "81.00 ± 1.00"],
        ["ner_softmax", "1", "88.00", "78.00"],
    ]


def test_one_run_alone_has_no_deviation():
    assert spread([90.0]) == {"mean": 90.0, "deviation": None}
    assert plus_minus(spread([90.0])) == "90.00"
    assert plus_minus(spread([90.0, 91.0])) == "90.50 ± 0.71"


def test_other_recipes_under_one_name_and_a_seed_twice_are_refused(run):
    first = run("ner", 1, 90.0)
    with pytest.raises(ValueError, match="differ in the seed alone"):
        comparison([first, run("ner", 2, 90.0, epochs=4)], FIGURES)
    with pytest.raises(ValueError, match=r"each seed of a recipe once.*seed 1"):
        comparison([first, run("ner", 1, 91.0)], FIGURES)


def test_what_was_not_measured_is_named(run, tmp_path):
    with pytest.raises(ValueError, match=r"not measured in .*splits\.test\.accuracy"):
        comparison([run("ner", 1, 90.0)], {"accuracy": "splits.test.accuracy"})
    with pytest.raises(FileNotFoundError, match="zoo-train evaluate"):
        comparison([tmp_path / "nowhere"], FIGURES)
