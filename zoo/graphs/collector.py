"""Python's garbage collector, which looks less often while a graph is traced."""

import contextlib
import gc
import threading
from collections.abc import Iterator

# A graph is thousands of objects that all stay. Looking through those of TensorFlow for garbage
# after each 700 of them takes a sixth of the time.
_THRESHOLDS = (50_000, 20, 100)

_lock = threading.Lock()
_inside = 0
_own = (0, 0, 0)


@contextlib.contextmanager
def relaxed_collector() -> Iterator[None]:
    """Within the block garbage is looked for less often, unless it is so already.

    Blocks may be nested and of several threads; with the last one the thresholds are as before.

    Example:
        >>> with relaxed_collector():
        ...     function.get_concrete_function()
    """
    global _inside, _own
    with _lock:
        _inside += 1
        if _inside == 1:
            _own = gc.get_threshold()
            if 0 < _own[0] < _THRESHOLDS[0]:
                gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            # Who has set others meanwhile keeps them.
            if _inside == 0 and gc.get_threshold() == _THRESHOLDS:
                gc.set_threshold(*_own)
