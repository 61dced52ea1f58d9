"""IMDB's Large Movie Review Dataset: 50,000 labelled and 50,000 unlabelled reviews.

Maas et al. 2011 (P11-1015). A local folder is read straight from its archives; without one TFDS
downloads `imdb_reviews`. Both ways give the same reviews in the same order, checked by SHA-256.

The corpus has no validation split, so one is held out of the training reviews. It has repeated
reviews as well: 123 texts of the training split stand in the test split too, and 266 of the
unlabelled ones. They are left there, as in published results.

Of a film there are up to 30 reviews, all of them in one published split, and mostly of one mind:
what is held out are all reviews of 325 films. (Of reviews held out one by one, 97 % would have
others of their film in `train`, whose majority alone is the right label of 87 %: a network that
remembers names would gain there and not on the test split.) TFDS leaves out which film a review is
of, so a list goes with the code.

The authors state no licence; the reviews are their writers'. Research use.
"""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import compress
from pathlib import Path

from zoo.extras import extra
from zoo.training.corpora.files import check_published
from zoo.training.corpora.reviews import Reviews, digest

HOME = "https://ai.stanford.edu/~amaas/data/sentiment/"
# The first 8 hexadecimal digits of the SHA-256 of each review of the held-out films. Those are the
# first by the SHA-256 of their numbers (tt0064354 and so on, from `urls_neg.txt` and
# `urls_pos.txt`), until 2,500 reviews are reached.
HELD_OUT = Path(__file__).with_name("imdb_dev.txt")
ARCHIVES = {
    "train": "aclImdb_labeled.tar.gz",
    "test": "aclImdb_labeled.tar.gz",
    "unsupervised": "aclImdb_unsup.tar.gz",
}
WHOLE_ARCHIVE = "aclImdb_v1.tar.gz"  # as its home has it
FOLDERS = {"neg": 0, "pos": 1, "unsup": -1}

# SHA-256 of each split as `zoo.training.corpora.reviews.digest` gives it; `train` is the whole one
# there, as published, and `dev` what is held out of it.
DIGESTS = {
    "train": "00d14d5bdad20526d8561d8f877fdf7de0985b00d425ad8fc8661dc0eb26ec30",
    "dev": "f8010380f04f5083ab23494c55769487eda0a76656cae5140d270f3f95a0b64c",
    "test": "3c03928231198d9553ffc7d097a353d1372d360a27e3430244168449e134e737",
    "unsupervised": "d747b422f74d803f62844322c5c4990e538fc8bf0531a5bd0e52c661c234dbd6",
}
# What a reader asks for -> the published split it comes from.
SPLITS = {"train": "train", "dev": "train", "test": "test", "unsupervised": "unsupervised"}

INSTRUCTIONS = f"""
Get {WHOLE_ARCHIVE} from {HOME} and name its folder, packed or unpacked (aclImdb/); the reviews
with and without labels may also be packed apart, as {" and ".join(sorted(set(ARCHIVES.values())))}.
"""


def load_imdb(
    data_dir: str | Path | None = None, split: str = "train", verify: bool = True
) -> Reviews:
    """Loads one split as lists.

    The order is that of the texts' SHA-256: shuffled, and the same whatever the source. `dev` has
    all of the published training reviews of 325 films and copies of them under other films (2,512),
    `train` the rest (22,488): no text is in both.

    Args:
        data_dir: A folder with the corpus's archives or with its folder `aclImdb`, or that folder
            itself. None: TFDS downloads `imdb_reviews` once and keeps it.
        split: `train`, `dev`, `test` or `unsupervised`.
        verify: Whether the reviews must be the published ones (SHA-256). False
            lets `data_dir` hold other reviews in the same folders: a tenth of them is held out, the
            first in the order of their SHA-256.

    Returns:
        `Reviews(texts, labels)`; label 0 is negative, 1 positive, -1 not known. The texts have
        `<br />` where their writers began a new line.

    Raises:
        ConnectionError: `data_dir` is None and the download failed.
        FileNotFoundError: The corpus is not in `data_dir`.
        ValueError: Unknown split, no review in it, a damaged archive or not the published reviews.

    Example:
        >>> dev = load_imdb("imdb", "dev")  # doctest: +SKIP
        >>> len(dev.texts), dev.labels[0]  # doctest: +SKIP
        (2500, 1)
    """
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {', '.join(SPLITS)}. Received: split={split!r}")
    if SPLITS[split] == "train":
        return dict(zip(("train", "dev"), load_training(data_dir, verify), strict=True))[split]
    return _published(data_dir, split, verify)


