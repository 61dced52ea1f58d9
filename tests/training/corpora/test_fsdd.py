"""The Free Spoken Digit Dataset: the splits, the published recordings, what is missing."""

import shutil

import pytest

from tests.training.recipes.made_up_digits import write_folder
from zoo.training.corpora import fsdd
from zoo.training.corpora.catalogue import split


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("fsdd") / "whole", (0, 4, 5, 9, 10, 49))


def test_the_splits_go_by_number(folder):
    for name, numbers in ("test", (0, 4)), ("dev", (5, 9)), ("train", (10, 49)):
        spoken = fsdd.load_fsdd(folder, name, verify=False)
        assert len(spoken.names) == 10 * 2 * 2
        assert {int(of.split("_")[2][:-4]) for of in spoken.names} == {*numbers}
        for row in zip(*spoken, strict=True):
            label, speaker, _ = row[0].split("_")
            assert row[2:] == (label, speaker)
            assert row[1] == (folder / "recordings" / row[0]).read_bytes()
    assert fsdd.load_fsdd(folder / "recordings", "dev", False) == fsdd.load_fsdd(
        folder, "dev", False
    )


def test_other_recordings_are_not_the_published_ones(folder, monkeypatch):
    with pytest.raises(ValueError, match=r"test \(40 recordings\) is not the published corpus"):
        fsdd.load_fsdd(folder, "test")
    spoken = fsdd.load_fsdd(folder, "test", verify=False)
    assert not split("fsdd_test").provenance(spoken)["published_data"]
    monkeypatch.setitem(fsdd.DIGESTS, "test", fsdd.digest(spoken))
    assert fsdd.load_fsdd(folder, "test") == spoken
    changed = spoken._replace(audio=[spoken.audio[0] + b"\0", *spoken.audio[1:]])
    assert fsdd.digest(changed) != fsdd.digest(spoken)


def test_what_is_missing_is_told(folder, tmp_path):
    with pytest.raises(ValueError, match="`split` must be one of train, dev, test"):
        fsdd.load_fsdd(folder, "validation")
    with pytest.raises(FileNotFoundError, match=r"no recordings of the split 'dev'.*github\.com"):
        fsdd.load_fsdd(tmp_path, "dev")


def test_an_archive_is_read_as_tfds_unpacks_it(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "free-spoken-digit-dataset-d6938f9")
    found = fsdd.load_fsdd(tmp_path, "test", verify=False)
    assert found == fsdd.load_fsdd(folder, "test", verify=False)
