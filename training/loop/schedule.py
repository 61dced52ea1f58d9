"""How long and how fast a model learns: what all recipes have in common."""

import contextlib
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from typing import Any

from zoo.registry import model_class, model_name


@dataclass(frozen=True)
class Schedule:
    """Epochs, batches and the optimizer's settings; see `zoo.training.loop.runs.averaging_adam`.

    Attributes:
        epochs: Passes over the training data.
        batch_size: Rows in a batch.
        learning_rate: The highest one, which the warm-up ends with.
        warmup_steps: Batches until then.
        clip_norm: The norm that all gradients together are clipped to.
        average_momentum: Of the moving average of the weights, which is what is measured and kept.
        weight_decay: Of AdamW.
        precision: Keras's dtype policy; weights stay float32.
    """

    epochs: int
    batch_size: int = 64
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    clip_norm: float = 1.0
    average_momentum: float = 0.998
    weight_decay: float = 0.0
    precision: str = "float32"


def changed(recipe: Any, **changes: Any) -> Any:
    """A recipe with other values in some of its fields, or in those of its schedule.

    Args:
        recipe: A frozen dataclass with a field `schedule`.
        **changes: Values by field.

    Raises:
        ValueError: Neither has such a field.

    Example:
        >>> changed(zoo.training.recipes.recipe("ner"), seed=2, epochs=10)  # doctest: +SKIP
    """
    own = {field.name for field in fields(recipe)}
    of_schedule = {field.name for field in fields(Schedule)} - own
    for name in changes:
        if name not in own | of_schedule:
            raise ValueError(
                f"--{name.replace('_', '-')} means nothing to the recipe {recipe.name}"
            )
    outer = {name: value for name, value in changes.items() if name in own}
    inner = {name: value for name, value in changes.items() if name in of_schedule}
    if inner:
        outer["schedule"] = replace(outer.get("schedule", recipe.schedule), **inner)
    return replace(recipe, **outer)


def recorded(recipe: Any) -> dict[str, Any]:
    """A recipe as plain values, for `config.json` and checkpoints.

    Args:
        recipe: A dataclass, or what was recorded of one, in either form: the fields of its schedule
            beside the others or below `schedule`.

    Returns:
        A dict with the fields of the schedule beside the others.

    Example:
        >>> recorded({"name": "ner", "schedule": {"epochs": 3}})
        {'name': 'ner', 'epochs': 3}
    """
    values = asdict(recipe) if is_dataclass(recipe) else dict(recipe)
    schedule = values.pop("schedule", None) or {}
    return {**values, **schedule}


def comparable(recipe: Any) -> dict[str, Any]:
    """What `recorded` gives, with a model's present name for a former one: to compare two runs."""
    values = recorded(recipe)
    if "model" in values:
        with contextlib.suppress(ValueError):  # a model of a package that is not there
            values["model"] = model_name(model_class(values["model"]))
    return values
