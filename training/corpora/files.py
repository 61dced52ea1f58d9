"""Reads a corpus file: UTF-8, one sentence or record a line, gzipped or plain; its SHA-256."""

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


def check_published(received: str, expected: str, what: str, home: str) -> None:
    """Refuses data that is not the published one.

    Args:
        received: The SHA-256 of what was read.
        expected: The SHA-256 of what was published.
        what: What was read and how much of it, such as "dev.tsv (872 texts)", for the message.
        home: Where the corpus is published, for the message.

    Raises:
        ValueError: They differ.
    """
    if received != expected:
        raise ValueError(
            f"{what} is not the published corpus, whose content has SHA-256 {expected}. "
            f"Received: {received}. Take the corpus from {home}"
        )


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
