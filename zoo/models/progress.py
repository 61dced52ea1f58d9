"""A progress bar for verbs that take long, on a terminal only."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

AFTER_SECONDS = 2.0


@contextlib.contextmanager
def progress_bar(what: str, total: int, wanted: bool = True) -> Iterator[Callable[[int], None]]:
    """Within the block, a function that counts what is done; the bar goes when the block ends.

    Nothing is shown before `AFTER_SECONDS`, nor where standard error is no terminal.

    Args:
        what: What is being done, such as `"translate"`.
        total: How many entries there are.
        wanted: False: never show anything.

    Yields:
        `advance(count)`.
    """
    console = Console(stderr=True)
    if not (wanted and console.is_terminal):
        yield lambda count: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
    task, started = bar.add_task(what, total=total), time.monotonic()

    def advance(count: int) -> None:
        bar.advance(task, count)
        if not bar.live.is_started and time.monotonic() - started > AFTER_SECONDS:
            bar.start()

    try:
        yield advance
    finally:
        bar.stop()
