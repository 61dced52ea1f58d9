"""IMDB: archive, folder and TFDS give the same; no held-out text is trained on."""

import tarfile

import pytest

from tests.training.corpora.made_up_imdb import TEXTS, write_folder
from zoo.training.corpora import imdb
from zoo.training.corpora.imdb import load_imdb, load_training
from zoo.training.corpora.reviews import digest


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "unpacked")


def test_splits_have_all_reviews_with_their_labels(folder):
    train, dev, test, unlabelled = (load_imdb(folder, s, verify=False) for s in imdb.SPLITS)
    assert sorted(train.texts + dev.texts) == sorted(TEXTS["train", "neg"] + TEXTS["train", "pos"])
    for split in (train, dev, test):
        assert split.labels == [int("pos" in text) for text in split.texts]
    assert sorted(unlabelled.texts) == TEXTS["train", "unsup"]
    assert unlabelled.labels == [-1] * 7


def test_no_held_out_text_is_trained_on(folder):
    # Every text twice: wherever the cut falls, one of a pair could be left behind.
    for path in list(folder.glob("aclImdb/train/*/*.txt")):
        path.with_name("again" + path.name).write_bytes(path.read_bytes())
    train, dev = (load_imdb(folder, split, verify=False) for split in ("train", "dev"))
    assert len(train.texts) + len(dev.texts) == 80
    assert 8 <= len(dev.texts) <= 12
    assert not {*train.texts} & {*dev.texts}


def test_archives_give_what_the_folder_gives(folder, tmp_path):
    expected = {split: load_imdb(folder, split, verify=False) for split in imdb.SPLITS}
    with tarfile.open(tmp_path / imdb.WHOLE_ARCHIVE, "w:gz") as archive:
        archive.add(folder / "aclImdb", "aclImdb")
    apart = tmp_path / "apart"
    apart.mkdir()
    for name in set(imdb.ARCHIVES.values()):
        (apart / name).write_bytes((tmp_path / imdb.WHOLE_ARCHIVE).read_bytes())
    for source in (tmp_path, apart, folder / "aclImdb"):
        for split, reviews in expected.items():
            assert load_imdb(source, split, verify=False) == reviews


def test_train_and_dev_come_of_one_reading(folder, tmp_path, monkeypatch):
    with tarfile.open(tmp_path / imdb.WHOLE_ARCHIVE, "w:gz") as archive:
        archive.add(folder / "aclImdb", "aclImdb")
    read = []

    def watched(path, *rest, whole=imdb._from_archive):
        read.append(path)
        return whole(path, *rest)

    monkeypatch.setattr(imdb, "_from_archive", watched)
    train, dev = load_training(tmp_path, verify=False)
    assert read == [tmp_path / imdb.WHOLE_ARCHIVE]
    assert train == load_imdb(folder, "train", verify=False)
    assert dev == load_imdb(folder, "dev", verify=False)


def test_tfds_gives_what_the_folder_gives(folder, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    asked = []

    def load(name, split):
        asked.append((name, split))
        side = "test" if split == "test" else "train"
        return [
            {"text": text.encode(), "label": label}
            for (where, kind), texts in TEXTS.items()
            for text in texts
            for label in [imdb.FOLDERS[kind]]
            if where == side and (kind == "unsup") == (split == "unsupervised")
        ]

    monkeypatch.setattr(tfds, "load", load)
    monkeypatch.setattr(tfds, "as_numpy", lambda rows: rows)
    for split in imdb.SPLITS:
        expected = load_imdb(folder, split, verify=False)
        assert load_imdb(None, split, verify=False) == expected
        assert asked[-1] == ("imdb_reviews", imdb.SPLITS[split])


def test_other_reviews_than_the_published_are_refused(folder, monkeypatch):
    with pytest.raises(ValueError, match=r"'test' \(40 texts\) is not the published corpus"):
        load_imdb(folder, "test")
    whole = load_imdb(folder, "test", verify=False)
    monkeypatch.setitem(imdb.DIGESTS, "test", digest(whole))
    assert load_imdb(folder, "test") == whole
    monkeypatch.setitem(imdb.DIGESTS, "train", digest(whole))
    with pytest.raises(ValueError, match=r"'train' \(40 texts\) is not the published corpus"):
        load_imdb(folder, "dev")


def test_missing_empty_and_unknown_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"(?s)`data_dir` must hold.*'train'.*aclImdb_v1"):
        load_imdb(tmp_path)
    with pytest.raises(ValueError, match=r"`split` must be one of train, dev.*split='val'"):
        load_imdb(tmp_path, "val")
    with tarfile.open(tmp_path / imdb.ARCHIVES["train"], "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("aclImdb/README"))
    with pytest.raises(ValueError, match="no reviews of split 'train'"):
        load_imdb(tmp_path)


def test_an_archive_that_is_cut_off_is_named(folder, tmp_path):
    path = tmp_path / imdb.ARCHIVES["train"]
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder / "aclImdb", "aclImdb")
    whole = path.read_bytes()
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ValueError, match="damaged or was not downloaded to its end"):
            load_imdb(tmp_path, verify=False)
