"""The attention table: readable labels, every script, safe files, bad input."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from zoo.drawing.plotting import attention_table

SOURCE = ["▁a", "▁dog", ".", "</s>"]
TARGET = ["▁ein", "▁Hund", "▁b", "ellt", "."]
WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(4), size=5).astype("float32")


def labels(figure):
    axes = figure.axes[0]
    return (
        [text.get_text() for text in axes.get_xticklabels()],
        [text.get_text() for text in axes.get_yticklabels()],
    )


def test_source_on_top_target_at_the_left_and_the_weights_between():
    figure = attention_table(SOURCE, TARGET, WEIGHTS, title="A title")
    axes, bar = figure.axes
    assert labels(figure) == (["a", "dog", ".", "</s>"], ["ein", "Hund", "b-", "ellt", "."])
    np.testing.assert_array_equal(axes.images[0].get_array(), WEIGHTS)
    assert axes.images[0].get_clim() == (0, 1)
    assert axes.xaxis.get_ticks_position() == "top"
    assert axes.get_ylim() == (4.5, -0.5)  # the first target word is the top row
    assert bar.get_ylim() == (0, 1)
    assert [text.get_text() for text in figure.texts] == ["A title"]


def test_words_without_subword_marks_stay_as_they_are():
    tokens = ["well", "known", "$x^2$"]
    assert labels(attention_table(tokens, tokens, np.eye(3)))[0] == tokens


def test_chinese_pieces_get_no_hyphen_and_a_lone_mark_is_visible():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there may be no Chinese font here
        figure = attention_table(["▁", "▁A", "b"], ["▁我", "也"], np.ones((2, 3)) / 3)
    top, left = labels(figure)
    assert top == ["␣", "A-", "b"]
    assert [len(label) for label in left] == [1, 1]


def test_a_character_without_a_font_is_a_box_and_a_clear_warning(tmp_path, monkeypatch):
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", list)
    with pytest.warns(UserWarning, match=r"can draw: 不 我\..*fonts-noto-cjk") as record:
        figure = attention_table(["我", "a"], ["不"], [[0.5, 0.5]], tmp_path / "t.png")
    assert labels(figure) == (["□", "a"], ["□"])
    assert len(record) == 1  # matplotlib has nothing to add, not even when it draws


def test_an_installed_font_is_used_for_what_the_default_lacks(tmp_path, monkeypatch):
    """DejaVu Sans Mono, which comes with matplotlib, has U+2312; DejaVu Sans has not."""
    from matplotlib import font_manager

    mono = font_manager.findfont("DejaVu Sans Mono")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [mono])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = attention_table(["⌒"], ["b"], [[1.0]], tmp_path / "t.png")
    label = figure.axes[0].get_xticklabels()[0]
    assert label.get_text() == "⌒"
    default, fallback = label.get_fontfamily()
    assert default == "DejaVu Sans"
    assert font_manager.findfont(font_manager.FontProperties(family=[fallback])) == mono


@pytest.mark.parametrize(
    "token",
    [
        "שלום",
        "مرحبا",
        "😀",
        "👩‍👩‍👧",
        "❤️",
        "\x00",
        "\ud800",
        "\u202eabc",
        "ก็",
        "a" * 500,
        "",
        "$",
        "\\frac",
    ],
)
@pytest.mark.filterwarnings("ignore:No installed font")
def test_no_token_breaks_the_figure(token, tmp_path):
    attention_table([token, "b"], ["c"], [[0.5, 0.5]], tmp_path / "t.png", title=token)
    assert (tmp_path / "t.png").stat().st_size > 1000


def test_a_long_sentence_makes_a_larger_figure_up_to_a_limit():
    def width(n):
        return attention_table(["w"] * n, ["w"], np.ones((1, n))).get_size_inches()[0]

    assert width(40) > 2 * width(15)
    assert width(3000) < 45
    assert len(labels(attention_table(["w"] * 3000, ["w"], np.ones((1, 3000))))[0]) < 400


@pytest.mark.parametrize(
    ("name", "magic"), [("t.png", b"\x89PNG"), ("t.SVG", b"<?xml"), ("t.pdf", b"%PDF")]
)
def test_the_suffix_is_the_format(tmp_path, name, magic):
    attention_table(SOURCE, TARGET, WEIGHTS, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(magic)
    assert os.listdir(tmp_path) == [name]


def test_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "t.png"
    path.write_text("old")
    attention_table(SOURCE, TARGET, WEIGHTS, path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("No space left on device")

    path = tmp_path / "t.png"
    path.write_text("old")
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises(OSError, match="No space left"):
        attention_table(SOURCE, TARGET, WEIGHTS, path)
    assert os.listdir(tmp_path) == ["t.png"]
    assert path.read_text() == "old"


def test_paths_that_cannot_be_written_are_named(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"must end with \.png, \.svg, \.pdf\. Received.*t\.gif"):
        attention_table(SOURCE, TARGET, WEIGHTS, tmp_path / "t.gif")
    with pytest.raises(FileNotFoundError, match=r"existing folder.*Make the folder"):
        attention_table(SOURCE, TARGET, WEIGHTS, tmp_path / "none" / "t.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(IsADirectoryError, match="Received a folder"):
        attention_table(SOURCE, TARGET, WEIGHTS, tmp_path / "folder.png")
    locked = tmp_path / "locked.png"
    locked.write_text("old")
    # Root may write everything: the answer a usual account gets.
    monkeypatch.setattr(os, "access", lambda path, mode: path != locked)
    with pytest.raises(PermissionError, match=r"cannot be written.*locked\.png"):
        attention_table(SOURCE, TARGET, WEIGHTS, locked)
    assert locked.read_text() == "old"


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"= \[5, 4\]\. Received: shape \[4, 5\]"):
        attention_table(SOURCE, TARGET, WEIGHTS.T)
    with pytest.raises(ValueError, match="`target_tokens` must hold at least one"):
        attention_table(SOURCE, [], np.zeros((0, 4)))
    with pytest.raises(ValueError, match="must be finite"):
        attention_table(["a"], ["b"], [[np.nan]])
    with pytest.raises(TypeError, match="`source_tokens` must be a list of strings"):
        attention_table("a dog", TARGET, WEIGHTS)
    with pytest.raises(TypeError, match="`target_tokens` must be a list of strings"):
        attention_table(SOURCE, [b"ein"] * 5, WEIGHTS)


def test_matplotlib_is_imported_when_something_is_drawn():
    code = "import sys, zoo.drawing.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_pyplot_and_so_no_global_state():
    code = (
        "import sys; from zoo.drawing.plotting import attention_table;"
        "attention_table(['a'], ['b'], [[1.0]]); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
