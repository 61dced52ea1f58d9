"""WNUT-17 and the Broad Twitter Corpus: openly licensed (CC-BY 4.0) tweets and comments.

Derczynski et al. (2017), "Results of the WNUT2017 Shared Task on Novel and Emerging Entity
Recognition"; Derczynski, Bontcheva and Roberts (2016), "Broad Twitter Corpus". Two ways in, one
reader: our TFDS builders `wnut17` and `btc` download from the corpora's public homes, and
`load_wnut17` and `load_btc` give plain lists, straight from a folder or through those builders.

The two are annotated with different types. `in_common_types` maps both onto three:

    PER   BTC: PER    WNUT-17: person
    LOC   BTC: LOC    WNUT-17: location
    ORG   BTC: ORG    WNUT-17: corporation, group
    O                 WNUT-17: product, creative-work (BTC leaves them unmarked)
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from zoo.data import Tagged, read_conll
from zoo.extras import extra
from zoo.training.corpora.columns import content_sha256, find_file
from zoo.training.corpora.download import download_errors
from zoo.training.corpora.files import check_published

with extra("training"):
    import tensorflow_datasets as tfds

COMMON_TYPES = ("LOC", "ORG", "PER")
COMMON_TYPE_OF = {
    **{common: common for common in COMMON_TYPES},
    "person": "PER",
    "location": "LOC",
    "corporation": "ORG",
    "group": "ORG",
    "product": None,
    "creative-work": None,
}


class _ColumnBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """TFDS builder of a corpus in columns; a subclass names the files and where they are."""

    VERSION = tfds.core.Version("1.0.0")
    TITLE: str  # the corpus's name, for messages
    CITATION: str
    HOME: str
    URL: str  # where the files are, pinned to one commit
    FILES: ClassVar[dict[str, str]]  # split -> file
    TYPES: tuple[str, ...]
    CHECKSUMS: ClassVar[dict[str, str]]  # split -> `content_sha256` of its sentences

    def _info(self) -> tfds.core.DatasetInfo:
        tags = ["O", *(f"{begin}-{type_}" for type_ in self.TYPES for begin in "BI")]
        return tfds.core.DatasetInfo(
            builder=self,
            description=f"{self.TITLE}: tokens with BIO tags of named entities.",
            features=tfds.features.FeaturesDict(
                {
                    "tokens": tfds.features.Sequence(tfds.features.Text()),
                    "tags": tfds.features.Sequence(tfds.features.ClassLabel(names=tags)),
                }
            ),
            supervised_keys=("tokens", "tags"),
            homepage=self.HOME,
            citation=self.CITATION,
            license="CC-BY 4.0",
            disable_shuffling=True,  # example i is sentence i of the file
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict[str, list[str]]]]]:
        paths = dl_manager.download(self.urls())
        return {split: self._generate_examples(split, path) for split, path in paths.items()}

    def _generate_examples(
        self, split: str, path: str | Path
    ) -> Iterator[tuple[int, dict[str, list[str]]]]:
        tagged = self.read(split, path)
        for number, (tokens, tags) in enumerate(zip(*tagged, strict=True)):
            yield number, {"tokens": tokens, "tags": tags}

    @classmethod
    def urls(cls) -> dict[str, str]:
        """The address of each split's file."""
        return {split: f"{cls.URL}/{file}" for split, file in cls.FILES.items()}

    @classmethod
    def read(cls, split: str, path: str | Path, verify: bool = True) -> Tagged:
        """Reads and checks one split's file: the one reader behind builder and lists."""
        tagged = read_conll(path, "\t")
        if verify:
            what = f"{path} ({len(tagged.tokens)} sentences)"
            check_published(content_sha256(tagged), cls.CHECKSUMS[split], what, cls.HOME)
        return tagged


class Wnut17(_ColumnBuilder):
    """TFDS builder `wnut17`: Twitter, YouTube, Reddit and Stack Exchange, rare and new entities."""

    TITLE = "WNUT-17"
    CITATION = "Derczynski et al. 2017 (W17-4418)"
    HOME = "https://github.com/leondz/emerging_entities_17"
    URL = (
        "https://raw.githubusercontent.com/leondz/emerging_entities_17/"
        "e52a2d2a71ac1a051ca2d532eef28653c5c02603"
    )
    FILES: ClassVar = {
        "train": "wnut17train.conll",
        "validation": "emerging.dev.conll",
        "test": "emerging.test.annotated",
    }
    TYPES = ("corporation", "creative-work", "group", "location", "person", "product")
    CHECKSUMS: ClassVar = {
        "train": "9f78dd94e9e3ffb5da478d682ab3c2f04a46659b6f9b5225ef3cbd04bb6be5d6",
        "validation": "1f9b103c522b4d290dcbae69ba851ddf19c10804158c74b304507b82d50e00c1",
        "test": "a518fe8e34d6bc7f709af5f7c90d8a91b5ee2a425971759e8b8bff0cffb5fd42",
    }


