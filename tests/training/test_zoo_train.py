"""The command line `zoo-train`: what it says when it is stopped or cannot start."""

import errno
import json
import os
import signal

import pytest
from click.testing import CliRunner

import zoo
from tests import corpus
from tests.training.recipes.small_run import RECIPE, as_recorded, write_multi30k
from zoo.training.__main__ import main
from zoo.training.loop.runs import KeepBest
from zoo.training.recipes import language_model_ptb, ner, nmt, sentiment


@pytest.fixture
def corpus_folder(tmp_path):
    return write_multi30k(tmp_path / "corpus")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def run(*arguments):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    # Whatever goes wrong is told, not thrown.
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_an_interrupt_says_how_to_go_on(corpus_folder, tmp_path, monkeypatch):
    """Control-C, a real signal in the middle of an epoch."""

    def interrupt(self, batch, logs=None):
        if batch == 2:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setitem(nmt.RECIPES, "nmt_attention", RECIPE)
    monkeypatch.setattr(KeepBest, "on_train_batch_end", interrupt)
    out = tmp_path / "run"
    # A shell that runs the tests in its background has them ignore the signal.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = run("nmt_attention", "--out", out, "--data-dir", corpus_folder, "--any-data")
    finally:
        signal.signal(signal.SIGINT, handler)
    assert result.exit_code == 1
    assert f"stopped; the same command goes on from {out}" in result.output
    assert not (out / "preset").exists()


