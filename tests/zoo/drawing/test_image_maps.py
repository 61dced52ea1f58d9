"""The picture once per word: what is drawn where, and bad input."""

import numpy as np
import pytest

from zoo.drawing.image_maps import _stretched, attention_maps

PICTURE = np.full([40, 60, 3], 200, np.uint8)
WORDS = ["a", "dog", "runs"]


def corner_maps():
    maps = np.zeros([3, 2, 2])
    maps[:, 0, 1] = [0.5, 0.05, 1.0]  # the upper right
    return maps


def shown(figure, panel):
    return np.asarray(figure.axes[panel].images[0].get_array())


def test_a_panel_for_the_picture_and_for_each_word(tmp_path):
    path = tmp_path / "maps.png"
    figure = attention_maps(PICTURE, WORDS, corner_maps(), path, title="a dog runs")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [axes.get_title() for axes in figure.axes] == ["", *WORDS]
    np.testing.assert_array_equal(shown(figure, 0), PICTURE)


def test_bright_where_the_model_looked_whatever_the_scale():
    figure = attention_maps(PICTURE, WORDS, corner_maps())
    for panel in (1, 2, 3):
        pixels = shown(figure, panel)
        np.testing.assert_array_equal(pixels[0, -1], [200, 200, 200])
        np.testing.assert_array_equal(pixels[-1, 0], [70, 70, 70])
    np.testing.assert_array_equal(shown(figure, 1), shown(figure, 2))


def test_many_words_go_on_in_further_rows():
    figure = attention_maps(PICTURE, ["w"] * 13, np.ones([13, 7, 7]))
    positions = [axes.get_position() for axes in figure.axes]
    assert len({round(p.y0, 3) for p in positions}) == 3
    assert all(p.x0 >= 0 and p.x1 <= 1 and p.y0 >= 0 and p.y1 <= 1 for p in positions)


def test_a_map_is_stretched_smoothly_and_keeps_its_range():
    weights = np.array([[0.0, 1.0], [0.0, 0.0]])
    large = _stretched(weights, 8, 12)
    assert large.shape == (8, 12)
    assert (large[0, 0], large[0, -1], large[-1, -1]) == (0, 1, 0)
    assert (np.diff(large[0]) >= 0).all()
    np.testing.assert_allclose(_stretched(weights, 2, 2), weights)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((PICTURE, "dog", np.ones([3, 2, 2])), TypeError, "`words` must be a list"),
        ((PICTURE, [], np.ones([0, 2, 2])), ValueError, "at least one word"),
        ((PICTURE / 255, ["dog"], np.ones([1, 2, 2])), ValueError, "float64 of shape"),
        ((PICTURE[0], ["dog"], np.ones([1, 2, 2])), ValueError, r"shape \[60, 3\]"),
        ((PICTURE, ["dog"], np.ones([2, 2, 2])), ValueError, r"\[1, rows, columns\]"),
        ((PICTURE, ["dog"], np.full([1, 2, 2], np.nan)), ValueError, "finite"),
        ((PICTURE, ["dog"], np.ones([1, 2, 2]), "a.txt"), ValueError, ".png, .svg, .pdf"),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        attention_maps(*arguments)
