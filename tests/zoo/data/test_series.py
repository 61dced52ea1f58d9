"""Series out of files: which column, which delimiter, and what is no number."""

import gzip

import pytest

from zoo.data import read_series

CSV = "month,units,returns\n2024-01,12,1\n2024-02,15.5,2\n\n2024-03,1e2,3\n"


def written(folder, content, name="series.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_last_column_or_the_one_that_is_named(tmp_path):
    path = written(tmp_path, CSV)
    assert read_series(path) == [1, 2, 3]
    assert read_series(path, column="units") == [12, 15.5, 100]
    packed = written(tmp_path, gzip.compress(CSV.encode()), "series.csv.gz")
    assert read_series(str(packed), "units") == [12, 15.5, 100]


@pytest.mark.parametrize(
    "content",
    ["1\n2.5\n-3\n", "value\n1\n2.5\n-3", "\ufeffa;b\r\nx;1\r\ny;2.5\r\nz;-3\r\n",
     "x\t1\ny\t2.5\nz\t-3\n", '"day","value"\n"1,5",1\n"2,5",2.5\n"3,5",-3\n'],
)  # fmt: skip
def test_forms_of_files(tmp_path, content):
    assert read_series(written(tmp_path, content)) == [1, 2.5, -3]


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        ("", None, "is empty"),
        ("value\n", None, "has a header and no numbers"),
        ("value\n1\nn/a\n3\n", None, r"line 3: 'n/a' is no number. Fill the gaps"),
        ("a,b\n1,2\n3,\n", None, r"line 3: '' is no number"),
        ("a,b\n1,2\n3\n", "b", r"line 3: '' is no number"),
        ("a,b\n1,nan\n", None, r"line 2: 'nan' is no number"),
        (CSV, "month", r"line 2: '2024-01' is no number"),
        (CSV, "unit", r"one of 'month', 'units', 'returns'\. Received: column='unit'"),
        ("1\n2\n", "units", "none: there is no header"),
        (b"caf\xe9\n1\n", None, "UTF-8"),
    ],
)
def test_bad_files_are_told(tmp_path, content, column, message):
    with pytest.raises(ValueError, match=message):
        read_series(written(tmp_path, content), column)


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_series(tmp_path / "none.csv")
