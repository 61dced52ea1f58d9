"""A text painted by the surprise of its words: how little a language model foresaw each of them."""

import html
import math
from typing import TYPE_CHECKING

from rich.text import Text

from zoo.drawing.labels import AMBER
from zoo.drawing.painting import painted, plain_characters

if TYPE_CHECKING:
    from zoo.models.scored_text import ScoredText

MOST_BITS = 16.0  # from here on the colour is the strongest: one of 65,536 words, all alike
_STRONGEST = 0.75


def surprise_text(scored: "ScoredText", plain: bool) -> Text:
    """A text for a terminal, each word on a colour that is the stronger the less it was foreseen.

    Args:
        scored: What `score` gave.
        plain: Put each word's bits of surprise in square brackets behind it, for want of colour.

    Returns:
        A `rich.text.Text` with the perplexity at its end. Control characters of the text, which
        might steer the terminal, are U+FFFD in it.
    """
    text, shown, done = plain_characters(scored.text), Text(), 0
    for (start, end), bits in zip(scored.spans, bits_of(scored), strict=True):
        shown.append(text[done:start])
        if plain:
            shown.append(f"{text[start:end]}[{bits:.1f}]")
        else:
            shade = [round(255 - (255 - of) * _share(bits)) for of in AMBER]
            shown.append(text[start:end], f"black on #{bytes(shade).hex()}")
        done = end
    shown.append(text[done:])
    return shown.append(f"  (perplexity {scored.perplexity:.1f})", "" if plain else "dim")


def surprise_fragment(scored: "ScoredText") -> str:
    """As `surprise_text`, for a notebook.

    Args:
        scored: What `score` gave.

    Returns:
        HTML; the mouse over a word tells its bits.
    """
    red, green, blue = AMBER
    pieces = (
        (
            start,
            end,
            f'<span style="background: rgba({red}, {green}, {blue}, '
            f'{_STRONGEST * _share(bits):.3f})" title="{bits:.1f} bits">',
            "</span>",
        )
        for (start, end), bits in zip(scored.spans, bits_of(scored), strict=True)
    )
    text = painted(scored.text, pieces)
    return (
        f'<div dir="auto" style="line-height: 1.8; overflow-wrap: anywhere">{text}</div>'
        f'<div style="opacity: .65">perplexity {html.escape(f"{scored.perplexity:.1f}")}</div>'
    )


def bits_of(scored: "ScoredText") -> list[float]:
    """The surprise of each word: `-log2` of its probability."""
    return [-of / math.log(2) for of in scored.log_probabilities]


def _share(bits: float) -> float:
    return min(bits / MOST_BITS, 1.0)
