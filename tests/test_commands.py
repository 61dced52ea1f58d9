"""What all four commands share: what is wrong is told before TensorFlow, or without an extra."""

import ast
import importlib
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import zoo.training.__main__
from zoo.extras import extra
from zoo.serving.needed import MODULES
from zoo.training import recipes
from zoo.training.recipes.declared import declared_names

ROOT = Path(__file__).parents[1]
MAINS = {
    "zoo": "zoo.__main__",
    "zoo-train": "zoo.training.__main__",
    "zoo-export": "zoo.export.__main__",
    "zoo-serve": "zoo.serving.__main__",
}
# Runs a command of which some packages cannot be imported: `python -c ... "a b" command arguments`.
WITHOUT = """
import importlib, sys

sys.modules.update(dict.fromkeys(sys.argv[1].split()))
"""
COMMAND = (
    WITHOUT
    + """
sys.argv = sys.argv[2:]
importlib.import_module(sys.argv[0]).main()
"""
)
IMPORT = WITHOUT + "importlib.import_module(sys.argv[2])"
TENSORFLOW = "tensorflow keras"


def run(code, blocked, module, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, blocked, module, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def told(ended):
    """The message of a command that has failed as commands do."""
    assert ended.returncode in (1, 2), ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.stderr


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("zoo", ["run", "sentment", "good"], "Did you mean 'sentiment'"),
        ("zoo", ["run", "sentiment", "good", "--beam-size=2"], "--beam-size is not for"),
        ("zoo", ["run", "sentiment", "--input", "none.csv"], "--input must be an existing file"),
        ("zoo", ["run", "ner", "x", "--page", "x.png"], "must end with .html"),
        ("zoo", ["show", "sentment"], "Did you mean 'sentiment'"),
        ("zoo", ["list", "--task", "clasify"], "Did you mean 'classify'"),
        ("zoo-train", ["nmt_atention", "--out", "x"], "Did you mean 'nmt_attention'"),
        ("zoo-train", ["train", "sentment", "--out", "x"], "Did you mean 'sentiment'"),
        ("zoo-train", ["plot-lengths", "nmt_atention", "--out", "x.png"], "'nmt_attention'"),
        ("zoo-export", ["sentment", "--base", "x"], "Did you mean 'sentiment'"),
        ("zoo-export", ["sentiment", "--base", __file__], "not a file"),
        ("zoo-export", ["sentiment", "--base", "x", "--version", "0"], "--version"),
        ("zoo-serve", ["sentment"], "Did you mean 'sentiment'"),
        ("zoo-serve", ["sentiment", "--port=1", "--rest_api_port=1"], "must differ"),
        ("zoo-serve", ["--model_config_file=none.config"], "none.config"),
    ],
)
def test_what_is_wrong_is_told_before_tensorflow_is_imported(command, arguments, message):
    assert message in told(run(COMMAND, TENSORFLOW, MAINS[command], *arguments))
    assert not Path(ROOT / "x").exists()


@pytest.mark.parametrize("command", MAINS)
def test_help_needs_no_tensorflow_and_no_extra(command):
    ended = run(COMMAND, f"{TENSORFLOW} {EXTRAS}", MAINS[command], "--help")
    assert ended.returncode == 0, ended.stderr
    assert "Usage" in ended.stdout


def extras():
    """Top-level modules that only an extra installs, from `setup.py`: `{extra: modules}`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("setuptools.setup", lambda **arguments: None)
        patch.chdir(ROOT)
        lists = runpy.run_path("setup.py")
    modules = {
        "scikit-learn": "sklearn",
        "grpcio": "grpc",
        "python-rapidjson": "rapidjson",
        "tensorflow-serving-api": "tensorflow_serving",
    }
    return {
        name.lower(): {
            modules.get(package, package.replace("-", "_"))
            for package in (re.match(r"[\w-]+", line)[0] for line in lists[name])
        }
        for name in ("TRAINING", "SERVING")
    }


EXTRAS = " ".join(sorted(set.union(*extras().values())))


def test_serving_needs_what_its_extra_installs():
    assert set(MODULES) == extras()["serving"]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("zoo.serving.server", "serving"),
        ("zoo.serving.rest.api", "serving"),
        ("zoo.serving.grpc_api.port", "serving"),
        ("zoo.training.metrics.bleu", "training"),
        ("zoo.training.corpora.multi30k", "training"),
        ("zoo.training.recipes.ngrams", "training"),
    ],
)
def test_an_import_says_which_extra_is_missing(module, name):
    ended = run(IMPORT, " ".join(extras()[name]), module)
    assert ended.returncode == 1
    assert f'pip install "rnn-zoo[{name}]"' in ended.stderr.strip().splitlines()[-1]


def test_the_server_says_which_extra_is_missing():
    for blocked in extras()["serving"]:
        message = told(run(COMMAND, blocked, "zoo.serving.__main__", "sentiment", "--port=0"))
        assert 'pip install "rnn-zoo[serving]"' in message
        assert blocked in message


def test_training_says_which_extra_is_missing(monkeypatch):
    def modules():
        with extra("training"):
            import sacrebleu_that_is_missing  # noqa: F401

    monkeypatch.setattr(recipes, "modules", modules)
    result = CliRunner().invoke(zoo.training.__main__.main, ["nmt_attention", "--out", "x"])
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert "'sacrebleu_that_is_missing'" in result.output
    assert 'pip install "rnn-zoo[training]"' in result.output


def test_training_imports_no_extra_without_saying_so():
    """Every import of one of its packages stands in `with extra("training")`."""
    packages = extras()["training"] - {"tensorboard", "importlib_resources"}
    guarded = 0
    for path in sorted((ROOT / "training").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {
            id(node)
            for block in ast.walk(tree)
            if isinstance(block, ast.With)
            and ast.unparse(block.items[0].context_expr) == "extra('training')"
            for node in ast.walk(block)
        }
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            if {name.partition(".")[0] for name in names} & packages:
                assert id(node) in inside, f"{path}, line {node.lineno}"
                guarded += 1
    assert guarded > 5


def test_names_of_recipes_are_read_as_they_are():
    assert declared_names() == set(recipes.names())


@pytest.mark.parametrize("name", ["zoo", "zoo-train", "zoo-export"])
def test_examples_in_helps_keep_their_lines(name):
    """A raw docstring would show click's mark instead of obeying it."""
    main = importlib.import_module(MAINS[name]).main
    for command in (main, *getattr(main, "commands", {}).values()):
        assert "\\" not in command.help, command.name
    assert any(line.startswith(f"  {name} ") for line in help_of(main).splitlines())


def help_of(command):
    return CliRunner().invoke(command, ["--help"]).output