class Btc(_ColumnBuilder):
    """TFDS builder `btc`: tweets of 2009 to 2014, the corpus's recommended splits."""

    TITLE = "the Broad Twitter Corpus"
    CITATION = "Derczynski, Bontcheva and Roberts 2016 (C16-1111)"
    HOME = "https://github.com/GateNLP/broad_twitter_corpus"
    URL = (
        "https://raw.githubusercontent.com/GateNLP/broad_twitter_corpus/"
        "0c45ef7b1924a6b8115bceab388781590b1b553a/train_dev_test_conll"
    )
    FILES: ClassVar = {
        "train": "btc.train",
        "validation": "btc.dev",
        "test": "btc.test",
    }
    TYPES = ("LOC", "ORG", "PER")
    CHECKSUMS: ClassVar = {
        "train": "125ce501ad384b085f4291b275b5f91b728b32c0c8d6c9d01c265f59a57b12ec",
        "validation": "4a42aad9a502c8d1342750477ee022cea181e5b07bbe8ba23d414601e84ef77d",
        "test": "f1f7e6e3c51070427bdc61fbf447841de5b123fb844badc7383ba823cd370a53",
    }


def load_wnut17(
    data_dir: str | Path | None = None, split: str = "train", verify: bool = True
) -> Tagged:
    """Loads one split of WNUT-17: 3,394, 1,009 or 1,287 sentences.

    Args:
        data_dir: A folder with the corpus's files, or with a folder `wnut17` of them; any may be
            gzipped. Read directly. None: TFDS downloads the corpus once and keeps it.
        split: "train", "validation" or "test".
        verify: Whether the sentences must be the published ones (SHA-256).

    Returns:
        `Tagged(tokens, tags)` in the file's order; BIO with the corpus's own six types.

    Raises:
        ConnectionError: `data_dir` is None and the download failed.
        FileNotFoundError: `data_dir` or the file in it is missing.
        ValueError: Unknown split, or content that is damaged or not the published one.

    Example:
        >>> load_wnut17("wnut17", "test").tokens[0]  # doctest: +SKIP
    """
    return _load(Wnut17, data_dir, split, verify)


def load_btc(
    data_dir: str | Path | None = None, split: str = "train", verify: bool = True
) -> Tagged:
    """Loads one split of the Broad Twitter Corpus: 6,338, 1,000 or 2,001 tweets.

    The file of the validation split has one more, whose only token is empty.

    Args:
        data_dir: As for `load_wnut17`, with a folder `btc`.
        split: "train", "validation" or "test".
        verify: Whether the tweets must be the published ones (SHA-256).

    Returns:
        `Tagged(tokens, tags)` in the file's order; BIO with LOC, ORG and PER.

    Raises:
        ConnectionError: As for `load_wnut17`, as are all errors.

    Example:
        >>> load_btc("btc", "test").tokens[0]  # doctest: +SKIP
    """
    return _load(Btc, data_dir, split, verify)


def in_common_types(tagged: Tagged) -> Tagged:
    """The same tokens with the types of `COMMON_TYPES`; an entity of no common type becomes "O".

    Args:
        tagged: Of WNUT-17 or BTC, BIO.

    Returns:
        `Tagged` with new tags.

    Raises:
        ValueError: A type of neither corpus.

    Example:
        >>> in_common_types(Tagged([["ESB", "lift"]], [["B-location", "B-product"]])).tags
        [['B-LOC', 'O']]
    """

    def common(tag: str) -> str:
        if tag == "O":
            return tag
        if tag[2:] not in COMMON_TYPE_OF:
            raise ValueError(
                f"`tagged` must have the types {', '.join(COMMON_TYPE_OF)}. Received: {tag!r}"
            )
        type_ = COMMON_TYPE_OF[tag[2:]]
        return "O" if type_ is None else tag[:2] + type_

    return Tagged(tagged.tokens, [[common(tag) for tag in tags] for tags in tagged.tags])


def _load(
    builder_class: type[_ColumnBuilder], data_dir: str | Path | None, split: str, verify: bool
) -> Tagged:
    files, name = builder_class.FILES, builder_class.name
    if split not in files:
        raise ValueError(f"`split` must be one of {', '.join(files)}. Received: split={split!r}")
    instructions = f"It must hold {', '.join(files.values())} of {builder_class.HOME}"
    if data_dir is not None:
        names = (f"{name}/{files[split]}", files[split])
        path = find_file(data_dir, names, builder_class.TITLE, instructions)
        return builder_class.read(split, path, verify)
    builder = builder_class()
    with download_errors(
        f"{builder_class.TITLE} could not be downloaded from {builder_class.URL}",
        f"Name a folder that holds it with `data_dir`. {instructions}",
    ):
        builder.download_and_prepare()
    names = builder.info.features["tags"].feature.names
    rows = list(tfds.as_numpy(builder.as_dataset(split)))
    return Tagged(
        [[token.decode("utf-8") for token in row["tokens"]] for row in rows],
        [[names[tag] for tag in row["tags"]] for row in rows],
    )
