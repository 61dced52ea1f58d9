"""How probable a text is to a language model, word by word."""

from typing import NamedTuple

import numpy as np


class ScoredText(NamedTuple):
    """A text with the probability of each of its words, given those before it.

    Attributes:
        text: As it was given; bytes that are no UTF-8 as U+FFFD.
        log_probability: Of all words together, natural logarithm.
        perplexity: `exp` of the mean of a word's negative log-probability; 1 of no words.
        tokens: The words as they stand in the text.
        spans: Where each stands, `(start, end)` in characters of `text`.
        log_probabilities: Of each, natural logarithm.
        known: Whether each is in the vocabulary. Of one that is not it is told how probable some
            unknown word was.
    """

    text: str
    log_probability: float
    perplexity: float
    tokens: list[str]
    spans: list[tuple[int, int]]
    log_probabilities: list[float]
    known: list[bool]

    @classmethod
    def from_row(cls, text: bytes, row: dict[str, np.ndarray]) -> "ScoredText":
        """Of one row of what the signature `score` gives."""
        text, length = text.decode("utf-8", "replace"), row["lengths"]
        spans = [
            (int(start), int(end))
            for start, end in zip(row["starts"][:length], row["ends"][:length], strict=True)
        ]
        return cls(
            text,
            float(row["log_probability"]),
            float(row["perplexity"]),
            [text[start:end] for start, end in spans],
            spans,
            [float(of) for of in row["log_probabilities"][:length]],
            [bool(of) for of in row["known"][:length]],
        )

    def _repr_html_(self) -> str:
        from zoo.drawing.surprise import surprise_fragment

        return surprise_fragment(self)
