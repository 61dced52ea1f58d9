"""Lines of files from any system, and other encodings."""

import gzip

import pytest

from zoo.data.text_files import read_bytes, split_lines


@pytest.mark.parametrize(
    "data",
    [
        "Größe\nzwei\n",
        "Größe\nzwei",
        "\ufeffGröße\nzwei\n",
        "Größe\r\nzwei\r\n",
        "Größe\r\nzwei\r\n\x1a",
        "\ufeffGröße\rzwei\r",
        "Größe\rzwei",
    ],
)
def test_lines_of_any_system_are_alike(data):
    assert split_lines(data.encode(), "file") == ["Größe", "zwei"]


def test_what_separates_lines_for_python_alone_stays():
    lines = ["a\u2028b", "c\x0bd", "e\rf", "\ufeffg", ""]
    assert split_lines("\n".join([*lines, ""]).encode(), "file") == lines


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"\x1a"])
def test_an_empty_file_has_no_text(data):
    assert not any(split_lines(data, "file"))


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-16", r"UTF-16, .*iconv -f UTF-16 -t UTF-8 a.txt > converted"),
        ("utf-16-le", r"UTF-16LE, .*iconv -f UTF-16LE"),
        ("utf-16-be", r"UTF-16BE, .*iconv -f UTF-16BE"),
        ("latin-1", r"It may be Latin-1\. .*iconv -f ISO-8859-1 -t UTF-8 a.txt"),
    ],
)
def test_another_encoding_is_named_with_the_way_to_convert(encoding, message):
    with pytest.raises(ValueError, match=f"a.txt must be UTF-8 text. Received: .*{message}"):
        split_lines("Größe\n".encode(encoding), "a.txt")


def test_gzip_is_told_by_its_content(tmp_path):
    path = tmp_path / "plain.txt"
    path.write_bytes(gzip.compress(b"text"))
    assert read_bytes(path) == b"text"
    path.write_bytes(gzip.compress(b"text")[:-4])
    with pytest.raises(ValueError, match="damaged or was not downloaded to its end"):
        read_bytes(path)
