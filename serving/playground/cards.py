"""What a model is for, read from its card: `assets.extra/card.md` of the version that answers.

A card is Markdown. Its title is its heading or, where that is only a name such as `nmt_attention`,
the beginning of its first paragraph. `zoo-export` writes the card of a preset there; anybody may
put one beside any SavedModel.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_FILE = Path("assets.extra", "card.md")
_LARGEST = 200_000  # characters
# "English to German: ..." or "Is a review negative or positive? ...", if it fits into a title.
_CLAUSE = re.compile(r"(?P<title>\S.{1,70}?(?:\?|(?=[.:;])))[.:;]?(?:\s+(?P<rest>.*))?", re.DOTALL)


@dataclass(frozen=True)
class Card:
    """A model card, and what of it stands at the top of the page.

    Attributes:
        title: Plain text, short; empty if the card has nothing that could be one.
        purpose: What the model is for, Markdown within a line.
        limit: The first of its limits, Markdown within a line; perhaps empty.
        text: The whole card, Markdown.
    """

    title: str
    purpose: str
    limit: str
    text: str


def read_card(directory: Path) -> Card | None:
    """Reads the card of a SavedModel.

    Args:
        directory: The version's directory.

    Returns:
        None if it has no card, or none that can be read.
    """
    try:
        with open(directory / _FILE, encoding="utf-8", errors="replace") as file:
            text = file.read(_LARGEST)
    except OSError:
        return None
    return parse_card(text) if text.strip() else None


def parse_card(text: str) -> Card:
    r"""Takes a card apart.

    Example:
        >>> parse_card("# dates\n\nDates to ISO: a GRU reads them.").title
        'Dates to ISO'
    """
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n"))]
    heading = next((block[2:].strip() for block in blocks if block.startswith("# ")), "")
    paragraph = next((_line(block) for block in blocks if re.match(r"[^\W_]", block)), "")
    title, purpose = heading, paragraph
    if re.fullmatch(r"[\w.-]*", heading) and (clause := _CLAUSE.fullmatch(paragraph)):
        title, purpose = clause["title"], clause["rest"] or ""
    return Card(_plain(title), purpose[:1].upper() + purpose[1:], _first_limit(text), text)


def _first_limit(text: str) -> str:
    section = re.search(r"^##+ Limits?\s*\n(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    if section is None:
        return ""
    first = re.split(r"\n\s*\n|\n(?=[-*] )", section[1].strip())[0]
    return _line(re.sub(r"^[-*] ", "", first))


def _line(block: str) -> str:
    return " ".join(block.split())


def _plain(markdown: str) -> str:
    return re.sub(r"[*`]", "", markdown)
