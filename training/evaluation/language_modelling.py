"""Measures a language model on IMDB: perplexity, and how many words it does not know."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.text.vocabulary import UNK_ID
from zoo.training.corpora import catalogue
from zoo.training.corpora.corpus_words import CorpusWords, cut_rows
from zoo.training.evaluation.base import Evaluation, Table, check_splits, markdown_table
from zoo.training.metrics.perplexity import perplexity

# The second one is ten times as long: it is measured when it is asked for.
SPLITS = ("imdb_dev", "imdb_test")
ROW_TOKENS = 200


def evaluate(
    model: Any,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS[:1],
    verify: bool = True,
    recipe: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Measures a language model on splits.

    Args:
        model: A `zoo.models.LanguageModel`.
        data_dir: A folder with the corpora; None downloads them.
        splits: Splits to measure, of `SPLITS`.
        verify: Whether the data must be the published corpus.
        recipe: What the model was trained by; `row_tokens` words are predicted in a row.

    Returns:
        Plain values, ready for JSON. For each split: texts, words with the ends of the texts, the
        share of them that the vocabulary lacks in percent, perplexity, and the data's SHA-256.

    Raises:
        ValueError: No split, an unknown one, or data that is not the published corpus.
        FileNotFoundError: Files are missing in `data_dir`.

    Example:
        >>> metrics = evaluate(zoo.load("runs/lm/preset"), "imdb")  # doctest: +SKIP
        >>> metrics["splits"]["imdb_dev"]["perplexity"]  # doctest: +SKIP
    """
    check_splits(splits, SPLITS)
    measured = {}
    for name in splits:
        split = catalogue.split(name)
        reviews = split.load(data_dir, verify)
        words = CorpusWords()
        ids = words.ids(words.read(reviews.texts), model.vocabulary)
        rows = cut_rows(ids, (recipe or {}).get("row_tokens", ROW_TOKENS))
        flat = np.concatenate([row[1:] for row in rows])
        measured[name] = {
            "texts": len(reviews.texts),
            "words": len(flat),
            "unknown": round(100 * float(np.mean(flat == UNK_ID)), 2),
            "perplexity": round(perplexity(model, rows), 2),
            **split.provenance(reviews),
        }
    return {"splits": measured}


def table(metrics: Mapping[str, Any]) -> Table:
    """Header and rows of the figures for a terminal."""
    return perplexity_table(metrics, "texts")


def perplexity_table(metrics: Mapping[str, Any], rows: str) -> Table:
    """As `table`.

    Args:
        metrics: What a language model was measured to have.
        rows: What a split consists of, and the name of their number in it.
    """
    header = ["split", rows, "words", "unknown, %", "perplexity"]
    return header, [
        [
            split,
            f"{figures[rows]:,}",
            f"{figures['words']:,}",
            f"{figures['unknown']:.2f}",
            f"{figures['perplexity']:.2f}",
        ]
        for split, figures in metrics["splits"].items()
    ]


def quality_section(metrics: Mapping[str, Any]) -> str:
    """The figures, and how they are counted."""
    return f"""Perplexity of a word over the whole vocabulary, the end of a text counted as one; an unknown word
counts as *unknown*. The first word of a row is given. `imdb_dev` was used to choose the epoch.

{markdown_table(*table(metrics))}"""  # noqa: E501 - the card's own lines


EVALUATION = Evaluation(
    splits=SPLITS,
    measure=evaluate,
    table=table,
    quality=quality_section,
    splits_of=lambda recipe: SPLITS[:1],
    verb="complete",
    example='model.complete(["The plot is"])',
    chosen_by="perplexity on dev, which was held out of the training split",
)
