"""Texts with spans, as `fit` of a tagger is given them, and the sentences that are made of them."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from zoo.models.checks import check_column, check_texts, short
from zoo.models.columns import rank_of
from zoo.models.raw_rows import WEIGHTS, first_held_out, is_frame, is_in_memory

TEXTS, SPANS = "texts", "spans"


class TextRows(NamedTuple):
    """Columns of as many rows: texts, the spans of each, and weights or None."""

    texts: list[bytes]
    spans: list
    weights: list | None


class SentenceRows(NamedTuple):
    """The sentences of each text, `(tokens, tags)`, and the texts' weights or None."""

    sentences: list[list[tuple[list[str], list[str]]]]
    weights: list | None

    def split(self, share: float) -> tuple["SentenceRows", "SentenceRows"]:
        """The first texts and the last ones, `share` of them: no text is on both sides."""
        cut = first_held_out(len(self.sentences), share)
        first, last = ([c and c[part] for c in self] for part in (slice(cut), slice(cut, None)))
        return SentenceRows(*first), SentenceRows(*last)

    def columns(self) -> tuple[list, list, list | None]:
        """Tokens, tags and weights, a row for each sentence."""
        rows = [row for sentences in self.sentences for row in sentences]
        weights = self.weights and [
            weight
            for weight, sentences in zip(self.weights, self.sentences, strict=True)
            for _ in sentences
        ]
        return [tokens for tokens, _ in rows], [tags for _, tags in rows], weights


def text_rows(x: Any, y: Any = None, weights: Any = None) -> TextRows | None:
    """What `fit` was given as texts with spans; None if it is something else.

    Args:
        x: Strings, or a dict or data frame with `texts`.
        y: The spans of each; None where `x` has them.
        weights: Of each, or None.

    Raises:
        TypeError: An entry of a wrong type.
        ValueError: No spans, or columns of different lengths.
    """
    if not is_in_memory(x):
        return None
    if is_frame(x):
        x = {name: x[name] for name in x.columns}
    if isinstance(x, dict):
        if TEXTS not in x:
            return None
        y = x.get(SPANS) if y is None else y
        weights = x.get(WEIGHTS) if weights is None else weights
        x = x[TEXTS]
    elif rank_of(x) != 1 or not len(x):
        return None
    texts = check_texts(TEXTS, x)
    if y is None:
        raise ValueError(
            f"`{SPANS}` must be given beside `{TEXTS}`: a list of (start, end, type) for each. "
            f"Received: y=None and x={short(x)}"
        )
    spans = check_column(SPANS, y, "lists of (start, end, type)")
    if weights is not None:
        weights = check_column(WEIGHTS, weights, "numbers")
    for name, column in ((SPANS, spans), (WEIGHTS, weights)):
        if column is not None and len(column) != len(texts):
            raise ValueError(
                f"`{TEXTS}` and `{name}` must have one entry for each other. "
                f"Received: {len(texts)} and {len(column)} entries"
            )
    return TextRows(texts, spans, weights)


def validation_rows(data: Any) -> TextRows | None:
    """As `text_rows`, of what `validation_data` may be."""
    if isinstance(data, tuple | list) and len(data) in (2, 3):
        return text_rows(*data)
    return None if data is None else text_rows(data)


def sentence_stream(
    elements: Iterator, read: Callable[[TextRows], SentenceRows]
) -> tuple[Iterator, bool]:
    """A generator of texts with spans, in rows or batches, as one of tokens with tags.

    Args:
        elements: What the user's generator gives.
        read: From texts to sentences.

    Returns:
        `(elements, True)`, a row for each sentence, or a batch with the sentences of a batch of
        texts. Or, if they are no texts, what was given and False.
    """
    first = next(elements, None)
    elements = itertools.chain([] if first is None else [first], elements)
    if not _is_of_texts(first):
        return elements, False
    return _sentences(elements, read), True


def _sentences(elements: Iterator, read: Callable[[TextRows], SentenceRows]) -> Iterator[tuple]:
    for element in elements:
        text, spans, *weight = _columns_of(element)
        one = rank_of(text) == 0
        rows = text_rows(*([column] if one else column for column in (text, spans, *weight)))
        columns = [column for column in read(rows).columns() if column is not None]
        if one:
            yield from zip(*columns, strict=True)
        else:
            yield tuple(columns)


def _columns_of(element: Any) -> list:
    if isinstance(element, dict):
        return [element[name] for name in (TEXTS, SPANS, WEIGHTS) if name in element]
    return list(element)


def _is_of_texts(element: Any) -> bool:
    if isinstance(element, dict):
        return TEXTS in element and SPANS in element
    if not isinstance(element, tuple | list) or len(element) not in (2, 3):
        return False
    text, spans = element[:2]
    if isinstance(text, dict | tf.Tensor | tf.RaggedTensor) or rank_of(text) > 1:
        return False
    # A list of strings is a row of tokens if tags, strings, go with it; else a batch of texts.
    return rank_of(text) == 0 or (len(spans) > 0 and not isinstance(spans[0], str | bytes))
