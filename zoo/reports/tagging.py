"""Reports on taggers: an entity counts when its type and its exact span are right, by seqeval."""

import importlib.metadata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.extras import needed
from zoo.reports.base import ClassReport, Scores, plain_scores
from zoo.reports.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AVERAGES = ("micro", "macro", "weighted")


class TaggingReport(ClassReport):
    """How good a tagger is on its entities, exact spans of the right type.

    `classes` has the scores of each type; `micro` counts all entities together, as published
    figures do; `macro` and `weighted` are means over the types.
    """

    kind = "tagging"
    averages = AVERAGES
    what = "type"

    @property
    def micro(self) -> Scores:
        """Scores over all entities together."""
        return self.average("micro")

    @property
    def signature(self) -> str:
        """How it was counted."""
        return self.figures["signature"]

    def headline(self) -> str:
        """Micro F1."""
        entities, tokens = self.micro.support, self.figures["tokens"]
        counted = f"{self.rows:,} rows, {tokens:,} tokens, {entities:,} entities"
        return f"{counted}, F1 {self.micro.f1:.3f}"

    def tables(self) -> list[Table]:
        """The scores of each type."""
        table = self.class_table()
        return [Table(table.header, table.rows, note=f"Signature: {self.signature}")]

    def draw(self) -> "Figure":
        """The scores of each type."""
        from zoo.drawing.scores import score_bars

        return score_bars(self.classes, self.headline())


def entity_signature() -> str:
    """How seqeval counts here, for a report."""
    needed("seqeval")
    version = importlib.metadata.version("seqeval")
    return f"seqeval|mode:strict|scheme:IOB2|average:micro|v:{version}"


def entity_scores(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Precision, recall and F1 of exact spans by seqeval, over all and for each type.

    Args:
        gold: BIO tags of each sentence.
        predicted: The same of a model, equally many.

    Returns:
        `{"classes": {type: scores}, "micro": scores, "macro": scores, "weighted": scores}`, where
        scores are a dict of the fields of `zoo.reports.base.Scores`, shares from 0 to 1. Types are
        those that stand in either.

    Raises:
        ImportError: The library seqeval is missing.
    """
    metrics, scheme = needed("seqeval.metrics"), needed("seqeval.scheme")
    if not any(tag != "O" for tags in (*gold, *predicted) for tag in tags):
        nothing = plain_scores(0, 0, 0, 0)  # seqeval divides by it
        return {"classes": {}, **{average: dict(nothing) for average in AVERAGES}}
    report = metrics.classification_report(
        list(gold),
        list(predicted),
        mode="strict",
        scheme=scheme.IOB2,
        output_dict=True,
        zero_division=0,
    )
    scores = {
        name: plain_scores(row["precision"], row["recall"], row["f1-score"], row["support"])
        for name, row in report.items()
    }
    averages = {average: scores.pop(f"{average} avg") for average in AVERAGES}
    return {"classes": scores, **averages}


def tagging_report(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], types: Sequence[str]
) -> TaggingReport:
    """Counts the entities of each row.

    Args:
        gold: The right tags of each row, in BIO.
        predicted: The model's, equally many.
        types: All that the model knows.

    Raises:
        ImportError: The library seqeval is missing.
    """
    scores = entity_scores(gold, predicted)
    absent = plain_scores(0, 0, 0, 0)
    return TaggingReport(
        {
            "rows": len(gold),
            "tokens": sum(map(len, gold)),
            **scores,
            "classes": {name: scores["classes"].get(name, absent) for name in types},
            "signature": entity_signature(),
        }
    )
