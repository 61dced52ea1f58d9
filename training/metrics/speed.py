"""Seconds that a model's verb takes, for the model cards; comparisons with peers: `benchmarks`."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

LATENCY_ENTRIES = 50
Verb = Callable[[list[Any]], list[Any]]


def throughput(
    verb: Verb, entries: Sequence[Any], unit: str = "texts"
) -> tuple[list[Any], dict[str, float]]:
    """Runs a verb over all entries.

    Args:
        verb: Takes a list of entries and gives a list of results; traced before, if it needs be.
        entries: The texts, pictures or whatever the verb takes.
        unit: What they are called.

    Returns:
        The results, and `{"seconds", "texts_per_second"}` by that unit.
    """
    started = time.perf_counter()
    results = verb(entries)
    seconds = time.perf_counter() - started
    return results, {
        "seconds": round(seconds, 2),
        f"{unit}_per_second": round(len(entries) / seconds, 1),
    }


def latency(verb: Verb, entries: Sequence[Any], unit: str = "texts") -> dict[str, float]:
    """Times a verb on single entries.

    Args:
        verb: As for `throughput`.
        entries: The first 50 of them are taken.
        unit: What they are called.

    Returns:
        `{"texts", "median_ms", "slowest_ms"}`: how many, by that unit, and milliseconds from an
        entry to its result.
    """
    entries = entries[:LATENCY_ENTRIES]
    verb(entries[:1])
    milliseconds = []
    for entry in entries:
        started = time.perf_counter()
        verb([entry])
        milliseconds.append(1000 * (time.perf_counter() - started))
    return {
        unit: len(entries),
        "median_ms": round(statistics.median(milliseconds), 1),
        "slowest_ms": round(max(milliseconds), 1),
    }
