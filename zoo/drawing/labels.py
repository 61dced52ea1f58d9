"""What a word looks like in a drawing: its visible characters, and a colour for its weight."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.models.classifications import TokenWeight

AMBER = (255, 170, 0)  # red, green, blue: behind the weightiest word; the others have less of it
LONGEST_LABEL = 24  # characters
WORD_START = "▁"  # how SentencePiece marks a piece that begins a word
_LONGEST_GAP = 20  # characters between tokens; where there are more, the model left tokens out


def visible(text: str) -> str:
    """The text without joiners, direction marks and variation selectors, which have no glyph."""
    return "".join(
        character
        for character in text
        if unicodedata.category(character) != "Cf" and not "\ufe00" <= character <= "\ufe0f"
    )


def shortened(label: str, longest: int = LONGEST_LABEL) -> str:
    """The label with an ellipsis for what is too long."""
    return label if len(label) <= longest else label[: longest - 1] + "…"


def readable(tokens: Sequence[str]) -> list[str]:
    """Labels for the pieces: no "▁", a hyphen where a word goes on, nothing invisible."""
    pieces = any(token.startswith(WORD_START) for token in tokens)
    labels = []
    for token, after in zip(tokens, [*tokens[1:], WORD_START], strict=True):
        label = visible(token.replace(WORD_START, " ").strip())
        # Only scripts with upper and lower case hyphenate: not Chinese, and not "," or "</s>".
        if pieces and _is_cased(label[-1:]) and _is_cased(after[:1]):
            label += "-"
        labels.append(shortened(label) or "␣")
    return labels


def percent(share: float, digits: int = 1) -> str:
    """A share from 0 to 1 in percent; what is not all of it is never shown as 100."""
    step = 10.0**-digits
    if 100 - step / 2 <= 100 * share < 100:
        return f">{100 - step:.{digits}f}%"
    return f"{share:.{digits}%}"


def largest_weight(tokens: Iterable["TokenWeight"]) -> float:
    """The weight that has the full colour; 1 where nothing weighs anything."""
    return max((token.weight for token in tokens), default=0.0) or 1.0


def text_of(tokens: Iterable["TokenWeight"]) -> str:
    """The text that tokens came from, each at its place; an ellipsis where some were left out."""
    text = ""
    for token in tokens:
        gap = token.start - len(text)
        text += (" … " if gap > _LONGEST_GAP else "").ljust(gap) + token.text
    return text


def _is_cased(character: str) -> bool:
    return character.lower() != character.upper()
