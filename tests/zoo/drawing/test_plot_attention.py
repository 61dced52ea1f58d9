"""`zoo.plot_attention`: the right drawing of each answer, once in a notebook, or an error."""

import subprocess
import sys

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

import zoo
from zoo.models.answers import Answers
from zoo.models.classifications import Classification, TokenWeight
from zoo.models.entities import Entities
from zoo.models.translation import Translation

TRANSLATED = Translation("Ein Hund", -0.1, ["▁a", "▁dog"], ["▁Ein", "▁Hund"], np.eye(2), False)
TOKENS = [TokenWeight("not", 0, 3, 0.2), TokenWeight("good", 4, 8, 0.8)]
CLASSIFIED = Classification("bad", 0.75, {"good": 0.25, "bad": 0.75}, TOKENS)


def test_each_kind_of_answer_has_its_drawing(tmp_path):
    table = zoo.plot_attention(TRANSLATED)
    assert [label.get_text() for label in table.axes[0].get_xticklabels()] == ["a", "dog"]
    words = zoo.plot_attention(CLASSIFIED, tmp_path / "words.svg")
    assert "bad 75.0%" in words.axes[0].texts[0].get_text()
    assert (tmp_path / "words.svg").read_bytes().startswith(b"<?xml")


def test_a_tilde_is_the_users_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    zoo.plot_attention(TRANSLATED, "~/table.png")
    assert (tmp_path / "table.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("answer", [TRANSLATED, CLASSIFIED])
def test_a_notebook_shows_it_once(answer):
    """By itself, and where pyplot is there and shows the figures that it knows of."""
    shell = InteractiveShell()
    figure = zoo.plot_attention(answer)
    shown, _ = shell.display_formatter.format(figure)
    assert set(shown) == {"image/png", "text/plain"}
    assert figure._repr_png_().startswith(b"\x89PNG")
    from matplotlib import pyplot

    assert pyplot.get_fignums() == []


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (TRANSLATED._replace(attention=None), ValueError, "without attention"),
        (Translation("", 0.0, ["</s>"], [], np.zeros((0, 1)), False), ValueError, "blank text"),
        (CLASSIFIED._replace(tokens=None), ValueError, "return_attention=True"),
        (CLASSIFIED._replace(tokens=[]), ValueError, "blank text"),
        (Answers([TRANSLATED]), TypeError, r"`answers\[0\]`"),
        ("Ein Hund", TypeError, "return_attention=True.*Received: str"),
        (Entities([], "text"), TypeError, "Received: Entities"),
    ],
)
def test_what_has_nothing_to_draw_is_told(answer, error, message, tmp_path):
    with pytest.raises(error, match=message):
        zoo.plot_attention(answer, tmp_path / "table.png")
    assert not list(tmp_path.iterdir())


def test_importing_the_zoo_loads_no_matplotlib():
    code = (
        "import sys, zoo; zoo.plot_attention; "
        "sys.exit(bool({'matplotlib', 'numpy', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
