"""WNUT-17 and BTC: builders and lists read the same files; their types meet in three."""

import gzip

import pytest
import tensorflow_datasets as tfds

from zoo.data import read_conll
from zoo.training.corpora import tweets
from zoo.training.corpora.columns import Tagged, content_sha256
from zoo.training.corpora.tweets import (
    COMMON_TYPES,
    Btc,
    Wnut17,
    in_common_types,
    load_btc,
    load_wnut17,
)

# As the published files: odd spaces round and in a token, tokens of nothing, blank lines with
# a tab or a space, no blank line at the end.
ROWS = (
    "Ann\tB-{0}\n😎 \tO\nke\u00a0s\tO\n\tO\n\t\n"
    "Empire\tB-{1}\nState\tI-{1}\n \n\u2028\tO\n\n\n#x\tO"
)
LOADERS = {Wnut17: load_wnut17, Btc: load_btc}


def sentences(person, place):
    return Tagged(
        [["Ann", "😎", "ke\u00a0s"], ["Empire", "State"], ["#x"]],
        [[f"B-{person}", "O", "O"], [f"B-{place}", f"I-{place}"], ["O"]],
    )


def kept_in(folder, builder):
    """The builder with another default folder than the user's own."""

    class Kept(builder, skip_registration=True):
        name = builder.name

        def __init__(self):
            super().__init__(data_dir=folder)

    return Kept


@pytest.fixture(params=[Wnut17, Btc], ids=["wnut17", "btc"])
def corpus(request, tmp_path, monkeypatch):
    """A builder, its folder, and what the folder holds; its checksums replace the published."""
    builder = request.param
    types = ("person", "location") if builder is Wnut17 else ("PER", "LOC")
    folder = tmp_path / "corpus" / builder.name
    folder.mkdir(parents=True)
    for file in builder.FILES.values():
        (folder / file).write_text(ROWS.format(*types), encoding="utf-8")
    digest = content_sha256(sentences(*types))
    monkeypatch.setattr(builder, "CHECKSUMS", dict.fromkeys(builder.FILES, digest))
    return builder, folder, sentences(*types)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_folder_or_the_folder_above_gives_the_sentences(corpus, split):
    builder, folder, expected = corpus
    load = LOADERS[builder]
    assert load(folder, split) == load(folder.parent, split) == expected


def test_the_builder_gives_the_same_from_the_pinned_addresses(corpus, tmp_path, monkeypatch):
    builder, folder, expected = corpus
    asked = []

    def download(self, urls):
        asked.append(urls)
        return {split: folder / file for split, file in builder.FILES.items()}

    monkeypatch.setattr(tfds.download.DownloadManager, "download", download)
    monkeypatch.setattr(tweets, builder.__name__, kept_in(tmp_path / "tfds", builder))
    assert LOADERS[builder](split="test") == expected
    assert asked == [builder.urls()]
    assert set(builder(data_dir=tmp_path / "tfds").info.splits) == set(builder.FILES)


@pytest.mark.parametrize("error", [OSError, tfds.download.DownloadError])
def test_a_failed_download_says_what_to_do(monkeypatch, tmp_path, error):
    def fail(self, urls):
        raise error("no route to host")

    monkeypatch.setattr(tweets, "Btc", kept_in(tmp_path, Btc))
    monkeypatch.setattr(tfds.download.DownloadManager, "download", fail)
    with pytest.raises(ConnectionError, match=r"no route to host[\s\S]*`data_dir`.*btc\.train"):
        load_btc()


@pytest.mark.parametrize("builder", [Wnut17, Btc])
def test_every_address_is_pinned_to_a_commit_and_has_a_checksum(builder):
    assert all(len(part) == 40 for part in builder.URL.split("/")[5:6])
    assert list(builder.urls()) == list(builder.CHECKSUMS) == ["train", "validation", "test"]
    assert {len(checksum) for checksum in builder.CHECKSUMS.values()} == {64}
    assert builder.urls()["test"] == f"{builder.URL}/{builder.FILES['test']}"


def test_both_corpora_map_onto_the_common_types():
    tags = ["B-person", "I-person", "B-corporation", "B-group", "I-group", "B-location", "O"]
    mapped = ["B-PER", "I-PER", "B-ORG", "B-ORG", "I-ORG", "B-LOC", "O"]
    unmapped = ["B-product", "I-product", "B-creative-work"]
    tokens = [["t"] * len(tags), ["t"] * 3]
    assert in_common_types(Tagged(tokens, [tags, unmapped])) == Tagged(tokens, [mapped, ["O"] * 3])
    assert in_common_types(Tagged(tokens, [mapped, ["O"] * 3])).tags == [mapped, ["O"] * 3]
    known = {*Wnut17.TYPES, *Btc.TYPES}
    assert known == set(tweets.COMMON_TYPE_OF)
    assert {tweets.COMMON_TYPE_OF[type_] for type_ in known} == {*COMMON_TYPES, None}
    with pytest.raises(ValueError, match="Received: 'B-MISC'"):
        in_common_types(Tagged([["t"]], [["B-MISC"]]))


def test_changed_content_missing_files_and_unknown_splits_are_named(corpus):
    builder, folder, _ = corpus
    load = LOADERS[builder]
    path = folder / f"{builder.FILES['test']}.gz"
    path.write_bytes(gzip.compress(b"Ann\tO\n"))  # preferred to the plain one
    with pytest.raises(ValueError, match=r"\(1 sentences\) is not the published corpus"):
        load(folder, "test")
    assert load(folder, "test", verify=False) == Tagged([["Ann"]], [["O"]])
    (folder / builder.FILES["train"]).unlink()
    with pytest.raises(FileNotFoundError, match=rf"no {builder.name}/.* or .*\(gzipped or not\)"):
        load(folder, "train")
    with pytest.raises(FileNotFoundError, match=r"not a folder\. It must hold"):
        load(folder / "nowhere", "train")
    with pytest.raises(ValueError, match=r"one of train, validation, test.*split='dev'"):
        load(folder, "dev")


def test_carriage_returns_are_no_part_of_a_tag(tmp_path):
    (tmp_path / "file").write_bytes(b"Ann\tB-PER\r\n\r\nBob\tO\r\n")
    assert read_conll(tmp_path / "file", "\t") == Tagged([["Ann"], ["Bob"]], [["B-PER"], ["O"]])
