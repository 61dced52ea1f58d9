"""Measures a classifier of reviews on IMDB and SST-2: accuracy, by length, speed."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.training.corpora import catalogue
from zoo.training.evaluation.base import Evaluation, Table, check_splits, markdown_table
from zoo.training.evaluation.card import bucket_label
from zoo.training.metrics.speed import latency, throughput

# Ours to choose by, and the published one, which is measured once.
SPLITS = ("imdb_dev", "imdb_test", "sst2_dev", "sst2_validation")
# Rising lengths in words; bucket i holds texts from `edges[i-1]` to `edges[i] - 1`.
LENGTH_EDGES = {"imdb": (100, 150, 200, 300, 500), "sst2": (10, 15, 20, 25, 30)}


def splits_of(recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """Both splits of the corpus that the preset was trained on."""
    return tuple(split for split in SPLITS if split.startswith(recipe.get("corpus", "imdb")))


def evaluate(
    model: Any,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS,
    verify: bool = True,
    recipe: Mapping[str, Any] | None = None,
    batch_size: int = 64,
) -> dict[str, Any]:
    """Classifies splits and measures quality and speed.

    Args:
        model: What has `classify(list of texts, batch_size=)`, which gives a list of what has
            `label`, one of the model's two `labels`, the negative one first.
        data_dir: A folder with the corpora; None downloads them.
        splits: Splits to measure, of `SPLITS`.
        verify: Whether the data must be the published corpus.
        recipe: What the model was trained by; the splits say all that is needed of it.
        batch_size: Texts classified together; it changes the speed only.

    Returns:
        Plain values, ready for JSON. For each split: how many texts, accuracy in percent and its
        95 % interval, accuracy by length in words, seconds and the data's SHA-256. Beside the
        splits the latency of one text.

    Raises:
        ValueError: No split, an unknown one, data that is not the published corpus, or a model
            with more labels than two.
        FileNotFoundError: Files are missing in `data_dir`.

    Example:
        >>> metrics = evaluate(zoo.load("sentiment"), "imdb", ["imdb_test"])  # doctest: +SKIP
        >>> metrics["splits"]["imdb_test"]["accuracy"]  # doctest: +SKIP
    """
    check_splits(splits, SPLITS)
    if len(model.labels) != 2 or getattr(model, "multi_label", False):
        raise ValueError(
            "`model` must give each text a negative or a positive label. "
            f"Received: labels={model.labels}"
        )
    parts = {name: catalogue.split(name) for name in splits}
    data = {name: part.load(data_dir, verify) for name, part in parts.items()}
    measured = {}

    def classify(texts: list[str]) -> list[Any]:
        return model.classify(texts, batch_size=batch_size)

    # The first batches trace the graph: not part of the speed.
    classify(data[splits[0]].texts[: 2 * batch_size])
    for split, reviews in data.items():
        found, speed = throughput(classify, reviews.texts)
        right = [
            answer.label == model.labels[label]
            for answer, label in zip(found, reviews.labels, strict=True)
        ]
        measured[split] = {
            "texts": len(right),
            **accuracy(right),
            "by_length": by_length(reviews.texts, right, LENGTH_EDGES[parts[split].corpus.name]),
            **speed,
            **parts[split].provenance(reviews),
        }
    return {
        "batch_size": batch_size,
        "splits": measured,
        "latency": latency(classify, data[splits[0]].texts),
        "parameters": int(model.count_params()),
    }


def accuracy(right: Sequence[bool]) -> dict[str, float]:
    """Share of right answers in percent, with the 95 % score interval of Wilson (1927).

    Args:
        right: Whether each answer is right; at least one.

    Returns:
        `{"accuracy", "low", "high"}`.

    Example:
        >>> accuracy([True, True, True, False])
        {'accuracy': 75.0, 'low': 30.06, 'high': 95.44}
    """
    n, z = len(right), 1.959964
    p = sum(right) / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    percent = {"accuracy": p, "low": middle - half, "high": middle + half}
    return {name: round(100 * value, 2) for name, value in percent.items()}


def by_length(
    texts: Sequence[str], right: Sequence[bool], edges: Sequence[int]
) -> list[dict[str, Any]]:
    """Accuracy of short, middling and long texts apart.

    Args:
        texts: A length is the number of words between white space.
        right: Whether each answer is right.
        edges: Rising word counts.

    Returns:
        `len(edges) + 1` dicts with `from` (words), `to` (words, inclusive; None: no limit), `texts`
        and `accuracy` in percent (None: no such texts).
    """
    words = [len(text.split()) for text in texts]
    buckets = []
    for first, after in zip([0, *edges], [*edges, math.inf], strict=True):
        inside = [r for r, n in zip(right, words, strict=True) if first <= n < after]
        buckets.append(
            {
                "from": first,
                "to": None if after == math.inf else after - 1,
                "texts": len(inside),
                "accuracy": round(100 * sum(inside) / len(inside), 2) if inside else None,
            }
        )
    return buckets


def table(metrics: Mapping[str, Any]) -> Table:
    """Header and rows of the figures for a terminal."""
    header = ["split", "texts", "accuracy", "95 % interval"]
    return header, [
        [
            split,
            f"{figures['texts']:,}",
            f"{figures['accuracy']:.2f}",
            f"{figures['low']:.2f} to {figures['high']:.2f}",
        ]
        for split, figures in metrics["splits"].items()
    ]


# Accuracy in percent, as published: single models of this kind, by split.
PUBLISHED = {
    "imdb_test": {
        "LSTM, tuned (Dai and Le 2015, arXiv:1511.01432)": 86.5,
        "bidirectional LSTM (keras.io/examples/nlp/bidirectional_lstm_imdb)": 87.8,
        "logistic regression on n-grams (Mesnil et al. 2014, arXiv:1412.5335)": 91.87,
        "SA-LSTM, pre-trained on unlabelled reviews (Dai and Le 2015)": 92.8,
    },
    "sst2_validation": {
        "bidirectional LSTM with attention (flax, examples/sst2)": 85.2,
    },
}
# Of SST-2's test split, whose labels GLUE keeps: near, but not the same sentences.
PUBLISHED_SST_TEST = {"LSTM": 84.9, "bidirectional LSTM": 87.5}


def quality_section(metrics: Mapping[str, Any]) -> str:
    """The figures beside the published ones."""
    splits = metrics["splits"]
    parts = [
        "Accuracy in percent, with Wilson's 95 % interval. A *dev* split was used to choose the "
        "epoch, the other was not.",
        markdown_table(*table(metrics)),
    ]
    for split, figures in splits.items():
        if split in PUBLISHED and figures["published_data"]:
            published = "; ".join(f"{who} {value:.1f}" for who, value in PUBLISHED[split].items())
            parts.append(f"Published on {split}: {published}.")
    if "sst2_validation" in splits:
        published = ", ".join(f"{who} {value:.1f}" for who, value in PUBLISHED_SST_TEST.items())
        parts.append(
            "Published on SST-2's test split, whose labels GLUE does not give out: "
            f"{published} (Tai, Socher and Manning 2015, P15-1150)."
        )
    parts += [
        f"{split} by length in words:\n\n{_length_table(figures['by_length'])}"
        for split, figures in splits.items()
        if not split.endswith("dev") or len(splits) == 1
    ]
    return "\n\n".join(parts)


def _length_table(buckets: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [bucket_label(b), f"{b['texts']:,}", "-" if b["texts"] == 0 else f"{b['accuracy']:.2f}"]
        for b in buckets
    ]
    return markdown_table(["words", "texts", "accuracy"], rows)


EVALUATION = Evaluation(
    splits=SPLITS,
    measure=evaluate,
    table=table,
    quality=quality_section,
    splits_of=splits_of,
    verb="classify",
    example='model.classify(["A warm and funny film, never dull."])',
    chosen_by="accuracy on dev, which was held out of the training split",
)
