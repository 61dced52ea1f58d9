"""Measures a language model on running text, word by word, with its state carried through."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.text.vocabulary import UNK_ID
from zoo.training.corpora import catalogue
from zoo.training.corpora.running_text import stream
from zoo.training.evaluation.base import Evaluation, Table, check_splits, markdown_table
from zoo.training.evaluation.language_modelling import perplexity_table
from zoo.training.metrics.perplexity import stream_perplexity

# Test perplexities of others on the Penn Treebank.
PUBLISHED = {
    "n-grams of order 5, Kneser-Ney (Mikolov and Zweig 2012)": 141.2,
    "LSTM, 2 x 200, without dropout (Zaremba et al. 2014)": 114.5,
    "LSTM, 2 x 650 (Zaremba et al. 2014)": 82.7,
    "LSTM, 2 x 1500 (Zaremba et al. 2014)": 78.4,
    "AWD-LSTM, 3 x 1150, without fine-tuning (Merity et al. 2018)": 58.8,
}
SPLITS = ("ptb_validation", "ptb_test", "wikitext2_validation")


def evaluate(
    model: Any,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS[:2],
    verify: bool = True,
    recipe: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Measures a language model on splits.

    The words of a split are read one after the other, from the first to the last.

    Args:
        model: A `zoo.models.LanguageModel`.
        data_dir: A folder with the corpus.
        splits: Splits to measure, of `SPLITS`.
        verify: Whether the data must be the published corpus.
        recipe: Not used.

    Returns:
        Plain values, ready for JSON. For each split: lines, words with the ends of the lines, the
        share of them that the vocabulary lacks in percent, perplexity, and the data's SHA-256.

    Raises:
        ValueError: No split, an unknown one, or data that is not the published corpus.
        FileNotFoundError: Files are missing in `data_dir`.

    Example:
        >>> metrics = evaluate(zoo.load("runs/lm/preset"), "ptb")  # doctest: +SKIP
        >>> metrics["splits"]["ptb_test"]["perplexity"]  # doctest: +SKIP
    """
    check_splits(splits, SPLITS)
    words, measured = model.vocabulary.words, {}
    for name in splits:
        split = catalogue.split(name)
        text = split.load(data_dir, verify)
        ids = stream(text, words)
        measured[name] = {
            "lines": len(text.lines),
            "words": len(ids),
            "unknown": round(100 * float(np.mean(ids == UNK_ID)), 2),
            "perplexity": round(stream_perplexity(model, ids), 2),
            **split.provenance(text),
        }
    return {"splits": measured}


def table(metrics: Mapping[str, Any]) -> Table:
    """Header and rows of the figures for a terminal."""
    return perplexity_table(metrics, "lines")


def quality_section(metrics: Mapping[str, Any]) -> str:
    """The figures, and how they are counted, beside published ones."""
    section = f"""Perplexity of a word over the whole vocabulary, the end of a line counted as one; an unknown word
counts as *unknown*. The words of a split are read one after the other, and none is left out.
`ptb_validation` was used to choose the epoch.

{markdown_table(*table(metrics))}"""  # noqa: E501 - the card's own lines
    if "ptb_test" not in metrics["splits"]:
        return section
    rows = [[name, f"{value:.1f}"] for name, value in PUBLISHED.items()]
    own = f"{metrics['splits']['ptb_test']['perplexity']:.1f}"
    return f"""{section}

Beside others on the test split of the Penn Treebank:

{markdown_table(["network", "perplexity"], [*rows, ["**this one**", f"**{own}**"]])}"""


EVALUATION = Evaluation(
    splits=SPLITS,
    measure=evaluate,
    table=table,
    quality=quality_section,
    splits_of=lambda recipe: [name for name in SPLITS if name.startswith(recipe["corpus"])],
    verb="complete",
    example='model.complete(["the company said"])',
    chosen_by="perplexity on the validation split",
)
