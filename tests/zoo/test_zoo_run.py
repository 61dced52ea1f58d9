"""The command line `zoo`: list, show and run, and errors a person can read."""

import functools
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import keras
import pytest
from click.testing import CliRunner

import zoo
import zoo.presets
from tests import corpus
from zoo.__main__ import main
from zoo.drawing.answers import OPTIONS
from zoo.models import NER, LanguageModel
from zoo.models.entities import Entity
from zoo.registry import model_class
from zoo.text.vocabulary import WordVocabulary

TEXTS = ["A dog runs in the park.", "A woman reads."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, model):
    return zoo.save(model, tmp_path_factory.mktemp("saved") / "preset")


# Each folder once: what takes seconds is to trace the same graph for every command.
load = functools.cache(zoo.load)


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch):
    monkeypatch.setattr(zoo, "load", load)


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(3)
    return corpus.loud(corpus.tiny_sentiment())


@pytest.fixture
def sentiment(classifier, monkeypatch):
    monkeypatch.setattr(zoo, "load", {"sentiment": classifier}.__getitem__)


@pytest.fixture
def tagger(monkeypatch):
    """Stands for a model of entities: what looks like a name is one."""

    def tag(texts):
        texts = [text.decode("utf-8", "replace") for text in texts]
        return [
            [Entity("Ada", "PER", text.index("Ada"), text.index("Ada") + 3, 0.75)]
            if "Ada" in text
            else []
            for text in texts
        ]

    model = SimpleNamespace(task="tag", tag=tag)
    model.console_answers = functools.partial(NER.console_answers, model)
    monkeypatch.setattr(zoo, "load", lambda name: model)


def run(*arguments, **keywords):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], **keywords)
    # Whatever goes wrong is told, not thrown.
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_list_names_what_ships(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "nmt_tiny")
    monkeypatch.setattr(zoo.presets, "PRESETS_DIR", tmp_path)
    result = run("list")
    assert result.exit_code == 0
    assert "nmt_tiny" in result.stdout
    assert " kB" in result.stdout
    assert "not measured" in result.stdout


def test_show_prints_the_card(folder, tmp_path):
    result = run("show", folder)
    assert result.exit_code == 0
    assert "Translates texts." in result.stdout
    assert "zoo-train evaluate" not in result.stdout  # it knows this model's corpus only
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "card.md").write_text("# Tiny\n\nSome **figures**.\n")
    result = run("show", copy)
    assert result.exit_code == 0
    assert "figures" in result.stdout


def test_texts_come_as_arguments_or_lines(folder):
    model = zoo.load(folder)
    # An untrained model may write any control character, which `splitlines` would split at.
    expected = "".join(f"{text}\n" for text in model.translate(TEXTS, beam_size=1))
    assert run("run", folder, *TEXTS, "--beam-size", 1).stdout_bytes.decode() == expected
    lines = "\r\n".join(TEXTS)  # the last line without an end
    expected = "".join(f"{text}\n" for text in model.translate(TEXTS))
    assert run("run", folder, input=lines).stdout_bytes.decode() == expected


def test_json_is_one_object_a_line(folder):
    result = run("run", folder, "--json", input=b"A dog.\n\nbad \xff bytes \xf0\x9f\x98\x80\n")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["A dog.", "", "bad \ufffd bytes 😀"]
    assert rows[1]["translation"] == ""
    assert all(row["score"] <= 0 for row in rows)
    assert "😀" in result.stdout


def test_an_argument_that_is_not_utf8_is_mended(folder):
    result = run("run", folder, "bad \udcff byte", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["text"] == "bad \ufffd byte"


def test_the_attention_table_is_drawn_for_one_text(folder, model, tmp_path):
    path = tmp_path / "table.png"
    result = run("run", folder, TEXTS[0], "--attention", path)
    if not model.has_attention:
        assert result.exit_code == 1
        assert "needs a model with attention" in result.output
        assert not path.exists()
        return
    assert result.exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    for texts, message, code in (
        (TEXTS, "--attention draws one text. Received: 2 texts", 2),
        ([" "], "nothing to draw for a blank text", 1),
    ):
        result = run("run", folder, *texts, "--attention", tmp_path / "other.png")
        assert (result.exit_code, message in result.output) == (code, True), result.output
        assert not (tmp_path / "other.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nope", "text"], "neither a preset nor a folder"),
        (["show", "nope"], "neither a preset nor a folder"),
        (["run", ".", "text"], "a folder without config.json"),
        (["run", "nope"], "nothing to do"),
        (["run", "nope", "text", "--beam-size", "0"], "--beam-size"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_what_cannot_be_done_is_told(arguments, message):
    result = run(*arguments, input="")
    assert result.exit_code in (1, 2)
    assert message in result.output


def test_a_text_too_long_and_damaged_weights_are_told(folder, tmp_path):
    result = run("run", folder, "word " * 10_000)
    assert result.exit_code == 1
    assert "at most 512 sub-words" in result.output
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "model.weights.h5").write_bytes(b"")
    result = run("run", copy, "text")
    assert result.exit_code == 1
    assert "sha256" in result.output


