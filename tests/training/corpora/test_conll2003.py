"""CoNLL-2003: files in either layout and TFDS give the same sentences; wrong files are named."""

import gzip

import pytest
import tensorflow_datasets as tfds

from zoo.data import read_conll
from zoo.training.corpora import conll2003
from zoo.training.corpora.columns import Tagged, content_sha256, find_file
from zoo.training.corpora.conll2003 import SPLITS, load_conll2003

# IOB1, as the shared task's own files: an entity begins with B- only beside one of its type.
IOB1 = """-DOCSTART- -X- O O

Ann NNP I-NP I-PER
Lee NNP I-NP I-PER
Bob NNP I-NP B-PER
met VBD I-VP O
Oslo NNP I-NP I-LOC
Opera NNP I-NP I-ORG

-DOCSTART- -X- O O

1996-08-30 CD I-NP O


"""
SENTENCES = Tagged(
    [["Ann", "Lee", "Bob", "met", "Oslo", "Opera"], ["1996-08-30"]],
    [["B-PER", "I-PER", "B-PER", "O", "B-LOC", "B-ORG"], ["O"]],
)


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A folder laid out as the shared task's, and its checksums in place of the published."""
    for _, (name, _) in SPLITS.values():
        (tmp_path / name).write_text(IOB1)
    monkeypatch.setattr(conll2003, "CHECKSUMS", dict.fromkeys(SPLITS, content_sha256(SENTENCES)))
    return tmp_path


@pytest.mark.parametrize("split", list(SPLITS))
def test_a_folder_gives_sentences_with_bio_tags(corpus, split):
    assert load_conll2003(corpus, split) == SENTENCES


def test_files_may_be_gzipped_or_in_bio_under_their_other_names(corpus):
    (corpus / "eng.testa").unlink()
    bio = IOB1.replace("Ann NNP I-NP I-PER", "Ann NNP B-NP B-PER").replace("NP I-LOC", "NP B-LOC")
    (corpus / "valid.txt.gz").write_bytes(gzip.compress(bio.encode()))
    assert load_conll2003(corpus, "validation") == SENTENCES


def test_without_a_folder_tfds_gives_the_same_sentences(corpus, tmp_path, monkeypatch):
    """TFDS's own builder, on files as it downloads them: BIO, a blank line at the end."""
    lines = []
    for tokens, tags in zip(*SENTENCES, strict=True):
        lines += [f"{token} NN B-NP {tag}" for token, tag in zip(tokens, tags, strict=True)] + [""]
    downloaded = tmp_path / "downloaded"
    downloaded.mkdir()
    for name in ("train.txt", "valid.txt", "test.txt"):
        (downloaded / name).write_text("-DOCSTART- -X- -X- O\n\n" + "\n".join(lines) + "\n")
    monkeypatch.setattr(
        tfds.download.DownloadManager, "download_and_extract", lambda self, url: downloaded
    )
    builder = tfds.builder("conll2003", data_dir=tmp_path / "tfds")
    monkeypatch.setattr(tfds, "builder", lambda name: {"conll2003": builder}[name])
    tagged = load_conll2003(split="validation")
    assert sorted(zip(*tagged, strict=True)) == sorted(zip(*SENTENCES, strict=True))


@pytest.mark.parametrize("error", [OSError, tfds.download.DownloadError])
def test_a_failed_download_says_what_to_do(monkeypatch, tmp_path, error):
    def fail(self, url):
        raise error("no route to host")

    builder = tfds.builder("conll2003", data_dir=tmp_path)
    monkeypatch.setattr(tfds, "builder", lambda name: builder)
    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", fail)
    with pytest.raises(ConnectionError, match=r"no route to host[\s\S]*`data_dir`.*eng\.testb"):
        load_conll2003()


def test_every_split_has_a_checksum():
    assert list(conll2003.CHECKSUMS) == list(SPLITS)
    assert {len(checksum) for checksum in conll2003.CHECKSUMS.values()} == {64}
    assert len(set(conll2003.CHECKSUMS.values())) == 3


def test_the_digest_sees_words_tags_and_ends_of_sentences_but_no_order():
    one, two = Tagged([["a", "b"]], [["O", "O"]]), Tagged([["a"], ["b"]], [["O"], ["O"]])
    assert content_sha256(two) == content_sha256(Tagged([["b"], ["a"]], [["O"], ["O"]]))
    digests = {
        content_sha256(tagged) for tagged in (one, two, Tagged([["a", "b"]], [["O", "B-X"]]))
    }
    assert len(digests) == 3


def test_changed_content_is_named_unless_another_corpus_is_wanted(corpus):
    (corpus / "eng.testb").write_text("Ann X X I-PER\n")
    with pytest.raises(ValueError, match=r"eng\.testb \(1 sentences\) is not the published corpus"):
        load_conll2003(corpus, "test")
    assert load_conll2003(corpus, "test", verify=False) == Tagged([["Ann"]], [["B-PER"]])


def test_an_unknown_split_and_missing_files_are_named(corpus):
    with pytest.raises(ValueError, match=r"one of train, validation, test.*split='testa'"):
        load_conll2003(corpus, "testa")
    with pytest.raises(FileNotFoundError, match=r"`data_dir`.*nowhere'.*clips\.uantwerpen"):
        load_conll2003(corpus / "nowhere")
    (corpus / "eng.train").unlink()
    with pytest.raises(FileNotFoundError, match=r"no eng\.train or train\.txt \(gzipped or not\)"):
        load_conll2003(corpus)


@pytest.mark.parametrize("line", ["Ann", "O", "Ann X", "Ann B-", "Ann PER", "Ann X-PER"])
def test_a_line_without_a_tag_is_named(tmp_path, line):
    (tmp_path / "file").write_text(f"Bob O\n{line}\n")
    with pytest.raises(ValueError, match=rf"file must have a token.*line 2: '{line}'"):
        read_conll(tmp_path / "file", " ")


def test_gzipped_is_found_first_and_names_are_tried_in_order(tmp_path):
    for name in ("b", "a", "a.gz"):
        (tmp_path / name).write_text("")
    assert find_file(tmp_path, ["a", "b"], "X", "").name == "a.gz"
    assert find_file(tmp_path, ["c", "b"], "X", "").name == "b"
