"""The notebooks of docs/ run from their start, and show what is kept in them."""

import re
from pathlib import Path

import nbformat
import pytest

from tests.notebook import executed

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOKS = sorted(DOCS.glob("*.ipynb"))


def shown(cell):
    """What a cell shows: of which kinds, and as text without numbers, which no two machines share.

    Whether it comes in one piece or in several is no matter.
    """
    kinds, text = set(), ""
    for output in cell.get("outputs", ()):
        assert output.output_type != "stream" or output.name == "stdout", output.text
        data = output.get("data", {"text/plain": output.get("text", "")})
        kinds |= set(data)
        text += re.sub(r"\d+(\.\d+)?(e-\d+)?", "0", data["text/plain"])
    return kinds, "".join(text.split())


def test_there_are_notebooks():
    assert DOCS / "first_steps.ipynb" in NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_tells_nothing_of_the_machine_it_ran_on(path):
    text = path.read_text(encoding="utf-8")
    for word in ("/home/", "/root/", "/tmp/", "/work/", "Traceback", "WARNING", 'execution"'):
        assert word not in text
    assert len(text) < 500_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_and_shows_what_is_kept_in_it(path, tmp_path):
    """To keep new outputs: `python -m tests.notebook docs/first_steps.ipynb`."""
    kept, new = nbformat.read(path, as_version=4), executed(path, tmp_path)
    for before, after in zip(kept.cells, new.cells, strict=True):
        assert shown(before) == shown(after), before.source
    assert {"text/html", "image/png"} <= set.union(*(shown(cell)[0] for cell in new.cells))
