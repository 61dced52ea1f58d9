"""Finds how a preset is measured and what its card says, by its `config.json`.

First by the recipe that it was trained by, as it is recorded there; then, for a model without one,
by the class: through a recipe for the same model, an attribute `evaluation`, or the verb.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from zoo.presets import model_card
from zoo.registry import model_class, model_name
from zoo.training import recipes
from zoo.training.evaluation.base import NOT_RECORDED, Card, Evaluation
from zoo.training.loop.schedule import recorded
from zoo.training.recipes import RecipeModule


def preset_name(config: Mapping[str, Any]) -> str:
    """The preset that a `config.json` is of: its recipe's name, else the model's."""
    return _recorded(config).get("name", config["model"])


def recipe_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a preset was trained by: what its `config.json` records, else what the code has.

    Args:
        config: Content of a `config.json`.

    Returns:
        Plain values by field, those of the schedule beside the others; a model of no recipe has a
        `name` alone.
    """
    _, known = _module_and_recipe(config)
    return {
        **(recorded(known) if known else {}),
        **_recorded(config),
        "name": preset_name(config),
    }


def evaluation_of(config: Mapping[str, Any]) -> Evaluation:
    """How the preset of a `config.json` is measured.

    Args:
        config: Content of a `config.json`.

    Raises:
        ValueError: Nothing measures this model.
    """
    module, _ = _module_and_recipe(config)
    if hasattr(module, "EVALUATION"):
        return module.EVALUATION
    cls = _class(config)
    if isinstance(getattr(cls, "evaluation", None), Evaluation):
        return cls.evaluation
    for other in recipes.modules():
        evaluation = getattr(other, "EVALUATION", None)
        if cls is not None and evaluation is not None and evaluation.verb == cls.task:
            return evaluation
    raise ValueError(
        "Nothing measures this model: its recipe's module needs an `EVALUATION`, or its class an "
        f"attribute `evaluation`. Received: model={config['model']!r}"
    )


def card_of(config: Mapping[str, Any]) -> Card:
    """What the card of the preset of a `config.json` says beside the figures.

    Args:
        config: Content of a `config.json`.
    """
    if (own := _own_card(config)) is not None:
        return own
    module, known = _module_and_recipe(config)
    name = preset_name(config)
    if not hasattr(module, "card"):
        return Card(f"A model of the kind `{config['model']}`, trained by the recipe `{name}`.")
    if known.name == name:
        return module.card(recipe_of(config))
    # A model of no recipe: what is true of its kind.
    return dataclasses.replace(module.card(recorded(known)), data=NOT_RECORDED)


def _own_card(config: Mapping[str, Any]) -> Card | None:
    """What `zoo.save` recorded of a model that no recipe has trained; None of an older one."""
    made = config.get("provenance")
    if not made or _recorded(config):
        return None
    return Card(
        what=model_card.what_section(config),
        data=model_card.terms_section(made) or NOT_RECORDED,
        limits=model_card.limits_section(made, measured=True),
    )


def _recorded(config: Mapping[str, Any]) -> dict[str, Any]:
    return recorded((config.get("training") or {}).get("recipe") or {})


def _module_and_recipe(config: Mapping[str, Any]) -> tuple[RecipeModule | None, Any]:
    """The recipe of the preset's name, else the first for its model; with the module."""
    name = preset_name(config)
    module = recipes.module_of(name)
    if module is not None:
        return module, module.RECIPES[name]
    kind = model_name(_class(config))
    for module in recipes.modules():
        for recipe in module.RECIPES.values():
            if kind is not None and getattr(recipe, "model", None) == kind:
                return module, recipe
    return None, None


def _class(config: Mapping[str, Any]) -> type | None:
    """The model's class; None if it is not registered here."""
    try:
        return model_class(config["model"])
    except ValueError:
        return None
