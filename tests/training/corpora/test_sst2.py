"""SST-2: phrases of a held-out sentence are not trained on; the two sources agree."""

import gzip

import pytest

from zoo.training.corpora import sst2
from zoo.training.corpora.reviews import digest
from zoo.training.corpora.sst2 import load_sst2

WORDS = ["good", "bad", "dull", "witty", "warm", "cold", "fresh", "stale", "slow", "quick"]
SENTENCES = [f"a {word} film about the {word}ness of life ." for word in WORDS]
# Whole sentences and parts of them: one that all have, one that a single sentence has.
ROWS = [
    (text, label)
    for i, (word, sentence) in enumerate(zip(WORDS, SENTENCES, strict=True))
    for text, label in [(f"{word}ness of life", i % 2), (sentence, i % 2), ("life .", 1)]
]


def write(path, rows):
    lines = "".join(f"{text} \t{label}\n" for text, label in rows)
    path.write_text(sst2.HEADER + "\n" + lines, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "train.tsv", ROWS)
    write(tmp_path / "dev.tsv", ROWS[:4])
    return tmp_path


def test_no_part_of_a_held_out_sentence_alone_is_trained_on(folder):
    train, dev = (load_sst2(folder, split, verify=False) for split in ("train", "dev"))
    (sentence,) = dev.texts
    assert (sentence, dev.labels[0]) in ROWS
    assert sentence in SENTENCES
    word = sentence.split()[1]
    assert list(zip(*train, strict=True)) == [row for row in ROWS if word not in row[0]]
    assert train.texts.count("life .") == 10  # which other sentences have too


def test_validation_is_glues_own(folder):
    assert list(zip(*load_sst2(folder, "validation", verify=False), strict=True)) == ROWS[:4]


def test_gzip_and_tfds_give_what_the_file_gives(folder, tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "train.tsv.gz").write_bytes(gzip.compress((folder / "train.tsv").read_bytes()))
    rows = [
        {"sentence": f"{text} ".encode(), "label": label, "idx": i}
        for i, (text, label) in enumerate(ROWS)
    ]
    monkeypatch.setattr(tfds, "load", lambda name, split: {"glue/sst2": rows[::-1]}[name])
    monkeypatch.setattr(tfds, "as_numpy", lambda rows: rows)
    for split in ("train", "dev"):
        expected = load_sst2(folder, split, verify=False)
        assert load_sst2(packed, split, verify=False) == expected
        assert load_sst2(None, split, verify=False) == expected


def test_other_phrases_than_the_published_are_refused(folder, monkeypatch):
    with pytest.raises(ValueError, match=r"\(4 texts\) is not the published corpus"):
        load_sst2(folder, "validation")
    published = digest(load_sst2(folder, "validation", verify=False))
    monkeypatch.setitem(sst2.DIGESTS, "validation", published)
    assert len(load_sst2(folder, "validation").texts) == 4


@pytest.mark.parametrize("line", ["no label", "a film\t2", " \t1"])
def test_a_damaged_line_is_named(folder, line):
    with open(folder / "dev.tsv", "a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match=r"dev\.tsv must have a phrase.*line 6"):
        load_sst2(folder, "validation", verify=False)


def test_missing_unknown_and_headless_are_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"(?s)train\.tsv or train\.tsv\.gz.*SST-2"):
        load_sst2(tmp_path / "absent")
    with pytest.raises(ValueError, match=r"`split` must be one of train.*split='test'"):
        load_sst2(folder, "test")
    (folder / "dev.tsv").write_text("good\t1\n")
    with pytest.raises(ValueError, match=r"must begin with the line"):
        load_sst2(folder, "validation")


def test_a_file_of_another_system_reads_alike(folder):
    expected = load_sst2(folder, "validation", verify=False)
    text = (folder / "dev.tsv").read_text(encoding="utf-8")
    for changed in ("\ufeff" + text.replace("\n", "\r\n") + "\r\n\x1a", text.replace("\n", "\r")):
        (folder / "dev.tsv").write_bytes(changed.encode())
        assert load_sst2(folder, "validation", verify=False) == expected
    (folder / "dev.tsv").write_bytes(text.encode("utf-16"))
    with pytest.raises(ValueError, match=r"dev\.tsv must be UTF-8.*UTF-16.*iconv -f UTF-16"):
        load_sst2(folder, "validation", verify=False)
