"""`zoo-export`: what it says when something is wrong. `test_translators` runs it for real."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import zoo
from tests.export.tiny_models import Offers
from zoo.export.__main__ import main
from zoo.serving.playground.cards import read_card

REPOSITORY = Path(__file__).parents[2]


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def named(monkeypatch, tmp_path):
    """Makes `any` the name of a model, as if it were a preset without files and without a card."""

    def no_card(name):
        raise FileNotFoundError(name)

    def name(model):
        monkeypatch.setattr(zoo.presets, "preset_folder", lambda name: tmp_path)
        monkeypatch.setattr(zoo.presets, "read_config", lambda name: {"files": {}})
        monkeypatch.setattr(zoo, "load", lambda name: model)
        monkeypatch.setattr(zoo, "card", no_card)

    return name


def test_help_names_every_option_and_does_not_wait_for_tensorflow():
    script = "import sys, zoo.export.__main__; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY).returncode == 0
    text = run("--help").output
    for option in ("NAME_OR_FOLDER", "--base", "--version", "--no-verify"):
        assert option in text


def test_publishes_and_tells_where(scorer, tmp_path, named):
    named(scorer)
    result = run("any", "--base", tmp_path, "--version", 4, "--no-verify")
    assert result.exit_code == 0, result.output
    said = "".join(result.output.split("\n"))
    assert str(tmp_path / "4") in said
    assert "signatures serving_default, lengths" in said
    assert "not verified" in said
    assert (tmp_path / "4" / "saved_model.pb").is_file()
    assert not (tmp_path / "4" / "assets.extra" / "card.md").exists()


def test_a_presets_card_goes_with_it(scorer, tmp_path, named, monkeypatch):
    named(scorer)
    monkeypatch.setattr(zoo, "card", lambda name: f"# {name}\n\nÜber.\n")
    result = run("any", "--base", tmp_path, "--no-verify")
    assert result.exit_code == 0, result.output
    card = tmp_path / "1" / "assets.extra" / "card.md"
    assert card.read_text(encoding="utf-8") == "# any\n\nÜber.\n"
    assert read_card(tmp_path / "1").title == "Über"


def test_an_unknown_preset_gets_close_matches(tmp_path, monkeypatch):
    (tmp_path / "presets" / "nmt_attention").mkdir(parents=True)
    (tmp_path / "presets" / "nmt_attention" / "config.json").write_text("{}")
    monkeypatch.setattr(zoo.presets, "PRESETS_DIR", tmp_path / "presets")
    result = run("nmt_atention", "--base", tmp_path / "models")
    assert result.exit_code == 1
    assert "Error: " in result.output
    assert "Did you mean 'nmt_attention'?" in result.output
    assert not (tmp_path / "models").exists()


def test_an_existing_version_is_an_error(scorer, tmp_path, named):
    named(scorer)
    (tmp_path / "3").mkdir()
    result = run("any", "--base", tmp_path, "--version", 3)
    assert result.exit_code == 1
    assert "version 3 exists already and is never overwritten" in result.output


def test_a_model_that_cannot_be_exported_is_an_error(tmp_path, named):
    named(Offers())
    result = run("any", "--base", tmp_path)
    assert result.exit_code == 1
    assert "'serving_default'" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nmt_attention"], "Missing option '--base'"),
        (["--base", "models"], "Missing argument 'NAME_OR_FOLDER'"),
        (["nmt_attention", "--base", "models", "--version", "0"], "0 is not in the range x>=1"),
        (["nmt_attention", "--base", "models", "--version", "new"], "'new' is not a valid integer"),
    ],
)
def test_wrong_usage_is_told(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
