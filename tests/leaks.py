"""Does anything stay of what was traced?"""

import gc
from collections.abc import Callable

from tensorflow.python.framework.func_graph import FuncGraph


def live_graphs() -> list[FuncGraph]:
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, FuncGraph)]


def assert_nothing_stays(use: Callable, *arguments) -> None:
    """`use` traces; afterwards it is gone, but for what a process traces once for all models."""
    use(*arguments)
    before = len(live_graphs())
    use(*arguments)
    assert len(live_graphs()) <= before
