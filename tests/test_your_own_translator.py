"""`docs/your_own_translator.md` keeps its word, on made-up pairs and in one short epoch."""

import json

import pytest

import zoo
from tests import corpus
from tests.guides import Guide, Reader

GUIDE = Guide("your_own_translator.md")
SHORTER = {"pairs=200, test_pairs=100": "pairs=24, test_pairs=8", "epochs=10": "epochs=1"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The reader after `train.py` and `thresholds.py`, and what they printed."""
    files = dict(GUIDE.files)
    for long, short in SHORTER.items():
        assert long in files["train.py"]
        files["train.py"] = files["train.py"].replace(long, short)
    lines = "".join(f"{english}\t{german}\n" for english, german in corpus.sentence_pairs())
    files["tatoeba/deu.txt"] = lines
    reader = Reader(tmp_path_factory.mktemp("your_own_translator"), files)
    scripts = [GUIDE.command("python", name) for name in ("train.py", "thresholds.py")]
    return reader, reader.run(*scripts)


def test_it_is_trained_measured_and_saved(trained):
    reader, output = trained
    assert "chrF before: " in output
    own, preset = (
        json.loads((folder / "config.json").read_text())["config"]
        for folder in (
            reader.folder / "german_to_english",
            zoo.presets.PRESETS_DIR / "nmt_attention",
        )
    )
    assert {**own, "doubt": None} == {**preset, "doubt": None}


def test_it_has_thresholds_of_its_own(trained):
    reader, _ = trained
    old, new = (
        json.loads((reader.folder / name / "config.json").read_text())["config"]["doubt"]
        for name in ("german_to_english", "german_to_english_2")
    )
    assert old["score"] != new["score"] < 0
    assert {**old, "score": 0} == {**new, "score": 0}


def test_it_is_served(trained):
    reader, _ = trained
    with reader.serve(GUIDE.command("zoo-serve")) as ask:
        (answer,) = reader.curl(ask, GUIDE.command("curl"))["predictions"]
    assert set(answer) == {"translation", "score", "low_confidence"}
    assert isinstance(answer["low_confidence"], bool)
