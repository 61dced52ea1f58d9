"""The names of the recipes, read off their sources: a typing error is told before TensorFlow."""

import ast
import importlib.metadata
from collections.abc import Iterable, Iterator
from pathlib import Path

from zoo.close_names import did_you_mean

ENTRY_POINTS = "rnn_zoo.recipes"


def declared_names() -> set[str]:
    """The names in the dicts `RECIPES` of this package's modules, none of which is imported."""
    sources = Path(__file__).parent.glob("*.py")
    return {name for source in sources for name in _names(ast.parse(source.read_text("utf-8")))}


def check_declared(name: str) -> None:
    """Refuses a name that no recipe has, unless another package, not asked here, may have it.

    Args:
        name: What the user has typed.

    Raises:
        ValueError: Unknown name (with close matches).
    """
    known = declared_names()
    if name not in known and not importlib.metadata.entry_points(group=ENTRY_POINTS):
        raise no_such_recipe(name, known)


def no_such_recipe(name: str, known: Iterable[str]) -> ValueError:
    """The error for a name that none of those known is."""
    known = sorted(known)
    hint = did_you_mean(name, known, 2, cutoff=0.4)
    hint = f" {hint}" if hint else ""
    return ValueError(
        f"`name` has no recipe.{hint} Recipes: {', '.join(known)}. Received: {name!r}"
    )


def _names(module: ast.Module) -> Iterator[str]:
    """Keys of `RECIPES = {...}` and of `RECIPES["..."] = ...`."""
    for node in module.body:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            keys = []
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Dict):
                owner, keys = target, node.value.keys
            elif isinstance(target, ast.Subscript):
                owner, keys = target.value, [target.slice]
            if keys and isinstance(owner, ast.Name) and owner.id == "RECIPES":
                yield from (key.value for key in keys if isinstance(key, ast.Constant))
