"""Packages that only an extra of the distribution installs, such as `rnn-zoo[training]`."""

import contextlib
import importlib
from collections.abc import Iterator
from types import ModuleType


class MissingExtraError(ModuleNotFoundError):
    """A package is missing that an extra installs; the message says which to install."""


@contextlib.contextmanager
def extra(name: str) -> Iterator[None]:
    """Within the block stand imports of what only an extra installs.

    Args:
        name: The extra, such as `"training"`.

    Raises:
        MissingExtraError: One of the packages is not there.

    Example:
        >>> with extra("training"):
        ...     import sacrebleu
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"The package {error.name!r} is missing, which is not needed to run models, but for "
            f'this: pip install "rnn-zoo[{name}]"',
            name=error.name,
        ) from error


def needed(module: str, name: str = "training") -> ModuleType:
    """Imports a module of a package that only some tasks need, when they do.

    Args:
        module: Its full name, such as `"sklearn.metrics"`.
        name: The extra that has the package.

    Raises:
        MissingExtraError: The package is not there.
    """
    with extra(name):
        return importlib.import_module(module)
