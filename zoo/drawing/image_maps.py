"""Where a captioner looked for each word: the picture once per word, its map laid over it.

After Xu et al. 2015, figures 2 and 3. As with the attention table, matplotlib is imported when
something is drawn, and there is no window and no global state.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from zoo.drawing.fonts import find_fonts
from zoo.drawing.labels import shortened, visible
from zoo.drawing.plotting import check_target, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 1.9  # inches
LABEL = 0.26  # inches of a word above its panel
MOST_COLUMNS = 6
DIMMED = 0.35  # brightness of what the model did not look at


def attention_maps(
    picture: ArrayLike,
    words: Sequence[str],
    maps: ArrayLike,
    path: str | Path | None = None,
    title: str | None = None,
) -> "Figure":
    """Draw the picture, and once more for each word, bright where the model looked.

    Each map is stretched over the whole picture, smoothly, and drawn relative to its own largest
    value: maps tell where, not how much.

    Args:
        picture: uint8 `[height, width, 3]`, of the proportions that shall be drawn.
        words: The words of the caption.
        maps: Float `[len(words), rows, columns]`, from the picture's upper left corner.
        path: Where to write the figure: `.png`, `.svg` or `.pdf`. None: it is only returned.
        title: Text above the figure, such as the caption.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        TypeError: `words` is not a list of strings.
        ValueError: There are no words, picture or maps are of another shape or not finite, or
            `path` has another suffix.
        OSError: `path` cannot be written; an existing file there is left as it was.

    Example:
        >>> figure = attention_maps(np.zeros([8, 8, 3], np.uint8), ["dog"], np.ones([1, 2, 2]))
    """
    from matplotlib.figure import Figure

    picture, maps = _checked(picture, words, maps)
    if path is not None:
        check_target(path)
    families, (title, *labels) = find_fonts(
        [title or "", *(shortened(visible(word)) or "␣" for word in words)]
    )
    panels = len(words) + 1
    columns = min(MOST_COLUMNS, panels)
    rows = math.ceil(panels / columns)
    height = PANEL * picture.shape[0] / picture.shape[1]
    head = 0.35 if title else 0.05
    size = (columns * (PANEL + 0.08), rows * (height + LABEL) + head)
    figure = Figure(figsize=size, dpi=100)
    style = {"fontfamily": families, "parse_math": False}
    for place in range(panels):
        row, column = divmod(place, columns)
        left = (column * (PANEL + 0.08) + 0.04) / size[0]
        bottom = 1 - (head + (row + 1) * (height + LABEL)) / size[1]
        axes = figure.add_axes((left, bottom, PANEL / size[0], height / size[1]))
        axes.set_axis_off()
        if place == 0:
            axes.imshow(picture, aspect="auto", interpolation="bilinear")
        else:
            _draw_map(axes, picture, maps[place - 1])
            axes.set_title(labels[place - 1], fontsize=10, pad=3, **style)
    if title:
        at = (0.04 / size[0], 1 - 0.05 / size[1])
        figure.text(*at, title, va="top", fontsize=11, **style)
    if path is not None:
        save_figure(figure, path)
    return figure


def _draw_map(axes: "Axes", picture: np.ndarray, weights: np.ndarray) -> None:
    """The picture in dark grey, and over it where the weights are large, in its colours."""
    height, width = picture.shape[:2]
    grey = picture.astype(np.float32) @ np.float32([0.299, 0.587, 0.114])
    light = _stretched(weights / max(weights.max(), 1e-12), height, width)[:, :, np.newaxis]
    dark = DIMMED * grey[:, :, np.newaxis]
    axes.imshow(
        (dark + light * (picture - dark)).clip(0, 255).astype(np.uint8),
        aspect="auto",
        interpolation="bilinear",
    )


def _stretched(weights: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear interpolation of `[rows, columns]` to `[height, width]`, corners held."""
    for axis, size in ((0, height), (1, width)):
        count = weights.shape[axis]
        # The middle of each new pixel in places of the old ones.
        at = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, count - 1)
        share = (at - low).reshape([-1, 1] if axis == 0 else [1, -1])
        weights = (1 - share) * weights.take(low, axis) + share * weights.take(high, axis)
    return weights


def _checked(
    picture: ArrayLike, words: Sequence[str], maps: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(words, str | bytes) or not all(isinstance(word, str) for word in words):
        raise TypeError(f"`words` must be a list of strings. Received: words={words!r}")
    if not len(words):
        raise ValueError("`words` must hold at least one word. Received: words=[]")
    picture, maps = np.asarray(picture), np.asarray(maps, np.float32)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(
            "`picture` must be uint8 of shape [height, width, 3]. "
            f"Received: {picture.dtype} of shape {list(picture.shape)}"
        )
    if maps.ndim != 3 or len(maps) != len(words) or 0 in maps.shape:
        raise ValueError(
            f"`maps` must have shape [{len(words)}, rows, columns], one map for each word. "
            f"Received: shape {list(maps.shape)}"
        )
    if not np.isfinite(maps).all() or (maps < 0).any():
        raise ValueError("`maps` must be finite and not negative. Received: others")
    return picture, maps
