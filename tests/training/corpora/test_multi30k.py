"""Multi30k: the builder and the lists read the same files, and wrong files are named."""

import gzip
import hashlib

import pytest
import tensorflow_datasets as tfds

from zoo.training.corpora import multi30k
from zoo.training.corpora.multi30k import SPLITS, Multi30k, load_multi30k

TINY = {split: (name, 3) for split, (name, _) in SPLITS.items()}


def lines_of(name: str, feature: str) -> list[str]:
    # U+2028 separates lines for Python, but not in a corpus file.
    return [f"{name} {feature} {i}\u2028 Größe" for i in range(3)]


def write(path, lines, packed=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if packed else data)


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A folder laid out as the published corpus, and its checksums in place of the published."""
    folder = tmp_path / "corpus"
    checksums = {}
    for split, (name, _) in TINY.items():
        for feature, pattern in multi30k.FILES.items():
            lines = lines_of(name, feature)
            write(folder / pattern.format(name), lines, packed=pattern.endswith(".gz"))
            data = "".join(line + "\n" for line in lines).encode()
            checksums.setdefault(split, {})[feature] = hashlib.sha256(data).hexdigest()
    monkeypatch.setattr(multi30k, "SPLITS", TINY)
    monkeypatch.setattr(multi30k, "CHECKSUMS", checksums)
    return folder


@pytest.mark.parametrize("split", list(SPLITS))
def test_a_folder_gives_parallel_lists_in_the_files_order(corpus, split):
    sentences = load_multi30k(corpus, split)
    for feature in ("en", "de", "de_tok"):
        assert getattr(sentences, feature) == lines_of(SPLITS[split][0], feature)


def test_the_files_may_lie_side_by_side_gzipped_or_not(corpus, tmp_path):
    flat = tmp_path / "flat"
    write(flat / "val.en", lines_of("val", "en"), packed=False)
    write(flat / "val.de.gz", lines_of("val", "de"))
    write(flat / "val.lc.norm.tok.de.gz", lines_of("val", "de_tok"))
    assert load_multi30k(flat, "validation") == load_multi30k(corpus, "validation")


def test_the_tfds_builder_gives_the_same_from_a_manual_dir(corpus, tmp_path):
    builder = Multi30k(data_dir=tmp_path / "tfds")
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=corpus),
        download_dir=tmp_path / "downloads",
    )
    assert set(builder.info.splits) == set(SPLITS)
    rows = list(tfds.as_numpy(builder.as_dataset("test_2017_flickr")))
    expected = load_multi30k(corpus, "test_2017_flickr")
    for feature in ("en", "de", "de_tok"):
        assert [row[feature].decode() for row in rows] == getattr(expected, feature)


def test_without_a_folder_tfds_downloads_the_pinned_addresses(corpus, tmp_path, monkeypatch):
    asked = []

    def download(self, urls):
        asked.append(urls)
        return {split: multi30k.find_files(corpus, split) for split in urls}

    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tfds.download.DownloadManager, "download", download)
    monkeypatch.setattr(multi30k, "Multi30k", lambda: Multi30k(data_dir=tmp_path / "tfds"))
    assert load_multi30k(split="validation") == load_multi30k(corpus, "validation")
    assert asked == [multi30k.urls()]


def test_every_address_is_pinned_to_the_commit_and_has_a_checksum():
    addresses = multi30k.urls()
    assert addresses["validation"] == {
        "en": f"{multi30k.URL}/raw/val.en.gz",
        "de": f"{multi30k.URL}/raw/val.de.gz",
        "de_tok": f"{multi30k.URL}/tok/val.lc.norm.tok.de",
    }
    assert multi30k.COMMIT in multi30k.URL
    assert {s: list(f) for s, f in addresses.items()} == {
        s: list(f) for s, f in multi30k.CHECKSUMS.items()
    }
    checksums = {c for of_split in multi30k.CHECKSUMS.values() for c in of_split.values()}
    assert len(checksums) == 12
    assert {len(checksum) for checksum in checksums} == {64}


@pytest.mark.parametrize("error", [OSError, tfds.download.DownloadError])
def test_a_failed_download_says_what_to_do(monkeypatch, tmp_path, error):
    def fail(self, urls):
        raise error("no route to host")

    monkeypatch.setattr(tfds.download.DownloadManager, "download", fail)
    monkeypatch.setattr(multi30k, "Multi30k", lambda: Multi30k(data_dir=tmp_path / "tfds"))
    with pytest.raises(ConnectionError, match=r"no route to host[\s\S]*`data_dir`"):
        load_multi30k(split="validation")


def test_an_unknown_split_is_named(corpus):
    with pytest.raises(ValueError, match=r"must be one of train, validation.*split='val'"):
        load_multi30k(corpus, "val")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`data_dir`.*nowhere'[\s\S]*multi30k/dataset"):
        load_multi30k(tmp_path / "nowhere")


def test_a_missing_file_is_named(corpus):
    (corpus / "raw" / "train.de.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no raw/train\.de\.gz"):
        load_multi30k(corpus, "train")


def test_a_wrong_number_of_lines_is_named(corpus):
    write(corpus / "raw" / "train.de.gz", ["eins", "zwei"])
    with pytest.raises(ValueError, match=r"train\.de\.gz must have 3 lines.*Received: 2 lines"):
        load_multi30k(corpus, "train")


def test_changed_content_is_named(corpus):
    write(corpus / "raw" / "val.en.gz", ["one", "two", "three"])
    with pytest.raises(ValueError, match=r"val\.en\.gz is not the published corpus.*SHA-256"):
        load_multi30k(corpus, "validation")


def test_another_corpus_under_the_same_names_needs_verify_off(corpus):
    for inside in ("raw/train.en.gz", "raw/train.de.gz", "tok/train.lc.norm.tok.de"):
        write(corpus / inside, ["a", "b"])
    assert load_multi30k(corpus, "train", verify=False).en == ["a", "b"]
    write(corpus / "raw" / "train.de.gz", ["a", "b", "c"])
    with pytest.raises(ValueError, match=r"equally many lines\. Received: \{'en': 2, 'de': 3"):
        load_multi30k(corpus, "train", verify=False)


def test_a_cut_off_gzip_file_is_named(corpus):
    path = corpus / "raw" / "val.de.gz"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(ValueError, match=r"val\.de\.gz is damaged"):
        load_multi30k(corpus, "validation")


def test_text_that_is_not_utf8_is_named(corpus):
    (corpus / "raw" / "val.de.gz").write_bytes("Größe\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"val\.de\.gz must be UTF-8"):
        load_multi30k(corpus, "validation")


def test_files_of_another_system_read_alike(corpus):
    expected = load_multi30k(corpus, "validation")
    path = corpus / multi30k.FILES["en"].format("val")
    write(path, ["\ufeff" + "\r\n".join([*lines_of("val", "en"), "\x1a"])])
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).removesuffix(b"\n")))
    assert load_multi30k(corpus, "validation", verify=False) == expected
    with pytest.raises(ValueError, match="not the published corpus"):
        load_multi30k(corpus, "validation")


def test_a_line_that_is_blank_on_one_side_is_named(corpus):
    paths = [corpus / pattern.format("val") for pattern in multi30k.FILES.values()]
    write(paths[0], ["a", " ", "c"])
    with pytest.raises(ValueError, match=rf"line 2 is blank in {paths[0]} only"):
        load_multi30k(corpus, "validation", verify=False)
    for path in paths:
        write(path, ["a", "", "c"], packed=path.name.endswith(".gz"))
    assert load_multi30k(corpus, "validation", verify=False).en == ["a", "c"]
