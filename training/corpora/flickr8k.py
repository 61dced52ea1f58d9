"""Flickr8k: photographs of people and dogs, each described by five people (Hodosh et al. 2013).

Two ways in, one reader: `load_flickr8k` gives plain lists, cheaply; the TFDS builder `flickr8k`
stores the same from a `manual_dir`. Captions and splits are the official ones, and so are the
names; the pictures are a copy squashed to 224 x 224 pixels, which is what the checksums are of.

The pictures belong to those who put them on Flickr. The corpus is given out for non-commercial
research and education, so nothing here downloads it.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from zoo.data.text_files import split_lines
from zoo.extras import extra
from zoo.training.corpora.files import check_published

with extra("training"):
    import tensorflow_datasets as tfds

HOME = "https://hockenmaier.cs.illinois.edu/8k-pictures.html"

# split -> (the file that lists its pictures, how many there are)
SPLITS = {
    "train": ("Flickr_8k.trainImages.txt", 6_000),
    "validation": ("Flickr_8k.devImages.txt", 1_000),
    "test": ("Flickr_8k.testImages.txt", 1_000),
}
CAPTIONS_FILE = "Flickr8k.token.txt"
CAPTIONS_EACH = 5

# Folders or archives that the files may lie in.
PICTURES_IN = ("Flicker8k_Dataset", "Flickr8k_Dataset", "Images")  # the first is the corpus's own
TEXTS_IN = ("Flickr8k_text", "text")

# split -> SHA-256 of names and captions, and of the pictures, as `digest` gives them
CHECKSUMS = {
    "train": {
        "captions": "3eaece2f8c55ea8918bfaf0886451645261fb53f44fbbbf81459fd57dafd4320",
        "pictures": "e38aae3789cacf11568e1d3f4c379ac9c33a35752f41d0895ff8caca064a7ff3",
    },
    "validation": {
        "captions": "c018cdfb731d7212b893bf72b97dd46668ecfaf524ee4dd4386122df77821c46",
        "pictures": "186406eeec1fde6fb13742a7bca6cb75bafeaab0dd0342327f1daa6ea2eed90f",
    },
    "test": {
        "captions": "741317ed4df0523ef7270776500b7ddad2603313c37ebaa4452978fbbf919dcc",
        "pictures": "4ffa64bfc86e00d49d552c0e7c509c77999a54bd47592d9e66d9212fa2b0120f",
    },
}

INSTRUCTIONS = f"""
It must hold Flicker8k_Dataset (the pictures) and Flickr8k_text (with {CAPTIONS_FILE} and
{SPLITS["train"][0]}, ...), each as a folder or as a .zip. Ask for the corpus at {HOME}
"""


class Captioned(NamedTuple):
    """One split as parallel lists, in the order of the corpus's own list."""

    names: list[str]  # such as "1000268201_693b08cb0e.jpg"
    pictures: list[bytes]  # the content of the JPEG files
    captions: list[list[str]]  # five for each picture


class Flickr8k(tfds.core.GeneratorBasedBuilder):
    """TFDS builder `flickr8k`: pictures with five captions, in the order of the corpus's lists.

    Features: `name`, `image` (the bytes of the JPEG file, so that the zoo's own decoding is the
    only one) and `captions` (five texts). Splits: see `SPLITS`. There is no download: the corpus
    must lie in the `manual_dir`.

    Example:
        >>> builder = Flickr8k()  # doctest: +SKIP
        >>> config = tfds.download.DownloadConfig(manual_dir="flickr8k")  # doctest: +SKIP
        >>> builder.download_and_prepare(download_config=config)  # doctest: +SKIP
    """

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = INSTRUCTIONS

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Photographs from Flickr, each with five captions in English.",
            features=tfds.features.FeaturesDict(
                {
                    "name": tfds.features.Text(),
                    "image": tfds.features.Tensor(shape=(), dtype=tf.string),
                    "captions": tfds.features.Sequence(tfds.features.Text(), length=CAPTIONS_EACH),
                }
            ),
            homepage=HOME,
            citation="Hodosh, Young and Hockenmaier 2013, JAIR 47:853-899",
            license="Non-commercial research and educational use; the pictures are their owners'.",
            disable_shuffling=True,  # example i is line i of the split's list
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict]]]:
        folder = dl_manager.manual_dir
        return {split: self._generate_examples(folder, split) for split in SPLITS}

    def _generate_examples(self, folder: Path, split: str) -> Iterator[tuple[int, dict]]:
        rows = zip(*load_flickr8k(folder, split), strict=True)
        for number, (name, picture, captions) in enumerate(rows):
            yield number, {"name": name, "image": picture, "captions": captions}