def load_training(
    data_dir: str | Path | None = None, verify: bool = True
) -> tuple[Reviews, Reviews]:
    """The splits `train` and `dev` of `load_imdb`, for one reading of the published split.

    Args:
        data_dir: As for `load_imdb`.
        verify: As for `load_imdb`.

    Returns:
        `Reviews` twice: `train`, `dev`.
    """
    reviews = _published(data_dir, "train", verify)
    if verify:
        listed = set(HELD_OUT.read_text(encoding="ascii").split())
        held_out = [_key(text).hex()[:8] in listed for text in reviews.texts]
    else:
        last = reviews.texts[-(-len(reviews.texts) // 10) - 1]
        held_out = [_key(text) <= _key(last) for text in reviews.texts]
    kept = [not held for held in held_out]
    train, dev = (Reviews(*(list(compress(c, of)) for c in reviews)) for of in (kept, held_out))
    return train, dev


def load_unlabelled(data_dir: str | Path | None, verify: bool, without: Reviews) -> list[str]:
    """The texts of the split `unsupervised` of `load_imdb` that other reviews do not have too.

    Args:
        data_dir: As for `load_imdb`.
        verify: As for `load_imdb`.
        without: Reviews whose texts are left out, such as those to choose a network by.
    """
    held_out = set(without.texts)
    return [
        text for text in load_imdb(data_dir, "unsupervised", verify).texts if text not in held_out
    ]


def _published(data_dir: str | Path | None, published: str, verify: bool) -> Reviews:
    """A published split, in our order."""
    rows = list(_from_tfds(published) if data_dir is None else _from_disk(data_dir, published))
    if not rows:
        raise ValueError(
            f"`data_dir` has no reviews of split {published!r}. "
            f"Received: data_dir={str(data_dir)!r}.{INSTRUCTIONS}"
        )
    # TFDS strips the texts; so does this, that both are the same.
    rows = [(text.decode("utf-8", "replace").strip(), label) for text, label in rows]
    rows.sort(key=lambda row: (_key(row[0]), row))
    reviews = Reviews(*map(list, zip(*rows, strict=True)))
    if verify:
        what = f"Split {published!r} ({len(rows)} texts)"
        check_published(digest(reviews), DIGESTS[published], what, HOME)
    return reviews


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _from_disk(data_dir: str | Path, split: str) -> Iterator[tuple[bytes, int]]:
    data_dir = Path(data_dir)
    side = "test" if split == "test" else "train"
    names = [name for name, label in FOLDERS.items() if (label < 0) == (split == "unsupervised")]
    for root in (data_dir / "aclImdb" / side, data_dir / side):
        if all((root / name).is_dir() for name in names):
            for name in names:
                for path in root.joinpath(name).glob("*.txt"):
                    yield path.read_bytes(), FOLDERS[name]
            return
    for archive in (data_dir / ARCHIVES[split], data_dir / WHOLE_ARCHIVE):
        if archive.is_file():
            yield from _from_archive(archive, side, names)
            return
    raise FileNotFoundError(
        f"`data_dir` must hold the reviews of split {split!r}. "
        f"Received: data_dir={str(data_dir)!r}, which does not.{INSTRUCTIONS}"
    )


def _from_archive(path: Path, side: str, names: Iterable[str]) -> Iterator[tuple[bytes, int]]:
    """Reads the members in one pass, as the archive has them: nothing is unpacked to the disk."""
    wanted = {("aclImdb", side, name): FOLDERS[name] for name in names}
    try:
        # By gzip's own reader: tarfile's takes some archives that were cut off for shorter ones.
        with gzip.open(path) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
            for member in archive:
                *folder, name = member.name.split("/")
                label = wanted.get(tuple(folder))
                if label is not None and member.isfile() and name.endswith(".txt"):
                    yield archive.extractfile(member).read(), label
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{path} is damaged or was not downloaded to its end ({error}). Download it again."
        ) from error


def _from_tfds(split: str) -> Iterator[tuple[bytes, int]]:
    with extra("training"):
        import tensorflow_datasets as tfds

    from zoo.training.corpora.download import download_errors

    with download_errors(
        f"IMDB could not be downloaded from {HOME}",
        f"Name a folder that holds it with `data_dir`.{INSTRUCTIONS}",
    ):
        rows = tfds.load("imdb_reviews", split=split)
    for row in tfds.as_numpy(rows):
        yield row["text"], int(row["label"])
