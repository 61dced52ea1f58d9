"""SST-2: short pieces of film reviews, negative or positive, as the GLUE benchmark has them.

Socher et al. 2013 (D13-1170), Wang et al. 2019. The training split holds 67,349 phrases: sentences
of the treebank and the parts of them that have a label. GLUE keeps the labels of its test split to
itself, so results are published on its validation split, 872 sentences. That one is measured here
and never chosen by: another `dev` is held out of the training sentences.

A local folder is read directly; without one TFDS downloads `glue/sst2`. Both ways give the same
phrases in the same order. The texts come tokenised and in lower case; the treebank has no licence.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from zoo.data.text_files import read_bytes, split_lines
from zoo.extras import extra
from zoo.training.corpora.files import check_published
from zoo.training.corpora.reviews import Reviews, digest

HOME = "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip"
FILES = {"train": "train.tsv", "validation": "dev.tsv"}  # GLUE's own names
HEADER = "sentence\tlabel"

# SHA-256 of each split as `zoo.training.corpora.reviews.digest` gives it; `train` is the whole one
# there, as published, and `dev` what is held out of it.
DIGESTS = {
    "train": "d6d6db63b0850e9de8afa74e4a044a056185b1f6b3939e4ac29bb6fd438c7478",
    "dev": "45af27c911665c6652f1e6ac035fdd3e232effbecfcc4a68e88619093767b38b",
    "validation": "671af978780e8f3c0fc0352ca77fe594b29b0b96b0dc4f9595b602be49f3707f",
}
# What a reader asks for -> the published split it comes from.
SPLITS = {"train": "train", "dev": "train", "validation": "validation"}

INSTRUCTIONS = f"""
Get {HOME} and unpack it: its folder SST-2 holds train.tsv and dev.tsv (gzipped ones will do).
"""


def load_sst2(
    data_dir: str | Path | None = None, split: str = "train", verify: bool = True
) -> Reviews:
    """Loads one split as lists.

    `dev` holds a tenth of the training split's whole sentences (689), drawn by their SHA-256;
    `train` the phrases that occur in one of the other sentences (61,045). So no dev sentence, and
    no part that only a dev sentence has, is trained on.

    Args:
        data_dir: A folder with `train.tsv` and `dev.tsv`, gzipped or not. None: TFDS downloads
            `glue/sst2` once and keeps it.
        split: `train`, `dev` (ours) or `validation` (GLUE's, for the published figures).
        verify: Whether the phrases must be the published ones (SHA-256).

    Returns:
        `Reviews(texts, labels)`; label 0 is negative, 1 positive.

    Raises:
        ConnectionError: `data_dir` is None and the download failed.
        FileNotFoundError: The corpus is not in `data_dir`.
        ValueError: Unknown split, a damaged file or not the published phrases.

    Example:
        >>> validation = load_sst2("sst2", "validation")  # doctest: +SKIP
        >>> len(validation.texts)  # doctest: +SKIP
        872
    """
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {', '.join(SPLITS)}. Received: split={split!r}")
    if SPLITS[split] == "train":
        return dict(zip(("train", "dev"), load_training(data_dir, verify), strict=True))[split]
    return _reviews(_published(data_dir, split, verify))


def load_training(
    data_dir: str | Path | None = None, verify: bool = True
) -> tuple[Reviews, Reviews]:
    """The splits `train` and `dev` of `load_sst2`, for one reading of the published split.

    Args:
        data_dir: As for `load_sst2`.
        verify: As for `load_sst2`.

    Returns:
        `Reviews` twice: `train`, `dev`.
    """
    rows = _published(data_dir, "train", verify)
    held_out, kept = _split_sentences([text for text, _ in rows])
    known = {span for text in kept for span in _spans(text)}
    train = [(text, label) for text, label in rows if text in known]
    dev = {text: label for text, label in rows if text in held_out}  # one that stands twice, once
    return _reviews(train), _reviews(dev.items())


def _published(data_dir: str | Path | None, published: str, verify: bool) -> list[tuple[str, int]]:
    """The phrases of a published split and their labels."""
    rows = _from_tfds(published) if data_dir is None else _from_disk(data_dir, published)
    rows = [(text.strip(), label) for text, label in rows]
    if verify:
        what = f"Split {published!r} ({len(rows)} texts)"
        check_published(digest(_reviews(rows)), DIGESTS[published], what, HOME)
    return rows


def _reviews(rows: Iterable[tuple[str, int]]) -> Reviews:
    rows = list(rows)
    return Reviews([text for text, _ in rows], [label for _, label in rows])


def _split_sentences(phrases: Iterable[str]) -> tuple[set[str], set[str]]:
    """Whole sentences, held out and kept: the phrases that are no part of a longer one."""
    parts: set[str] = set()
    sentences = []
    for text in sorted(set(phrases), key=lambda text: (-text.count(" "), text)):
        if text not in parts:
            sentences.append(text)
            parts.update(_spans(text))
    sentences.sort(key=lambda text: hashlib.sha256(text.encode()).digest())
    cut = -(-len(sentences) // 10)
    return set(sentences[:cut]), set(sentences[cut:])


def _spans(text: str) -> Iterable[str]:
    """Every run of tokens in a text."""
    tokens = text.split(" ")
    for start in range(len(tokens)):
        for end in range(start + 1, len(tokens) + 1):
            yield " ".join(tokens[start:end])


def _from_disk(data_dir: str | Path, split: str) -> Iterator[tuple[str, int]]:
    names = (FILES[split], FILES[split] + ".gz")
    path = next((p for p in (Path(data_dir) / name for name in names) if p.is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f"`data_dir` must hold {' or '.join(names)}. "
            f"Received: data_dir={str(data_dir)!r}, which does not.{INSTRUCTIONS}"
        )
    header, *lines = split_lines(read_bytes(path), path) or [""]
    if header != HEADER:
        raise ValueError(f"{path} must begin with the line {HEADER!r}. Received: {header[:60]!r}")
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        text, _, label = line.rpartition("\t")
        if label not in ("0", "1") or not text.strip():
            raise ValueError(
                f"{path} must have a phrase, a tab, and 0 or 1 on each line. "
                f"Received: line {number}: {line[:60]!r}"
            )
        yield text, int(label)


def _from_tfds(split: str) -> Iterator[tuple[str, int]]:
    with extra("training"):
        import tensorflow_datasets as tfds

    from zoo.training.corpora.download import download_errors

    with download_errors(
        f"SST-2 could not be downloaded from {HOME}",
        f"Name a folder that holds it with `data_dir`.{INSTRUCTIONS}",
    ):
        rows = tfds.load("glue/sst2", split=split)
    # TFDS shuffles; `idx` is the line of the published file.
    for row in sorted(tfds.as_numpy(rows), key=lambda row: row["idx"]):
        yield row["sentence"].decode("utf-8"), int(row["label"])
