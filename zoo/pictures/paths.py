"""Files as users hand them over, whatever is in them: paths and contents, one or some."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf

ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://|data:")


def entries_of(
    name: str, entries: object, is_one: Callable[[object], bool], wanted: str
) -> Iterable:
    """Entries as something to go through, one by itself as the only one.

    Args:
        name: What the user calls them, such as `images`, for messages.
        entries: What the user gave.
        is_one: Whether something is one entry rather than some of them.
        wanted: What they may be, for messages.

    Raises:
        TypeError: They are neither one entry nor some of them.
    """
    if is_one(entries):
        return [entries]
    if isinstance(entries, dict) or not isinstance(entries, Iterable):
        raise TypeError(f"`{name}` must hold {wanted}. Received: a {type(entries).__name__}")
    return entries


def unwrapped(entry: object) -> object:
    """A tensor as an array, and an array of no dimensions as what is in it."""
    if isinstance(entry, tf.Tensor):
        entry = entry.numpy()
    if isinstance(entry, np.ndarray) and entry.ndim == 0:
        entry = entry.item()
    return entry


def named_content(name: str, entry: object, suffix: str) -> tuple[str, bytes] | None:
    """The content of an entry that is one or a path, and its name; None if it is neither.

    Args:
        name: As of `file_content`, which raises what this raises; the path is added to it.
        entry: One entry, `unwrapped`.
        suffix: As of `file_content`.
    """
    if isinstance(entry, bytes):
        return name, bytes(entry)
    if isinstance(entry, str | os.PathLike):
        content = file_content(name, entry, suffix)
        return f"{name}={os.fspath(entry)!r}", content
    return None


def file_content(name: str, path: str | os.PathLike, suffix: str) -> bytes:
    """Reads a file.

    Args:
        name: What the user calls the entry, such as `images[2]`, for messages.
        path: Its path.
        suffix: What files of its kind end with, such as ".jpg".

    Raises:
        FileNotFoundError: There is none.
        IsADirectoryError: It is a folder.
        ValueError: It is an address in a network.
    """
    path = os.fspath(path)
    if ADDRESS.match(path):
        raise ValueError(
            f"`{name}` must be a file or its content. Received: {path[:80]!r}, an address: fetch "
            "it, and hand over the bytes, as urllib.request.urlopen(url).read() gives them"
        )
    if os.path.isdir(path):
        raise IsADirectoryError(
            f"`{name}` must be a file. Received: {path!r}, a folder: hand over the files in it, "
            f"such as sorted(Path({path!r}).glob('*{suffix}'))"
        )
    if not os.path.exists(path):
        raise FileNotFoundError(f"`{name}` must be a file. Received: {path!r}, which is not there")
    return Path(path).read_bytes()
