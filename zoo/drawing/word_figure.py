"""A text with every word painted by its share of the attention, as a figure.

The web page of the same is in `zoo/drawing/painting.py`. matplotlib is imported when something is
drawn.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.drawing.fonts import find_fonts
from zoo.drawing.labels import AMBER, largest_weight, shortened, visible
from zoo.drawing.plotting import LONGEST_SIDE, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.models.classifications import Classification, TokenWeight

WIDTH = 7.5  # inches
MARGIN = 0.2
SIZE = 11  # points
LINE = 0.27  # inches from line to line
PAINT = tuple(part / 255 for part in AMBER)


def attention_words(
    text: str, result: "Classification", path: str | Path | None = None
) -> "Figure":
    """Draw the words of a text one after the other, the weightiest in the strongest colour.

    Fonts are chosen as in `attention_table`.

    Args:
        text: The text that was classified.
        result: Its `Classification`, with `tokens`.
        path: Where to write the figure: `.png`, `.svg` or `.pdf`. None: it is only returned.

    Returns:
        The `matplotlib.figure.Figure`. What does not fit into 40 inches of height is left out, and
        an ellipsis stands at the end.

    Raises:
        ValueError: `path` has another suffix.
        OSError: `path` cannot be written; an existing file there is left as it was.

    Example:
        >>> result = model.classify("A warm, funny film.", return_attention=True)
        >>> attention_words("A warm, funny film.", result, "words.png")
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.patches import Rectangle

    from zoo.drawing.notebook_figure import NotebookFigure

    best = sorted(result.probabilities.items(), key=lambda item: -item[1])[:3]
    title = ", ".join(f"{label} {probability:.1%}" for label, probability in best)
    largest = largest_weight(result.tokens)
    note = f"strongest colour: {largest:.1%} of the attention"
    families, (title, *words) = find_fonts(
        [title, *(shortened(visible(token.text)) for token in result.tokens)]
    )
    style = {"fontfamily": families, "fontsize": SIZE, "parse_math": False}

    figure = NotebookFigure(figsize=(WIDTH, 1), dpi=100)
    renderer = FigureCanvasAgg(figure).get_renderer()

    def width(word: str) -> float:
        probe = figure.text(0, 0, word, **style)
        inches = probe.get_window_extent(renderer).width / figure.dpi
        probe.remove()
        return inches

    blank = width("n n") - width("nn")
    places = _lines(text, result.tokens, [width(word) for word in words], blank)
    lines = max((line for line, _, _ in places), default=0) + 1
    shown = min(lines, int(LONGEST_SIDE / LINE) - 4)
    height = 2 * MARGIN + (shown + 3) * LINE
    figure.set_figheight(height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))  # inches, downwards
    axes.text(MARGIN, MARGIN + LINE / 2, title, va="center", weight="bold", **style)
    for token, word, (line, left, inches) in zip(result.tokens, words, places, strict=True):
        if line >= shown:
            continue
        middle = MARGIN + (line + 2) * LINE
        box = Rectangle((left - 0.02, middle - 0.11), inches + 0.04, 0.22, lw=0, facecolor=PAINT)
        box.set_alpha(token.weight / largest)
        axes.add_patch(box)
        axes.text(left, middle, word, va="center", **style)
    note = f"{'…  ' if shown < lines else ''}{note}"
    axes.text(MARGIN, height - MARGIN - LINE / 3, note, va="center", color="0.35", fontsize=8)
    if path is not None:
        save_figure(figure, path)
    return figure


def _lines(
    text: str, tokens: Sequence["TokenWeight"], widths: Sequence[float], blank: float
) -> list[tuple[int, float, float]]:
    """`(line, left edge, width)` of each token, in inches: as in the text, broken at the margin."""
    places, line, left, end = [], 0, MARGIN, 0
    for token, width in zip(tokens, widths, strict=True):
        gap = text[end : token.start]
        left += blank if gap else 0
        if "\n" in gap or left + width > WIDTH - MARGIN:
            line, left = line + (1 if places else 0), MARGIN
        places.append((line, left, width))
        left, end = left + width, token.end
    return places
