"""What a model heard, as a figure: the log-mel frames, and what each weighed in the answer.

matplotlib is imported when something is drawn.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.drawing.plotting import save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEP = 0.010  # seconds from frame to frame, as of `zoo.audio.log_mel`
LOWEST = 60.0  # Hz, likewise
SIZE = (7.0, 3.8)  # inches
TICKS = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)  # Hz
WEIGHT = "#b3541e"


def spectrogram_figure(
    frames: np.ndarray,
    weights: np.ndarray,
    sample_rate: int,
    path: str | Path | None = None,
    title: str | None = None,
) -> "Figure":
    """Draws a recording as a model hears it, and below it where the model listened.

    Args:
        frames: float32 `[time, bands]`, as `AudioClassifier.listen` gives them.
        weights: float32 `[time]`, likewise.
        sample_rate: The model's, in samples a second.
        path: Where to write the figure: `.png`, `.svg` or `.pdf`. None: it is only returned.
        title: Text above the figure.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        ValueError: `path` has another suffix.
        OSError: `path` cannot be written; an existing file there is left as it was.

    Example:
        >>> heard = model.listen("seven.wav")  # doctest: +SKIP
        >>> spectrogram_figure(heard.frames, heard.weights, 8000, "heard.png")  # doctest: +SKIP
    """
    from zoo.drawing.notebook_figure import NotebookFigure

    figure = NotebookFigure(figsize=SIZE, dpi=100, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    time, bands = frames.shape
    ends = (0, time * STEP, 0, bands)
    above.imshow(frames.T, origin="lower", aspect="auto", extent=ends, cmap="magma")
    places = [(mel_place(hertz, sample_rate, bands), hertz) for hertz in TICKS]
    shown = [(place, hertz) for place, hertz in places if 0 < place < bands]
    above.set_yticks([place for place, _ in shown], [f"{hertz:,}" for _, hertz in shown])
    above.set_ylabel("Hz")
    edges = np.arange(time + 1) * STEP
    below.stairs(100 * weights, edges, fill=True, color=WEIGHT)
    below.set_ylabel("weight, %")
    below.set_xlabel("seconds")
    below.set_ylim(bottom=0)
    below.spines[["top", "right"]].set_visible(False)
    if title:
        above.set_title(title, loc="left", fontsize=10, parse_math=False)
    if path is not None:
        save_figure(figure, path)
    return figure


def mel_place(hertz: float, sample_rate: int, bands: int) -> float:
    """Where a frequency is among the bands, 0 at the lowest edge and `bands` at the highest."""
    mels = 1127.0 * np.log1p(np.array([LOWEST, hertz, sample_rate / 2]) / 700.0)
    return float(bands * (mels[1] - mels[0]) / (mels[2] - mels[0]))
