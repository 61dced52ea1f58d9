"""Seconds that a model's verb takes, for the model cards. Comparisons with peers: benchmarks/."""

import statistics
import time
from collections.abc import Callable

LATENCY_TEXTS = 50


def throughput(verb: Callable[[list], list], texts: list) -> tuple[list, dict]:
    """Runs a verb over all texts.

    Args:
        verb: Takes a list of texts and gives a list of results; traced before, if it needs be.
        texts: The texts.

    Returns:
        The results, and `{"seconds", "texts_per_second"}`.
    """
    started = time.perf_counter()
    results = verb(texts)
    seconds = time.perf_counter() - started
    return results, {
        "seconds": round(seconds, 2),
        "texts_per_second": round(len(texts) / seconds, 1),
    }


def latency(verb: Callable[[list], list], texts: list) -> dict:
    """Times a verb on single texts.

    Args:
        verb: As for `throughput`.
        texts: Texts, the first 50 of which are taken.

    Returns:
        `{"texts", "median_ms", "slowest_ms"}`, milliseconds from text to result.
    """
    texts = texts[:LATENCY_TEXTS]
    verb(texts[:1])
    milliseconds = []
    for text in texts:
        started = time.perf_counter()
        verb([text])
        milliseconds.append(1000 * (time.perf_counter() - started))
    return {
        "texts": len(texts),
        "median_ms": round(statistics.median(milliseconds), 1),
        "slowest_ms": round(max(milliseconds), 1),
    }
