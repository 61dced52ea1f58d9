"""Answers as fragments of HTML, which a notebook shows in a page of its own.

A fragment has no rules that could reach the page around it: styles stand at their elements.
Letters keep the page's colour, and what is behind them fits a light page and a dark one. Where a
viewer takes all styles away, as GitHub does, it can still be read. All that comes from a text or a
model is escaped.
"""

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.drawing.labels import AMBER, largest_weight, percent, readable, shortened, text_of
from zoo.drawing.painting import painted, type_colours

if TYPE_CHECKING:
    from zoo.models.classifications import Classification, MultiClassification, TokenWeight
    from zoo.models.entities import Entity
    from zoo.models.translation import Translation
    from zoo.models.written_text import WrittenText

SHOWN = 20  # answers of a list
_LABELS = 5  # of a classification
_LONGEST_TEXT = 300  # characters of an entry
_MOST_CELLS = 4000  # of an attention table; a larger one is for a picture
_BLUE = (66, 133, 244)
# The strongest colour behind a letter, such that black on it and white on it can both be read.
_AMBER_ALPHA, _BLUE_ALPHA = 0.5, 0.75
_FAINT = "opacity: .65"
_CELL = "padding: .15em .4em; text-align: {}; vertical-align: {}"
_LEFT = _CELL.format("left", "top") + "; line-height: 1.8"
# A page in quirks mode, as of some viewers, lets no table have its colour.
_TABLE = "color: inherit; font-size: {}"


def classification_fragment(result: "Classification | MultiClassification") -> str:
    """The labels of a text by their probability and, if they are there, its words by weight.

    Args:
        result: What `classify` gave; with `tokens` it has been asked for attention.

    Returns:
        HTML.
    """
    chosen = getattr(result, "chosen", None)
    chosen = {result.label} if chosen is None else chosen
    best = sorted(result.probabilities.items(), key=lambda item: -item[1])
    labels = " · ".join(
        f"{_bold(label, label in chosen)} {html.escape(percent(probability))}"
        for label, probability in best[:_LABELS]
    )
    if len(best) > _LABELS:
        labels += f' <span style="{_FAINT}">and {len(best) - _LABELS} more</span>'
    words = ""
    if result.tokens:
        text = painted(text_of(result.tokens), _words_by_weight(result.tokens))
        words = f'<div dir="auto" style="overflow-wrap: anywhere">{text}</div>'
    return f'<div style="line-height: 1.8"><div>{labels}</div>{words}</div>'


def entities_fragment(
    text: str, entities: Sequence["Entity"], colours: dict[str, str] | None = None
) -> str:
    """A text with its entities marked, each followed by its type.

    Args:
        text: The text that was tagged.
        entities: Its entities, in any order.
        colours: Of the types, see `zoo.drawing.painting.type_colours`; by default of those here.

    Returns:
        HTML.
    """
    colours = colours or type_colours(entities)
    pieces = (
        (
            entity.start,
            entity.end,
            f'<mark style="background: {colours[entity.type]}; color: #111; '
            f'padding: .15em .35em; border-radius: .3em" title="{percent(entity.score)}">',
            f" <small><b>{html.escape(entity.type)}</b></small></mark>",
        )
        for entity in sorted(entities, key=lambda entity: entity.start)
    )
    style = "white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.9"
    return f'<div dir="auto" style="{style}">{painted(text, pieces)}</div>'


def written_fragment(answer: "WrittenText | Translation") -> str:
    """A text that a model wrote, its score and, for a translation, the attention table.

    Args:
        answer: What a `TextGenerator` gave with `return_attention=True`.

    Returns:
        HTML.
    """
    table = ""
    if answer.attention is not None and (sources := getattr(answer, "source_tokens", None)):
        table = _attention_table(sources, answer.target_tokens, answer.attention)
    score = f"score {answer.score:.2f}"
    score += ", low confidence" if getattr(answer, "low_confidence", False) else ""
    return (
        f'<div><div dir="auto"><b>{html.escape(answer.text)}</b></div>'
        f'<div style="{_FAINT}; font-size: .85em">{score}</div>{table}</div>'
    )


