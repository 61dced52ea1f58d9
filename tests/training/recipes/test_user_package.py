"""A recipe that lives in a user's own package, found by its entry point."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import zoo
from zoo.training import recipes
from zoo.training.__main__ import main

RECIPE = Path(__file__).with_name("requests_recipe.py")


def install(site, package, recipe, entry="recipe"):
    """A package of one recipe as pip leaves it: the package, and metadata with an entry point."""
    (site / package).mkdir(parents=True)
    (site / package / "__init__.py").touch()
    (site / package / "recipe.py").write_text(recipe)
    info = site / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[rnn_zoo.recipes]\n{package} = {package}.{entry}\n")


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path / "site")
    install(tmp_path / "site", "request_desk", RECIPE.read_text())
    yield tmp_path / "site"
    for name in [name for name in sys.modules if name.startswith(("request_desk", "other_desk"))]:
        del sys.modules[name]


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_users_recipe_is_trained_measured_and_gets_a_card(site, tmp_path):
    out = tmp_path / "runs" / "requests"
    help_text = run("requests", "--help").output
    assert "Of the LSTM." in help_text
    assert "--words-of" not in help_text
    result = run("requests", "--out", out, "--units", 6, "--epochs", 9, "--shout")
    assert result.exit_code == 0, result.output
    training = json.loads((out / "preset" / "config.json").read_text())["training"]
    assert training["recipe"]["units"] == 6
    assert training["recipe"]["epochs"] == 9
    model = zoo.load(out / "preset")
    assert [answer.label for answer in model.classify(["it fails", "please add"])] == [
        "bug",
        "feature",
    ]
    # A finished run is left as it is.
    assert run("requests", "--out", out, "--units", 6, "--epochs", 9, "--shout").exit_code == 0
    refused = run("requests", "--out", out, "--units", 7)
    assert "units=6 there and 7 here" in refused.output

    result = run("evaluate", out / "preset")
    assert result.exit_code == 0, result.output
    assert "100.00" in result.output
    card = zoo.card(out / "preset")
    for text in ("# requests", "| all | 4 | 100.00 |", "not recorded", "`requests`", "## Limits"):
        assert text in card
    metrics = json.loads((out / "preset" / "metrics.json").read_text())
    assert metrics["parameters"] == model.count_params()


def test_its_options_are_its_own(site, tmp_path):
    result = run("ner", "--out", tmp_path / "x", "--units", 6)
    assert result.exit_code == 1
    assert "--units means nothing to the recipe ner: it is an option of requests" in result.output
    result = run("requests", "--out", tmp_path / "x", "--words-of", tmp_path)
    assert "--words-of means nothing to the recipe requests" in result.output


def test_a_broken_package_is_told_and_breaks_no_other(site, recwarn):
    install(site, "other_desk", "import nothing_of_this_name\n")
    with pytest.warns(RuntimeWarning, match=r"other_desk\.recipe.*nothing_of_this_name"):
        assert {"requests", "ner"} <= set(recipes.names())
    shutil.rmtree(site / "other_desk-1.0.dist-info")
    install(site, "other_desk_too", "RECIPES = {}\n")
    with pytest.warns(RuntimeWarning, match="it must have `RECIPES` and `train`"):
        assert recipes.recipe("requests").name == "requests"


def test_two_recipes_of_one_name_are_named(site):
    install(site, "other_desk", RECIPE.read_text())
    with pytest.raises(ValueError, match=r"'requests', in .*desk\.recipe and in .*desk\.recipe"):
        recipes.recipe("requests")
    assert recipes.recipe("ner").name == "ner"
