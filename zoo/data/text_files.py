"""Text files as they come from other systems: UTF-8 with or without a mark, any line ends, gzip."""

import codecs
import gzip
import zlib
from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"


def read_bytes(path: str | Path) -> bytes:
    """The unpacked content of a file that may be gzipped, whatever its name ends with.

    Args:
        path: A plain or gzipped file; `~` is the home folder.

    Returns:
        The content after gunzip.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The gzip data is damaged or cut off.
    """
    data = Path(path).expanduser().read_bytes()
    if not data.startswith(GZIP_MAGIC):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{path} is damaged or was not downloaded to its end ({error}). Download it again."
        ) from error


def decode(data: bytes, path: str | Path) -> str:
    """UTF-8 bytes as text, without a byte order mark and without DOS's Ctrl-Z at the end.

    Args:
        data: The unpacked content.
        path: Where it came from, for the error message.

    Raises:
        ValueError: The content is in another encoding; the message says how to convert it.
    """
    convert = f"Convert it: iconv -f {{}} -t UTF-8 {path} > converted"
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    # Without a mark, every other byte of plain letters is 0, which UTF-8 would take.
    if marked or data.count(0) * 4 > len(data):
        encoding = "UTF-16" if marked else "UTF-16BE" if data.startswith(b"\0") else "UTF-16LE"
        raise ValueError(
            f"{path} must be UTF-8 text. Received: {encoding}, by its first bytes. "
            + convert.format(encoding)
        )
    try:
        return data.removeprefix(codecs.BOM_UTF8).removesuffix(b"\x1a").decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} must be UTF-8 text. Received: {error}. It may be Latin-1. "
            + convert.format("ISO-8859-1")
        ) from error


def split_lines(data: bytes, path: str | Path) -> list[str]:
    """The lines of a text file from any system, so that parallel files keep the same numbers.

    Lines end in a line feed, with or without a carriage return before it; in a file without any
    line feed, as of old Macs, in a carriage return. `str.splitlines` would also split at U+2028 and
    its like, which occur inside sentences.

    Args:
        data: The unpacked content.
        path: Where it came from, for the error message.

    Returns:
        The lines without their ends.

    Raises:
        ValueError: The content is not UTF-8; the message says how to convert it.
    """
    text = decode(data, path)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines if lines[-1] else lines[:-1]
