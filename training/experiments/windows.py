"""How far back must one look? Perplexity by the length of a window, and of a network."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.drawing.plotting import save_figure
from zoo.training.corpora.catalogue import corpus
from zoo.training.corpora.running_text import RunningText, frequent_words, stream
from zoo.training.evaluation.base import markdown_table
from zoo.training.experiments.kneser_ney import KneserNey

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.models.language_model import LanguageModel

ORDERS = (1, 2, 3, 4, 5)


def compare_windows(
    data_dir: str | Path | None,
    split: str = "validation",
    verify: bool = True,
    model: "LanguageModel | None" = None,
    orders: Sequence[int] = ORDERS,
) -> dict[str, Any]:
    """Counts n-grams of the Penn Treebank, and measures them as a network is measured.

    Args:
        data_dir: A folder with the corpus.
        split: What is measured on; the counts are of `train`.
        verify: Whether the data must be the published corpus.
        model: A language model of the same words to compare with, read with its state carried
            through; None: there is none.
        orders: Lengths of the window, the word that is foretold among them.

    Returns:
        Plain values: `split`, `words`, by order `perplexity` and `ngrams`, and `network`, the
        model's perplexity or None.

    Raises:
        FileNotFoundError: The corpus is not in `data_dir`.
        ValueError: It is not the published one, or the model has other words.
    """
    read = corpus("ptb").load
    training, measured = (read(data_dir, name, verify) for name in ("train", split))
    words = frequent_words(training)
    if model is not None and sorted(model.vocabulary.words) != sorted(words):
        raise ValueError(
            "The model must have the words of the Penn Treebank, or perplexities do not compare. "
            f"Received: a model of {model.vocabulary.size:,} words"
        )
    counted, lines = _lines(training, words), _lines(measured, words)
    by_order = {}
    for order in orders:
        ngrams = KneserNey(counted, len(words) + 2, order)
        by_order[order] = {
            "perplexity": ngrams.perplexity(lines),
            "ngrams": sum(len(of.keys) for of in ngrams.orders),
        }
    network = None
    if model is not None:
        from zoo.training.metrics.perplexity import stream_perplexity

        network = stream_perplexity(model, stream(measured, model.vocabulary.words))
    return {"split": split, "words": measured.tokens, "orders": by_order, "network": network}


def windows_table(result: dict[str, Any]) -> str:
    """What `compare_windows` gave, as a Markdown table."""
    rows = [
        [f"{order - 1}", f"{of['perplexity']:.1f}", f"{of['ngrams']:,}"]
        for order, of in result["orders"].items()
    ]
    if result["network"] is not None:
        rows.append(["all, by a network", f"{result['network']:.1f}", "-"])
    return markdown_table(["words before", "perplexity", "n-grams"], rows)


def plot_windows(result: dict[str, Any], path: str | Path) -> "Figure":
    """Draws perplexity over the length of the window, and the network's as a line.

    Args:
        result: What `compare_windows` gave.
        path: Where to write the figure: `.png`, `.svg` or `.pdf`.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        ValueError: Another suffix.
        OSError: `path` cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    figure = Figure(figsize=(7, 4.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    before = [order - 1 for order in result["orders"]]
    values = [of["perplexity"] for of in result["orders"].values()]
    axes.plot(before, values, marker="o", label="n-grams, Kneser-Ney")
    for place, value in zip(before, values, strict=True):
        axes.annotate(
            f"{value:.0f}", (place, value), xytext=(4, 6), textcoords="offset points", fontsize=8
        )
    if result["network"] is not None:
        label = f"network, all words before: {result['network']:.1f}"
        axes.axhline(result["network"], linestyle="--", color="#d62728", label=label)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.margins(y=0.15)
    axes.set_xticks(before)
    axes.set_xlabel("words before that are looked at")
    axes.set_ylabel("perplexity")
    axes.set_title(f"Penn Treebank, {result['split']}: {result['words']:,} words", fontsize=10)
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    save_figure(figure, path)
    return figure


def _lines(text: RunningText, words: Sequence[str]) -> list[np.ndarray]:
    """Ids of each line, its end among them."""
    ends = np.cumsum([len(line) + 1 for line in text.lines])
    return np.split(stream(text, words), ends[:-1])
