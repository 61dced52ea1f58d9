"""`zoo run` on files: what is read, what is written, and how a run that was stopped goes on."""

import csv
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import textwrap

import pytest
from click.testing import CliRunner

import zoo
from tests import corpus
from zoo import batch_run, entry_file
from zoo.__main__ import main
from zoo.batch_run import BatchRun
from zoo.entry_file import EntryFile


def answers(texts):
    """Stands for a model: refuses what is too long, and a whole list for it."""
    if any(len(text) > 100 for text in texts):
        raise ValueError("a text has at most 100 bytes")
    return [{"label": "even" if len(text) % 2 == 0 else "odd", "score": 0.5} for text in texts]


def answered(path, output, column=None, resume=False, answers=answers, **settings):
    run = BatchRun(EntryFile(path, column), output, settings, resume)
    run.answer(answers)
    return run


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(entry_file, "CHUNK_ROWS", 4)


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"".join(b"line %d %s\n" % (n, b"x" * (n % 7)) for n in range(30)))
    return path


def json_rows(path):
    return [json.loads(line) for line in path.read_bytes().decode().splitlines()]


def test_the_answers_are_those_of_the_verb(tmp_path, monkeypatch):
    model = corpus.loud(corpus.tiny_sentiment())
    monkeypatch.setattr(zoo, "load", {"sentiment": model}.__getitem__)
    texts = [text for text, _ in corpus.reviews()] + ["", "bad \ufffd byte"]
    path, output = tmp_path / "in.txt", tmp_path / "out.jsonl"
    path.write_bytes("\r\n".join(texts).encode().replace("\ufffd".encode(), b"\xff"))
    arguments = ["run", "sentiment", "--input", str(path)]
    result = CliRunner().invoke(main, [*arguments, "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert f"{len(texts)} answers" in result.stderr
    expected = model.classify(texts)
    for row, text, answer in zip(json_rows(output), texts, expected, strict=True):
        assert (row["text"], row["label"]) == (text, answer.label)
        assert row["score"] == pytest.approx(answer.score, abs=1e-5)
        assert row["probabilities"] == pytest.approx(answer.probabilities, abs=1e-5)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.txt", "out.jsonl"]
    shown = CliRunner().invoke(main, arguments).stdout.splitlines()
    assert shown == [f"{answer.label} {answer.score:.3f}" for answer in expected]
    again = CliRunner().invoke(main, [*arguments, "--output", str(output)])
    assert (again.exit_code, "--output exists already" in again.output) == (1, True)


def test_csv_is_read_as_spreadsheets_write_it(tmp_path):
    path, output = tmp_path / "in.csv", tmp_path / "out.csv"
    texts = ['He said "no", twice', "two\r\nlines", "größe 我", "", "bad \ufffd"]
    text = io.StringIO()
    writer = csv.writer(text)  # ends lines with CRLF
    writer.writerows([["id", "review", "label"], *([n, t, "x"] for n, t in enumerate(texts))])
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode().replace("\ufffd".encode(), b"\xff"))
    assert answered(path, output, "review").answered == len(texts)
    with open(output, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # What is in the file keeps its name.
    assert list(rows[0]) == ["id", "review", "label", "predicted_label", "score"]
    assert [row["review"] for row in rows] == texts
    assert [row["id"] for row in rows] == list("01234")
    assert {row["label"] for row in rows} == {"x"}
    expected = [answer["label"] for answer in answers([text.encode() for text in texts])]
    assert [row["predicted_label"] for row in rows] == expected
    answered(path, tmp_path / "out.jsonl", "review")
    assert json_rows(tmp_path / "out.jsonl")[1] == {
        "id": "1",
        "review": "two\r\nlines",
        "label": "x",
        "predicted_label": expected[1],
        "score": 0.5,
    }


def test_values_between_tabs_are_read_too(tmp_path):
    path = tmp_path / "in.tsv"
    path.write_text('id\treview\n1\tgood, or so\n2\t"two\tparts"\n')
    assert [row.text for row in EntryFile(path, "review").rows()] == [b"good, or so", b"two\tparts"]
    assert answered(path, tmp_path / "out.csv", "review").answered == 2


def test_bad_rows_are_told_in_a_file_beside(tmp_path):
    path, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        '{"text": "a"}',
        "",
        "{",
        "[1]",
        '{"txt": "b"}',
        '{"text": 3}',
        '{"text": "%s"}' % ("x" * 101),
    ]
    rows += ['{"text": "\\ud800", "id": 7}', '{"text": "last"}']
    path.write_text("\n".join(rows), encoding="utf-8")
    run = answered(path, output)
    assert (run.answered, run.refused) == (3, 5)
    assert [row["text"] for row in json_rows(output)] == ["a", "?", "last"]
    assert json_rows(output)[1]["id"] == 7
    errors = json_rows(tmp_path / "out.jsonl.errors.jsonl")
    assert [row["row"] for row in errors] == [3, 4, 5, 6, 7]
    messages = "not JSON", "not an object", "missing. Columns: 'txt'", "is 3", "at most 100 bytes"
    for row, message in zip(errors, messages, strict=True):
        assert message in row["error"]
    path = tmp_path / "in.csv"
    path.write_text("a,text\n1,one\n2,two, unquoted\n3\n4,four\n", encoding="utf-8")
    assert answered(path, tmp_path / "out.csv").refused == 2
    errors = json_rows(tmp_path / "out.csv.errors.jsonl")
    assert [row["row"] for row in errors] == [2, 3]
    assert "3 values for 2 columns" in errors[0]["error"]


def test_what_cannot_be_read_or_written_is_told(tmp_path, lines):
    table, objects = tmp_path / "a.csv", tmp_path / "a.jsonl"
    table.write_bytes(b"id;review\n1;good\n")
    objects.write_bytes(b'{"id": 1, "review": "good"}\n')
    (tmp_path / "twice.csv").write_bytes(b"a,a\n1,2\n")
    (tmp_path / "wide.txt").write_bytes("good\n".encode("utf-16"))
    for name, column, message in (
        ("a.csv", "text", "no column 'text'. Columns of"),
        ("a.csv", "text", "'id;review'"),
        ("a.jsonl", "txt", "no column 'txt'"),
        ("a.jsonl", None, "say with --column which column to read. Columns of"),
        ("twice.csv", "a", "two columns of one name"),
        ("in.txt", "text", "--column is for .csv, .tsv and .jsonl"),
        ("wide.txt", None, "iconv -f UTF-16"),
        ("none.txt", None, "--input must be an existing file"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            EntryFile(tmp_path / name, column)
    with pytest.raises(ValueError, match="existing folder"):
        answered(lines, tmp_path / "none" / "out.jsonl")
    with pytest.raises(ValueError, match="JSON lines are answered by JSON lines"):
        answered(objects, tmp_path / "out.csv", "review")
    table.write_bytes(b'text\n"' + b"x" * 100)
    assert answered(table, tmp_path / "open.jsonl").answered == 1  # a quote that is never closed


@pytest.mark.parametrize("name", ["in.txt", "in.csv", "in.jsonl"])
@pytest.mark.parametrize("output", ["out.jsonl", "out.csv"])
def test_an_empty_file_has_no_answers(tmp_path, name, output):
    if (name, output) == ("in.jsonl", "out.csv"):
        return
    (tmp_path / name).write_bytes(b"")
    assert answered(tmp_path / name, tmp_path / output).answered == 0
    assert (tmp_path / output).read_bytes() == b""
    assert len(list(tmp_path.iterdir())) == 2


class Stop(BaseException):
    """Stands for a kill: nothing is tidied after it."""


def whole_output(path, folder):
    (folder / "whole").mkdir()
    answered(path, folder / "whole" / "out.jsonl")
    return (folder / "whole" / "out.jsonl").read_bytes()


@pytest.mark.parametrize("writes", range(1, 10))
def test_a_crash_between_answers_and_state_is_mended(tmp_path, lines, monkeypatch, writes):
    whole, output = whole_output(lines, tmp_path), tmp_path / "out.jsonl"
    left = iter(range(writes))
    write = batch_run.write_atomically

    def dying(path, data):
        if next(left, None) is None:
            raise Stop
        write(path, data)

    monkeypatch.setattr(batch_run, "write_atomically", dying)
    try:
        answered(lines, output)
    except Stop:
        with open(output, "ab") as file:
            file.write(b'{"text": "line 9')  # torn
        monkeypatch.setattr(batch_run, "write_atomically", write)
        answered(lines, output, resume=True)
    assert output.read_bytes() == whole
    assert not (tmp_path / "out.jsonl.state").exists()


def test_a_killed_run_goes_on(tmp_path, lines):
    whole, output = whole_output(lines, tmp_path), tmp_path / "out.jsonl"
    code = """
        import sys, time
        from pathlib import Path
        from zoo import batch_run, entry_file
        entry_file.CHUNK_ROWS = 4
        def answers(texts):
            time.sleep(0.05)
            return [{"label": "odd" if len(t) % 2 else "even", "score": 0.5} for t in texts]
        source = entry_file.EntryFile(Path(sys.argv[1]))
        run = batch_run.BatchRun(source, Path(sys.argv[2]), {}, True)
        run.answer(answers, lambda count: print(count, flush=True))
        assert "tensorflow" not in sys.modules
    """
    command = [sys.executable, "-c", textwrap.dedent(code), lines, output]
    kills = 0
    while True:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.readline()
            if kills < 3:
                process.send_signal(signal.SIGKILL)
                kills += 1
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        assert len(output.read_bytes()) < len(whole)
    assert output.read_bytes() == whole
    assert not list(tmp_path.glob(".out*"))


@pytest.fixture
def stopped(tmp_path, lines):
    """An output whose run was stopped in the third chunk."""
    left = iter(range(2))

    def stopping(texts):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return answers(texts)

    with pytest.raises(KeyboardInterrupt):
        answered(lines, tmp_path / "out.jsonl", answers=stopping, model="a")
    return tmp_path / "out.jsonl"


def test_only_the_same_run_goes_on(lines, stopped):
    assert len(json_rows(stopped)) == 8
    content = stopped.read_bytes()
    for settings, message in (
        ({"resume": True, "model": "b"}, "had another model: 'a'"),
        ({"resume": True, "model": "a", "beam_size": 2}, "had another beam_size"),
        ({"model": "a"}, "go on with a run that was stopped by --resume"),
    ):
        with pytest.raises(ValueError, match=message):
            answered(lines, stopped, **settings)
    whole = lines.read_bytes()
    lines.write_bytes(whole + b"more\n")
    with pytest.raises(ValueError, match="had another size"):
        answered(lines, stopped, resume=True, model="a")
    lines.write_bytes(whole)
    stopped.write_bytes(content[:-1])
    with pytest.raises(ValueError, match="it was changed"):
        answered(lines, stopped, resume=True, model="a")
    stopped.write_bytes(content)
    assert answered(lines, stopped, resume=True, model="a").answered == 30
    with pytest.raises(ValueError, match="it is complete, or of something else"):
        answered(lines, stopped, resume=True, model="a")


def test_two_runs_do_not_write_to_one_output(lines, stopped):
    content, inner = stopped.read_bytes(), []

    def second(texts):
        if not inner:
            inner.append(True)
            with pytest.raises(ValueError, match="another run is writing"):
                answered(lines, stopped, resume=True, model="a")
            assert stopped.read_bytes() == content
        return answers(texts)

    late = BatchRun(EntryFile(lines), stopped, {"model": "a"}, resume=True)
    assert answered(lines, stopped, resume=True, model="a", answers=second).answered == 30
    whole = stopped.read_bytes()
    with pytest.raises((OSError, ValueError), match="state"):
        late.answer(answers)
    assert stopped.read_bytes() == whole


def test_a_full_disk_leaves_what_was_whole(tmp_path, lines):
    whole, output = whole_output(lines, tmp_path), tmp_path / "out.jsonl"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The system writes up to this size and refuses the rest, as a full disk does.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            answered(lines, output)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    rows = json_rows(output)
    assert len(rows) % 4 == 0
    assert 0 < len(rows) < 30
    answered(lines, output, resume=True)
    assert output.read_bytes() == whole


def test_a_large_file_is_never_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(entry_file, "CHUNK_BYTES", 1000)
    path = tmp_path / "in.txt"
    path.write_bytes(b"word " * 99 + b"\n" + (b"word " * 19 + b"\n") * 2000)
    sizes = []

    def counted(texts):
        sizes.append(sum(map(len, texts)))
        return [{"length": len(text)} for text in texts]

    assert answered(path, tmp_path / "out.jsonl", answers=counted).answered == 2001
    assert max(sizes) < 1000 + 500
    monkeypatch.setattr(entry_file, "LONGEST_LINE", 400)
    with pytest.raises(ValueError, match="line 1: longer than 400 bytes"):
        answered(path, tmp_path / "other.jsonl")


def test_the_command_tells_of_ctrl_c_and_goes_on(tmp_path, lines, monkeypatch):
    model = corpus.loud(corpus.tiny_sentiment())
    monkeypatch.setattr(zoo, "load", {"sentiment": model}.__getitem__)
    output = tmp_path / "out.csv"
    arguments = ["run", "sentiment", "--input", str(lines), "--output", str(output)]
    classify, left = model.classify, iter(range(3))

    def stopping(*arguments, **options):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return classify(*arguments, **options)

    model.classify = stopping
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "Stopped after 12 answers. Go on with the same command and --resume" in result.stderr
    model.classify = classify
    result = CliRunner().invoke(main, [*arguments, "--resume"])
    assert result.exit_code == 0, result.output
    with open(output, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["text", "label", "score", "probabilities"]
    assert [row["text"] for row in rows] == lines.read_text().splitlines()
    assert json.loads(rows[0]["probabilities"]).keys() == {"negative", "positive"}


def test_arguments_that_do_not_go_together_are_told(lines):
    for arguments, message in (
        (["text", "--input", lines], "give TEXTS or --input, not both"),
        (["text", "--output", "out.jsonl"], "--output needs --input"),
        (["--input", lines, "--resume"], "--resume needs --output"),
        (["text", "--column", "text"], "--column needs --input"),
        (["--input", lines, "--attention", "a.png"], "--attention is for TEXTS"),
        (["--input", f"{lines}.not"], "--input must be an existing file"),
    ):
        result = CliRunner().invoke(main, ["run", "sentiment", *map(str, arguments)])
        assert (result.exit_code > 0, message in result.output) == (True, True), result.output


def test_no_tensorflow_is_loaded_for_a_mistake(tmp_path):
    code = """
        import sys
        from click.testing import CliRunner
        from zoo.__main__ import main
        result = CliRunner().invoke(main, sys.argv[1:])
        assert "tensorflow" not in sys.modules and "keras" not in sys.modules
        print(result.output)
    """
    (tmp_path / "a.csv").write_text("id,review\n")
    for arguments, message in (
        (["sentment", "good"], "Did you mean 'sentiment'"),
        (["sentiment", "good", "--beam-size", "2"], "--beam-size is not for a model"),
        (["sentiment", "good", "--attention", "none/a.png"], "existing folder"),
        (["sentiment", "--input", "a.csv", "--output", "b.csv"], "'id', 'review'"),
        (
            ["sentiment", "--input", "a.csv", "--column", "id", "--output", "a.csv"],
            "exists already",
        ),
    ):
        result = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), "run", *arguments],
            capture_output=True, text=True, cwd=tmp_path, env=os.environ,
        )  # fmt: skip
        assert (result.returncode, message in result.stdout) == (0, True), result
