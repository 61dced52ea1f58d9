"""Libraries that only some tasks need: imported when they do, or told with their extra."""

import importlib
from types import ModuleType


def needed(module: str, extra: str = "training") -> ModuleType:
    """Imports a module of a library that an extra of the distribution brings.

    Args:
        module: Its full name, such as `"sklearn.metrics"`.
        extra: The extra that has the library.

    Raises:
        ImportError: The library is not installed; the message has the command that does it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != library:
            raise  # the library is there, and lacks something itself
        raise ImportError(
            f'{library} is not installed, which this needs: pip install "rnn-zoo[{extra}]"'
        ) from error
