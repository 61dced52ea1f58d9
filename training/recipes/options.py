"""Options of the command line that recipes declare, and the command `train` that reads them."""

import contextlib
import copy
import dataclasses
import inspect
import itertools
from pathlib import Path
from typing import Any

import click

from zoo.files import check_can_be_folder
from zoo.training import recipes
from zoo.training.loop.schedule import Schedule, changed

# More than one recipe declares it.
WORD_VECTORS = click.Option(
    ["--word-vectors"],
    type=click.Path(path_type=Path),
    help="File or folder with GloVe's vectors, for a model of words. "
    "[default: downloaded once from their public home]",
)
# Where the context of `train` keeps the options that recipes declare.
RECIPE_OPTIONS = "training.recipe_options"


class TrainCommand(click.Command):
    """Has the options of the recipe that is named; those of others are known, to be refused."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Finds the recipe's name among the arguments first: it says which options there are."""
        _check_out(args)
        if set(args) - set(ctx.help_option_names):
            ctx.meta[RECIPE_OPTIONS] = _recipe_options(None)
            with contextlib.suppress(click.UsageError):  # which is told below
                given, _, _ = self.make_parser(ctx).parse_args(list(args))
                ctx.meta[RECIPE_OPTIONS] = _recipe_options(given.get("name"))
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The options of recipes stand after those that every recipe has, before `--help`."""
        *own, help_option = super().get_params(ctx)
        return [*own, *ctx.meta.get(RECIPE_OPTIONS, ()), help_option]


def _check_out(args: list[str]) -> None:
    """Refuses a folder for the run that cannot be one before the recipes bring TensorFlow."""
    values = [value for option, value in itertools.pairwise(args) if option == "--out"]
    values += [arg.removeprefix("--out=") for arg in args if arg.startswith("--out=")]
    try:
        for value in values:
            check_can_be_folder("out", value)
    except OSError as error:
        raise click.ClickException(str(error)) from error


def _recipe_options(name: str | None) -> list[click.Option]:
    """The options of all recipes, hidden but for those of the recipe of this name."""
    options = {}
    for module in recipes.modules():
        for key, option in recipes.options_of(module).items():
            own = name in module.RECIPES
            if own or key not in options:
                options[key] = copy.copy(option)
                options[key].hidden = not own
    return list(options.values())


def with_options(recipe: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A recipe with the options that were given.

    Args:
        recipe: One of a module of recipes.
        options: Values by name, those that were given.

    Returns:
        The recipe, changed by those that are fields of it or of its schedule, and the others, which
        its module's `train` takes.

    Raises:
        ValueError: An option of other recipes.
    """
    module = recipes.module_of(recipe.name)
    known = {"seed", *(field.name for field in dataclasses.fields(Schedule))}
    for key in options.keys() - known - recipes.options_of(module).keys():
        others = [
            name
            for other in recipes.modules()
            if key in recipes.options_of(other)
            for name in other.RECIPES
        ]
        raise ValueError(
            f"--{key.replace('_', '-')} means nothing to the recipe {recipe.name}: "
            f"it is an option of {', '.join(others)}"
        )
    taken = inspect.signature(module.train).parameters
    inputs = {key: value for key, value in options.items() if key in taken}
    return changed(recipe, **{k: v for k, v in options.items() if k not in taken}), inputs
