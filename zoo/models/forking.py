"""A process forked after TensorFlow has started lacks its threads, and would wait for ever."""

import os

from tensorflow.python.eager import context

_without_threads = False


def check_process() -> None:
    """Raises RuntimeError in a process that was forked after TensorFlow had started."""
    if _without_threads:
        raise RuntimeError(
            "This process was forked from one in which TensorFlow had computed already, and has "
            "none of its threads: it would wait for ever. Start processes with "
            '`multiprocessing.get_context("spawn")`, or load the model after the fork '
            "(gunicorn: without --preload), where nothing has run in the parent."
        )


def _in_child() -> None:
    global _without_threads
    _without_threads = context.context()._initialized


os.register_at_fork(after_in_child=_in_child)
