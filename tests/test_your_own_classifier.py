"""`docs/your_own_classifier.md` keeps its word: its files make a served model, as good as told."""

import csv
import re

import pytest

from tests.guides import Guide, Reader

GUIDE = Guide("your_own_classifier.md")
# The epoch that is kept is the best of eight, of which the guide's was the fifth.
SHORTER = {"epochs=8": "epochs=5"}
# A threshold lies anywhere between the scores of two texts: the order of the data moves it.
THRESHOLDS = "{'broken': "
CLASSES = ["broken", "delivery", "praise", "refund"]


def figures(line):
    """The shares between 0 and 1 that a line shows."""
    return [float(number) for number in re.findall(r"\b[01]\.\d+\b", line)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    files = dict(GUIDE.files)
    for long, short in SHORTER.items():
        assert long in files["train.py"]
        files["train.py"] = files["train.py"].replace(long, short)
    return Reader(tmp_path_factory.mktemp("your_own_classifier"), files)


@pytest.fixture(scope="module")
def printed(reader):
    """What the commands of the guide print, but for the server."""
    runs = [GUIDE.command("python", f"{name}.py") for name in ("make_feedback", "train", "topics")]
    # Without the check of an export in a process of its own: below it is served and asked.
    export = [*GUIDE.command("zoo-export"), "--no-verify"]
    return reader.run(*runs, GUIDE.command("zoo"), export)


def test_the_data_is_as_the_guide_says(reader, printed):
    with open(reader.folder / "feedback.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    filled = [row for row in rows if row["text"] and row["team"]]
    assert len(rows) / 50 < len(rows) - len(filled) < len(rows) / 20
    assert len({row["text"] for row in filled}) < len(filled)
    delivery = sum(row["team"] == "delivery" for row in filled) / len(filled)
    assert delivery == pytest.approx(0.55, abs=0.05)


@pytest.mark.parametrize("script", ["train.py", "topics.py"])
def test_the_models_are_as_good_as_the_guide_says(printed, script):
    """Each line of figures that is shown was printed, but for what another machine rounds."""
    shown = [line for line in GUIDE.output(f"python {script}").splitlines() if figures(line)]
    assert len(shown) >= 5
    for line in shown:
        name = re.split(r"\s{2,}|[{:,]", line.strip())[0]
        alike = [
            of for of in printed.splitlines() if re.split(r"\s{2,}|[{:,]", of.strip())[0] == name
        ]
        tolerance = 0.5 if line.startswith(THRESHOLDS) else 0.1
        assert any(figures(of) == pytest.approx(figures(line), abs=tolerance) for of in alike), line


def test_the_served_model_says_what_the_command_line_says(reader, printed):
    text, curl = GUIDE.command("zoo", "run")[3], GUIDE.command("curl")
    with reader.serve(GUIDE.command("zoo-serve")) as ask:
        (prediction,) = reader.curl(ask, curl)["predictions"]
        assert b'"feedback"' in ask("http://127.0.0.1:8501/")
    assert text in curl[2]
    assert prediction["labels"] == CLASSES
    assert f"{prediction['label']} {prediction['score']:.3f}" in printed.splitlines()
