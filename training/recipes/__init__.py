"""The recipes: how each preset is trained, one readable module for each kind of model.

A module is a recipe's if it has `RECIPES`. The zoo's own are the modules of this package; those of
other packages are named by the entry point group `rnn_zoo.recipes`, in a user's `pyproject.toml`:

    [project.entry-points."rnn_zoo.recipes"]
    my_package = "my_package.recipe"

See `RecipeModule` for what else such a module may have.
"""

import importlib
import importlib.metadata
import inspect
import pkgutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import click

from zoo.startup import import_tensorflow
from zoo.training.evaluation.base import Card, Evaluation
from zoo.training.loop.schedule import recorded
from zoo.training.recipes.declared import ENTRY_POINTS, no_such_recipe


class RecipeModule(Protocol):
    """What a recipe's module has: the first two always, the others where it needs them.

    Attributes:
        RECIPES: Name of each preset to its recipe, a frozen dataclass of plain values with the
            fields `name`, `model` (the registered name of the model's class), `seed` and `schedule`
            (a `zoo.training.loop.schedule.Schedule`).
        OPTIONS: Options of the command line that only these recipes understand, with their help.
            One that `train` has a parameter for is passed to it; another changes the field of that
            name.
        EVALUATION: How the presets are measured.
    """

    RECIPES: Mapping[str, Any]
    OPTIONS: Sequence[click.Option]
    EVALUATION: Evaluation

    def train(
        self,
        recipe: Any,
        out: str | Path,
        data_dir: str | Path | None = None,
        verify: bool = True,
        command: str | None = None,
        **options: Any,
    ) -> Path:
        """Trains, or goes on with a run that was stopped; gives the folder of the best epoch."""

    def card(self, recipe: Mapping[str, Any]) -> Card:
        """What the card says; `recipe` as `zoo.training.loop.schedule.recorded` has it."""


def modules() -> list[RecipeModule]:
    """All modules with recipes; one of another package that cannot be used is warned of."""
    import_tensorflow()  # as they will, with all that it says at its start
    own = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    )
    found = [module for module in own if hasattr(module, "RECIPES")]
    for entry_point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            module = entry_point.load()
            if not (hasattr(module, "RECIPES") and hasattr(module, "train")):
                raise AttributeError("it must have `RECIPES` and `train`")
        except Exception as error:  # somebody else's package must not keep the others from training
            warnings.warn(
                f"The recipes of {entry_point.value!r}, which the entry point {entry_point.name!r} "
                f"of {ENTRY_POINTS} names, cannot be used ({type(error).__name__}: {error}).",
                RuntimeWarning,
                stacklevel=2,
            )
            continue
        if module not in found:
            found.append(module)
    return found


def names() -> list[str]:
    """The names of all recipes, sorted."""
    return sorted({name for module in modules() for name in module.RECIPES})


def module_of(name: str) -> RecipeModule | None:
    """The module of a preset's recipe; None if there is no recipe of this name.

    Raises:
        ValueError: Two modules have a recipe of this name.
    """
    found = [module for module in modules() if name in module.RECIPES]
    if len(found) > 1:
        raise ValueError(
            f"Two recipes are called {name!r}, in {' and in '.join(m.__name__ for m in found)}: "
            f"rename or uninstall one of them"
        )
    return found[0] if found else None


def recipe(name: str) -> Any:
    """The recipe of a preset.

    Raises:
        ValueError: Unknown name (with close matches), or one that two modules have.
    """
    module = module_of(name)
    if module is None:
        raise no_such_recipe(name, names())
    return module.RECIPES[name]


def train(
    recipe: Any,
    out: str | Path,
    data_dir: str | Path | None = None,
    verify: bool = True,
    command: str | None = None,
    **inputs: Any,
) -> Path:
    """Runs a recipe; see `train` of its module, such as `zoo.training.recipes.nmt.train`.

    Args:
        recipe: What `recipe` gave, with other values where wanted
            (`zoo.training.loop.schedule.changed`).
        out: The run's folder.
        data_dir: A folder with the corpus; None downloads it.
        verify: Whether the data must be the published corpus.
        command: The command line, for the model card.
        **inputs: What the recipe takes beside them, such as `word_vectors`.

    Returns:
        The folder of the best epoch, which `zoo.load` takes.

    Raises:
        OSError: `out` cannot be written to.
        ValueError: An input that this recipe does not read, or `out` holds another run, besides
            what the module's raises.
    """
    from zoo.training.loop.checkpoint import Checkpoint  # which brings TensorFlow

    run = module_of(recipe.name).train
    known = inspect.signature(run).parameters
    for name in inputs:
        if name not in known:
            raise ValueError(f"`{name}` means nothing to the recipe of {recipe.name}")
    Checkpoint(out, recorded(recipe)).read()
    return run(recipe, out, data_dir, verify=verify, command=command, **inputs)


def options_of(module: RecipeModule) -> dict[str, click.Option]:
    """The options of the command line that only these recipes understand, by their names."""
    return {option.name: option for option in getattr(module, "OPTIONS", ())}
