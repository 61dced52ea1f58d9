"""The documents keep their word: links lead somewhere, named symbols exist, code blocks run.

A block whose fence says ```` ```python runnable ```` is run, all of one document in one namespace.
A link to a Python file whose text has a name in backticks, such as `Class.method`, promises that
the file defines it.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import zoo.presets
import zoo.training.corpora.tatoeba
from tests import corpus
from zoo.models import AudioClassifier, Forecaster

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("serving/*/README.md")])
RUNNABLE = re.compile(r"^```python runnable\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def links(document):
    """`(text, target, fragment)` of the links of a document that do not leave the project."""
    for text, address in LINK.findall(FENCED.sub("", document.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", address):
            target, _, fragment = address.partition("#")
            yield text, document.parent / target if target else document, fragment


def headings(document):
    """The anchors which GitHub makes of a document's headings."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", document.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def definitions(path):
    """Names a Python file defines: functions, classes, constants, and `Class.member`."""

    def names(body):
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                yield node.name
            if isinstance(node, ast.ClassDef):
                yield from (f"{node.name}.{member}" for member in names(node.body))
            for target in getattr(node, "targets", [getattr(node, "target", None)]):
                if isinstance(target, ast.Name):
                    yield target.id

    return set(names(ast.parse(path.read_text(encoding="utf-8")).body))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    for text, target, fragment in links(document):
        assert target.resolve().is_relative_to(ROOT), (text, target)
        assert target.exists(), f"[{text}] leads to {target}, which does not exist"
        assert not fragment or fragment in headings(target), f"{target} has no #{fragment}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_symbols_are_defined(document):
    for text, target, _ in links(document):
        if target.suffix == ".py":
            for name in re.findall(r"`([A-Za-z_][\w.]*)`", text):
                assert name in definitions(target), f"{target} defines no `{name}`"


def test_the_slides_are_led_to_code_and_tests():
    """The guard of the test above: the guide names symbols of every room of the lecture."""
    guide = ROOT / "docs" / "from_slides_to_code.md"
    named = {target.name for text, target, _ in links(guide) if text.startswith("`")}
    assert {"cells.py", "sequence_kernel.py", "attention.py", "nmt_vanilla.py", "bleu.py"} <= named
    assert {"test_tf1_parity.py", "test_cells.py", "test_attention.py"} <= named


def test_make_has_the_named_targets():
    """Every `make` command of a document or of CI has a target, and `make help` lists them."""
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = re.findall(r"^make ([\w-]+) ", listed.stdout, re.M)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)[1]
    assert sorted(targets) == sorted(phony.split())
    for path in (*DOCUMENTS, ROOT / ".ci" / "run"):
        named = re.findall(r"^\W*make ([a-z-]+)", path.read_text(encoding="utf-8"), re.M)
        assert set(named) <= set(targets), path


def test_make_serves_what_ships_or_what_is_named():
    def serve(*variables):
        command = ["make", "-n", "serve", *variables]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return next(line for line in run.stdout.splitlines() if "zoo-serve" in line)

    assert "zoo-serve a b --rest_api_port=9" in serve("PRESETS=a b", "PORT=9")
    command = serve("PRESETS=", f"BIN={Path(sys.executable).parent}")
    command = re.sub(r"\S+/zoo-serve ", "echo ", command)
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split("--")[0].split() == zoo.list_models() != []


@pytest.fixture(scope="module")
def presets(tmp_path_factory, tokenizer):
    """A folder of presets, tiny and untrained."""
    keras.utils.set_random_seed(5)
    folder = tmp_path_factory.mktemp("presets")
    tiny = {
        "nmt_attention": corpus.tiny_attention(tokenizer),
        "sentiment": corpus.tiny_sentiment(),
        "sentiment_sst": corpus.tiny_sentiment(),
        "ner": corpus.tiny_ner(),
        "forecast": Forecaster(seasons=10, units=2),
        "spoken_digits": AudioClassifier(bands=8, units=2, attention_units=2),
    }
    for name, model in tiny.items():
        zoo.save(model, folder / name)
    return folder


@pytest.fixture
def sandbox(tmp_path, monkeypatch, presets):
    """A folder to run in, where the presets are tiny and Tatoeba is made up."""
    keras.utils.set_random_seed(5)
    monkeypatch.setattr(zoo.presets, "PRESETS_DIR", presets)
    pairs = [f"{english}\t{german}\n" for english, german in corpus.sentence_pairs()]
    (tmp_path / "tatoeba").mkdir()
    (tmp_path / "tatoeba" / "deu.txt").write_text("".join(pairs), encoding="utf-8")

    def few_pairs(data_dir, pairs, load=zoo.training.corpora.tatoeba.load_tatoeba):
        return load(data_dir, pairs=min(pairs, 40), test_pairs=8)

    monkeypatch.setattr(zoo.training.corpora.tatoeba, "load_tatoeba", few_pairs)
    monkeypatch.chdir(tmp_path)


def blocks(document):
    return RUNNABLE.findall(document.read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", filter(blocks, DOCUMENTS), ids=lambda path: path.name)
def test_code_blocks_run(document, sandbox):
    namespace = {}
    for number, block in enumerate(blocks(document), start=1):
        exec(compile(block, f"{document.name}, block {number}", "exec"), namespace)
