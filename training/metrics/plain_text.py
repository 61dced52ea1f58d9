"""Tokens back to the text that a person would write, and where each token stands in it."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

from zoo.extras import extra

with extra("training"):
    from sacremoses import MosesDetokenizer


class PlainText(NamedTuple):
    """`text[starts[i]:ends[i]]` is token i."""

    text: str
    starts: list[int]
    ends: list[int]


def plain_text(tokens: Sequence[str]) -> PlainText:
    """Joins English tokens as Moses detokenises them: no blank before a comma or `'s`.

    Where Moses would write other characters than the tokens', they are joined by blanks.

    Args:
        tokens: Not empty strings, in CoNLL's or the Penn Treebank's tokenisation.

    Returns:
        `PlainText(text, starts, ends)`, places in characters.

    Example:
        >>> plain_text(["Ann", "'s", "dog", ",", "Rex", "."])
        PlainText(text="Ann's dog, Rex.", starts=[0, 3, 6, 9, 11, 14], ends=[3, 5, 9, 10, 14, 15])
    """
    text = _detokenizer().detokenize(tokens, unescape=False)
    letters = [letter for token in tokens for letter in token if not letter.isspace()]
    if [letter for letter in text if not letter.isspace()] != letters:
        text = " ".join(tokens)
    places = iter([place for place, letter in enumerate(text) if not letter.isspace()])
    starts, ends = [], []
    for token in tokens:
        of_token = [next(places) for letter in token if not letter.isspace()]
        starts.append(of_token[0])
        ends.append(of_token[-1] + 1)
    return PlainText(text, starts, ends)


@functools.cache
def _detokenizer() -> MosesDetokenizer:
    return MosesDetokenizer(lang="en")
