"""A painted text: words by their weight, entities by their type; as a web page or in a terminal.

A page is one file without scripts and without anything from elsewhere. All that comes from a text
or a model is escaped in it.
"""

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from zoo.drawing.labels import AMBER, largest_weight, percent

if TYPE_CHECKING:
    from zoo.models.classifications import Classification, MultiClassification
    from zoo.models.entities import Entity

# Light enough for black letters, far enough apart for most colour-blind eyes (after Okabe, Ito).
_PALETTE = ("#9ed3f5", "#f7c873", "#8fd9b6", "#f3b4d0", "#f4f08a", "#e8a583", "#c9c3f0", "#cfcfcf")

NONE_CHOSEN = "none of the labels"
BOLD = ' style="font-weight: bold"'

_PAGE = """<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ max-width: 46em; margin: 2em auto; padding: 0 1em; background: #fff; color: #111;
  font: 1.05em/1.8 system-ui, sans-serif; }}
.text {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
.text span {{ padding: .1em 0; border-radius: .2em; }}
mark {{ padding: .15em .35em; border-radius: .3em; color: inherit; }}
mark small {{ font-size: .65em; font-weight: 600; padding-inline-start: .5em; }}
table {{ border-spacing: 1em 0; margin: 1em -1em; }}
meter {{ width: 14em; }}
.note {{ color: #555; font-size: .85em; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def attention_page(text: str, result: "Classification | MultiClassification") -> str:
    """A page with the words of a text painted by their share of the attention.

    Args:
        text: The text that was classified.
        result: Its `Classification` or `MultiClassification`, with `tokens`. Of several labels
            those that are chosen are in bold.

    Returns:
        HTML.

    Example:
        >>> result = model.classify("A warm, funny film.", return_attention=True)
        >>> Path("page.html").write_text(attention_page("A warm, funny film.", result), "utf-8")
    """
    largest = largest_weight(result.tokens)
    red, green, blue = AMBER
    pieces = (
        (
            token.start,
            token.end,
            f'<span style="background: rgba({red}, {green}, {blue}, {token.weight / largest:.3f})"'
            f' title="{percent(token.weight, 2)}">',
            "</span>",
        )
        for token in result.tokens
    )
    chosen = getattr(result, "chosen", None)
    title = html.escape(result.label if chosen is None else ", ".join(chosen) or NONE_CHOSEN)
    rows = "\n".join(
        f"<tr><td{BOLD if label in (chosen or ()) else ''}>{html.escape(label)}</td>"
        f'<td><meter value="{value:.4f}"></meter></td><td>{html.escape(percent(value))}</td></tr>'
        for label, value in result.probabilities.items()
    )
    body = (
        f"<h1>{title}</h1>\n<table>\n{rows}\n</table>\n"
        f'<p class="text" dir="auto">{painted(text, pieces)}</p>\n'
        f'<p class="note">The stronger the colour, the more the word weighed; the strongest is '
        f"{percent(largest)} of the attention.</p>"
    )
    return _PAGE.format(title=title, body=body)


def entities_page(results: Iterable[tuple[str, Sequence["Entity"]]]) -> str:
    """A page with the entities of texts marked in the colour of their type.

    Args:
        results: Pairs of a text and its list of `Entity`.

    Returns:
        HTML.
    """
    results = list(results)
    colours = type_colours(entity for _, entities in results for entity in entities)
    paragraphs = []
    for text, entities in results:
        pieces = (
            (
                entity.start,
                entity.end,
                f'<mark style="background: {colours[entity.type]}" '
                f'title="{percent(entity.score)}">',
                f"<small>{html.escape(entity.type)}</small></mark>",
            )
            for entity in entities
        )
        paragraphs.append(f'<p class="text" dir="auto">{painted(text, pieces)}</p>')
    return _PAGE.format(title="Entities", body="\n".join(paragraphs))


def entities_text(
    text: str, entities: Sequence["Entity"], colours: dict[str, str], plain: bool
) -> Text:
    """A text for a terminal, each entity in the colour of its type and followed by it.

    Args:
        text: The text that was tagged.
        entities: Its list of `Entity`.
        colours: See `type_colours`.
        plain: Put entities in square brackets, for want of colour.

    Returns:
        A `rich.text.Text`. Control characters of the text, which might steer the terminal, are
        U+FFFD in it.
    """
    text = plain_characters(text)
    painted, end = Text(), 0
    for entity in entities:
        painted.append(text[end : entity.start])
        style = "" if plain else f"black on {colours[entity.type]}"
        words = text[entity.start : entity.end]
        painted.append(f"[{words} {entity.type}]" if plain else f" {words} ", style)
        if not plain:
            painted.append(f"{entity.type} ", f"bold {style}")
        end = entity.end
    return painted.append(text[end:])


def type_colours(entities: Iterable["Entity"]) -> dict[str, str]:
    """A colour, as `#rrggbb`, for each type of the entities."""
    types = sorted({entity.type for entity in entities})
    return {name: _PALETTE[i % len(_PALETTE)] for i, name in enumerate(types)}


def painted(text: str, pieces: Iterable[tuple[int, int, str, str]]) -> str:
    """Escaped text with tags around its pieces `(start, end, opening tag, closing tag)`."""
    parts, done = [], 0
    for start, end, opening, closing in pieces:
        parts += [html.escape(text[done:start]), opening, html.escape(text[start:end]), closing]
        done = end
    return "".join([*parts, html.escape(text[done:])])


def plain_characters(text: str) -> str:
    """A text whose control characters, which might steer a terminal, are U+FFFD."""
    return "".join("\ufffd" if _is_control(c) else c for c in text)


def _is_control(character: str) -> bool:
    return character not in "\n\t" and (character < " " or "\x7f" <= character <= "\x9f")
