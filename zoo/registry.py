"""The models that the zoo knows: each is registered by a decorator on its class, and nowhere else.

`zoo.save`, `zoo.load`, `zoo run`, `zoo-export`, `zoo-serve` and the playground find a model here.
The zoo's own are the modules of `zoo.models`; those of other packages are found through the entry
point group `rnn_zoo.models`, or because the user has imported them. No TensorFlow is imported here.
"""

import importlib
import importlib.metadata
import pkgutil
import re
import warnings
import weakref
from collections.abc import Callable, Sequence

from zoo.close_names import did_you_mean

ENTRY_POINTS = "rnn_zoo.models"

_classes: dict[str, type] = {}
_former: dict[str, str] = {}
# Classes of cells of a notebook that were run again, to their names: of them there may be models.
_replaced: weakref.WeakKeyDictionary[type, str] = weakref.WeakKeyDictionary()
_searched = False


def register(
    cls: type | None = None, *, name: str | None = None, former_names: Sequence[str] = ()
) -> type | Callable[[type], type]:
    """Makes a class known to the zoo: a decorator, with or without arguments.

    Args:
        cls: A subclass of `zoo.models.base.ZooModel`.
        name: What `config.json` calls the model; by default the class's name in snake case
            (`NMTAttention` is `nmt_attention`).
        former_names: What `config.json` of older presets may call it.

    Returns:
        The class itself; without `cls`, the decorator.

    Raises:
        TypeError: What is decorated is no subclass of `ZooModel`.
        ValueError: Another class has the name.

    Example:
        >>> @zoo.register
        ... class DateReader(zoo.models.text_generator.TextGenerator):
        ...     pass
    """
    if cls is None:
        return lambda decorated: register(decorated, name=name, former_names=former_names)
    # Not by isinstance: that would import the base class, and TensorFlow with it, for nothing.
    if not (isinstance(cls, type) and hasattr(cls, "signatures") and hasattr(cls, "from_assets")):
        raise TypeError(f"`zoo.register` decorates subclasses of ZooModel. Received: {cls!r}")
    name = name or _snake_case(cls.__name__)
    for known in (name, *former_names):
        other = _classes.get(_former.get(known, known))
        if other is not None and _path(other) != _path(cls):
            raise ValueError(
                f"The name {known!r} is taken by {_path(other)}: give another, "
                f"`@zoo.register(name=...)`. Received: {_path(cls)}"
            )
    if (before := _classes.get(name)) is not None and before is not cls:
        _replaced[before] = name
    _classes[name] = cls
    _former.update(dict.fromkeys(former_names, name))
    return cls


def model_class(name: str, package: str | None = None) -> type:
    """The class that a `config.json` calls by a name.

    Args:
        name: Its name, or a former one.
        package: The distribution that the class came from, as the file tells; it is named in the
            message, never imported.

    Raises:
        ValueError: No such model is registered; the message has the close ones, and how to get it.
    """
    find_models()
    if (found := _classes.get(_former.get(name, name))) is not None:
        return found
    hint = did_you_mean(name, _classes, 2, cutoff=0.6)
    hint = f" {hint}" if hint else ""
    home = f" It was saved with the package {package!r}: install that." if package else ""
    raise ValueError(
        f"unknown model: {name!r}.{hint}{home} A model from outside the zoo is known once its "
        "module has been imported, or its package is installed with the entry point "
        f"{ENTRY_POINTS!r}. Models: {', '.join(model_names())}"
    )


def model_names() -> list[str]:
    """Names of all registered models, sorted."""
    find_models()
    return sorted(_classes)


def model_name(model: object) -> str | None:
    """The registered name of a model (or its class); None if it is not registered.

    A class that was registered again, as by a cell of a notebook, has its name still.
    """
    find_models()
    cls = model if isinstance(model, type) else type(model)
    named = (name for name, known in _classes.items() if known is cls)
    return next(named, _replaced.get(cls))


def package_of(cls: type) -> str | None:
    """The distribution that a class comes from; None for the zoo's own and for loose modules."""
    top = cls.__module__.partition(".")[0]
    if top == "zoo":
        return None
    for entry_point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        # It knows its distribution also where no list of files does: in an editable install.
        if entry_point.dist and entry_point.module.partition(".")[0] == top:
            return entry_point.dist.name
    return next(iter(importlib.metadata.packages_distributions().get(top, [])), None)


def find_models() -> None:
    """Imports the modules of `zoo.models` and what the entry points name, once."""
    global _searched
    if _searched:
        return
    import zoo.models

    for module in pkgutil.iter_modules(zoo.models.__path__):
        importlib.import_module(f"zoo.models.{module.name}")
    for entry_point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            entry_point.load()
        except Exception as error:  # somebody else's package must not keep the zoo from working
            warnings.warn(
                f"The models of {entry_point.value!r}, which the entry point {entry_point.name!r} "
                f"of {ENTRY_POINTS} names, cannot be imported ({type(error).__name__}: {error}).",
                RuntimeWarning,
                stacklevel=2,
            )
    _searched = True


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
