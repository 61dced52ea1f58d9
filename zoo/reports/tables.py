"""Tables of strings as text, HTML and Markdown; the first column names, the others are figures."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width


@dataclass(frozen=True)
class Table:
    """A table of strings.

    Attributes:
        header: The names of its columns.
        rows: As many cells in each.
        title: What stands above it; perhaps empty.
        note: What stands below it; perhaps empty.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    note: str = ""

    def text(self) -> str:
        """For a terminal: columns that are aligned."""
        lines = [self.header, *self.rows]
        widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
        shown = (
            "  ".join(
                _padded(cell, width, right=place > 0)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )
        return "\n".join(filter(None, [self.title, *shown, self.note]))

    def markdown(self) -> str:
        """For a card."""
        header, *rows = ([_escaped(cell) for cell in line] for line in (self.header, *self.rows))
        return "\n\n".join(filter(None, [self.title, markdown_table(header, rows), self.note]))

    def html(self) -> str:
        """For a notebook: a fragment without styles of its own but the figures' side."""
        caption = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        head = "".join(_cell("th", *pair) for pair in enumerate(self.header))
        body = "".join(
            f"<tr>{''.join(_cell('td', *pair) for pair in enumerate(row))}</tr>"
            for row in self.rows
        )
        table = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        return f"<table>{caption}{table}</table>{note}"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the others, figures, to the right."""
    ruler = ["---", *("---:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ruler, *rows))


def share(value: float) -> str:
    """A share from 0 to 1, as tables show it."""
    return f"{value:.3f}"


def _cell(tag: str, place: int, cell: str) -> str:
    side = "right" if place else "left"
    return f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'


def _escaped(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|")


def _width(cell: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in cell)


def _padded(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(cell))
    return blanks + cell if right else cell + blanks
