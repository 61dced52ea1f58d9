"""Gives memory back once versions have gone, or have come."""

import ctypes
import gc


def release_memory() -> None:
    """Frees what nobody refers to any more, down to the operating system.

    A graph and its operations refer to each other, so those of a version that was unloaded stay
    until Python looks for cycles; with many old objects it hardly ever does by itself. What
    TensorFlow has freed, C's allocator keeps for its next use, which may be never.
    """
    gc.collect()
    if _trim:
        _trim(0)


# Of glibc only; other C libraries give memory back by themselves, or not at all.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
