"""`docs/your_own_tagger.md` keeps its word: from a file with offsets to a served model."""

import json
import re

import pytest

from tests.guides import Guide, Reader

GUIDE = Guide("your_own_tagger.md")


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return Reader(tmp_path_factory.mktemp("your_own_tagger"), GUIDE.files)


@pytest.fixture(scope="module")
def printed(reader):
    """What training, the mistakes and `zoo run` print, in one process that exports too."""
    # Without the check of an export in a process of its own: below it is served and asked.
    export = [*GUIDE.command("zoo-export"), "--no-verify"]
    train, mistakes, columns = (
        GUIDE.command("python", f"{name}.py") for name in ("train", "mistakes", "columns")
    )
    return reader.run(train, GUIDE.command("zoo", "run"), export, mistakes, columns)


def test_every_span_is_what_it_says():
    """The offsets in the document are right: each type has its own words."""
    for name, count in (("train.jsonl", 40), ("test.jsonl", 12)):
        entries = [json.loads(line) for line in GUIDE.files[name].splitlines()]
        assert len(entries) == count
        for entry in entries:
            for start, end, kind in entry["entities"]:
                words = entry["text"][start:end]
                assert words == words.strip(" .,?")
                assert kind in ("PART", "WHEN")


def test_it_learns_what_it_says(printed):
    """The figure is of one machine; elsewhere rounding makes it a little different."""
    f1 = float(re.search(r"^F1 (\S+)$", printed, re.M)[1])
    said = float(re.search(r"^F1 (\S+)$", GUIDE.output("python train.py"), re.M)[1])
    assert f1 == pytest.approx(said, abs=0.15)
    assert printed.splitlines()[0] == GUIDE.output("python train.py").splitlines()[0]


def test_mistakes_are_told_as_the_guide_shows(printed):
    assert GUIDE.output("python mistakes.py") in printed


def test_it_is_served(reader, printed):
    with reader.serve(GUIDE.command("zoo-serve")) as ask:
        outputs = reader.curl(ask, GUIDE.command("curl"))["outputs"]
    (count,) = outputs["counts"]
    (text,) = json.loads(GUIDE.command("curl")[2])["inputs"]
    assert count >= 1
    found = zip(*(outputs[name][0] for name in ("entities", "starts", "ends")), strict=True)
    for words, start, end in list(found)[:count]:
        assert text[start:end] == words
