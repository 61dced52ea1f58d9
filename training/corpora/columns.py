"""Corpora of labelled tokens in columns: their files, and what makes them the published ones.

`zoo.data.read_conll` reads them.
"""

from collections.abc import Iterable
from pathlib import Path

from zoo.data import Tagged
from zoo.training.corpora.files import sha256

__all__ = ["Tagged", "content_sha256", "find_file"]


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
