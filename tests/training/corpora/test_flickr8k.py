"""Flickr8k: archives and folders give the same lists, and wrong files are named."""

import zipfile

import pytest
import tensorflow_datasets as tfds

from zoo.training.corpora import flickr8k
from zoo.training.corpora.flickr8k import SPLITS, Flickr8k, digest, load_flickr8k

TINY = {split: (name, 2) for split, (name, _) in SPLITS.items()}
NAMES = {split: [f"{split}_{i}.jpg" for i in (1, 0)] for split in TINY}
ALL_NAMES = [name for names in NAMES.values() for name in names]


def caption(name, number):
    return f"A dög {name} runs {number} ."


def write(folder):
    """Both parts as the published archives have them, and the stray line that the original has."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "Flicker8k_Dataset.zip", "w") as pictures:
        for name in [*ALL_NAMES, "unused.jpg"]:
            pictures.writestr(f"Flicker8k_Dataset/{name}", b"\xff\xd8\xff" + name.encode())
    lines = ["stray.jpg.1#0\tA stray picture ."]
    for name in sorted(ALL_NAMES):
        lines += [f"{name}#{number}\t{caption(name, number)} " for number in range(5)]
    with zipfile.ZipFile(folder / "Flickr8k_text.zip", "w") as texts:
        texts.writestr("Flickr8k.token.txt", "\n".join(lines) + "\n")
        for split, (list_name, _) in TINY.items():
            texts.writestr(list_name, "".join(name + "\n" for name in NAMES[split]))
    return folder


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A folder with a tiny corpus, and its checksums in place of the published."""
    folder = write(tmp_path / "corpus")
    monkeypatch.setattr(flickr8k, "SPLITS", TINY)
    sums = {split: digest(load_flickr8k(folder, split, verify=False)) for split in TINY}
    monkeypatch.setattr(flickr8k, "CHECKSUMS", sums)
    return folder


def unpacked(corpus, places):
    for name, place in places.items():
        with zipfile.ZipFile(corpus / name) as archive:
            for member in archive.namelist():
                (corpus / place).mkdir(exist_ok=True)
                (corpus / place / member.rpartition("/")[2]).write_bytes(archive.read(member))
        (corpus / name).unlink()


@pytest.mark.parametrize("split", list(SPLITS))
def test_a_split_is_three_lists_in_the_order_of_its_list(corpus, split):
    found = load_flickr8k(corpus, split)
    assert found.names == NAMES[split]
    assert found.pictures == [b"\xff\xd8\xff" + name.encode() for name in NAMES[split]]
    assert found.captions == [[caption(name, n) for n in range(5)] for name in NAMES[split]]


@pytest.mark.parametrize(
    "places",
    [
        {"Flicker8k_Dataset.zip": "Flicker8k_Dataset", "Flickr8k_text.zip": "Flickr8k_text"},
        {"Flicker8k_Dataset.zip": "Images"},
        {"Flicker8k_Dataset.zip": ".", "Flickr8k_text.zip": "."},
    ],
)
def test_archives_and_folders_are_the_same(corpus, places):
    packed = load_flickr8k(corpus, "validation")
    unpacked(corpus, places)
    assert load_flickr8k(corpus, "validation") == packed


def test_the_tfds_builder_gives_the_same_from_a_manual_dir(corpus, tmp_path):
    builder = Flickr8k(data_dir=tmp_path / "tfds")
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=corpus),
        download_dir=tmp_path / "downloads",
    )
    rows = list(tfds.as_numpy(builder.as_dataset("test")))
    expected = load_flickr8k(corpus, "test")
    assert [row["name"].decode() for row in rows] == expected.names
    assert [row["image"] for row in rows] == expected.pictures
    assert [[c.decode() for c in row["captions"]] for row in rows] == expected.captions


def test_the_published_checksums_are_all_different():
    sums = [s for of in flickr8k.CHECKSUMS.values() for s in of.values()]
    assert len(set(sums)) == 6
    assert {len(s) for s in sums} == {64}
    assert set(flickr8k.CHECKSUMS) == set(SPLITS)


def rewritten(corpus, archive, change):
    """Another archive in place of this one: `change(name, content)` gives its contents."""
    with zipfile.ZipFile(corpus / archive) as old:
        contents = {name: change(name, old.read(name)) for name in old.namelist()}
    with zipfile.ZipFile(corpus / archive, "w") as new:
        for name, content in contents.items():
            if content is not None:
                new.writestr(name, content)


@pytest.mark.parametrize(
    ("archive", "change", "error", "message"),
    [
        (
            "Flicker8k_Dataset.zip",
            lambda name, content: content + b"!",
            ValueError,
            r"Split 'train' \(2 pictures\) is not the published corpus.*verify=False",
        ),
        (
            "Flickr8k_text.zip",
            lambda name, content: content.replace(b"runs", b"walks"),
            ValueError,
            r"Split 'train' \(2 captions\) is not the published corpus",
        ),
        (
            "Flickr8k_text.zip",
            lambda name, content: content.replace(b"train_1.jpg#3", b"other.jpg#3"),
            ValueError,
            r"must have 5 captions of each picture. Received: 4 of train_1.jpg",
        ),
        (
            "Flickr8k_text.zip",
            lambda name, content: content.replace(b"train_1.jpg\n", b""),
            ValueError,
            "trainImages.txt must name 2 pictures.*Received: 1",
        ),
        (
            "Flicker8k_Dataset.zip",
            lambda name, content: None if "train" in name else content,
            FileNotFoundError,
            r"`data_dir` has no train_1.jpg and 1 more. Received: .*Flicker8k_Dataset.zip",
        ),
        (
            "Flickr8k_text.zip",
            lambda name, content: None,
            FileNotFoundError,
            r"`data_dir` has no Flickr_8k.trainImages.txt and 1 more",
        ),
    ],
)
def test_wrong_files_are_told(corpus, archive, change, error, message):
    rewritten(corpus, archive, change)
    with pytest.raises(error, match=message):
        load_flickr8k(corpus, "train")


def test_other_pictures_need_verify_off(corpus):
    rewritten(corpus, "Flicker8k_Dataset.zip", lambda name, content: content + b"!")
    assert load_flickr8k(corpus, "train", verify=False).pictures[0].endswith(b"train_1.jpg!")


def test_a_picture_missing_from_a_folder_is_told(corpus):
    unpacked(corpus, {"Flicker8k_Dataset.zip": "Flicker8k_Dataset"})
    (corpus / "Flicker8k_Dataset" / "train_0.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"`data_dir` has no train_0.jpg\."):
        load_flickr8k(corpus, "train")


def test_a_damaged_archive_is_told(corpus):
    path = corpus / "Flickr8k_text.zip"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"Flickr8k_text\.zip is damaged"):
        load_flickr8k(corpus, "train")


def test_an_unknown_split_and_a_missing_folder_are_told(corpus, tmp_path):
    with pytest.raises(ValueError, match=r"must be one of train, validation, test.*split='dev'"):
        load_flickr8k(corpus, "dev")
    with pytest.raises(FileNotFoundError, match=r"`data_dir`.*nowhere'[\s\S]*Flickr8k_text"):
        load_flickr8k(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"`data_dir` has no Flickr_8k\.trainImages"):
        load_flickr8k(tmp_path)
