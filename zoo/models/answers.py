"""Many answers at once: a list that a notebook can show."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

FIRST = 20  # as many as a notebook shows


class Answers(list):
    """The answers to a list of entries: a list, which a notebook shows as a table.

    Args:
        answers: What the verb gives for each entry.
        texts: The first entries, if they are texts.
    """

    def __init__(self, answers: Iterable[Any] = (), texts: Sequence[str] = ()) -> None:
        super().__init__(answers)
        self._texts = tuple(texts)
        self._first = tuple(self[: len(self._texts)])

    def _repr_html_(self) -> str:
        from zoo.drawing.fragments import answers_fragment

        # Somebody may have sorted the list, or thrown some out.
        same = len(self) >= len(self._first) and all(map(operator.is_, self, self._first))
        return answers_fragment(self._texts if same else (), self)


def first_texts(entries: tf.Tensor | tf.RaggedTensor) -> list[str]:
    """The first of the entries that a verb read, if they are texts; else none."""
    if isinstance(entries, tf.RaggedTensor) or entries.dtype != tf.string or entries.ndim != 1:
        return []
    return [text.decode("utf-8", "replace") for text in entries[:FIRST].numpy()]
