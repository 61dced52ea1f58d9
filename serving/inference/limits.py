"""How much text one request may bring, told before a model spends its time on it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo.serving.errors import invalid_argument


@dataclass(frozen=True)
class TextLimits:
    """Bounds of the strings that a run is fed with; 0 is no bound.

    An operation cannot be stopped half-way: one that splits 20 MB into words keeps a core busy
    long after the request's time is over.

    Attributes:
        max_text_bytes: The length of one string.
        max_batch_texts: How many strings there are.
        max_batch_bytes: The length of all of them together.
    """

    max_text_bytes: int = 0
    max_batch_texts: int = 0
    max_batch_bytes: int = 0

    def check(self, feeds: Mapping[str, np.ndarray]) -> None:
        """Judges the values that a run is to be fed with, by tensor name.

        Raises:
            ServingError: INVALID_ARGUMENT, with the limit that they exceed.
        """
        texts = [text for array in feeds.values() if array.dtype == object for text in array.flat]
        _refuse("texts in it", len(texts), "max_batch_texts", self.max_batch_texts)
        lengths = [len(text) for text in texts]
        longest, together = max(lengths, default=0), sum(lengths)
        _refuse("bytes in its longest text", longest, "max_text_bytes", self.max_text_bytes)
        _refuse("bytes in its texts", together, "max_batch_bytes", self.max_batch_bytes)


def _refuse(what: str, size: int, flag: str, limit: int) -> None:
    if limit and size > limit:
        raise invalid_argument(
            f"The request has {size} {what}, and at most {limit} are allowed (--{flag}). Cut the "
            "text, send fewer of them at a time, or start the server with a higher limit."
        )