def test_a_folder_of_another_configuration_is_refused(corpus_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(nmt.RECIPES, "nmt_attention", RECIPE)
    state = {"epoch": 1, "best": 2.0, "seeds": [], "recipe": as_recorded(RECIPE)}
    (tmp_path / "checkpoint.json").write_text(json.dumps(state))
    arguments = ("--out", tmp_path, "--data-dir", corpus_folder, "--any-data")
    result = run("nmt_attention", *arguments, "--seed", 5, "--batch-size", 4)
    assert result.exit_code == 1
    assert "batch_size=8 there and 4 here, seed=1 there and 5 here" in result.output
    assert f"out='{tmp_path}'" in result.output


def test_what_cannot_start_is_told_and_writes_nothing(corpus_folder, tmp_path):
    out = tmp_path / "run"
    for arguments, message in (
        (["nmt_atention", "--data-dir", corpus_folder], "Did you mean 'nmt_attention'"),
        (["nmt_attention", "--data-dir", tmp_path / "none"], "which is not a folder"),
        (["nmt_attention", "--data-dir", tmp_path], "`data_dir` has no raw/train.en.gz"),
        (["nmt_attention", "--data-dir", corpus_folder], "as the published split 'train' has"),
        (
            ["nmt_attention", "--data-dir", corpus_folder, "--any-data"],
            "`vocabulary_size` does not fit the sentences",
        ),
    ):
        result = run(*arguments, "--out", out)
        assert result.exit_code == 1
        assert message in result.output
        assert not out.exists()


def test_a_run_that_cannot_be_written_is_refused_before_the_data_is_read(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        result = run("ner", "--out", out, "--data-dir", "nowhere")
        assert result.exit_code == 1
        assert f"`out` must be a folder that can be written to; {tmp_path}" in result.output
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.json").write_text('{"epoch": 1')
    result = run("sentiment", "--out", tmp_path / "run", "--data-dir", "nowhere")
    assert result.exit_code == 1
    assert "checkpoint.json is damaged" in result.output
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    result = run("ner", "--out", tmp_path / "run", "--data-dir", "nowhere")
    assert f"{tmp_path / 'run'} is not" in result.output
    result = run("evaluate", "ner", "--data-dir", "nowhere")
    assert result.exit_code == 1
    assert "cannot be written to. Measure a copy of it" in result.output
    assert names(tmp_path) == ["file", "run"]
    assert names(tmp_path / "run") == ["checkpoint.json"]


def test_every_recipe_names_what_is_missing(tmp_path):
    modules = (language_model_ptb, nmt, ner, sentiment)
    for name in [name for module in modules for name in module.RECIPES]:
        words = ["--words-of", tmp_path] if name == "sentiment_sst" else []
        result = run(name, "--out", tmp_path / "run", "--data-dir", tmp_path / "none", *words)
        assert result.exit_code == 1
        assert f"data_dir='{tmp_path / 'none'}'" in result.output
    result = run("sentiment_sst", "--out", tmp_path / "run", "--data-dir", tmp_path / "none")
    assert "`words_of` must be the preset that a run of `sentiment_pretrained`" in result.output
    result = run("compare-readouts", "--out", tmp_path / "run", "--data-dir", tmp_path / "none")
    assert f"data_dir='{tmp_path / 'none'}'" in result.output
    result = run("compare-readouts", "--out", tmp_path / "run", "--plot", tmp_path / "plot.bmp")
    assert "`path` must end with .png" in result.output
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told(corpus_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(nmt.RECIPES, "nmt_attention", RECIPE)

    def no_space(path, *arguments, **keywords):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(os, "mkdir", no_space)
    out = tmp_path / "run"
    result = run("nmt_attention", "--out", out, "--data-dir", corpus_folder, "--any-data")
    assert result.exit_code == 1
    assert f"No space left on device: '{out}'" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nmt_attention"], "Missing option '--out'"),
        (["nmt_attention", "--out", "x", "--precision", "float16"], "--precision"),
        (["nmt_attention", "--out", "x", "--epochs", "0"], "--epochs"),
        (["evaluate"], "Missing argument 'NAME_OR_FOLDER'"),
        (["plot-lengths", "--out", "x.png"], "Missing argument 'NAMES_OR_FOLDERS...'"),
        (["compare", "x", "--figure", "F1"], "--figure must be HEADING=PLACE. Received: ('F1',)"),
        (["compare-readouts"], "Missing option '--out'"),
    ],
)
def test_wrong_arguments_are_usage_errors(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_other_commands_name_an_unknown_preset(tmp_path):
    for arguments in (["evaluate", "nope"], ["plot-lengths", "nope", "--out", tmp_path / "x.png"]):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "neither a preset nor a folder" in result.output


def test_help_shows_the_short_form():
    output = run("--help").output
    assert "zoo-train nmt_attention --data-dir" in output
    commands = {"compare", "compare-readouts", "evaluate", "plot-lengths", "train"}
    assert commands <= set(output.split())


def test_an_option_of_another_recipe_is_refused(corpus_folder, tmp_path):
    for option in ("--word-vectors", "--pretraining", "--words-of"):
        result = run(
            "nmt_attention", "--out", tmp_path / "x", "--data-dir", corpus_folder, option, tmp_path
        )
        assert result.exit_code == 1
        assert f"{option} means nothing to the recipe nmt_attention" in result.output
    result = run("ner", "--out", tmp_path / "x", "--vocabulary-size", 500)
    assert "--vocabulary-size means nothing to the recipe ner" in result.output
    assert "it is an option of nmt_attention, nmt_vanilla" in result.output
    result = run("sentiment", "--out", tmp_path / "x", "--words-of", tmp_path)
    assert "`words_of` means nothing to the recipe sentiment." in result.output


def test_help_of_a_recipe_has_its_own_options_only():
    output = run("train", "--help").output
    assert "--epochs" in output
    assert "--words-of" not in output
    output = run("sentiment_sst", "--help").output
    assert {"--epochs", "--words-of", "--word-vectors"} <= set(output.split())
    assert "--vocabulary-size" not in output
    assert "--vocabulary-size" in run("train", "--out", "ner", "nmt_vanilla", "--help").output


def test_seeds_are_compared(tmp_path):
    for seed, f1 in ((1, 90.0), (2, 91.0)):
        metrics = {
            "model": "ner",
            "splits": {"conll2003_test": {"f1": f1}},
            "training": {"recipe": {"name": "ner", "seed": seed}},
        }
        (tmp_path / str(seed)).mkdir()
        (tmp_path / str(seed) / "metrics.json").write_text(json.dumps(metrics))
        (tmp_path / str(seed) / "config.json").write_text("{}")
    figure = ("--figure", "F1=splits.conll2003_test.f1")
    result = run("compare", tmp_path / "1", tmp_path / "2", *figure)
    assert "| ner | 1, 2 | 90.50 ± 0.71 |" in result.output
    assert "| ner | 1 | " in run("compare", "ner", *figure).output  # the preset that ships
    (tmp_path / "2" / "metrics.json").unlink()
    for folder, message in (("2", "does not exist"), ("3", "close")):
        result = run("compare", tmp_path / folder, *figure)
        assert result.exit_code == 1
        assert message in result.output


def test_presets_are_shrunk_and_what_is_none_is_told(tmp_path, tokenizer):
    folder = zoo.save(corpus.tiny_vanilla(tokenizer), tmp_path / "exact", half=False)
    before = (folder / "model.weights.h5").stat().st_size
    result = run("shrink", folder)
    assert result.exit_code == 0
    assert f"{folder}: " in result.output
    assert (folder / "model.weights.h5").stat().st_size < before
    zoo.load(folder)
    result = run("shrink", tmp_path)
    assert result.exit_code == 1
    assert "a folder without config.json" in result.output
