"""A hint for a name that is not known."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[str], count: int, cutoff: float) -> str:
    """The question whether one of the close names was meant; empty if none is close.

    Args:
        name: What was given.
        known: The names there are.
        count: The most names to ask about.
        cutoff: How alike a name must be, from 0 to 1, as `difflib.get_close_matches` has it.
    """
    close = difflib.get_close_matches(str(name), list(known), n=count, cutoff=cutoff)
    return f"Did you mean {' or '.join(map(repr, close))}?" if close else ""