def test_a_classifier_gives_label_and_probability(classifier, sentiment):
    expected = classifier.classify(TEXTS)
    lines = run("run", "sentiment", *TEXTS).stdout.splitlines()
    assert lines == [f"{result.label} {result.score:.3f}" for result in expected]
    rows = [
        json.loads(line) for line in run("run", "sentiment", *TEXTS, "--json").stdout.splitlines()
    ]
    for row, text, result in zip(rows, TEXTS, expected, strict=True):
        assert row["text"] == text
        assert row["label"] == result.label
        assert row["score"] == pytest.approx(result.score)
        assert row["probabilities"] == pytest.approx(result.probabilities)


def test_a_classifier_of_several_labels_gives_them_all(monkeypatch, tmp_path):
    keras.utils.set_random_seed(3)
    model = corpus.tiny_sentiment(labels=["cheap", "slow"], multi_label=True)
    monkeypatch.setattr(zoo, "load", {"sentiment": model}.__getitem__)
    model.thresholds = {"cheap": 0.0, "slow": 1.0}
    (expected,) = model.classify(TEXTS[:1])
    (line,) = run("run", "sentiment", TEXTS[0]).stdout.splitlines()
    assert line == f"cheap {expected.probabilities['cheap']:.3f}"
    row = json.loads(run("run", "sentiment", TEXTS[0], "--json").stdout)
    del row["text"]
    assert row == {"chosen": expected.chosen, "probabilities": expected.probabilities}
    model.thresholds = 1.0
    assert run("run", "sentiment", TEXTS[0]).stdout == "none of the labels\n"
    page = tmp_path / "page.html"
    assert run("run", "sentiment", "a dull film", "--attention", page).exit_code == 0
    assert "<h1>none of the labels</h1>" in page.read_text("utf-8")


