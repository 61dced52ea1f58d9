"""Reports on classifiers; the counting is scikit-learn's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.extras import needed
from zoo.reports.base import ClassReport, Scores, plain_scores
from zoo.reports.tables import Table, share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CLASSES = 10  # whose confusion matrix is still read in a terminal
MOST_CONFUSIONS = 10
COUNTS = ("true_negative", "false_positive", "false_negative", "true_positive")


class ClassificationReport(ClassReport):
    """How good a classifier is, one label for a row.

    `classes`, `macro` and `weighted` have the scores of each label and their averages; the averages
    are over the labels that stand in the data or in the answers, as scikit-learn has them.
    """

    kind = "classification"
    averages = ("macro", "weighted")
    what = "label"

    @property
    def labels(self) -> list[str]:
        """The model's labels, in its order."""
        return list(self.figures["classes"])

    @property
    def accuracy(self) -> float:
        """The share of rows whose label is right, from 0 to 1."""
        return self.figures["accuracy"]

    @property
    def confusion(self) -> np.ndarray:
        """How often a label (row) was called another (column): int `[labels, labels]`."""
        return np.array(self.figures["confusion"])

    def headline(self) -> str:
        """Accuracy."""
        accuracy, f1 = share(self.accuracy), share(self.macro.f1)
        return f"{self.rows:,} rows, accuracy {accuracy}, macro F1 {f1}"

    def tables(self) -> list[Table]:
        """Scores, and what was taken for what."""
        return [self.class_table(), self._confusion_table()]

    def draw(self) -> "Figure":
        """The confusion matrix, and the scores of each label."""
        from zoo.drawing.scores import confusion_and_scores

        return confusion_and_scores(self.classes, self.confusion, self.headline())

    def _confusion_table(self) -> Table:
        labels, confusion = self.labels, self.confusion
        if len(labels) <= MOST_CLASSES:
            rows = [
                [label, *(f"{n:,}" for n in row)]
                for label, row in zip(labels, confusion, strict=True)
            ]
            return Table(["truth \\ answer", *labels], rows, "Confusion matrix:")
        wrong = confusion * (1 - np.eye(len(labels), dtype=int))
        order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
        pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
        rows = [[labels[i], labels[j], f"{wrong[i, j]:,}"] for i, j in pairs if wrong[i, j]]
        return Table(["truth", "answer", "rows"], rows, "What was most often confused:")


class MultiLabelReport(ClassReport):
    """How good a classifier is that gives a row any number of labels.

    `classes` has the scores of each label; `micro` counts all labels of all rows together,
    `macro` and `weighted` are means over the labels, `samples` is the mean over the rows.
    """

    kind = "multi_label_classification"
    averages = ("micro", "macro", "weighted", "samples")
    what = "label"

    @property
    def labels(self) -> list[str]:
        """The model's labels, in its order."""
        return list(self.figures["classes"])

    @property
    def micro(self) -> Scores:
        """Scores over all labels of all rows together."""
        return self.average("micro")

    @property
    def samples(self) -> Scores:
        """The mean of the scores of each row."""
        return self.average("samples")

    @property
    def exact(self) -> float:
        """The share of rows all of whose labels are right, from 0 to 1."""
        return self.figures["exact"]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Of each label, in how many rows it was given and found, given only, found only, neither.

        By `true_positive`, `false_negative`, `false_positive` and `true_negative`.
        """
        return {label: dict(counts) for label, counts in self.figures["counts"].items()}

    def headline(self) -> str:
        """Micro F1 and exact rows."""
        f1, exact = share(self.micro.f1), share(self.exact)
        return f"{self.rows:,} rows, micro F1 {f1}, all labels right {exact}"

    def tables(self) -> list[Table]:
        """Scores, and the counts of each label."""
        rows = [
            [label, *(f"{counts[name]:,}" for name in reversed(COUNTS))]
            for label, counts in self.counts.items()
        ]
        header = [
            "label",
            "given and found",
            "given, not found",
            "found, not given",
            "neither",
        ]
        return [self.class_table(), Table(header, rows, "Rows of each label:")]

    def draw(self) -> "Figure":
        """The scores of each label."""
        from zoo.drawing.scores import score_bars

        return score_bars(self.classes, self.headline())


def classification_report(
    truth: Sequence[str], answers: Sequence[str], labels: Sequence[str]
) -> ClassificationReport:
    """Counts one label for each row.

    Args:
        truth: The right labels.
        answers: The model's, equally many.
        labels: All that the model knows.

    Raises:
        ImportError: The library scikit-learn is missing.
    """
    metrics = needed("sklearn.metrics")

    def scores(**how: Any) -> tuple:
        return metrics.precision_recall_fscore_support(truth, answers, zero_division=0, **how)

    by_class = zip(*scores(labels=list(labels)), strict=True)
    return ClassificationReport(
        {
            "rows": len(truth),
            "accuracy": float(metrics.accuracy_score(truth, answers)),
            "classes": {
                label: plain_scores(*of) for label, of in zip(labels, by_class, strict=True)
            },
            **{
                average: plain_scores(*scores(average=average)[:3], len(truth))
                for average in ClassificationReport.averages
            },
            "confusion": metrics.confusion_matrix(truth, answers, labels=list(labels)).tolist(),
        }
    )


def multi_label_report(
    truth: Sequence[Sequence[str]], answers: Sequence[Sequence[str]], labels: Sequence[str]
) -> MultiLabelReport:
    """Counts any number of labels for each row.

    Args:
        truth: The right labels of each row.
        answers: The model's, equally many rows.
        labels: All that the model knows.

    Raises:
        ImportError: The library scikit-learn is missing.
    """
    metrics = needed("sklearn.metrics")
    given, found = (
        np.array([[label in row for label in labels] for row in rows], int)
        for rows in (truth, answers)
    )

    def scores(average: str | None = None) -> tuple:
        return metrics.precision_recall_fscore_support(
            given, found, average=average, zero_division=0
        )

    counts = metrics.multilabel_confusion_matrix(given, found).reshape(-1, 4).tolist()
    return MultiLabelReport(
        {
            "rows": len(truth),
            "exact": float(metrics.accuracy_score(given, found)),
            "classes": {
                label: plain_scores(*of)
                for label, of in zip(labels, zip(*scores(), strict=True), strict=True)
            },
            **{
                average: plain_scores(*scores(average)[:3], given.sum())
                for average in MultiLabelReport.averages
            },
            "counts": {
                label: dict(zip(COUNTS, row, strict=True))
                for label, row in zip(labels, counts, strict=True)
            },
        }
    )
