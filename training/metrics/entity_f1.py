"""F1 of named entities: one counts when its type, its first and its last token are right."""

from collections.abc import Iterable, Sequence
from typing import Any

from zoo.reports.tagging import entity_scores
from zoo.text.tags import chunks
from zoo.training.corpora.columns import Tagged

Figures = dict[str, Any]
SCORES = ("precision", "recall", "f1")


def strict_scores(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Figures:
    """Precision, recall and F1 of exact spans by seqeval, over all and for each type.

    Args:
        gold: BIO tags of each sentence.
        predicted: The same of a model, equally many.

    Returns:
        `{"precision", "recall", "f1", "types": {type: {"precision", "recall", "f1", "entities"}}}`,
        percent.
    """
    counted = entity_scores(gold, predicted)

    def percent(row: dict[str, Any]) -> dict[str, float]:
        return {name: 100 * row[name] for name in SCORES}

    types = {
        name: {**percent(row), "entities": row["support"]}
        for name, row in counted["classes"].items()
    }
    return {**percent(counted["micro"]), "types": types}


def entities(tagged: Tagged) -> set[tuple]:
    """All entities as `(row, type, first token, end, surface form)`."""
    return {
        (row, type_, start, end, " ".join(tokens[start:end]))
        for row, (tokens, tags) in enumerate(zip(*tagged, strict=True))
        for type_, start, end in chunks(tags)
    }


def scores(gold: set[tuple], predicted: set[tuple]) -> Figures:
    """Precision, recall and F1 in percent of two sets, 0 where nothing can be right."""
    right = len(gold & predicted)
    return {
        "precision": 100 * right / max(1, len(predicted)),
        "recall": 100 * right / max(1, len(gold)),
        "f1": 100 * 2 * right / max(1, len(gold) + len(predicted)),
        "entities": len(gold),
    }


def seen_and_unseen(
    gold: Tagged, predicted: Sequence[Sequence[str]], known: set[str]
) -> dict[str, Figures]:
    """Scores apart for entities whose surface form is among `known`, case and all, and the others.

    Gold and predicted entities are parted by the same rule, so each part has a precision too.
    """
    truth, guess = entities(gold), entities(Tagged(gold.tokens, predicted))

    def part(spans: Iterable[tuple], seen: bool) -> set[tuple]:
        return {span for span in spans if (span[-1] in known) is seen}

    return {
        "seen": scores(part(truth, True), part(guess, True)),
        "unseen": scores(part(truth, False), part(guess, False)),
    }
