"""Tatoeba's English-German sentence pairs: everyday talk, to fine-tune a caption translator on.

The pairs come from tatoeba.org as packed by https://www.manythings.org/anki/ (CC BY 2.0 France).
The corpus has no official split. Many English sentences have several translations, so the split is
made between English sentences: split by lines, and some of the test has been trained on.
"""

import random
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

from zoo.data.text_files import read_bytes, split_lines

HOME = "https://www.manythings.org/anki/"
FILE_NAMES = ("deu.txt", "deu.txt.gz", "deu-eng.zip")


class Pairs(NamedTuple):
    """Parallel lists: `en[i]` is translated by `de[i]`."""

    en: list[str]
    de: list[str]


class TatoebaSplit(NamedTuple):
    """Training and test pairs with no English sentence in common."""

    train: Pairs
    test: Pairs


def load_tatoeba(
    data_dir: str | Path, pairs: int = 2000, seed: int = 0, test_pairs: int = 500
) -> TatoebaSplit:
    """Draws training and test pairs that share no English sentence.

    Sentences that differ only in case and punctuation ("Run!", "Run.") count as one, and one of
    its translations is drawn. The test pairs depend on `seed` and `test_pairs` only, so that
    results stay comparable when `pairs` grows.

    Args:
        data_dir: A folder with `deu.txt`, `deu.txt.gz` or `deu-eng.zip`, or such a file itself.
        pairs: Number of training pairs.
        seed: Of the draw.
        test_pairs: Number of test pairs.

    Returns:
        `TatoebaSplit(train, test)`, each a `Pairs(en, de)` of lists of raw sentences.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, not UTF-8 or not tab-separated, has a sentence without its
            translation, or fewer pairs than asked for.

    Example:
        >>> train, test = load_tatoeba("tatoeba", pairs=2000)  # doctest: +SKIP
        >>> model.fit(train.en, train.de)  # doctest: +SKIP
    """
    for name, value in {"pairs": pairs, "test_pairs": test_pairs}.items():
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value!r}")
    groups: dict[str, list[tuple[str, str]]] = {}
    for english, german in _read(_find(Path(data_dir))):
        groups.setdefault(_key(english), []).append((english, german))
    if len(groups) < test_pairs + pairs:
        raise ValueError(
            f"`pairs` and `test_pairs` together must not exceed the {len(groups)} unique "
            f"English sentences in {data_dir}. Received: pairs={pairs}, test_pairs={test_pairs}"
        )
    draw = random.Random(seed)
    order = list(groups.values())
    draw.shuffle(order)
    drawn = [draw.choice(group) for group in order[: test_pairs + pairs]]
    test, train = drawn[:test_pairs], drawn[test_pairs:]
    return TatoebaSplit(*(Pairs(*map(list, zip(*part, strict=True))) for part in (train, test)))


def _key(english: str) -> str:
    """What makes two English sentences the same: their letters and digits, word by word."""
    return re.sub(r"[\W_]+", " ", english.casefold().replace("'", "")).strip()


def _find(data_dir: Path) -> Path:
    candidates = [data_dir, *(data_dir / name for name in FILE_NAMES)]
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f"`data_dir` must be a folder with {' or '.join(FILE_NAMES)}, or such a file. "
            f"Received: data_dir={str(data_dir)!r}. Download deu-eng.zip from {HOME}"
        )
    return path


def _read(path: Path) -> list[tuple[str, str]]:
    if path.suffix == ".zip":
        try:
            with zipfile.ZipFile(path) as archive:
                data = archive.read(FILE_NAMES[0])
        except (zipfile.BadZipFile, KeyError) as error:
            raise ValueError(
                f"{path} must be a zip archive that holds {FILE_NAMES[0]}. Received: {error}"
            ) from error
    else:
        data = read_bytes(path)
    rows = []
    for number, line in enumerate(split_lines(data, path), start=1):
        if not line.strip():
            continue
        columns = line.split("\t")  # a third column, if any, names the authors
        if len(columns) < 2 or not columns[0].strip() or not columns[1].strip():
            raise ValueError(
                f"{path} must have English, tab, German on each line. "
                f"Received: line {number}: {line[:80]!r}"
            )
        rows.append((columns[0], columns[1]))
    return rows
