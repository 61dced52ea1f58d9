"""Raw data in memory: lists, arrays, dicts and data frames as checked tensors of columns."""

from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from zoo.models.checks import check_column, short
from zoo.models.columns import Column

WEIGHTS = "sample_weight"


def _read_weights(name: str, weights: object) -> tf.Tensor:
    """Weights of rows, float32 `[rows]`; a missing one is an error, not a loss of NaN."""
    numbers = np.array(check_column(name, weights, "numbers"))
    wrong = numbers.dtype.kind not in "buif" or numbers.ndim != 1 or not np.isfinite(numbers).all()
    if wrong:
        raise ValueError(
            f"`{name}` must hold finite numbers, one for each row. Received: {short(weights)}"
        )
    return tf.constant(numbers, tf.float32)


WEIGHT_COLUMN = Column(
    WEIGHTS,
    tf.float32,
    (),
    _read_weights,
    other_dtypes=(tf.float64, tf.float16, tf.int32, tf.int64, tf.bool),
    what="numbers",
)


class ReadColumns(tuple):
    """Columns in memory that have been checked."""


class RawRows:
    """Reads rows of one model's raw columns.

    Args:
        columns: The model's raw columns.
        read: `(*columns) -> tensors`: the model's `raw_columns`, which checks entries.
    """

    def __init__(self, columns: Sequence[Column], read: Callable[..., tuple]) -> None:
        self.columns = tuple(columns)
        self.read = read

    @property
    def names(self) -> list[str]:
        """The columns' names, for messages."""
        return [column.name for column in self.columns]

    def in_memory(self, x: object, y: object, sample_weight: object) -> tuple:
        """Lists or arrays as checked tensors of equally many rows, weights last if there are any.

        Args:
            x: The first column; or, by name, all of them: a dict or data frame; or, of a model of
                more than two, a tuple of all but the last.
            y: The last column of a model of several, or None.
            sample_weight: A number for each row, or None.

        Returns:
            The columns; given once more, as `x`, they are what they are.
        """
        if isinstance(x, ReadColumns):
            return x
        given, sample_weight = self._given(x, y, sample_weight)
        names, columns = list(self.names), list(self.read(*given))
        if sample_weight is not None:
            names.append(WEIGHTS)
            columns.append(_read_weights(WEIGHTS, sample_weight))
        rows = [column.shape[0] for column in columns]
        for name, count in zip(names[1:], rows[1:], strict=True):
            if count != rows[0]:
                raise ValueError(
                    f"`{names[0]}` and `{name}` must have one entry for each other. "
                    f"Received: {rows[0]} and {count} entries"
                )
        return ReadColumns(columns)

    def _given(self, x: object, y: object, sample_weight: object) -> tuple[list, object]:
        if is_frame(x):
            x = {name: x[name] for name in x.columns}
        if isinstance(x, dict):
            more = {self.names[-1]: y, WEIGHTS: sample_weight}
            more = {name: value for name, value in more.items() if value is not None}
            if twice := more.keys() & x.keys():
                raise ValueError(
                    f"`{min(twice)}` must be given once. Received: it is in `x`, and an argument"
                )
            x = {**x, **more}
            return self.by_name(x), x.get(WEIGHTS)
        if len(self.columns) > 2:
            whole = [*x, *([] if y is None else [y])] if isinstance(x, tuple | list) else [x, y]
            if len(whole) != len(self.columns):
                raise ValueError(self.expected("columns", f"{len(whole)} columns"))
            return whole, sample_weight
        if len(self.columns) == 1:
            if y is not None:
                raise ValueError(
                    f"`y` must be left out: `{self.names[0]}` is all that the model reads. "
                    f"Received: y={short(y)}"
                )
            return [x], sample_weight
        if y is None:
            raise ValueError(
                f"`{self.names[1]}` must be given beside `{self.names[0]}`. "
                f"Received: y=None and x={short(x)}"
            )
        return [x, y], sample_weight

    def by_name(self, of: dict) -> list:
        """The columns of a dict, in order; raises ValueError if one is missing."""
        for column in self.columns:
            if column.name not in of:
                raise ValueError(
                    f"Column `{column.name}` is missing. "
                    + self.expected("keys", ", ".join(map(str, of)))
                )
        return [of[name] for name in self.names]

    def expected(self, what: str, received: object) -> str:
        """An error message: what the raw columns are, and what was received."""
        columns = "; ".join(map(str, self.columns))
        return f"Raw data must have the {what} {columns}. Received: {received}"


def is_in_memory(x: object) -> bool:
    """Lists, arrays, dicts and frames, rather than what is read as it goes."""
    return not isinstance(x, tf.data.Dataset | keras.utils.PyDataset | Iterator)


def is_frame(x: object) -> bool:
    """Whether this is a data frame, pandas's or another: columns by name."""
    return hasattr(x, "columns") and hasattr(x, "__getitem__") and not isinstance(x, tf.Tensor)


def split_rows(columns: tuple, share: float) -> tuple[tuple, tuple]:
    """The first and the last rows of columns, `share` of them last, as Keras splits arrays."""
    cut = first_held_out(columns[0].shape[0], share)
    return tuple(column[:cut] for column in columns), tuple(column[cut:] for column in columns)


def first_held_out(rows: int, share: float) -> int:
    """The first of the last rows, `share` of all; raises ValueError if a part would be empty."""
    cut = int(rows * (1 - share)) if 0 < share < 1 else 0
    if not 0 < cut < rows:
        raise ValueError(
            "`validation_split` must be between 0 and 1 and leave rows to both parts. "
            f"Received: validation_split={share} of {rows} rows"
        )
    return cut
