"""Reads a corpus file: UTF-8, one sentence or record a line, gzipped or plain."""

import gzip
import hashlib
import zlib
from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"


def read_bytes(path: str | Path) -> bytes:
    """The unpacked content of a file that may be gzipped, whatever its name ends with.

    Args:
        path: A plain or gzipped file.

    Returns:
        The content after gunzip.

    Raises:
        ValueError: The gzip data is damaged or cut off.
    """
    data = Path(path).read_bytes()
    if not data.startswith(GZIP_MAGIC):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{path} is damaged or was not downloaded to its end ({error}). Download it again."
        ) from error


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def split_lines(data: bytes, path: str | Path) -> list[str]:
    """Splits UTF-8 text at line feeds only, so that parallel files keep the same line numbers.

    `str.splitlines` would also split at U+2028 and its like, which occur inside sentences.

    Args:
        data: The unpacked content.
        path: Where it came from, for the error message.

    Returns:
        The lines without their ends.

    Raises:
        ValueError: The content is not UTF-8.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be UTF-8 text. Received: {error}") from error
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]