def answers_fragment(texts: Sequence[str], answers: Sequence[Any]) -> str:
    """The first of many answers, each beside its text.

    Args:
        texts: The texts of the first answers, or none, for entries that are no texts.
        answers: Strings, or what has a fragment of its own.

    Returns:
        HTML.
    """
    from zoo.models.entities import Entities

    shown = answers[:SHOWN]
    tagged = [entities for entities in shown if isinstance(entities, Entities)]
    colours = type_colours(entity for entities in tagged for entity in entities)
    rows = []
    for number, answer in enumerate(shown):
        if isinstance(answer, Entities):
            rows.append(_row(None, entities_fragment(answer.text, answer, colours)))
            continue
        own = getattr(answer, "_repr_html_", None)
        body = own() if own else html.escape(str(answer))
        entry = shortened(texts[number], _LONGEST_TEXT) if number < len(texts) else str(number)
        # Painted words are the text already.
        rows.append(_row(None if getattr(answer, "tokens", None) else entry, body))
    rest = len(answers) - len(shown)
    more = f'<div style="{_FAINT}">… and {rest:,} more</div>' if rest > 0 else ""
    table = f'<table style="{_TABLE.format("inherit")}">{"".join(rows)}</table>'
    return f'<div style="overflow-x: auto">{table}{more}</div>'


def _row(entry: str | None, body: str) -> str:
    if entry is None:
        return f'<tr><td colspan="2" style="{_LEFT}">{body}</td></tr>'
    entry = f'<td dir="auto" style="{_LEFT}; {_FAINT}">{html.escape(entry)}</td>'
    return f'<tr>{entry}<td dir="auto" style="{_LEFT}">{body}</td></tr>'


def _bold(text: str, yes: bool) -> str:
    return f"<b>{html.escape(text)}</b>" if yes else html.escape(text)


def _words_by_weight(tokens: Iterable["TokenWeight"]) -> Iterable[tuple[int, int, str, str]]:
    """Pieces for `painted`; those that have half the largest weight are bold too."""
    tokens = list(tokens)
    largest = largest_weight(tokens)
    for token in tokens:
        share = token.weight / largest
        if share < 0.01:
            continue
        colour = _rgba(AMBER, _AMBER_ALPHA * share)
        opening = (
            f'<span style="background: {colour}; padding: .1em 0; border-radius: .2em" '
            f'title="{percent(token.weight, 2)}">'
        )
        bold = share >= 0.5
        yield token.start, token.end, opening + "<b>" * bold, "</b>" * bold + "</span>"


def _attention_table(
    source_tokens: Sequence[str], target_tokens: Sequence[str], attention: np.ndarray
) -> str:
    """Source words on top, target words at the left, weights in percent between them."""
    if not target_tokens:
        return ""
    if attention.size > _MOST_CELLS:
        note = f"The attention table of {len(target_tokens)} by {len(source_tokens)} tokens is for "
        note += "a picture: <code>zoo.plot_attention(answer)</code>"
        return f'<div style="{_FAINT}">{note}</div>'
    upright = (
        f'<th style="{_CELL.format("left", "bottom")}; font-weight: normal">'
        '<span style="writing-mode: vertical-rl; transform: rotate(180deg)">{}</span></th>'
    )
    head = "".join(upright.format(html.escape(label)) for label in readable(source_tokens))
    rows = [
        f'<tr><th style="{_CELL.format("right", "middle")}; font-weight: normal">'
        f"{html.escape(label)}</th>{''.join(map(_weight_cell, weights))}</tr>"
        for label, weights in zip(readable(target_tokens), attention.tolist(), strict=True)
    ]
    return (
        '<div style="overflow-x: auto"><table style="border-collapse: collapse; '
        f'{_TABLE.format(".85em")}"><tr><th></th>{head}</tr>{"".join(rows)}</table>'
        f'<div style="{_FAINT}; font-size: .85em">Each row: where the model looked for this word, '
        "in percent.</div></div>"
    )


def _weight_cell(weight: float) -> str:
    style = _CELL.format("center", "middle")
    if weight < 0.005:
        return f'<td style="{style}; opacity: .3">·</td>'
    colour = _rgba(_BLUE, _BLUE_ALPHA * weight)
    return f'<td style="{style}; background: {colour}">{100 * weight:.0f}</td>'


def _rgba(colour: tuple[int, int, int], alpha: float) -> str:
    red, green, blue = colour
    return f"rgba({red}, {green}, {blue}, {alpha:.3f})"
