"""Spans of characters as tags of a tokenizer's words, and the spans that do not fit them."""

import bisect
import collections
import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from zoo.data.spans import Span, as_span
from zoo.data.tag_schemes import OUTSIDE

# What `fit` does with spans that do not fit.
BAD_SPANS = ("error", "snap", "skip")
SHOWN = 8
# Characters shown on each side of a span.
AROUND = 20


class Misfit(NamedTuple):
    """A span that is not that of whole words by itself.

    Attributes:
        row: The text's place in the list.
        span: As it was given.
        problem: "misaligned", "overlapping", "out of range" or "empty".
        excerpt: The text around it, the span in brackets.
        mended: What `"snap"` makes of it: start and end; None if nothing is left.
    """

    row: int
    span: Span
    problem: str
    excerpt: str
    mended: tuple[int, int] | None


def read_spans_of(name: str, row: int, spans: object) -> list[Span]:
    """The spans of one text, each as `(start, end, type)`.

    Args:
        name: The argument's name, for messages.
        row: The text's place in the list, for messages.
        spans: A list of spans in any form of `zoo.data.spans.as_span`.

    Raises:
        TypeError: No list.
        ValueError: An entry is no span.
    """
    if isinstance(spans, str | bytes | dict) or not hasattr(spans, "__iter__"):
        raise TypeError(
            f"`{name}` must hold a list for each text, [] for one without entities. "
            f"Received: {name}[{row}]={spans!r}"
        )
    found = []
    for place, span in enumerate(spans):
        try:
            found.append(as_span(span))
        except ValueError as error:
            raise ValueError(
                f"`{name}[{row}][{place}]` is no span of a text. {error}. "
                "(Tags go with lists of tokens.)"
            ) from error
    return found


def fit_spans(
    row: int,
    text: str,
    spans: Sequence[Span],
    starts: Sequence[int],
    ends: Sequence[int],
    snap: bool = True,
) -> tuple[list[tuple[int, int, Span]], list[Misfit]]:
    """Which words the spans of a text are.

    Blanks at a span's ends are passed over. Of spans that overlap, the longest fits.

    Args:
        row: The text's place in the list.
        text: The text.
        spans: Of it, in characters.
        starts: The first character of each of its words.
        ends: The character after each word's last.
        snap: Whether one that cuts words, or leaves the text, has all the words that it touches.

    Returns:
        `(first word, word after the last, span)` of each span that has words of its own, in order;
        and a `Misfit` for each that is not right as it stands, which may be among the former.
    """
    fitting, misfits = [], []
    taken = [False] * len(starts)
    order = sorted(spans, key=lambda span: (span[0] - span[1], span[0]))
    for start, end, kind in order:
        problem = None
        first, last = bisect.bisect_right(ends, max(start, 0)), bisect.bisect_left(starts, end)
        if end <= start or (first >= last and 0 <= start < end <= len(text)):
            problem, last = "empty", first
        elif start < 0 or end > len(text):
            problem = "out of range"
        elif starts[first] < start or ends[last - 1] > end:
            problem = "misaligned"
        has_words = first < last and (snap or not problem)
        if has_words and any(taken[first:last]):
            problem, has_words = "overlapping", False
        if has_words:
            taken[first:last] = [True] * (last - first)
            fitting.append((first, last, (start, end, kind)))
        if problem:
            mended = (starts[first], ends[last - 1]) if has_words else None
            excerpt = _excerpt(text, start, end)
            misfits.append(Misfit(row, (start, end, kind), problem, excerpt, mended))
    return sorted(fitting), sorted(misfits, key=lambda misfit: misfit.span[:2])


