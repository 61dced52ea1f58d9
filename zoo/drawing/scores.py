"""What a classifier confuses and how well it finds each class, as a figure.

matplotlib is imported when something is drawn. Figures are made without pyplot, as in `plotting`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.drawing.fonts import find_fonts
from zoo.drawing.labels import shortened, visible
from zoo.drawing.plotting import LONGEST_SIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.reports.base import Scores

SIZE = 9.0  # points
CELLS = {12: 0.5, 30: 0.32}  # inches, of the matrix, up to so many classes
SMALLEST_CELL = 0.2  # of more: too small to write into
BAR_ROW = 0.36  # inches, of one class's three bars
BARS = 3.0  # inches, the length of a bar of 1
LETTER = 0.085  # inches, about, of a label
COLOURS = {"precision": "#9ecae1", "recall": "#4292c6", "F1": "#08519c"}


def confusion_and_scores(
    classes: Mapping[str, "Scores"], confusion: np.ndarray, title: str = ""
) -> "Figure":
    """Draws a confusion matrix, and beside it precision, recall and F1 of each class.

    The colour of a cell is its share of its row: of what is so, how much was called so.

    Args:
        classes: The scores of each class by its name.
        confusion: How often a class (row) was called another (column), int `[classes, classes]`.
        title: Text above the figure.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    families, names, title = _labels(classes, title)
    count = len(names)
    cell = next((size for most, size in CELLS.items() if count <= most), SMALLEST_CELL)
    side = min(count * cell, LONGEST_SIDE / 2)
    figure, (matrix, bars) = _figure(names, side, title, families, widths=(side, BARS))
    style = {"fontfamily": families, "fontsize": SIZE, "parse_math": False}
    shares = confusion / np.maximum(1, confusion.sum(axis=1, keepdims=True))
    matrix.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    matrix.xaxis.tick_top()
    matrix.xaxis.set_label_position("top")
    matrix.set_xlabel("answer", fontsize=SIZE, labelpad=8)
    matrix.set_ylabel("truth", fontsize=SIZE)
    matrix.set_xticks(range(count), names, rotation=90, **style)
    matrix.set_yticks(range(count), names, **style)
    matrix.tick_params(length=0)
    if cell > SMALLEST_CELL:
        for (row, column), number in np.ndenumerate(confusion):
            colour = "white" if shares[row, column] > 0.6 else "black"
            matrix.text(
                column, row, f"{number}", ha="center", va="center", color=colour, fontsize=SIZE - 1
            )
    _draw_bars(bars, list(classes.values()), names, style)
    return figure


def score_bars(classes: Mapping[str, "Scores"], title: str = "") -> "Figure":
    """Draws precision, recall and F1 of each class.

    Args:
        classes: The scores of each class by its name.
        title: Text above the figure.

    Returns:
        The `matplotlib.figure.Figure`.
    """
    families, names, title = _labels(classes, title)
    rows = max(1, len(names)) * min(BAR_ROW, LONGEST_SIDE / max(1, len(names)))
    figure, (bars,) = _figure(names, rows, title, families, widths=(BARS,))
    style = {"fontfamily": families, "fontsize": SIZE, "parse_math": False}
    _draw_bars(bars, list(classes.values()), names, style)
    return figure


def _figure(
    names: Sequence[str],
    height: float,
    title: str,
    families: Sequence[str],
    widths: Sequence[float],
) -> tuple["Figure", list["Axes"]]:
    """A figure with room for axes of these sizes, in inches, and for the names beside each."""
    from matplotlib.figure import Figure

    label = 0.3 + LETTER * max(map(len, names), default=0)
    rows = max(height, 0.6)
    size = (sum(widths) + len(widths) * label, rows + 1.0 + (label if len(widths) > 1 else 0))
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontfamily=families, fontsize=10, parse_math=False)
    axes = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)
    return figure, list(axes[0])


def _labels(classes: Mapping[str, object], title: str) -> tuple[list[str], list[str], str]:
    names = [shortened(visible(name)) or "␣" for name in classes]
    families, (title, *names) = find_fonts([title, *names])
    return families, names, title


def _draw_bars(
    axes: "Axes", scores: Sequence["Scores"], names: Sequence[str], style: Mapping[str, object]
) -> None:
    places = np.arange(len(names))
    for number, (name, colour) in enumerate(COLOURS.items()):
        lengths = [of[number] for of in scores]
        axes.barh(places + 0.27 * (number - 1), lengths, 0.25, color=colour, label=name)
    axes.set(xlim=(0, 1), ylim=(max(len(names), 1) - 0.5, -0.5))
    axes.set_yticks(places, names, **style)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=SIZE - 1)
    axes.grid(axis="x", color="0.9", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.figure.legend(
        loc="outside lower right", ncols=3, frameon=False, fontsize=SIZE - 1, handlelength=1
    )
