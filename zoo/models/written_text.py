"""A text that a model wrote, as its verb gives it."""

from typing import NamedTuple

import numpy as np

from zoo.decoding import Hypotheses


class WrittenText(NamedTuple):
    """A text that a model wrote, with what it looked at.

    Attributes:
        text: The text.
        score: Length-normalised log-probability, natural logarithm; nearer to 0 is surer.
        target_tokens: Its sub-words.
        attention: float32 `[len(target_tokens), places of the source]`, each row sums to 1; None
            from a model without attention.
    """

    text: str
    score: float
    target_tokens: list[str]
    attention: np.ndarray | None

    def _repr_html_(self) -> str:
        from zoo.drawing.fragments import written_fragment

        return written_fragment(self)


def first_of(hypotheses: Hypotheses) -> Hypotheses:
    """The best hypothesis of each row alone, so that no other is detokenised for nothing."""
    return type(hypotheses)(*(part if part is None else part[:, :1] for part in hypotheses))
