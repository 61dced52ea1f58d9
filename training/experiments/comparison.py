"""Runs of the same recipe with several seeds, side by side: mean and standard deviation."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.training.evaluation.report import read_metrics
from zoo.training.loop.schedule import comparable


def comparison(
    folders: Sequence[str | Path], figures: Mapping[str, str]
) -> tuple[list[str], list[list[str]]]:
    """Gathers what `zoo-train evaluate` measured in several presets.

    Args:
        folders: Presets with a `metrics.json`. Those whose recipes differ in the seed alone make
            one row.
        figures: Heading of each column to the figure's place in `metrics.json`, such as
            `{"test F1": "splits.conll2003_test.f1"}`.

    Returns:
        Header and rows for `markdown_table`: the recipe's name, its seeds, and each figure as
        "mean ± standard deviation" (that of a sample; one run alone has none).

    Raises:
        FileNotFoundError: A folder was not measured.
        ValueError: A metrics.json lacks a figure or how the model was trained, a seed is there
            twice, or two recipes have one name.

    Example:
        >>> comparison(["runs/1/preset", "runs/2/preset"], {"F1": "splits.conll2003_test.f1"})
        ... # doctest: +SKIP
        (['recipe', 'seeds', 'F1'], [['ner', '1, 2', '90.50 ± 0.14']])
    """
    runs: dict[str, dict[int, tuple]] = {}
    recipes: dict[str, str] = {}
    for folder in folders:
        metrics = read_metrics(folder)
        recipe = comparable(_figure(metrics, "training.recipe", folder))
        name, seed = recipe["name"], recipe.pop("seed")
        same = json.dumps(recipe, sort_keys=True)
        if recipes.setdefault(name, same) != same or seed in runs.get(name, {}):
            raise ValueError(
                "`folders` must hold each seed of a recipe once, and runs of one name must differ "
                f"in the seed alone. Received: {folder}, a run of {name} with seed {seed}"
            )
        values = tuple(_figure(metrics, place, folder) for place in figures.values())
        runs.setdefault(name, {})[seed] = values
    rows = [
        [
            name,
            ", ".join(map(str, sorted(seeds))),
            *(plus_minus(spread(values)) for values in zip(*seeds.values(), strict=True)),
        ]
        for name, seeds in runs.items()
    ]
    return ["recipe", "seeds", *figures], rows


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Mean and sample standard deviation of a figure over the runs.

    Args:
        values: One of each run, at least one.

    Returns:
        `{"mean", "deviation"}`, to two places; one run alone has the deviation None.

    Example:
        >>> spread([90.0, 91.0])
        {'mean': 90.5, 'deviation': 0.71}
    """
    deviation = round(statistics.stdev(values), 2) if len(values) > 1 else None
    return {"mean": round(statistics.mean(values), 2), "deviation": deviation}


def plus_minus(of: dict[str, float | None]) -> str:
    """What `spread` gave as "mean ± deviation"; the mean alone where there is no deviation."""
    mean = f"{of['mean']:.2f}"
    return mean if of["deviation"] is None else f"{mean} ± {of['deviation']:.2f}"


def _figure(metrics: dict[str, Any], place: str, folder: str | Path) -> Any:
    value = metrics
    for key in place.split("."):
        if not isinstance(value, dict) or value.get(key) is None:
            raise ValueError(f"`figures` names what is not measured in {folder}. Received: {place}")
        value = value[key]
    return value
