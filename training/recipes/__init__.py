"""The recipes: each module has ``RECIPES``, name of a preset to recipe, and ``train``."""

import difflib
import importlib
import inspect
from dataclasses import asdict

MODULES = ("nmt", "sentiment", "ner")


def recipe(name):
    """The recipe of a preset.

    Raises:
        ValueError: unknown name (with close matches).
    """
    recipes = {known: module.RECIPES[known] for known, module in _modules().items()}
    if name not in recipes:
        close = difflib.get_close_matches(name, recipes, n=2, cutoff=0.4)
        hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise ValueError(
            f"`name` has no recipe.{hint} Recipes: {', '.join(recipes)}. Received: {name!r}"
        )
    return recipes[name]


def train(recipe, out, *args, **inputs):
    """Run a recipe; see ``train`` of its module, such as ``training.recipes.nmt.train``.

    Raises:
        OSError: ``out`` cannot be written to.
        ValueError: an input that this recipe does not read, or ``out`` holds another run, besides
            what the module's raises.
    """
    from training.loop.checkpoint import Checkpoint  # which brings TensorFlow

    run = _modules()[recipe.name].train
    for name in inputs:
        if name not in inspect.signature(run).parameters:
            raise ValueError(f"`{name}` means nothing to the recipe of {recipe.name}")
    Checkpoint(out, asdict(recipe)).read()
    return run(recipe, out, *args, **inputs)


def _modules():
    """Name of each preset -> the module of its recipe."""
    modules = [importlib.import_module(f"training.recipes.{name}") for name in MODULES]
    return {name: module for module in modules for name in module.RECIPES}
