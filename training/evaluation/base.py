"""What an evaluation is: splits, a function from a model to figures, and words for its card."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.reports.tables import markdown_table

NOT_RECORDED = "Not one of the zoo's own presets: not recorded."
Table = tuple[list[str], list[list[str]]]


def figures_table(metrics: Mapping[str, Any]) -> Table:
    """Header and rows of all plain figures of each split: the table if none is given.

    Args:
        metrics: What an evaluation's `measure` gave.

    Example:
        >>> figures_table({"splits": {"test": {"exact": 91.234, "texts": 1000}}})
        (['split', 'exact', 'texts'], [['test', '91.23', '1,000']])
    """
    splits = metrics["splits"]
    names = dict.fromkeys(
        name
        for figures in splits.values()
        for name, value in figures.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    )
    rows = [[split, *(_cell(of.get(name)) for name in names)] for split, of in splits.items()]
    return ["split", *names], rows


@dataclass(frozen=True)
class Evaluation:
    """How presets of one kind are measured, and what a card says of the figures.

    A recipe's module has one as `EVALUATION`. Splits and `measure` are enough.

    Attributes:
        splits: All that can be measured.
        measure: `(model, data_dir, splits, verify, recipe, **options)` to plain values, ready for
            JSON, with `{"splits": {split: figures}}`. `recipe` is a dict, what the preset was
            trained by. With `latency` (`zoo.training.metrics.speed`) beside the splits,
            `batch_size`, and `texts_per_second` in each of them, the card has a paragraph on speed.
        table: `metrics` to header and rows, for a terminal and the card.
        quality: `metrics` to the card's section on them; by default the table.
        splits_of: `recipe` to the splits that are measured when none is named; by default all.
        verb: The method of a model that is measured. A model without a recipe is measured by the
            evaluation of its verb.
        example: A line of Python that shows the verb.
        chosen_by: The score that the kept epoch is the best by.
        way: What the time is taken from, and to what.
        unit: What is counted in a second.
        libraries: Distributions whose versions belong to the figures.
    """

    splits: tuple[str, ...]
    measure: Callable[..., dict[str, Any]]
    table: Callable[[Mapping[str, Any]], Table] = figures_table
    quality: Callable[[Mapping[str, Any]], str] | None = None
    splits_of: Callable[[Mapping[str, Any]], Sequence[str]] | None = None
    verb: str | None = None
    example: str = ""
    chosen_by: str = "the dev score"
    way: str = "From text to text"
    unit: str = "texts"
    libraries: tuple[str, ...] = ()

    def default_splits(self, recipe: Mapping[str, Any]) -> tuple[str, ...]:
        """The splits that are measured when none is named.

        Args:
            recipe: What the preset was trained by, see `zoo.training.evaluation.lookup.recipe_of`.
        """
        return tuple(self.splits_of(recipe)) if self.splits_of else self.splits

    def quality_section(self, metrics: Mapping[str, Any]) -> str:
        """The card's section on the figures."""
        return self.quality(metrics) if self.quality else markdown_table(*self.table(metrics))


@dataclass(frozen=True)
class Card:
    """What a recipe says of its preset, Markdown; the rest of a card is made of figures.

    Attributes:
        what: What the preset does, with what network, after whom.
        data: Where the training data comes from, and what its licence allows.
        limits: What it is not good for, a list.
    """

    what: str
    data: str = NOT_RECORDED
    limits: str = "- Trained on the data above; how it does on other data was not measured."


def check_splits(splits: Any, known: Iterable[str]) -> None:
    """Refuses no splits, and splits that are not among those known.

    Args:
        splits: What was asked for.
        known: The names there are.

    Raises:
        ValueError: The message lists the names.
    """
    if isinstance(splits, str) or not splits or not set(splits) <= set(known):
        raise ValueError(
            f"`splits` must name some of {', '.join(known)}. Received: splits={splits!r}"
        )


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"
