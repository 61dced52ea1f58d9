"""Files of labelled tokens as they come from other systems and other tools."""

import gzip

import pytest

from zoo.data import Tagged, read_conll

TWO = Tagged([["Ann", "ran"], ["Ulm"]], [["B-PER", "O"], ["B-LOC"]])


def read(tmp_path, data, separator=None, **columns):
    path = tmp_path / "file"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_conll(path, separator, **columns)


@pytest.mark.parametrize("separator", [None, "\t", " "])
@pytest.mark.parametrize(
    "text",
    [
        "Ann\tB-PER\nran\tO\n\nUlm\tB-LOC\n",
        "Ann B-PER\nran O\n\nUlm B-LOC",
        "Ann   B-PER\nran \t O\n \t\nUlm   B-LOC\n",
        "\ufeffAnn\tB-PER\nran\tO\n\nUlm\tB-LOC\n",
        "Ann\tB-PER\rran\tO\r\rUlm\tB-LOC\r",
        "Ann\tB-PER\r\nran\tO\r\n\r\nUlm\tB-LOC\r\n\x1a",
        "Ann\tB-PER \nran\tO\t\n\nUlm\tB-LOC  \t\n",
        "Ann\tU-PER\nran\to\n\nUlm\tU-LOC\n",
        "# sent_id = 1\n# text = Ann ran\nAnn\tB-PER\nran\tO\n\n# the story of O\nUlm\tB-LOC\n",
    ],
)
def test_every_form_of_a_file_reads_alike(tmp_path, text, separator):
    if separator != " " and "ran \t O" in text:
        text = text.replace("\t", "")
    assert read(tmp_path, text, separator) == TWO
    assert read(tmp_path, gzip.compress(text.encode()), separator) == TWO


def test_the_types_are_told(tmp_path):
    assert read(tmp_path, "Ulm U-LOC\nand O\nAnn B-PER\nLee I-PER\n").types == ["LOC", "PER"]


def test_iob1_is_read_as_bio(tmp_path):
    text = "Ann I-PER\nLee I-PER\nBob B-PER\nUlm I-LOC\n"
    assert read(tmp_path, text).tags == [["B-PER", "I-PER", "B-PER", "B-LOC"]]


def test_other_columns_may_be_named(tmp_path):
    """As GermEval 2014 has them: a number, the token, the outer tag, the inner one."""
    text = "#\thttp://example.org\n1\tAnn\tB-PER\tO\n2\tran\tO\tO\n\n1\tUlm\tB-LOC\tO\n"
    assert read(tmp_path, text, token_column=1, tag_column=2) == TWO
    assert read(tmp_path, text, token_column=-3, tag_column=-2) == TWO
    with pytest.raises(ValueError, match=r"must have a token.*line 2: '1\\tAnn"):
        read(tmp_path, text, token_column=1, tag_column=7)


def test_marks_of_documents_go_with_a_tag_or_without(tmp_path):
    text = "-DOCSTART-\n\nAnn B-PER\nran O\n\n-DOCSTART- O\n\nUlm B-LOC\n"
    assert read(tmp_path, text) == TWO


@pytest.mark.parametrize("data", ["", "\n \n", "# nothing\n"])
def test_a_file_without_a_sentence_is_refused(tmp_path, data):
    with pytest.raises(ValueError, match=r"must have sentences\. Received: . lines, no token"):
        read(tmp_path, data)


def test_a_home_folder_may_be_written_short(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").write_text("Ulm B-LOC")
    assert read_conll("~/file").tokens == [["Ulm"]]
    with pytest.raises(FileNotFoundError, match="missing"):
        read_conll("~/missing")


def test_bilou_is_read_as_iobes(tmp_path):
    text = "Rio\tB-LOC\nde\tI-LOC\nJaneiro\tL-LOC\nUlm\tU-LOC\n"
    assert read(tmp_path, text).tags == [["B-LOC", "I-LOC", "I-LOC", "B-LOC"]]


def test_a_token_that_is_a_hash_is_no_comment(tmp_path):
    text = "\n# SYM I-NP O\n1 CD I-NP O\n# SYM I-NP I-MISC\n"
    assert read(tmp_path, text, " ") == Tagged([["#", "1", "#"]], [["O", "O", "B-MISC"]])
    assert read(tmp_path, "#\tO\n1\tO\n").tokens == [["#", "1"]]
    with pytest.raises(ValueError, match=r"line 2: '# SYM'"):
        read(tmp_path, "1 O\n# SYM\n", " ")


def test_blanks_stay_in_the_tokens_of_a_file_with_tabs(tmp_path):
    assert read(tmp_path, "New York\tB-LOC\nran\tO\n").tokens == [["New York", "ran"]]
    with pytest.raises(ValueError, match="line 2: 'ran O'"):
        read(tmp_path, "New York\tB-LOC\nran O\n")


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-16", r"must be UTF-8 text\. Received: UTF-16.*iconv -f UTF-16 -t UTF-8 .*file"),
        ("utf-16-le", r"Received: UTF-16LE.*iconv -f UTF-16LE -t UTF-8 .*file"),
        ("utf-16-be", r"Received: UTF-16BE.*iconv -f UTF-16BE -t UTF-8 .*file"),
        ("latin-1", r"must be UTF-8.*It may be Latin-1\. .*iconv -f ISO-8859-1 -t UTF-8 .*file"),
    ],
)
def test_another_encoding_is_named_with_the_way_to_convert(tmp_path, encoding, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, "Gödel\tB-PER\n".encode(encoding))
    if encoding != "latin-1":
        with pytest.raises(ValueError, match=message):
            read(tmp_path, "Ann\tB-PER\n".encode(encoding))
