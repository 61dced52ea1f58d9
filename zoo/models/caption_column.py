"""The raw columns of captioners: pictures, and what was said of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from zoo.models.checks import check_column, check_texts, read_texts
from zoo.models.columns import Column
from zoo.pictures import is_picture, read_pictures


@dataclass(frozen=True)
class PictureColumn(Column):
    """Pictures in whatever form a user has them; as a tensor each is an image file's contents."""

    reads_files = True

    def is_entry(self, value: object) -> bool:
        """A path, contents, an array of one picture, or a PIL image."""
        return is_picture(value)


PICTURES = PictureColumn(
    "images", tf.string, (), read_pictures, wire_name="image_bytes", what="pictures"
)
CAPTIONS = Column("captions", tf.string, (), read_texts)


def caption_lists(name: str, captions: object) -> tuple[list[bytes], np.ndarray]:
    """Captions, one or several for each picture, one behind the other.

    Args:
        name: The argument's name, for the message.
        captions: A list; each entry is a string or a list of strings.

    Returns:
        The captions, and for each of them the entry that it is of, int64.

    Raises:
        TypeError: An entry is something else.
        ValueError: No entries, an entry without a caption, or a caption without words.
    """
    flat, rows = [], []
    for row, entry in enumerate(check_column(name, captions, "strings, or of lists of strings")):
        several = _is_list(entry)
        if several and not len(entry):
            raise ValueError(
                f"`{name}` must have a caption for each picture. Received: {name}[{row}] is empty"
            )
        place = f"{name}[{row}]"
        texts = check_texts(place, entry) if several else [_one(name, row, entry)]
        for number, text in enumerate(texts):
            if not any(map(str.isalnum, text.decode("utf-8", "replace"))):
                where = f"{place}[{number}]" if several else place
                raise ValueError(f"`{name}` must have words. Received: {where}={text!r}")
        flat += texts
        rows += [row] * len(texts)
    return flat, np.array(rows)


def _one(name: str, row: int, entry: object) -> bytes:
    try:
        return check_texts(name, [entry])[0]
    except TypeError:
        raise TypeError(
            f"`{name}` must hold strings, or lists of them. "
            f"Received: {name}[{row}]={entry!r:.60} ({type(entry).__name__})"
        ) from None


def _is_list(entry: object) -> bool:
    if isinstance(entry, str | bytes):
        return False
    return isinstance(entry, Sequence) or getattr(entry, "ndim", 0) == 1
