"""The raw column of forecasters: series of numbers, and the windows that are cut out of them."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

import zoo.data
from zoo.models.checks import read_arrays
from zoo.models.columns import Column, rank_of
from zoo.models.raw_rows import is_frame

_read = read_arrays(tf.float32, (None,))
LONGEST_NAME = 255  # of a file; what is longer is numbers
FILL = "Fill the gaps first, such as with pandas: `series.interpolate()`"


@dataclass(frozen=True)
class SeriesColumn(Column):
    """Series of numbers, in equal steps of time, the oldest first."""

    reads_files = True  # in `zoo run`


def read_series(name: str, entries: object) -> tf.RaggedTensor:
    """Series as one tensor; what `Column.read` is for `SERIES`.

    Args:
        name: The argument's name, for the message.
        entries: A list of series (lists, arrays, pandas Series), or a single one.

    Returns:
        float32 `[series, (time)]`.

    Raises:
        TypeError: A data frame, or an entry is no series of numbers.
        ValueError: No entries, or a number that is missing or not finite.
    """
    if is_frame(entries):
        raise TypeError(
            f"`{name}` must be a list of series, or one. Of a data frame give a column, such as "
            f"`frame[{next(iter(entries.columns))!r}]`. Received: a data frame"
        )
    if isinstance(entries, tf.RaggedTensor):
        entries = list(entries)
    elif rank_of(entries) == 1 and len(entries):
        entries = [entries]
    series = _read(name, entries).with_row_splits_dtype(tf.int64)
    for index, row in enumerate(series):
        bad = np.flatnonzero(~np.isfinite(row.numpy()))
        if bad.size:
            raise ValueError(
                f"`{name}` must hold finite numbers. {FILL}. "
                f"Received: {name}[{index}][{bad[0]}]={float(row[bad[0]])}, {bad.size} of them"
            )
    return series


SERIES = SeriesColumn(
    "series",
    tf.float32,
    (None,),
    read_series,
    other_dtypes=(tf.float64, tf.float16, tf.int32, tf.int64),
    wire_name="values",
    what="series of numbers",
)


def series_of(entry: bytes | str) -> list[float]:
    """A series as the command line has it: the name of a file, or the numbers themselves.

    Args:
        entry: As of `zoo.data.read_series`; or numbers with commas, semicolons or blanks between.

    Raises:
        ValueError: Neither, or a file that has no series.
    """
    text = os.fsdecode(entry)
    if names_a_file(text):
        return zoo.data.read_series(text)
    try:
        return [float(number) for number in re.split(r"[\s,;]+", text.strip())]
    except ValueError:
        raise ValueError(
            "A series is the name of a file, or numbers with commas or blanks between them. "
            f"Received: {text[:80]!r}"
        ) from None


def names_a_file(text: str) -> bool:
    """Whether what the command line has is the name of a file, rather than numbers."""
    return len(text) <= LONGEST_NAME and os.path.isfile(text)


def check_lengths(name: str, series: tf.RaggedTensor, least: int, why: str) -> None:
    """Refuses series that are too short.

    Args:
        name: The argument's name, for the message.
        series: float32 `[series, (time)]`.
        least: The fewest numbers that each must have.
        why: What they are needed for.

    Raises:
        ValueError: The message names the first of them.
    """
    lengths = series.row_lengths().numpy()
    if (lengths < least).any():
        first = int(np.argmax(lengths < least))
        raise ValueError(
            f"`{name}` must have at least {least} numbers each, {why}. "
            f"Received: {name}[{first}] of {lengths[first]} numbers"
        )


def windows_of(series: tf.RaggedTensor, length: int) -> tf.Tensor:
    """Every window of some series, one step apart; of a series that is shorter, none.

    Args:
        series: float32 `[series, (time)]`.
        length: Numbers in a window.

    Returns:
        float32 `[windows, length]`, those of the first series first.
    """
    starts = tf.cast(series.row_starts(), tf.int32)
    counts = tf.cast(series.row_lengths(), tf.int32) - length + 1
    first = tf.ragged.range(starts, starts + tf.maximum(counts, 0)).flat_values
    return tf.gather(series.flat_values, first[:, tf.newaxis] + tf.range(length))


def last_windows(series: tf.RaggedTensor, length: int) -> tf.Tensor:
    """The end of each series, float32 `[series, length]`; none may be shorter."""
    first = tf.cast(series.row_limits(), tf.int32) - length
    return tf.gather(series.flat_values, first[:, tf.newaxis] + tf.range(length))


def split_in_time(
    series: tf.RaggedTensor, share: float, context: int, horizon: int
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """The earlier part of each series, and the later one with the context that it needs.

    No number that is foretold in the later part is in the earlier one.

    Args:
        series: float32 `[series, (time)]`.
        share: Of each series that is foretold in the later part, between 0 and 1.
        context: Numbers before what is foretold.
        horizon: Numbers that are foretold at once.

    Raises:
        ValueError: `share` is none, or a part would be too short.
    """
    if not 0 < share < 1:
        raise ValueError(
            f"`validation_split` must be between 0 and 1. Received: validation_split={share!r}"
        )
    earlier, later = [], []
    for index, row in enumerate(series):
        cut = int(len(row) * (1 - share))
        if cut < context + horizon or len(row) - cut < horizon:
            raise ValueError(
                f"`validation_split` must leave at least {context + horizon} numbers of each "
                f"series before the cut and {horizon} after it. Received: validation_split="
                f"{share} of series[{index}] with {len(row)} numbers"
            )
        earlier.append(row[:cut])
        later.append(row[cut - context :])
    return _ragged(earlier), _ragged(later)


def _ragged(rows: Sequence[tf.Tensor]) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_row_lengths(tf.concat(rows, 0), [len(row) for row in rows])
