"""`zoo-train evaluate --input`: a file of one's own to a report, and what is wrong with a file."""

import json

import keras
import pytest
from click.testing import CliRunner

import zoo
from tests import corpus
from zoo.training.__main__ import main
from zoo.training.evaluation.own_data import read_own_rows
from zoo.training.evaluation.report import keep_report

LABELS = ["bug", "feature", "question"]
ROWS = [("The film was good.", "bug"), ("dull,\nbad", "feature"), ("a “warm” cast", "bug")]


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(3)
    return {
        "classifier": corpus.loud(corpus.tiny_sentiment(labels=LABELS)),
        "stars": corpus.tiny_sentiment(labels=["1", "2"]),
        "preset": corpus.tiny_sentiment(),
        "tagger": corpus.tiny_ner(),
        "translator": corpus.tiny_vanilla(corpus.tiny_tokenizer()),
    }


@pytest.fixture
def folders(models, tmp_path, monkeypatch):
    """Names that `zoo.load` takes, in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(zoo, "load", models.__getitem__)
    return tmp_path


def run(*arguments):
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments)])
    # Whatever goes wrong is told, not thrown.
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def write(path, header, rows, separator=","):
    lines = [separator.join(header)]
    lines += [separator.join(f'"{cell}"' for cell in row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")  # as a spreadsheet does
    return path


def test_a_file_becomes_a_report_and_the_model_stays_as_it_was(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = zoo.save(models["classifier"], tmp_path / "mine", half=False)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    path = write(tmp_path / "my.csv", ["id", "text", "label"], [("7", *row) for row in ROWS])
    result = run(
        "mine", "--input", path, "--output", "report.json", "--plot", tmp_path / "report.png"
    )
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("texts from column 'text', labels from column 'label'\n")
    report = models["classifier"].evaluate_report(*zip(*ROWS, strict=True))
    assert result.stdout == f"{report}\n"
    written = json.loads((tmp_path / "report.json").read_text())
    assert report.to_dict().items() <= written.items()
    assert written["weights_sha256"] == zoo.presets.read_config(folder)["files"]["model.weights.h5"]
    assert written["input"] == "my.csv"
    assert (tmp_path / "report.png").stat().st_size > 1000
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    # Only when it is asked for does the card tell of it.
    assert run("mine", "--input", path, "--card").exit_code == 0
    assert report.markdown() in zoo.card(folder)
    assert zoo.load(folder).provenance.report == report.to_dict()
    with pytest.raises(ValueError, match="--card is for models of your own"):
        keep_report("ner", report.to_dict())


def test_tables_are_read_in_all_their_forms(models, tmp_path):
    model = models["classifier"]
    texts, labels = map(list, zip(*ROWS, strict=True))
    flat = [(text.replace("\n", " "), label) for text, label in ROWS]
    by_name = write(tmp_path / "a.tsv", ["Label", "Sentence"], [row[::-1] for row in flat], "\t")
    assert read_own_rows(model, by_name)[:2] == ([text for text, _ in flat], labels)
    by_place = write(tmp_path / "b.csv", ["one", "two"], ROWS)
    assert read_own_rows(model, by_place)[:2] == (texts, labels)
    named = write(tmp_path / "c.csv", ["text", "label", "truth"], [(*row, "bug") for row in ROWS])
    assert read_own_rows(model, named, y="truth").y == ["bug"] * 3
    lines = [json.dumps({"text": text, "label": label}) for text, label in ROWS]
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    assert read_own_rows(model, tmp_path / "d.jsonl")[:2] == (texts, labels)


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        (["text", "lable", "n"], [], "--y: say which column has the labels. Columns of"),
        (["text", "topic", "n"], ["--y", "topc"], "no column 'topc'. Did you mean 'topic'?"),
        (["text", "topic", "n"], ["--x", "topic", "--y", "topic"], "must be two columns"),
    ],
)
def test_a_missing_column_gets_close_names(folders, header, options, message):
    path = write(folders / "my.csv", header, [("a", "bug", "1")])
    result = run("classifier", "--input", path, *options)
    assert result.exit_code == 1
    assert message in result.output


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("my.csv", "", "--input has no rows"),
        ("my.csv", "text,label\n", "--input has no rows"),
        ("my.jsonl", "", "--input has no rows"),
        ("my.csv", "text,label\na,bug\nb\n", "row 2: 1 values for 2 columns"),
        ("my.jsonl", '{"text": "a", "label": "bug"}\n{"text": "b"}\n', "row 2: it has no 'label'"),
        ("my.jsonl", '{"text": "a", "label": "bug"}\n{"te', "row 2: not JSON"),
        ("my.txt", "a\n", "must be a .csv, .tsv or .jsonl file with the columns texts and labels"),
        (
            "my.csv",
            "text,label\na,spam\nb,bug\nc,spam\nd,promo\n",
            "labels that the model lacks: 'spam' (2 rows), 'promo' (1 rows). It knows 'bug', 'fe",
        ),
        ("my.csv", "text,label\na,0\nb,2\n", "`labels_are_numbers=True`"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(folders, name, content, message):
    (folders / name).write_text(content)
    result = run("classifier", "--input", folders / name)
    assert result.exit_code == 1
    assert message in result.output


def test_numbers_are_names_or_places(models, tmp_path):
    path = tmp_path / "my.csv"
    path.write_text("text,label\na,1\nb,2\n")
    assert read_own_rows(models["stars"], path).y == ["1", "2"]
    path.write_text("text,label\na,1\nb,0\n")
    assert read_own_rows(models["preset"], path).y == [1, 0]


def test_labels_in_one_cell_are_parted_only_when_it_is_said(tmp_path):
    class Model:
        columns = corpus.tiny_sentiment().columns
        labels = LABELS
        multi_label = True

    path = tmp_path / "my.csv"
    path.write_text("text,label\na,bug;question\nb,\n")
    assert read_own_rows(Model, path, separator=";").y == [["bug", "question"], []]
    with pytest.raises(ValueError, match=r"'bug;question' \(1 rows\).*--label-separator"):
        read_own_rows(Model, path)
    path.with_suffix(".jsonl").write_text('{"text": "a", "labels": ["bug"]}')
    assert read_own_rows(Model, path.with_suffix(".jsonl")).y == [["bug"]]


def test_a_tagger_reads_columns_of_tokens_and_tables_of_words(folders):
    (folders / "my.conll").write_bytes(b"# one\nEU\tB-ORG\nrejects\tO\n\nUlm\tB-LOC\n")
    (folders / "my.csv").write_text("tokens,tags\nEU rejects,B-ORG O\nUlm,B-LOC\n")
    (folders / "my.jsonl").write_text(
        '{"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]}\n'
        '{"tokens": ["Ulm"], "tags": ["S-LOC"]}\n'
    )
    shown = {run("tagger", "--input", folders / f"my.{kind}").stdout for kind in ("conll", "csv")}
    shown.add(run("tagger", "--input", folders / "my.jsonl").stdout)
    assert len(shown) == 1
    assert "2 rows, 3 tokens, 2 entities" in shown.pop()
    (folders / "my.conll").write_text("Rex B-DOG\n")
    assert "B-DOG" in run("tagger", "--input", folders / "my.conll").output


def test_a_translator_is_measured_with_its_beam(folders):
    path = write(folders / "my.tsv", ["source", "target"], [("A dog runs.", "Ja")], "\t")
    result = run("translator", "--input", path, "--beam-size", 1)
    assert "BLEU" in result.output
    assert "beam 1" in result.output
    result = run("translator", "--input", path, "--plot", "report.png")
    assert result.exit_code == 1
    assert "no classes to draw" in result.output


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--input", "no.csv"], 1, "--input must be an existing file"),
        (["--input", "my.csv", "--split", "dev"], 2, "--input is in place of"),
        (["--plot", "report.png"], 2, "--plot needs --input"),
        (["--input", "my.csv", "--output", "report.txt"], 1, "must end with .json"),
        (["--input", "my.csv", "--plot", "nowhere/report.png"], 1, "Make the folder"),
        (["--input", "my.csv", "--beam-size", "2"], 1, "has no argument `beam_size`"),
    ],
)
def test_options_that_cannot_be_are_told(folders, options, code, message):
    write(folders / "my.csv", ["text", "label"], ROWS)
    result = run("classifier", *options)
    assert result.exit_code == code
    assert message in result.output
