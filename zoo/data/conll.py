"""Labelled tokens in columns: one token a line, blank lines between sentences.

The form of CoNLL-2003, WNUT-17, GermEval and of most tools' export. One reader for all, whatever
separates the columns and whatever the tag scheme.
"""

import re
from pathlib import Path
from typing import NamedTuple

from zoo.data.tag_schemes import split_tag, to_bio
from zoo.data.text_files import read_bytes, split_lines

DOCUMENT_MARK = "-DOCSTART-"
# What spaCy and others write for the end and the single of IOBES, in BILOU.
BILOU = {"L-": "E-", "U-": "S-"}


class Tagged(NamedTuple):
    """Parallel lists: `tags[i][j]` is the tag of `tokens[i][j]`, in BIO.

    Example:
        >>> tokens, tags = zoo.data.read_conll("train.conll")
    """

    tokens: list[list[str]]
    tags: list[list[str]]

    @property
    def types(self) -> list[str]:
        """The types of entities in the tags, sorted: what `zoo.load(name, types=...)` takes."""
        return sorted({tag[2:] for row in self.tags for tag in row if tag[2:]})


def read_conll(
    path: str | Path,
    separator: str | None = None,
    token_column: int = 0,
    tag_column: int = -1,
) -> Tagged:
    """Reads tokens and tags from a file with a token on each line.

        # a comment before a sentence
        Ann    NNP    B-PER
        Lee    NNP    I-PER
        ran    VBD    O

        In     IN     O
        Ulm    NNP    B-LOC

    The tags may be in IOB1, BIO (IOB2), IOBES or BILOU, and `o` is `O`. White space around a token
    goes, and a token of nothing else goes with its line: nobody could tag it. Lines that mark a
    document (`-DOCSTART-`) go too, and comments, `# ...` before a sentence: a line that has as many
    columns as the others and a tag is of a token `#`.

    Args:
        path: UTF-8, gzipped or not, with or without a byte order mark, lines ended in any way.
        separator: Between columns. None: a tab if the file has one, else any number of blanks. Of
            a blank, any number of blanks and tabs separate columns. Of another, such as a tab,
            blanks may be part of a token; they separate the columns of a file that has no
            `separator` at all.
        token_column: Which column is the token, from 0; negative ones count from the last.
        tag_column: Which column is the tag, likewise. Other columns are passed over.

    Returns:
        The sentences in the file's order: `Tagged(tokens, tags)`, the tags in BIO.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, not UTF-8, has no sentence, or has a line without a token
            and a tag; the message says which.

    Example:
        >>> data = zoo.data.read_conll("train.conll")
        >>> model = zoo.load("ner_open", types=data.types)
        >>> model.fit(data.tokens, data.tags)
    """
    lines = split_lines(read_bytes(path), path)
    separator = "\t" if separator is None else separator
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
        if columns[0].strip() == DOCUMENT_MARK:
            continue
        comment = line.startswith(("# ", "#\t")) and not tokens
        token, tag = _token_and_tag(columns, token_column, tag_column)
        try:
            split_tag(tag)
        except ValueError as error:
            if comment:
                continue
            raise ValueError(
                f"{path} must have a token, {separator!r} and a tag on each line ({error}). "
                f"Received: line {number}: {line[:80]!r}"
            ) from error
        if token and not (comment and width and len(columns) != width):
            tokens.append(token)
            tags.append(tag)
    if not sentences:
        raise ValueError(f"{path} must have sentences. Received: {len(lines)} lines, no token")
    return Tagged([tokens for tokens, _ in sentences], [tags for _, tags in sentences])


def _columns(line: str, separator: str) -> list[str]:
    line = line.rstrip()
    return re.split("[ \t]+", line) if separator == " " else line.split(separator)


def _token_and_tag(columns: list[str], token_column: int, tag_column: int) -> tuple[str, str]:
    """The token, and the last column in IOB1, BIO or IOBES; no tag if there is one column."""
    places = {}
    for name, place in (("token", token_column), ("tag", tag_column)):
        places[name] = place + len(columns) if place < 0 else place
    if places["token"] == places["tag"] or not all(0 <= p < len(columns) for p in places.values()):
        return columns[0].strip(), ""
    token, tag = (columns[place].strip() for place in places.values())
    return token, "O" if tag == "o" else BILOU.get(tag[:2], tag[:2]) + tag[2:]
