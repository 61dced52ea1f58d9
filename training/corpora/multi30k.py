"""Multi30k, English to German: captions of photographs (Elliott et al. 2016, 2017).

Two ways in, one reader: the TFDS builder `multi30k` downloads from the corpus's public home (or
takes a `manual_dir`) and stores the examples as TFDS does; `load_multi30k` gives plain lists of
strings, straight from a folder or through that builder. Every file is checked by SHA-256.

The corpus has no licence file; its README allows non-commercial research and education.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zoo.data.text_files import read_bytes, split_lines
from zoo.extras import extra
from zoo.training.corpora.download import download_errors
from zoo.training.corpora.files import check_published, sha256

with extra("training"):
    import tensorflow_datasets as tfds

COMMIT = "a3d2e0d26b56f3846f66a952536ffed4e401d05a"
HOME = "https://github.com/multi30k/dataset"
URL = f"https://raw.githubusercontent.com/multi30k/dataset/{COMMIT}/data/task1"

# split -> (the corpus's own name for it, number of sentences)
SPLITS = {
    "train": ("train", 29_000),
    "validation": ("val", 1_014),
    "test_2016_flickr": ("test_2016_flickr", 1_000),
    "test_2017_flickr": ("test_2017_flickr", 1_000),
}

# feature -> its file below `data/task1`, {} being the corpus's name of the split
FILES = {
    "en": "raw/{}.en.gz",
    "de": "raw/{}.de.gz",
    "de_tok": "tok/{}.lc.norm.tok.de",
}

# split -> feature -> SHA-256 of the unpacked content
CHECKSUMS = {
    "train": {
        "en": "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6",
        "de": "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72",
        "de_tok": "cb5a23529b65ec2061f1dc446192a9c37382b63cc75f81a0be59d34894b3a505",
    },
    "validation": {
        "en": "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227",
        "de": "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660",
        "de_tok": "97232bd273eceb7207f689527386a97e4be2616b18ada47576bdaf96c8ae1f00",
    },
    "test_2016_flickr": {
        "en": "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182",
        "de": "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16",
        "de_tok": "c6a33d39d48f9f510de147651316cd9d918e09ad0219df734a2f16b6baccacc4",
    },
    "test_2017_flickr": {
        "en": "ce1450ddc5ab0834502579d77a170849952e15a2938b34cc503bdc25ebb4fb98",
        "de": "c3078bc3b36808bf9d20eb2347ed6137016179ef59ec0d2b9b8ecc3fb2880081",
        "de_tok": "02067e4a9402786a4fcb8c1b6f4307e4a5073ced64800abead5273b54f5f31f6",
    },
}

INSTRUCTIONS = f"""
Get {HOME} (commit {COMMIT}) and name its folder data/task1, which holds raw/ and tok/;
or put the files train, val, test_2016_flickr and test_2017_flickr with the endings
.en.gz, .de.gz and .lc.norm.tok.de (gzipped or not) into one folder.
"""


Example = tuple[int, dict[str, str]]  # line number, features


class Sentences(NamedTuple):
    """One split as parallel lists; line i of one belongs to line i of the others."""

    en: list[str]  # English as written
    de: list[str]  # German as written
    de_tok: list[str]  # German lower-cased, normalised and tokenised: the reference for BLEU


class Multi30k(tfds.core.GeneratorBasedBuilder):
    """TFDS builder `multi30k`: English and German captions, in the order of the corpus's files.

    Features: `en`, `de` (raw text) and `de_tok` (the official lower-cased, Moses-normalised and
    tokenised German). Splits: see `SPLITS`. A `manual_dir` that holds the files is preferred to
    the download.

    Example:
        >>> builder = Multi30k()  # doctest: +SKIP
        >>> builder.download_and_prepare()  # doctest: +SKIP
        >>> builder.as_dataset("validation", as_supervised=True)  # doctest: +SKIP
    """

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = INSTRUCTIONS

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Captions of Flickr photographs in English with a German translation.",
            features=tfds.features.FeaturesDict({name: tfds.features.Text() for name in FILES}),
            supervised_keys=("en", "de"),
            homepage=HOME,
            citation="Elliott et al. 2016 (W16-3210); Elliott et al. 2017 (W17-4718)",
            license="No licence file. Non-commercial research and educational use (README).",
            disable_shuffling=True,  # example i is line i of the files
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[Example]]:
        try:
            folder = dl_manager.manual_dir
        except AssertionError:  # what TFDS raises for a folder that is not there, or empty
            folder = None
        if folder is not None and any(_candidates(folder, "train", "en")):
            paths = {split: find_files(folder, split) for split in SPLITS}
        else:
            paths = dl_manager.download(urls())
        return {split: self._generate_examples(split, files) for split, files in paths.items()}

    def _generate_examples(self, split: str, paths: dict[str, Path]) -> Iterator[Example]:
        yield from examples(split, paths)


def load_multi30k(
    data_dir: str | Path | None = None, split: str = "train", verify: bool = True
) -> Sentences:
    """Loads one split as lists of strings.

    Args:
        data_dir: A folder with the corpus's `raw/` and `tok/`, or with the files themselves. Read
            directly: nothing is copied. None: TFDS downloads the corpus once and keeps it.
        split: One of `SPLITS`.
        verify: Whether the files must be the published ones (SHA-256, number of lines). False lets
            `data_dir` hold another English-German corpus under the same file names.

    Returns:
        `Sentences(en, de, de_tok)`, three lists of equal length in the files' order.

    Raises:
        ConnectionError: `data_dir` is None and the download failed.
        FileNotFoundError: `data_dir` or a file in it is missing.
        ValueError: Unknown split, files that are not the published ones, damaged or not parallel.

    Example:
        >>> train = load_multi30k("multi30k", "train")  # doctest: +SKIP
        >>> train.en[0]  # doctest: +SKIP
        'Two young, White males are outside near many bushes.'
    """
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {', '.join(SPLITS)}. Received: split={split!r}")
    if data_dir is not None:
        rows = [row for _, row in examples(split, find_files(data_dir, split), verify)]
    else:
        builder = Multi30k()
        with download_errors(
            f"Multi30k could not be downloaded from {URL}",
            f"Name a folder that holds it with `data_dir`.{INSTRUCTIONS}",
        ):
            builder.download_and_prepare()
        rows = [
            {name: text.decode("utf-8") for name, text in row.items()}
            for row in tfds.as_numpy(builder.as_dataset(split))
        ]
    return Sentences(*([row[name] for row in rows] for name in Sentences._fields))


def urls() -> dict[str, dict[str, str]]:
    """The address of every file, by split and feature, pinned to one commit."""
    return {
        split: {feature: f"{URL}/{pattern.format(name)}" for feature, pattern in FILES.items()}
        for split, (name, _) in SPLITS.items()
    }


def find_files(data_dir: str | Path, split: str) -> dict[str, Path]:
    """Finds a split's files, gzipped or not, in `raw/` and `tok/` or in `data_dir` itself.

    Args:
        data_dir: The folder to look in.
        split: One of `SPLITS`.

    Returns:
        The path of each feature's file.

    Raises:
        FileNotFoundError: The folder or a file is missing; the message says where it was sought.
    """
    if not Path(data_dir).is_dir():
        raise FileNotFoundError(
            f"`data_dir` must be a folder with Multi30k. Received: data_dir={str(data_dir)!r}, "
            f"which is not a folder.{INSTRUCTIONS}"
        )
    found = {}
    for feature, pattern in FILES.items():
        found[feature] = next(iter(_candidates(data_dir, split, feature)), None)
        if found[feature] is None:
            raise FileNotFoundError(
                f"`data_dir` has no {pattern.format(SPLITS[split][0])} (nor that file without its "
                f"folder, gzipped or not). Received: data_dir={str(data_dir)!r}.{INSTRUCTIONS}"
            )
    return found


def examples(split: str, paths: dict[str, Path], verify: bool = True) -> Iterator[Example]:
    """Reads and checks one split's files: the one reader behind the builder and the lists.

    Args:
        split: One of `SPLITS`.
        paths: The file of each feature.
        verify: Whether to compare with the published checksums and number of lines.

    Yields:
        (line number from 0, {"en": str, "de": str, "de_tok": str}).

    Raises:
        ValueError: A file is not the published one or is damaged, or the files are not parallel: of
            different lengths, or with a blank line in one of them only.
    """
    lines = {}
    for feature, path in paths.items():
        data = read_bytes(path)
        lines[feature] = split_lines(data, path)
        if verify:
            _check_file(split, feature, path, data, len(lines[feature]))
    counts = {feature: len(of) for feature, of in lines.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(
            f"The files of split {split!r} must have equally many lines. Received: {counts} "
            f"in {', '.join(str(path) for path in paths.values())}"
        )
    for number, row in enumerate(zip(*lines.values(), strict=True)):
        blank = [
            str(path) for path, line in zip(paths.values(), row, strict=True) if not line.strip()
        ]
        if 0 < len(blank) < len(row):
            raise ValueError(
                f"The files of split {split!r} must have a sentence on the same lines. "
                f"Received: line {number + 1} is blank in {', '.join(blank)} only"
            )
        if not blank:
            yield number, dict(zip(lines, row, strict=True))


def _candidates(data_dir: str | Path, split: str, feature: str) -> Iterator[Path]:
    inside = Path(FILES[feature].format(SPLITS[split][0]).removesuffix(".gz"))
    for stem in (Path(data_dir) / inside, Path(data_dir) / inside.name):
        for path in (stem.with_name(stem.name + ".gz"), stem):
            if path.is_file():
                yield path


def _check_file(split: str, feature: str, path: Path, data: bytes, lines: int) -> None:
    expected = SPLITS[split][1]
    if lines != expected:
        raise ValueError(
            f"{path} must have {expected} lines, as the published split {split!r} has. "
            f"Received: {lines} lines. Take the file from {HOME} (commit {COMMIT})."
        )
    home = f"{HOME} (commit {COMMIT})"
    check_published(sha256(data), CHECKSUMS[split][feature], str(path), home)