def load_flickr8k(data_dir: str | Path, split: str = "train", verify: bool = True) -> Captioned:
    """Loads one split: names, the bytes of its JPEG files, and five captions for each.

    Args:
        data_dir: A folder with the pictures and the texts, each in a folder or in a zip archive.
        split: One of `SPLITS`, 6,000, 1,000 and 1,000 pictures.
        verify: Whether names, captions and pictures must be the known ones (SHA-256). False takes
            another copy of the pictures, such as the ones in their full size.

    Returns:
        `Captioned(names, pictures, captions)`, three lists of equal length.

    Raises:
        FileNotFoundError: `data_dir`, or a file or a picture in it, is missing.
        ValueError: Unknown split, or files that are damaged or not the known ones.

    Example:
        >>> dev = load_flickr8k("flickr8k", "validation")  # doctest: +SKIP
        >>> len(dev.pictures), len(dev.captions[0])  # doctest: +SKIP
        (1000, 5)
    """
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {', '.join(SPLITS)}. Received: split={split!r}")
    if data_dir is None or not Path(data_dir).is_dir():
        raise FileNotFoundError(
            f"`data_dir` must be a folder with Flickr8k. Received: data_dir={str(data_dir)!r}, "
            f"which is not a folder.{INSTRUCTIONS}"
        )
    list_name = SPLITS[split][0]
    texts = _read(Path(data_dir), TEXTS_IN, [list_name, CAPTIONS_FILE])
    names = [name.strip() for name in split_lines(texts[0], list_name) if name.strip()]
    captions = _captions(texts[1], names)
    found = Captioned(names, _read(Path(data_dir), PICTURES_IN, names), captions)
    if verify:
        _check(found, split)
    return found


def digest(captioned: Captioned) -> dict[str, str]:
    """SHA-256 of the names with their captions, and of the pictures in this order."""
    lines = (
        f"{name}#{number}\t{caption}\n"
        for name, of_one in zip(captioned.names, captioned.captions, strict=True)
        for number, caption in enumerate(of_one)
    )
    hashes = {"captions": hashlib.sha256(), "pictures": hashlib.sha256()}
    for line in lines:
        hashes["captions"].update(line.encode())
    for picture in captioned.pictures:
        hashes["pictures"].update(hashlib.sha256(picture).digest())
    return {name: of.hexdigest() for name, of in hashes.items()}


def _captions(data: bytes, names: Sequence[str]) -> list[list[str]]:
    """Five captions of each picture, from lines of `name#number`, tab, caption."""
    wanted: dict[str, dict[str, str]] = {name: {} for name in names}
    for line in split_lines(data, CAPTIONS_FILE):
        key, _, caption = line.partition("\t")
        name, _, number = key.rpartition("#")
        if name in wanted:
            wanted[name][number] = caption.strip()
    for name, found in wanted.items():
        if sorted(found) != [str(number) for number in range(CAPTIONS_EACH)]:
            raise ValueError(
                f"{CAPTIONS_FILE} must have {CAPTIONS_EACH} captions of each picture. "
                f"Received: {len(found)} of {name}"
            )
    return [[found[str(n)] for n in range(CAPTIONS_EACH)] for found in wanted.values()]


def _read(data_dir: Path, places: Sequence[str], names: Sequence[str]) -> list[bytes]:
    """The content of files that lie in a folder or archive of one of these names, or beside it."""
    folders = [folder for place in (*places, "") if (folder := data_dir / place).is_dir()]
    folder = next((folder for folder in folders if (folder / names[0]).is_file()), None)
    if folder is not None:
        if missing := [name for name in names if not (folder / name).is_file()]:
            raise _missing(missing, folder)
        return [(folder / name).read_bytes() for name in names]
    path = next((p for place in places if (p := data_dir / f"{place}.zip").is_file()), None)
    if path is None:
        raise _missing(names[:1], data_dir)
    try:
        with zipfile.ZipFile(path) as archive:
            inside = {Path(name).name: name for name in archive.namelist()}
            if missing := [name for name in names if name not in inside]:
                raise _missing(missing, path)
            return [archive.read(inside[name]) for name in names]
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is damaged ({error}). Get it again.") from error


def _missing(names: Sequence[str], place: Path) -> FileNotFoundError:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return FileNotFoundError(
        f"`data_dir` has no {names[0]}{more}. Received: {place}.{INSTRUCTIONS}"
    )


def _check(found: Captioned, split: str) -> None:
    list_name, expected = SPLITS[split]
    if len(found.names) != expected:
        raise ValueError(
            f"{list_name} must name {expected} pictures, as the published split {split!r} does. "
            f"Received: {len(found.names)}. Take it from {HOME}"
        )
    received = digest(found)
    for part, published in CHECKSUMS[split].items():
        what = f"Split {split!r} ({expected} {part})"
        check_published(received[part], published, what, f"{HOME}, or pass verify=False.")
