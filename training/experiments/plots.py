"""BLEU by source length, several models side by side: what attention is for.

After Bahdanau et al. 2015, figure 2. matplotlib is imported when something is drawn.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.drawing.plotting import save_figure
from zoo.training.evaluation.card import bucket_label
from zoo.training.evaluation.report import read_metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_bleu_by_source_length(metrics_files: Sequence[str | Path], path: str | Path) -> "Figure":
    """Draws one line of BLEU over source length for each model.

    Args:
        metrics_files: `metrics.json` files, or preset folders that hold one; measured on the same
            splits with the same buckets.
        path: Where to write the figure: `.png`, `.svg` or `.pdf`.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: No file, a damaged one, ones measured on different data, or another suffix.
        OSError: `path` cannot be written.

    Example:
        >>> plot_bleu_by_source_length(["a/metrics.json", "b/metrics.json"], "lengths.png")
        ... # doctest: +SKIP
    """
    from matplotlib.figure import Figure

    if isinstance(metrics_files, str | Path) or not metrics_files:
        raise ValueError(
            "`metrics_files` must be a list of at least one file. "
            f"Received: metrics_files={metrics_files!r}"
        )
    all_metrics = [read_metrics(file, ["bleu_by_source_length"]) for file in metrics_files]
    measured = [metrics["bleu_by_source_length"] for metrics in all_metrics]
    shapes = [_shape(of) for of in measured]
    for file, shape in zip(metrics_files, shapes, strict=True):
        if shape != shapes[0]:
            raise ValueError(
                "`metrics_files` must be measured on the same splits and lengths. "
                f"Received: {metrics_files[0]} with {shapes[0]} and {file} with {shape}"
            )

    buckets = [bucket for bucket in measured[0]["buckets"] if bucket["sentences"]]
    figure = Figure(figsize=(7, 4.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for metrics, marker in zip(all_metrics, "os^Dv*" * len(all_metrics), strict=False):
        scores = [b["bleu"] for b in metrics["bleu_by_source_length"]["buckets"] if b["sentences"]]
        axes.plot(range(len(scores)), scores, marker=marker, label=metrics["model"])
    axes.set_xticks(
        range(len(buckets)), [f"{bucket_label(b)}\n{b['sentences']} sentences" for b in buckets],
        fontsize=8,
    )  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.set_xlabel("words in the English source")
    axes.set_ylabel("BLEU, lower-cased and tokenised")
    axes.set_title(f"Multi30k, {' and '.join(measured[0]['splits'])}", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)
    return figure


def _shape(measured: dict[str, Any]) -> tuple:
    """What two models must share for one picture."""
    return (*measured["splits"], *((b["from"], b["sentences"]) for b in measured["buckets"]))
