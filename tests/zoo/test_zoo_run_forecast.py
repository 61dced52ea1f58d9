"""`zoo run` of a forecaster: files, numbers, lines; JSON and the picture; what is refused."""

import json

import pytest
from click.testing import CliRunner

import zoo
from tests.zoo.models.tiny_forecaster import HORIZON, measured_forecaster, quarters
from zoo.__main__ import main

SERIES = quarters().tolist()
TEXT = ",".join(map(str, SERIES))


@pytest.fixture(scope="module")
def model():
    return measured_forecaster()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    return str(zoo.save(model, tmp_path_factory.mktemp("forecaster") / "tiny", half=False))


@pytest.fixture
def run(folder, model, monkeypatch, tmp_path):
    monkeypatch.setattr(zoo, "load", lambda name: model)  # its graphs are traced once
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{at},{value}\n" for at, value in enumerate(SERIES))
    (tmp_path / "sales.csv").write_text(f"quarter,units\n{rows}")

    def run(*arguments, **options):
        return CliRunner().invoke(main, ["run", folder, *arguments], **options)

    return run


def test_a_file_gets_a_line_a_step_and_a_picture(run, model, tmp_path):
    done = run("sales.csv", "--plot", "next.png", "--interval", "0.8", "--steps", "3")
    assert done.exit_code == 0, done.output
    answer = model.forecast(SERIES, steps=3, interval=0.8)
    rows = [list(map(float, line.split("\t"))) for line in done.stdout.splitlines()]
    for row, expected in zip(rows, zip(*answer[:3], strict=True), strict=True):
        assert row == pytest.approx(expected, rel=1e-5)
    assert done.stderr.strip() == "Forecast: next.png"
    assert (tmp_path / "next.png").read_bytes().startswith(b"\x89PNG")


def test_several_series_get_a_line_each_and_json_has_all(run, model):
    answers = model.forecast([SERIES, SERIES[:40]])
    lines = run("sales.csv", TEXT).stdout.splitlines()
    assert [len(line.split("\t")) for line in lines] == [HORIZON, HORIZON]
    shorter = " ".join(map(str, SERIES[:40]))
    rows = [json.loads(line) for line in run("--json", input=f"{TEXT}\n{shorter}\n").stdout.split("\n")[:2]]  # fmt: skip  # noqa: E501
    for row, answer in zip(rows, answers, strict=True):
        assert row["forecast"] == pytest.approx(answer.mean, rel=1e-5)
        assert row["lower"] == pytest.approx(answer.lower, rel=1e-5)
        assert row["interval"] == 0.9
        assert "text" not in row
    assert json.loads(run("sales.csv", "--json").stdout)["series"] == "sales.csv"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["1,2,x"], 1, "name of a file, or numbers with commas or blanks between them"),
        (["none.csv"], 1, "Received: 'none.csv'"),
        ([""], 1, "name of a file, or numbers"),
        (["1,2,3"], 1, "at least 12 numbers each"),
        (["1,nan,3"], 1, "finite numbers"),
        (["sales.csv", "--steps", "6"], 1, "`steps` must be at most 5"),
        (["sales.csv", "--interval", "1"], 2, "0.99"),
        (["sales.csv", "--beam-size", "2"], 2, "--beam-size is not for a model that can forecast"),
        (["sales.csv", TEXT, "--plot", "a.png"], 2, "--plot draws one series"),
        (["sales.csv", "--plot", "a.txt"], 1, "must end with .png"),
        (["-", "--plot", "a.png"], 2, "--plot is for TEXTS"),
    ],
)
def test_what_is_refused(run, arguments, code, message):
    done = run(*arguments)
    assert (done.exit_code, message in done.output) == (code, True), done.output
