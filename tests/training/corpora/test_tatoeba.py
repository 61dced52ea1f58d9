"""Tatoeba: no English sentence is on both sides of the split; wrong files are named."""

import gzip
import zipfile

import pytest

from zoo.training.corpora.tatoeba import load_tatoeba

# 60 English sentences, each with two translations and once more with other punctuation.
LINES = [
    line
    for i in range(60)
    for line in (f"Run {i}!\tLauf {i}!", f"Run {i}!\tRenn {i}!", f"run {i}.\tLaufe {i}.\tCC-BY")
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deu.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return tmp_path


def numbers(sentences: list[str]) -> list[int]:
    return [int(sentence.strip("!.").split()[1]) for sentence in sentences]


def test_no_english_sentence_is_on_both_sides(folder):
    train, test = load_tatoeba(folder, pairs=40, test_pairs=20)
    assert [len(part) for part in (*train, *test)] == [40, 40, 20, 20]
    assert sorted(numbers(train.en) + numbers(test.en)) == list(range(60))
    for part in (train, test):
        pairs = set(zip(part.en, part.de, strict=True))
        assert pairs <= {tuple(line.split("\t")[:2]) for line in LINES}


def test_the_draw_is_the_seeds_and_the_test_stays_when_training_grows(folder):
    small, large = (load_tatoeba(folder, pairs=n, test_pairs=10) for n in (5, 40))
    assert small.test == large.test
    assert small.train.en == large.train.en[:5]
    assert load_tatoeba(folder, pairs=5, test_pairs=10) == small
    assert load_tatoeba(folder, pairs=5, test_pairs=10, seed=1).test != small.test


def test_gzip_zip_and_a_file_itself_give_the_same(folder, tmp_path):
    text = (folder / "deu.txt").read_bytes()
    expected = load_tatoeba(folder, pairs=5, test_pairs=5)
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "deu.txt.gz").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "deu-eng.zip", "w") as archive:
        archive.writestr("deu.txt", text)
    for source in (packed, tmp_path / "deu-eng.zip", folder / "deu.txt"):
        assert load_tatoeba(source, pairs=5, test_pairs=5) == expected


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`data_dir`.*deu\.txt.*manythings"):
        load_tatoeba(tmp_path)


def test_too_many_pairs_are_refused(folder):
    with pytest.raises(ValueError, match=r"the 60 unique.*pairs=50, test_pairs=11"):
        load_tatoeba(folder, pairs=50, test_pairs=11)
    with pytest.raises(ValueError, match=r"`pairs` must be at least 1\. Received: pairs=0"):
        load_tatoeba(folder, pairs=0)


def test_a_line_without_a_tab_is_named(folder):
    (folder / "deu.txt").write_text("Hi.\tHallo!\nHi.\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"English, tab, German.*line 2: 'Hi\.'"):
        load_tatoeba(folder)


def test_a_file_that_is_no_zip_is_named(tmp_path):
    (tmp_path / "deu-eng.zip").write_text("<html>not found</html>")
    with pytest.raises(ValueError, match=r"zip archive that holds deu\.txt"):
        load_tatoeba(tmp_path)


@pytest.mark.parametrize(
    ("before", "end", "after"),
    [("\ufeff", "\n", ""), ("\ufeff", "\r\n", "\r\n\x1a"), ("", "\r", "\r"), ("\n", "\n\n", "\n")],
)
def test_files_of_other_systems_and_with_blank_lines_read_alike(folder, before, end, after):
    expected = load_tatoeba(folder, pairs=40, test_pairs=20)
    (folder / "deu.txt").write_bytes((before + end.join(LINES) + after).encode())
    assert load_tatoeba(folder, pairs=40, test_pairs=20) == expected


def test_another_encoding_and_a_sentence_alone_are_named(folder):
    (folder / "deu.txt").write_bytes("Hi.\tGrüß Gott!\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"deu\.txt must be UTF-8.*Latin-1\. Convert it: iconv"):
        load_tatoeba(folder)
    (folder / "deu.txt").write_text("Hi.\tHallo!\nHi.\t \tCC-BY\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"English, tab, German.*line 2: 'Hi\."):
        load_tatoeba(folder)