def test_a_classifier_paints_a_page_or_a_picture(sentiment, tmp_path):
    for name, begin in (
        ("a.html", b"<!doctype html>"),
        ("b.HTM", b"<!doctype"),
        ("c.png", b"\x89PNG"),
    ):
        result = run("run", "sentiment", "a <b>good</b> film", "--attention", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert (tmp_path / name).read_bytes().startswith(begin)
        assert name in result.stderr
    assert b"<b>" not in (tmp_path / "a.html").read_bytes()
    for arguments, message in (
        ((" ", "--attention", tmp_path / "d.html"), "nothing to draw for a blank text"),
        (("a", "--attention", tmp_path / "d.gif"), "`path` must end with .png"),
        (("a", "--attention", tmp_path / "none" / "d.html"), "existing folder"),
        (("a", "--beam-size", 2), "--beam-size is not for a model that can classify"),
        (("a", "--page", tmp_path / "d.html"), "--page is not for a model that can classify"),
    ):
        result = run("run", "sentiment", *arguments)
        assert (result.exit_code > 0, message in result.output) == (True, True), result.output
    assert len(list(tmp_path.iterdir())) == 3


def test_a_tagger_marks_entities(tagger, tmp_path):
    result = run("run", "ner", "Then Ada came.", "nobody", "--page", tmp_path / "page.html")
    assert result.stdout == "Then [Ada PER] came.\nnobody\n"
    assert "<mark" in (tmp_path / "page.html").read_text("utf-8")
    rows = [
        json.loads(line) for line in run("run", "ner", "Ada", "x", "--json").stdout.splitlines()
    ]
    entity = {"text": "Ada", "type": "PER", "start": 0, "end": 3, "score": 0.75}
    assert rows == [{"text": "Ada", "entities": [entity]}, {"text": "x", "entities": []}]
    result = run("run", "ner", "Ada", "--page", tmp_path / "page.png")
    assert result.exit_code == 1
    assert "must end with .html, .htm" in result.output
    assert "--attention is not for" in run("run", "ner", "Ada", "--attention", "a.png").output


def test_the_name_of_a_file_is_told_from_its_content(sentiment, classifier, tmp_path):
    path = tmp_path / "two words.txt"
    path.write_text("A good film.\n")
    result = run("run", "sentiment", path, "A good film.")
    assert result.exit_code == 0
    assert f"--input '{path}'" in result.stderr
    assert "is read as a text" in result.stderr
    assert len(result.stdout.splitlines()) == 2
    assert "is read as a text" not in run("run", "sentiment", "A good film.").stderr


def test_a_dash_answers_each_line_as_it_comes(tagger, monkeypatch):
    model, shown = zoo.load("ner"), []
    tag, tagged = model.tag, []
    monkeypatch.setattr(model, "tag", lambda texts: tagged.extend(texts) or tag(texts))

    def lines():
        for line in (b"Ada came.\r\n", b"nobody\n", b"Ada"):
            yield line
            shown.append(list(tagged))

    monkeypatch.setattr("zoo.__main__.click.get_binary_stream", lambda name: lines())
    assert run("run", "ner", "-").stdout == "[Ada PER] came.\nnobody\n[Ada PER]\n"
    assert [len(texts) for texts in shown] == [1, 2, 3]
    for arguments, message in (
        (("-", "Ada"), "stands alone"),
        (("-", "--page", "a.html"), "--page is for TEXTS"),
    ):
        result = run("run", "ner", *arguments)
        assert (result.exit_code, message in result.output) == (2, True), result.output


def test_a_line_that_is_refused_keeps_its_place(folder):
    result = run("run", folder, "-", "--json", input="A dog.\n" + "word " * 10_000 + "\nA dog.\n")
    assert result.exit_code == 1
    assert "Row 2: " in result.stderr
    first, second, third = (json.loads(line) for line in result.stdout.splitlines())
    assert first == third
    assert "at most 512 sub-words" in second["error"]
    assert "1 rows could not be answered" in result.stderr


def test_options_are_those_of_the_classes():
    """Who asks before TensorFlow is imported gets the same answer; a model may be left out."""
    for name, (task, options) in OPTIONS.items():
        cls = model_class(name)
        _, _entries, *known = inspect.signature(cls.console_answers).parameters
        assert task == cls.task
        assert set(options) == set(known)
    assert OPTIONS["sentiment"] == OPTIONS["text_classifier"]


def test_nothing_but_the_answer_is_shown(classifier, tmp_path):
    """TensorFlow's start-up lines come before Python can stop them: hence a new process."""
    folder = zoo.save(classifier, tmp_path / "preset")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    command = [sys.executable, "-m", "zoo", "run", folder, "A good film."]
    result = subprocess.run(command, capture_output=True, text=True, env=clean)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 1


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    """The folder of a language model, tiny and untrained."""
    keras.utils.set_random_seed(5)
    words = WordVocabulary(["said", "it", "rose", "fell"])
    sizes = {"embedding_units": 8, "units": [9, 8], "projection": False}
    model = LanguageModel(words, after_end=True, **sizes)
    return model, zoo.save(model, tmp_path_factory.mktemp("writer") / "tiny", half=False)


def test_a_language_model_writes_word_by_word_and_scores(writer, monkeypatch):
    model, folder = writer
    monkeypatch.setattr(zoo, "load", lambda name: model)  # its graphs are traced once
    options = ["--max-tokens", "4", "--seed", "3", "--temperature", "0.5"]
    arguments = {"max_tokens": 4, "seed": 3, "temperature": 0.5}
    result = run("run", folder, "it rose", "said", *options)
    lines = result.output.splitlines()
    assert lines == [model.complete(text, **arguments) for text in ("it rose", "said")]
    result = run("run", folder, "it rose", "--score")
    assert re.fullmatch(
        r"it\[\d+\.\d\] rose\[\d+\.\d\]  \(perplexity \d+\.\d\)", result.output.strip()
    )
    row = json.loads(run("run", folder, "it", "--score", "--json").output)
    assert row["tokens"] == ["it"]
    assert row["spans"] == [[0, 2]]
    result = run("run", folder, "it", "--score", "--seed", "1")
    assert result.exit_code == 1
    assert "--score writes nothing: --seed means nothing beside it" in result.output
    result = run("run", folder, "it", "--beam-size", "2", "--top-k", "3")
    assert "`beam_size` searches for the most probable text" in result.output
