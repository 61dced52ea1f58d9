"""One series of numbers out of a file: a column of a table, or a number a line."""

import csv
import io
import math
from pathlib import Path

from zoo.data.text_files import decode, read_bytes

FIRST_LINES = 20  # that a delimiter is told by


def read_series(path: str | Path, column: str | None = None) -> list[float]:
    """Reads a series, the oldest number first.

    Args:
        path: A `.csv` or `.tsv` file, perhaps gzipped, with or without a header; or a file with one
            number a line. Values may stand between commas, semicolons or tabs.
        column: The header's name of the column; by default the last one.

    Returns:
        The numbers, in the order of the file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No numbers, no such column, or a cell that is no number: the
            message names its line.

    Example:
        >>> series = zoo.data.read_series("sales.csv", column="units")  # doctest: +SKIP
    """
    rows = _rows(path)
    if not rows:
        raise ValueError(f"{path} is empty: a series needs a number a line")
    place, names = -1, [cell.strip() for cell in rows[0][1]]
    has_header = _number(names[-1]) is None
    if column is not None:
        if not has_header or column not in names:
            known = ", ".join(map(repr, names)) if has_header else "none: there is no header"
            raise ValueError(
                f"`column` must be one of {known}. Received: column={column!r} of {path}"
            )
        place = names.index(column)
    rows = rows[1:] if has_header else rows
    if not rows:
        raise ValueError(f"{path} has a header and no numbers")
    return [_cell(path, number, row, place) for number, row in rows]


def _rows(path: str | Path) -> list[tuple[int, list[str]]]:
    """The lines that are not blank, with their numbers, in cells."""
    text = decode(read_bytes(path), path)
    head = "".join(text.splitlines(keepends=True)[:FIRST_LINES])
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from error


def _cell(path: str | Path, number: int, row: list[str], place: int) -> float:
    text = row[place] if place < len(row) else ""
    value = _number(text)
    if value is None or not math.isfinite(value):
        raise ValueError(
            f"{path}, line {number}: {text!r} is no number. Fill the gaps of a series first; "
            "another column is read by its name"
        )
    return value


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
