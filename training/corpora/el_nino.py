"""The sea's temperature off Peru, month by month: a series that shows El Niño.

It ships with statsmodels: 61 years of the mean temperature of the surface between 0 and 10 degrees
south and 80 and 90 degrees west (the region Niño 1+2), from NOAA's ERSST.V3B. Nothing is missing.
The year is its season, and every few years El Niño makes one that is unlike the others.
"""

import csv
import importlib.resources
import io
from pathlib import Path
from typing import NamedTuple

from zoo.data.text_files import decode, read_bytes
from zoo.extras import needed
from zoo.training.corpora.files import check_published, sha256

HOME = "https://www.statsmodels.org/stable/datasets/generated/elnino.html"
FILE = "elnino.csv"
MONTHS = 12
# The first year that is not in each split: 40 years to learn from, 10 to choose by, 11 to measure.
ENDS = {"train": 1990, "validation": 2000, "test": 2011}
DIGESTS = {
    "train": "54df920fcdefb102e8a9b735cda51f4fd486c13eb0182050c95202fd735c8956",
    "validation": "58b85d2b557366ced6fd138db3d1c6319c0f0031155400f07886a397c575203d",
    "test": "abf33c55c9eccdcaa38ba2f58afd9f7e59efff063d4424d0d972d1634b055c26",
}


class Months(NamedTuple):
    """A split of a series, with all that came before it.

    Attributes:
        values: Degrees Celsius, from January 1950 to the split's last month.
        first: The place of the split's first month.
    """

    values: list[float]
    first: int


def load_el_nino(
    data_dir: str | Path | None = None, split: str = "train", verify: bool = True
) -> Months:
    """Loads a split.

    Args:
        data_dir: A folder with `elnino.csv` in statsmodels' form, a year a line; None takes that of
            the installed statsmodels.
        split: `train` (1950 to 1989), `validation` (1990 to 1999) or `test` (2000 to 2010).
        verify: Whether the numbers must be the published ones (SHA-256).

    Raises:
        FileNotFoundError: `data_dir` has no such file.
        ValueError: Unknown split, a damaged file, or not the published numbers.
        MissingExtraError: Statsmodels is not installed.

    Example:
        >>> months = load_el_nino(split="test")
        >>> len(months.values) - months.first
        132
    """
    if split not in ENDS:
        raise ValueError(f"`split` must be one of {', '.join(ENDS)}. Received: split={split!r}")
    path = _path(data_dir)
    years = _years(path)
    before = {name: sum(year < end for year in years) for name, end in ENDS.items()}
    starts = dict(zip(ENDS, [0, *before.values()], strict=False))
    values = [value for row in list(years.values())[: before[split]] for value in row]
    months = Months(values, MONTHS * starts[split])
    if len(values) <= months.first:
        raise ValueError(f"{path} has no year of the split {split!r}, before {ENDS[split]}")
    if verify:
        what = f"{path.name}, {split} ({len(values) - months.first} months)"
        check_published(digest(months), DIGESTS[split], what, HOME)
    return months


def digest(months: Months) -> str:
    """SHA-256 over the split's numbers with three decimals, a line feed after each."""
    return sha256("".join(f"{value:.3f}\n" for value in months.values[months.first :]).encode())


def _path(data_dir: str | Path | None) -> Path:
    if data_dir is None:
        package = needed("statsmodels.datasets.elnino")
        return Path(str(importlib.resources.files(package) / FILE))
    path = Path(data_dir).expanduser() / FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"`data_dir` must be a folder with {FILE}, which statsmodels ships ({HOME}). "
            f"Received: data_dir={str(data_dir)!r}"
        )
    return path


def _years(path: Path) -> dict[int, list[float]]:
    """The months of each year, in the file's order."""
    years = {}
    rows = csv.reader(io.StringIO(decode(read_bytes(path), path)))
    next(rows, None)
    for row in rows:
        try:
            year, *months = int(row[0]), *map(float, row[1:])
        except (IndexError, ValueError) as error:
            raise ValueError(f"{path}, line {rows.line_num}, is damaged: {error}") from error
        if len(months) != MONTHS or year <= max(years, default=0):
            raise ValueError(
                f"{path}, line {rows.line_num}, must be a later year and {MONTHS} months. "
                f"Received: {row}"
            )
        years[year] = months
    return years
