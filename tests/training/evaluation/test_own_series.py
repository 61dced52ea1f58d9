"""Series of one's own to measure a forecaster on: a file is one series, JSON lines are several."""

import types

import pytest

from zoo.models import Forecaster
from zoo.training.evaluation.own_data import read_own_rows

MODEL = types.SimpleNamespace(columns=Forecaster.columns)


def test_a_table_is_one_series_and_json_lines_are_several(tmp_path):
    table = tmp_path / "sales.csv"
    table.write_text("month,units,returns\n1,5,0\n2,7.5,1\n")
    assert read_own_rows(MODEL, table) == ([[0, 1]], None, "series from the last column")
    assert read_own_rows(MODEL, table, x="units").x == [[5, 7.5]]
    with pytest.raises(ValueError, match="`column` must be one of 'month', 'units'"):
        read_own_rows(MODEL, table, x="sales")
    with pytest.raises(ValueError, match="--y must be left out"):
        read_own_rows(MODEL, table, y="units")
    lines = tmp_path / "sales.jsonl"
    lines.write_text('{"series": [1, 2, 3]}\n{"series": [4, 5]}\n')
    assert read_own_rows(MODEL, lines).x == [[1, 2, 3], [4, 5]]
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("1\n2\n")
    assert read_own_rows(MODEL, numbers).x == [[1, 2]]
