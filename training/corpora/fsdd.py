"""The Free Spoken Digit Dataset: six people say the ten digits, fifty times each, at 8 kHz.

Jackson et al., version 1.0.10: 3,000 trimmed WAV files, licensed CC BY-SA 4.0. Two ways in, one
reader: `load_fsdd` gives plain lists, from a folder or through the TFDS builder `fsdd`, which
downloads the corpus from its public home. (TFDS has a builder `spoken_digit` too, of version 1.0.9
with 2,500 recordings and without splits.)

The test split is the official one, the recordings 0 to 4 of each person and digit; of the others,
which are for training, we hold out 5 to 9 to choose by. All six people are in all splits.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from zoo.extras import extra
from zoo.training.corpora.download import download_errors
from zoo.training.corpora.files import check_published

with extra("training"):
    import tensorflow_datasets as tfds

HOME = "https://github.com/Jakobovski/free-spoken-digit-dataset"
COMMIT = "d6938f9bf1545aa66d8489fc9f1385a7abd64282"  # v1.0.10
URL = f"{HOME}/archive/{COMMIT}.tar.gz"
FOLDER = "recordings"
NAME = re.compile(r"([0-9])_([a-z]+)_([0-9]+)\.wav")
# split -> its recordings of each person and digit
SPLITS = {"train": range(10, 50), "dev": range(5, 10), "test": range(5)}
# split -> SHA-256 of names and contents, as `digest` gives it
DIGESTS = {
    "train": "ecccf80f24209f66f1d8bb80fe1605e3a92f2a3cb9fb7670c593278ac15f4b28",
    "dev": "d8c7342a138c544bceba0406facbf4dfc4a923529c3c128d397a7e7b36f2919c",
    "test": "526de32e8075a61508e9c9d3c16cf3e0e6c798dfd24ba450ef1d60dc607796f9",
}
INSTRUCTIONS = (
    f"It must hold the folder {FOLDER} of {HOME}, with files such as 7_jackson_32.wav: "
    f"clone the repository, or unpack {URL}"
)


class Spoken(NamedTuple):
    """One split as parallel lists, in the order of the names."""

    names: list[str]  # such as "7_jackson_32.wav"
    audio: list[bytes]  # the content of the WAV files
    labels: list[str]  # "0" to "9"
    speakers: list[str]


class Fsdd(tfds.core.GeneratorBasedBuilder):
    """TFDS builder `fsdd`: spoken digits with their speakers, in the order of the names.

    Features: `name`, `audio` (the bytes of the WAV file, so that the zoo's own decoding is the only
    one), `label` and `speaker`. Splits: see `SPLITS`.

    Example:
        >>> Fsdd().download_and_prepare()  # doctest: +SKIP
    """

    VERSION = tfds.core.Version("1.0.10")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Recordings of spoken digits, in English, at 8 kHz.",
            features=tfds.features.FeaturesDict(
                {
                    "name": tfds.features.Text(),
                    "audio": tfds.features.Tensor(shape=(), dtype=tf.string),
                    "label": tfds.features.ClassLabel(names=list("0123456789")),
                    "speaker": tfds.features.Text(),
                }
            ),
            homepage=HOME,
            citation="Jackson et al., Free Spoken Digit Dataset, doi:10.5281/zenodo.1342401",
            license="CC BY-SA 4.0",
            disable_shuffling=True,  # example i is the i-th name
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict]]]:
        folder = Path(dl_manager.download_and_extract(URL))
        return {split: self._generate_examples(folder, split) for split in SPLITS}

    def _generate_examples(self, folder: Path, split: str) -> Iterator[tuple[int, dict]]:
        for number, row in enumerate(zip(*_read(folder, split, True), strict=True)):
            yield number, dict(zip(("name", "audio", "label", "speaker"), row, strict=True))


def load_fsdd(
    data_dir: str | Path | None = None, split: str = "train", verify: bool = True
) -> Spoken:
    """Loads one split: 2,400, 300 or 300 recordings.

    Args:
        data_dir: A folder with the corpus's folder `recordings`, or with its files. Read directly.
            None: TFDS downloads the corpus once and keeps it.
        split: "train", "dev" or "test".
        verify: Whether the recordings must be the published ones (SHA-256).

    Returns:
        `Spoken(names, audio, labels, speakers)`, lists of equal length.

    Raises:
        ConnectionError: `data_dir` is None and the download failed.
        FileNotFoundError: `data_dir` is missing, or has no recordings of the split.
        ValueError: Unknown split, or recordings that are not the published ones.

    Example:
        >>> spoken = load_fsdd("free-spoken-digit-dataset", "test")  # doctest: +SKIP
        >>> len(spoken.audio), spoken.names[0]  # doctest: +SKIP
        (300, '0_george_0.wav')
    """
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {', '.join(SPLITS)}. Received: split={split!r}")
    if data_dir is not None:
        return _read(Path(data_dir).expanduser(), split, verify)
    builder = Fsdd()
    with download_errors(
        f"The Free Spoken Digit Dataset could not be downloaded from {URL}",
        f"Name a folder that holds it with `data_dir`. {INSTRUCTIONS}",
    ):
        builder.download_and_prepare()
    rows = list(tfds.as_numpy(builder.as_dataset(split=split)))
    return Spoken(
        [row["name"].decode() for row in rows],
        [row["audio"] for row in rows],
        [str(row["label"]) for row in rows],
        [row["speaker"].decode() for row in rows],
    )


def digest(spoken: Spoken) -> str:
    """SHA-256 of the names, each with the SHA-256 of its file's content."""
    whole = hashlib.sha256()
    for name, content in zip(spoken.names, spoken.audio, strict=True):
        whole.update(f"{name}\t{hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()


def _read(folder: Path, split: str, verify: bool) -> Spoken:
    inside = next(iter(sorted(folder.glob(f"*/{FOLDER}"))), folder)  # an archive has one more
    inside = folder / FOLDER if (folder / FOLDER).is_dir() else inside
    found = [(path, NAME.fullmatch(path.name)) for path in sorted(inside.glob("*.wav"))]
    rows = [
        (path.name, path.read_bytes(), name[1], name[2])
        for path, name in found
        if name and int(name[3]) in SPLITS[split]
    ]
    if not rows:
        raise FileNotFoundError(
            f"`data_dir` has no recordings of the split {split!r}. {INSTRUCTIONS}. "
            f"Received: data_dir={str(folder)!r}"
        )
    spoken = Spoken(*map(list, zip(*rows, strict=True)))
    if verify:
        what = f"{inside}, {split} ({len(rows)} recordings)"
        check_published(digest(spoken), DIGESTS[split], what, HOME)
    return spoken
