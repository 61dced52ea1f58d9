"""Running text for language models: the Penn Treebank and WikiText-2, word by word.

Both come tokenised, with rare words as `<unk>`. A line's end counts as a word, `<eos>`, so that
perplexities compare with published ones. A folder is read; neither is downloaded: the text of the
Penn Treebank may not be passed on, and WikiText-2 has no home any more that stays.

Mikolov et al. (2010) made the Penn Treebank's form of it: 10,000 words, `<unk>` and `<eos>` among
them, in lower case, without punctuation, every number as `N`. Merity et al. (2016),
arXiv:1609.07843, made WikiText-2 of articles of Wikipedia.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.data.text_files import read_bytes, split_lines
from zoo.text.vocabulary import PAD_ID, UNK_ID
from zoo.training.corpora.files import check_published, sha256

UNKNOWN = "<unk>"


class RunningText(NamedTuple):
    """A split: the words of each line, `<unk>` among them; an empty line is a line."""

    lines: list[list[str]]

    @property
    def tokens(self) -> int:
        """Words, the end of each line counted as one."""
        return sum(map(len, self.lines)) + len(self.lines)


def digest(text: RunningText) -> str:
    """SHA-256 over the words, one blank between them and a line feed after each line."""
    return sha256("".join(f"{line}\n" for line in map(" ".join, text.lines)).encode())


def digest_of_lines(text: RunningText) -> str:
    """As `digest`, whatever the order of the lines: copies have the articles in several."""
    return sha256("".join(f"{line}\n" for line in sorted(map(" ".join, text.lines))).encode())


class Source(NamedTuple):
    """One corpus of running text.

    Attributes:
        title: For messages.
        home: Where it is published.
        pattern: The name of a split's file.
        files: What the file's name calls each split.
        digest: What makes a split the published one.
        digests: That of each split.
        instructions: How to get it.
    """

    title: str
    home: str
    pattern: str
    files: dict[str, str]
    digest: Callable[[RunningText], str]
    digests: dict[str, str]
    instructions: str


PTB = Source(
    "the Penn Treebank in Mikolov's form",
    "https://catalog.ldc.upenn.edu/LDC99T42",
    "ptb.{}.txt",
    {"train": "train", "validation": "valid", "test": "test"},
    digest,
    {
        "train": "5145926136ee9aef6f359b267ac09cc8a920879cd71725de17c490dd111d2998",
        "validation": "fadf6277290823f881b7bf39b84e88536c87a859cd629dcfd1d2dfdef06097cf",
        "test": "c2f8c16a611595d31da5acdb7a61d50e7d5e95f6b9c05fceda5f5ddc4383e791",
    },
    "It is not downloaded, since its text may not be passed on: take the folder `data` of "
    "Mikolov's simple-examples.tgz, and name it with `data_dir`. Files may be gzipped.",
)
WIKITEXT2 = Source(
    "WikiText-2",
    "https://arxiv.org/abs/1609.07843",
    "wiki.{}.tokens",
    {"train": "train", "validation": "valid", "test": "test"},
    digest_of_lines,
    {
        "train": "2df88faa335514e035066653e297fadf54619839c6ee8ab37cd28e71b10aec3b",
        "validation": "0cae005ba41643fa4d005b944ceb8573ed868606057ad1a919ed20d3742706e4",
    },
    "It is not downloaded: take wikitext-2-v1.zip, and name its folder with `data_dir`. Files may "
    "be gzipped.",
)


def load_ptb(
    data_dir: str | Path | None = None, split: str = "train", verify: bool = True
) -> RunningText:
    """Loads a split of the Penn Treebank.

    Args:
        data_dir: A folder with `ptb.train.txt` and its like, gzipped or not.
        split: `train`, `validation` or `test`.
        verify: Whether the words must be the published ones (SHA-256).

    Raises:
        FileNotFoundError: `data_dir` is None or has no such file.
        ValueError: Unknown split, a damaged file, no word in it, or not the published words.

    Example:
        >>> load_ptb("ptb", "validation").tokens  # doctest: +SKIP
        73760
    """
    return _load(PTB, data_dir, split, verify)


def load_wikitext2(
    data_dir: str | Path | None = None, split: str = "train", verify: bool = True
) -> RunningText:
    """Loads a split of WikiText-2; arguments and errors as of `load_ptb`."""
    return _load(WIKITEXT2, data_dir, split, verify)


def frequent_words(text: RunningText, size: int | None = None) -> list[str]:
    """The words of a text but `<unk>`, the most frequent first; equals by the alphabet.

    Args:
        text: A split.
        size: The most words to take; None takes all.
    """
    counts = Counter(word for line in text.lines for word in line)
    del counts[UNKNOWN]
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [word for word, _ in ranked[:size]]


def stream(text: RunningText, words: Iterable[str]) -> np.ndarray:
    """A text as one row of ids: those of a `WordVocabulary`, the end of a line being 0.

    Args:
        text: A split.
        words: The vocabulary's words, in its order; others are unknown.

    Returns:
        Int32 `[text.tokens]`.
    """
    ids = {word: UNK_ID + 1 + place for place, word in enumerate(words)}
    flat = (
        id_ for line in text.lines for id_ in (*(ids.get(word, UNK_ID) for word in line), PAD_ID)
    )
    return np.fromiter(flat, np.int32, text.tokens)


def _load(source: Source, data_dir: str | Path | None, split: str, verify: bool) -> RunningText:
    if split not in source.files:
        raise ValueError(
            f"`split` must be one of {', '.join(source.files)}. Received: split={split!r}"
        )
    name = source.pattern.format(source.files[split])
    folder = None if data_dir is None else Path(data_dir).expanduser()
    names = (name, f"{name}.gz")
    path = folder and next((p for p in (folder / n for n in names) if p.is_file()), None)
    if path is None:
        received = None if folder is None else str(data_dir)
        raise FileNotFoundError(
            f"`data_dir` must be a folder with {' or '.join(names)}, of {source.title} "
            f"({source.home}). {source.instructions} Received: data_dir={received!r}"
        )
    text = RunningText([line.split() for line in split_lines(read_bytes(path), path)])
    if not any(text.lines):
        raise ValueError(f"{path} has no word in it: take {source.title} from {source.home}")
    if verify:
        if split not in source.digests:
            raise ValueError(
                f"The published words of split {split!r} of {source.title} are not known here: "
                "pass `verify=False` (--any-data) to take what is there"
            )
        what = f"{path.name} ({text.tokens:,} words)"
        check_published(source.digest(text), source.digests[split], what, source.home)
    return text
