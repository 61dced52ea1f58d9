"""How a series goes on, as a figure: what was, what is expected, and the interval around it.

matplotlib is imported when something is drawn.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.drawing.plotting import save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.models.forecaster import Forecast

SHOWN = 5  # times the forecast, of what was
SIZE = (8.0, 3.6)  # inches
PAST, NEXT = "0.25", "#b3541e"


def forecast_figure(
    series: Sequence[float],
    answer: "Forecast",
    path: str | Path | None = None,
    period: int = 1,
    title: str | None = None,
) -> "Figure":
    """Draws the end of a series and how it goes on.

    Args:
        series: The numbers that the forecast goes on from.
        answer: What `Forecaster.forecast` gave for them.
        path: Where to write the figure: `.png`, `.svg` or `.pdf`. None: it is only returned.
        period: Steps in a season: lines stand between seasons.
        title: Text above the figure.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        ValueError: `path` has another suffix.
        OSError: `path` cannot be written; an existing file there is left as it was.

    Example:
        >>> forecast_figure(series, model.forecast(series), "forecast.png")  # doctest: +SKIP
    """
    from matplotlib.ticker import MultipleLocator

    from zoo.drawing.notebook_figure import NotebookFigure

    past = np.asarray(series, np.float32)[-SHOWN * len(answer.mean) :]
    # The line goes on from the last number that is known.
    mean = np.concatenate([past[-1:], answer.mean])
    ahead = np.arange(len(mean))
    figure = NotebookFigure(figsize=SIZE, dpi=100, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(np.arange(1 - len(past), 1), past, color=PAST, lw=1.4, label="series")
    if answer.lower is not None:
        lower, upper = (np.concatenate([past[-1:], of]) for of in (answer.lower, answer.upper))
        share = f"{100 * answer.interval:g} % interval"
        axes.fill_between(ahead, lower, upper, color=NEXT, alpha=0.2, lw=0, label=share)
    axes.plot(ahead, mean, color=NEXT, lw=1.8, label="forecast")
    if period > 1:
        axes.xaxis.set_major_locator(MultipleLocator(period))
    axes.grid(axis="x", color="0.9")
    axes.set_xlabel("steps from the last number")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", frameon=False, fontsize=8, ncols=3)
    axes.margins(x=0.01, y=0.15)
    if title:
        axes.set_title(title, loc="left", fontsize=10, parse_math=False)
    if path is not None:
        save_figure(figure, path)
    return figure
