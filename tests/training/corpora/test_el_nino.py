"""El Niño's series: the splits, the published numbers, and damaged files."""

import pytest

from zoo.training.corpora.catalogue import split
from zoo.training.corpora.el_nino import load_el_nino

HEADER = '"YEAR","JAN"\n'


def written(folder, years, months=12):
    rows = [f"{year},{','.join(f'{20 + month / 10:.3f}' for month in range(months))}" for year in years]  # fmt: skip  # noqa: E501
    (folder / "elnino.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return folder


def test_the_splits_of_the_published_series():
    train, dev, test = (load_el_nino(split=name) for name in ("train", "validation", "test"))
    assert [len(of.values) for of in (train, dev, test)] == [480, 600, 732]
    assert [of.first for of in (train, dev, test)] == [0, 480, 600]
    assert test.values[:600] == dev.values
    assert (test.values[0], test.values[-1]) == (23.11, 22.07)
    assert split("elnino_test").provenance(test)["published_data"]


def test_a_folder_of_ones_own_and_what_is_wrong_with_it(tmp_path):
    folder = written(tmp_path, range(1980, 2003))
    months = load_el_nino(folder, "validation", verify=False)
    assert (len(months.values), months.first) == (20 * 12, 10 * 12)
    with pytest.raises(ValueError, match=r"elnino.csv, test \(36 months\) is not the published"):
        load_el_nino(folder, "test")
    with pytest.raises(ValueError, match="one of train, validation, test"):
        load_el_nino(folder, "dev")
    with pytest.raises(FileNotFoundError, match=r"elnino\.csv, which statsmodels ships"):
        load_el_nino(tmp_path / "none")
    with pytest.raises(ValueError, match="has no year of the split 'test', before 2011"):
        load_el_nino(written(tmp_path, [1980, 1981]), "test")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1980,1,2,3\n", r"line 2, must be a later year and 12 months"),
        ("1980,1,x\n", "line 2, is damaged: could not convert"),
        (f"1980{',1' * 12}\n1979{',1' * 12}\n", "line 3, must be a later year"),
    ],
)
def test_damaged_files_are_told(tmp_path, text, message):
    (tmp_path / "elnino.csv").write_text(HEADER + text)
    with pytest.raises(ValueError, match=message):
        load_el_nino(tmp_path, verify=False)
