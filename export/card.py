"""The model card, written beside the graph: whoever meets the version can read what it is for.

Servers do not need it. The playground of `zoo-serve` shows it.
"""

from contextlib import suppress
from pathlib import Path

FILE = Path("assets.extra", "card.md")


def of_preset(name_or_folder: str) -> str | None:
    """The card of a preset that was loaded; None if it has none.

    Args:
        name_or_folder: What `zoo.load` was given.
    """
    import zoo

    with suppress(FileNotFoundError, ValueError):  # what is no preset at all, `load` has told
        return zoo.card(name_or_folder)
    return None


def write(card: str, folder: Path) -> None:
    """Writes the card of a SavedModel.

    Args:
        card: Markdown.
        folder: The SavedModel's directory.

    Raises:
        OSError: The file cannot be written.
    """
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(card, encoding="utf-8")
