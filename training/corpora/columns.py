"""Labelled tokens in columns: one token a line, blank lines between sentences.

The form of CoNLL-2003, WNUT-17 and the Broad Twitter Corpus. One reader for all, whatever separates
the columns and whatever the tag scheme (CoNLL-2003 has IOB1, the others BIO).
"""

import codecs
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from training.corpora.files import read_bytes, sha256, split_lines
from zoo.text.tags import split_tag, to_bio

DOCUMENT_MARK = "-DOCSTART-"
# What spaCy and others write for the end and the single of IOBES, in BILOU.
BILOU = {"L-": "E-", "U-": "S-"}


class Tagged(NamedTuple):
    """Parallel lists: `tags[i][j]` is the tag of `tokens[i][j]`."""

    tokens: list[list[str]]
    tags: list[list[str]]  # BIO: "O", "B-PER", "I-PER", ...


def read_columns(path: str | Path, separator: str) -> Tagged:
    """Reads a file whose first column is the token and whose last is the tag.

    White space around a token goes, and a token of nothing else goes with its line: nobody could
    tag it. Lines that mark a document go too, and comments, `# ...` before a sentence: a line that
    has as many columns as the others and a tag is of a token `#`. The tags may be in IOB1, BIO,
    IOBES or BILOU, and `o` is `O`.

    Args:
        path: UTF-8, gzipped or not, with or without a byte order mark, lines ended in any way.
        separator: Between columns. Of a blank, any number of blanks and tabs separate them. Of
            another, such as a tab, blanks may be part of a token; they separate the columns of a
            file that has no `separator` at all.

    Returns:
        The sentences in the file's order, as `Tagged`.

    Raises:
        ValueError: The file is damaged, not UTF-8, or has a line without a tag (`zoo.text.tags`).
    """
    lines = _lines(path)
    if not any(separator in line for line in lines):
        separator = " "
    rows = [_columns(line, separator) for line in lines]
    of_tokens = (row for row in rows if row != [""] and not row[0].startswith(("#", DOCUMENT_MARK)))
    width = len(next(of_tokens, []))
    sentences, tokens, tags = [], [], []
    for number, (line, columns) in enumerate(zip([*lines, ""], [*rows, [""]], strict=True), 1):
        if not line.strip():
            if tokens:
                sentences.append((tokens, to_bio(tags)))
            tokens, tags = [], []
            continue
        tag = _tag(columns)
        try:
            split_tag(tag)
        except ValueError as error:
            if line.startswith("# ") and not tokens:
                continue
            raise ValueError(
                f"{path} must have a token, {separator!r} and a tag on each line ({error}). "
                f"Received: line {number}: {line[:80]!r}"
            ) from error
        if line.startswith("# ") and not tokens and width and len(columns) != width:
            continue
        token = columns[0].strip()
        if token and token != DOCUMENT_MARK:
            tokens.append(token)
            tags.append(tag)
    return Tagged([tokens for tokens, _ in sentences], [tags for _, tags in sentences])


def _lines(path: str | Path) -> list[str]:
    """The lines of a file, which may come from any system; raises ValueError if it is not UTF-8."""
    data = read_bytes(path)
    convert = f"Convert it: iconv -f {{}} -t UTF-8 {path} > converted"
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    # Without a mark, every other byte of plain letters is 0, which UTF-8 would take.
    if marked or data.count(0) * 4 > len(data):
        encoding = "UTF-16" if marked else "UTF-16BE" if data.startswith(b"\0") else "UTF-16LE"
        raise ValueError(
            f"{path} must be UTF-8 text. Received: {encoding}, by its first bytes. "
            + convert.format(encoding)
        )
    # Ctrl-Z ends a text of DOS.
    data = data.removeprefix(codecs.BOM_UTF8).removesuffix(b"\x1a")
    if b"\n" not in data:  # where there are line feeds, a lone carriage return ends no line
        data = data.replace(b"\r", b"\n")
    try:
        return [line.removesuffix("\r") for line in split_lines(data, path)]
    except ValueError as error:
        raise ValueError(f"{error}. It may be Latin-1. {convert.format('ISO-8859-1')}") from error


def _columns(line: str, separator: str) -> list[str]:
    line = line.rstrip()
    return re.split("[ \t]+", line) if separator == " " else line.split(separator)


def _tag(columns: list[str]) -> str:
    """The last column in IOB1, BIO or IOBES; empty if it is the only one, even if like a tag."""
    tag = columns[-1].strip() if len(columns) > 1 else ""
    return "O" if tag == "o" else BILOU.get(tag[:2], tag[:2]) + tag[2:]


def find_file(data_dir: str | Path, names: Iterable[str], corpus: str, instructions: str) -> Path:
    """The first of some files that is there, gzipped or not.

    Args:
        data_dir: The folder to look in.
        names: Paths below it, without `.gz`.
        corpus: The corpus's name, for the message.
        instructions: How to get it, for the message.

    Returns:
        The path.

    Raises:
        FileNotFoundError: The folder or the file is missing.
    """
    if not Path(data_dir).is_dir():
        raise FileNotFoundError(
            f"`data_dir` must be a folder with {corpus}. Received: data_dir={str(data_dir)!r}, "
            f"which is not a folder. {instructions}"
        )
    names = list(names)
    for name in names:
        for path in (Path(data_dir) / f"{name}.gz", Path(data_dir) / name):
            if path.is_file():
                return path
    raise FileNotFoundError(
        f"`data_dir` has no {' or '.join(names)} (gzipped or not). "
        f"Received: data_dir={str(data_dir)!r}. {instructions}"
    )


def content_sha256(tagged: Tagged) -> str:
    """SHA-256 of the sentences whatever their order, their file's columns and its IOB variant.

    TFDS shuffles some corpora, so the bytes of a file would not do.
    """
    sentences = (
        "".join(f"{token}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True))
        for tokens, tags in zip(tagged.tokens, tagged.tags, strict=True)
    )
    return sha256("\n".join(sorted(sentences)).encode())
