"""What all reports share: plain values, and how they are shown."""

import copy
import html
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from zoo.reports.tables import Table, share

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Scores(NamedTuple):
    """How one class was found, or the average over several, from 0 to 1.

    Attributes:
        precision: Of what the model called so, how much is so; 0 where it called nothing so.
        recall: Of what is so, how much the model called so; 0 where nothing is.
        f1: Their harmonic mean.
        support: How much is so.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, repr=False)
class Report(ABC):
    """What `model.evaluate_report` found; `print` shows it.

    Attributes:
        figures: Plain values, ready for JSON.
    """

    figures: Mapping[str, Any]
    kind: ClassVar[str]

    @property
    def rows(self) -> int:
        """How many rows were measured."""
        return self.figures["rows"]

    @abstractmethod
    def headline(self) -> str:
        """The figures that matter most, in one line."""

    @abstractmethod
    def tables(self) -> list[Table]:
        """All there is to show."""

    def draw(self) -> "Figure":
        """The picture; a kind of report that has one gives it."""
        raise ValueError(
            f"A report of the kind {self.kind!r} has no classes to draw: `print` shows its figures"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; a copy."""
        return {"kind": self.kind, **copy.deepcopy(dict(self.figures))}

    def plot(self, path: str | Path | None = None) -> "Figure":
        """Draws the report.

        Args:
            path: Where to write the figure: `.png`, `.svg` or `.pdf`. None: it is only returned.

        Returns:
            The `matplotlib.figure.Figure`.

        Raises:
            ValueError: This kind of report has no picture, or `path` has another suffix.
            OSError: `path` cannot be written; an existing file there is left as it was.
        """
        from zoo.drawing.plotting import check_target, save_figure

        if path is not None:
            path = check_target(Path(path).expanduser())
        figure = self.draw()
        if path is not None:
            save_figure(figure, path)
        return figure

    def markdown(self) -> str:
        """The report as it stands in a card."""
        return "\n\n".join([self.headline(), *(table.markdown() for table in self.tables())])

    def __str__(self) -> str:
        """Tables for a terminal."""
        return "\n\n".join([self.headline(), *(table.text() for table in self.tables())])

    def __repr__(self) -> str:
        """One line."""
        return f"<{type(self).__name__}: {self.headline()}>"

    def _repr_html_(self) -> str:
        """Tables for a notebook."""
        tables = "".join(table.html() for table in self.tables())
        return f"<div><p>{html.escape(self.headline())}</p>{tables}</div>"


class ClassReport(Report):
    """A report with scores by class: of a classifier or of a tagger."""

    averages: ClassVar[tuple[str, ...]]
    what: ClassVar[str]

    @property
    def classes(self) -> dict[str, Scores]:
        """The scores of each class, by its name."""
        return {name: Scores(**scores) for name, scores in self.figures["classes"].items()}

    def average(self, name: str) -> Scores:
        """One of `averages`."""
        return Scores(**self.figures[name])

    @property
    def macro(self) -> Scores:
        """The mean over the classes, each of which counts alike."""
        return self.average("macro")

    @property
    def weighted(self) -> Scores:
        """The mean over the classes, each weighed by its support."""
        return self.average("weighted")

    def class_table(self) -> Table:
        """Scores of each class, and their averages."""
        rows = [*self.classes.items()]
        rows += [(f"{name} average", self.average(name)) for name in self.averages]
        return Table(
            [self.what, "precision", "recall", "F1", "support"],
            [[name, *map(share, scores[:3]), f"{scores.support:,}"] for name, scores in rows],
        )


def plain_scores(precision: Any, recall: Any, f1: Any, support: Any) -> dict[str, Any]:
    """Scores of a library as plain values."""
    return Scores(float(precision), float(recall), float(f1), int(support))._asdict()
