"""Labelled tokens in columns: one token a line, blank lines between sentences.

The form of CoNLL-2003, WNUT-17 and the Broad Twitter Corpus. One reader for all, whatever separates
the columns and whatever the tag scheme (CoNLL-2003 has IOB1, the others BIO).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from training.corpora.files import read_bytes, sha256, split_lines
from zoo.text.tags import split_tag, to_bio

DOCUMENT_MARK = "-DOCSTART-"


class Tagged(NamedTuple):
    """Parallel lists: `tags[i][j]` is the tag of `tokens[i][j]`."""

    tokens: list[list[str]]
    tags: list[list[str]]  # BIO: "O", "B-PER", "I-PER", ...


def read_columns(path: str | Path, separator: str) -> Tagged:
    """Reads a file whose first column is the token and whose last is the tag.

    White space around a token goes, and a token of nothing else goes with its line: nobody could
    tag it. Lines that mark a document go too.

    Args:
        path: UTF-8, gzipped or not.
        separator: Between columns, such as a tab. Other white space may be part of a token.

    Returns:
        The sentences in the file's order, as `Tagged`.

    Raises:
        ValueError: The file is damaged, not UTF-8, or has a line without a tag (`zoo.text.tags`).
    """
    sentences, tokens, tags = [], [], []
    for number, line in enumerate([*split_lines(read_bytes(path), path), ""], start=1):
        if not line.strip():
            if tokens:
                sentences.append((tokens, to_bio(tags)))
            tokens, tags = [], []
            continue
        columns = line.rstrip("\r").split(separator)
        try:
            # A line of one column has no tag, even if it looks like one.
            split_tag(columns[-1] if len(columns) > 1 else "")
        except ValueError as error:
            raise ValueError(
                f"{path} must have a token, {separator!r} and a tag on each line ({error}). "
                f"Received: line {number}: {line[:80]!r}"
            ) from error
        token = columns[0].strip()
        if token and token != DOCUMENT_MARK:
            tokens.append(token)
            tags.append(columns[-1])
    return Tagged([tokens for tokens, _ in sentences], [tags for _, tags in sentences])


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
