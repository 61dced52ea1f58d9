"""The attention table, drawn: source words on top, target words at the left, weights as a heat map.

The lecture calls it the "attention table a_ij" and shows it after Bahdanau et al. 2015, figure 3.
matplotlib is imported when something is drawn, so that `import zoo` does not pay for it. Figures
are made without pyplot: no window, no global state, safe in a server's thread.
"""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import numpy as np
from numpy.typing import ArrayLike

from zoo.drawing.fonts import find_fonts
from zoo.drawing.labels import readable
from zoo.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
CELL = 0.34  # inches
LONGEST_SIDE = 40.0  # inches; cells shrink beyond, for images of some 16 million pixels at most
SMALLEST_ROW = 0.11  # inches a label needs


def attention_table(
    source_tokens: Sequence[str],
    target_tokens: Sequence[str],
    attention: ArrayLike,
    path: str | Path | None = None,
    title: str | None = None,
) -> "Figure":
    """Draw which source words the model looked at for each target word.

    Sub-word pieces are made readable: SentencePiece's mark "▁" is dropped, and a piece that goes
    on in the next one ends with a hyphen. Characters the default font lacks (Chinese, Japanese,
    Korean...) are drawn with an installed font that has them; if there is none, a warning says so
    and a box stands for each.

    Args:
        source_tokens: S tokens or sub-word pieces, drawn from left to right.
        target_tokens: T tokens or sub-word pieces, drawn from top to bottom.
        attention: Float `[T, S]`; row t holds the weights for target token t, each from 0 to 1.
        path: Where to write the figure: `.png`, `.svg` or `.pdf`. None: it is only returned.
        title: Text above the figure.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        TypeError: Tokens are not a list of strings.
        ValueError: There are no tokens, `attention` does not fit them or is not finite, or `path`
            has another suffix.
        OSError: `path` cannot be written; an existing file there is left as it was.

    Example:
        >>> figure = attention_table(["▁a", "▁dog"], ["▁ein", "▁Hund"], [[0.9, 0.1], [0.2, 0.8]])
    """
    from zoo.drawing.notebook_figure import NotebookFigure

    weights = _checked(source_tokens, target_tokens, attention)
    if path is not None:
        check_target(path)
    sources, targets = readable(source_tokens), readable(target_tokens)
    families, (title, *labels) = find_fonts([title or "", *sources, *targets])
    sources, targets = labels[: len(sources)], labels[len(sources) :]

    rows, columns = weights.shape
    cell = min(CELL, LONGEST_SIDE / max(rows, columns))
    size = min(10.0, 72 * 0.8 * max(cell, SMALLEST_ROW))  # points
    left, top = _widest(targets, size) + 0.15, _widest(sources, size) + 0.15  # inches
    bar, margin = 0.75, 0.1
    title_height = 0.3 if title else 0
    width = left + columns * cell + bar + margin
    height = top + rows * cell + margin + title_height

    figure = NotebookFigure(figsize=(width, height), dpi=100)
    # Fractions of the figure: left, bottom, width, height.
    axes = figure.add_axes(
        (left / width, margin / height, columns * cell / width, rows * cell / height)
    )
    image = axes.imshow(
        weights, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest"
    )
    # Cells smaller than a label: name some of them only, and draw no lines between them.
    every = int(np.ceil(SMALLEST_ROW / cell))
    style = {"fontfamily": families, "fontsize": size, "parse_math": False}
    axes.xaxis.tick_top()
    axes.set_xticks(range(0, columns, every), sources[::every], rotation=90, **style)
    axes.set_yticks(range(0, rows, every), targets[::every], **style)
    if every == 1:
        axes.set_xticks(np.arange(columns - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(rows - 1) + 0.5, minor=True)
        axes.grid(which="minor", color="0.9", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    bar_left = (left + columns * cell + 0.15) / width
    bar_height = min(rows * cell, 3.0)
    bar_bottom = margin + rows * cell - bar_height
    figure.colorbar(
        image,
        cax=figure.add_axes((bar_left, bar_bottom / height, 0.12 / width, bar_height / height)),
        ticks=[0, 1] if bar_height < 1 else None,
    ).ax.tick_params(labelsize=8)
    if title:
        at = (left / width, 1 - 0.05 / height)
        figure.text(*at, title, va="top", fontfamily=families, fontsize=11, parse_math=False)
    if path is not None:
        save_figure(figure, path)
    return figure


def save_figure(figure: "Figure", path: str | Path) -> None:
    """Write a figure whole or not at all: a reader never sees half a file.

    Args:
        figure: What was drawn.
        path: The file; its suffix `.png`, `.svg` or `.pdf` is the format.

    Raises:
        ValueError: Another suffix.
        OSError: The file cannot be written; an existing one is left as it was.
    """
    path = check_target(path)
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix[1:].lower(), bbox_inches="tight")
    write_atomically(path, content.getvalue())


def check_target(path: str | Path, suffixes: Sequence[str] = SUFFIXES) -> Path:
    """The path of a file that can be written; an error that tells what is wrong with it.

    Args:
        path: The file.
        suffixes: What it may end with.

    Raises:
        ValueError: Another suffix.
        OSError: The file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"`path` must end with {', '.join(suffixes)}. Received: path='{path}'")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"`path` must lie in an existing folder. Received: path='{path}'. "
            f"Make the folder '{path.parent}' first."
        )
    if path.is_dir():
        raise IsADirectoryError(f"`path` must be a file's name. Received a folder: path='{path}'")
    # Replacing a file asks for the folder's permission only: a read-only file must be asked too.
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise PermissionError(
            f"`path` cannot be written. Received: path='{path}'. "
            "Choose another file, or change its permissions."
        )
    return path


def _checked(
    source_tokens: Sequence[str], target_tokens: Sequence[str], attention: ArrayLike
) -> np.ndarray:
    """The weights as float32 `[T, S]`, if they fit the tokens."""
    for name, tokens in {"source_tokens": source_tokens, "target_tokens": target_tokens}.items():
        if isinstance(tokens, str | bytes) or not all(isinstance(t, str) for t in tokens):
            raise TypeError(f"`{name}` must be a list of strings. Received: {name}={tokens!r}")
        if len(tokens) == 0:
            raise ValueError(f"`{name}` must hold at least one token. Received: {name}=[]")
    weights = np.asarray(attention, dtype=np.float32)
    expected = (len(target_tokens), len(source_tokens))
    if weights.shape != expected:
        raise ValueError(
            "`attention` must have shape [target tokens, source tokens] = "
            f"{list(expected)}. Received: shape {list(weights.shape)}"
        )
    if not np.isfinite(weights).all():
        raise ValueError("`attention` must be finite. Received: NaN or infinity in it")
    return weights


def _widest(labels: Sequence[str], size: float) -> float:
    """About the width in inches of the longest label; East Asian letters are twice as wide."""
    units = (sum(1.0 if east_asian_width(c) in "WF" else 0.62 for c in x) for x in labels)
    return max(units) * size / 72
