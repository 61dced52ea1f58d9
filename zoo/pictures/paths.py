"""The content of a file that a user names, whatever is in it."""

import os
import re
from pathlib import Path

ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://|data:")


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