def cut_rows(
    tokens: Sequence[str],
    fitting: Iterable[tuple[int, int, Span]],
    sentences: Sequence[int],
) -> tuple[list[tuple[list[str], list[str]]], list[Span]]:
    """A text's tokens and their tags in BIO, sentence by sentence.

    A sentence that ends within a span goes on to the end of the next: cut there, the entity would
    be two.

    Args:
        tokens: Of the text.
        fitting: As of `fit_spans`.
        sentences: How many tokens each sentence has.

    Returns:
        `(tokens, tags)` of each sentence, one without tokens of a text that has none; and the spans
        within which a sentence ended.
    """
    tags = [OUTSIDE] * len(tokens)
    span_at = {}
    for first, last, span in fitting:
        tags[first:last] = [f"B-{span[2]}"] + [f"I-{span[2]}"] * (last - first - 1)
        span_at.update(dict.fromkeys(range(first + 1, last), span))
    ends = list(itertools.accumulate(sentences))
    cuts = [0, *(end for end in ends if end not in span_at)]
    rows = [(list(tokens[start:end]), tags[start:end]) for start, end in itertools.pairwise(cuts)]
    crossed = dict.fromkeys(span_at[end] for end in ends if end in span_at)
    return rows or [([], [])], list(crossed)


def describe(name: str, misfits: Sequence[Misfit], spans: int, bad_spans: str) -> str:
    """All misfits in words: how many of each kind, and the first few of them.

    Args:
        name: The argument's name.
        misfits: At least one.
        spans: How many spans there are.
        bad_spans: One of `BAD_SPANS`: what is done with them.
    """
    kinds = collections.Counter(misfit.problem for misfit in misfits)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    texts = len({misfit.row for misfit in misfits})
    lines = [
        f"`{name}` must be of whole tokens of the model, within their texts, and not overlap. "
        f"{len(misfits)} of {spans} spans, in {texts} text{'s' * (texts > 1)}, are not: {counts}."
    ]
    for row, span, problem, excerpt, mended in misfits[:SHOWN]:
        line = f"  {name}[{row}]: {span} is {problem}: {excerpt}"
        if mended and bad_spans != "skip":
            line += f"; {'taken' if bad_spans == 'snap' else 'whole tokens are'} {mended}"
        elif bad_spans != "error":
            line += "; left out"
        lines.append(line)
    if len(misfits) > SHOWN:
        lines.append(f"  and {len(misfits) - SHOWN} more")
    if bad_spans == "error":
        lines.append(
            'Mend them; or take whole tokens where there are any with bad_spans="snap", or leave '
            'them out with bad_spans="skip".'
        )
    return "\n".join(lines)


def describe_joined(name: str, joined: Sequence[tuple[int, str]]) -> str:
    """Entities that two sentences share, in words: the first few of them.

    Args:
        name: The argument's name.
        joined: Row and text of each.
    """
    shown = ", ".join(f"{name}[{row}] {text[: 3 * AROUND]!r}" for row, text in joined[:SHOWN])
    return (
        f"{len(joined)} of the `{name}` go over the end of a sentence, as the model cuts texts. "
        "They are trained in one piece, but `tag`, which reads sentence by sentence, cannot find "
        f"them whole: {shown}" + ", ..." * (len(joined) > SHOWN)
    )


def describe_unknown(name: str, unknown: dict[str, list[int]], types: Sequence[str]) -> str:
    """Types of spans that the model lacks, in words: each with the rows that have it."""
    received = ", ".join(
        f"{kind!r} {len(rows)} time{'s' * (len(rows) > 1)}, first in {name}[{rows[0]}]"
        for kind, rows in unknown.items()
    )
    return (
        f"`{name}` must be of the model's types, {', '.join(types)}. Received: {received}. "
        "For other types: zoo.load(name, types=[...])"
    )


def _excerpt(text: str, start: int, end: int) -> str:
    start = min(max(start, 0), len(text))
    end = min(max(end, start), len(text))
    before = "..." * (start > AROUND) + text[max(start - AROUND, 0) : start]
    after = text[end : end + AROUND] + "..." * (end + AROUND < len(text))
    inside = text[start:end]
    if len(inside) > 3 * AROUND:
        inside = f"{inside[:AROUND]}...{inside[-AROUND:]}"
    return repr(f"{before}[{inside}]{after}")
