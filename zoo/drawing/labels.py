"""What a word looks like in a drawing: its visible characters, and a colour for its weight."""

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.models.classifications import TokenWeight

AMBER = (255, 170, 0)  # red, green, blue: behind the weightiest word; the others have less of it
LONGEST_LABEL = 24  # characters


def visible(text: str) -> str:
    """The text without joiners, direction marks and variation selectors, which have no glyph."""
    return "".join(
        character
        for character in text
        if unicodedata.category(character) != "Cf" and not "\ufe00" <= character <= "\ufe0f"
    )


def shortened(label: str) -> str:
    """The label with an ellipsis for what is too long."""
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def largest_weight(tokens: Iterable["TokenWeight"]) -> float:
    """The weight that has the full colour; 1 where nothing weighs anything."""
    return max((token.weight for token in tokens), default=0.0) or 1.0
