"""Tables of vectors as bytes: a whole number from -127 to 127 for each weight, a step for each row.

An embedding has one row for each word, and rows differ much in size: the vectors of rare words are
short. With a step of its own, a row of 50 or more numbers takes little more than half of what
float16 takes, and no number is off by more than half a step, 0.4 % of the largest in its row.
"""

import numpy as np

# Shorter tables take little room, and a step of their own size costs translators a tenth of a BLEU.
LEAST_ROWS = 20_000
LEAST_ROWS_FOR_A_COLUMN = 16  # a kernel is about as wide as it is long, a vocabulary is not
LARGEST = 127


def is_table(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    """Whether weights look like a large table of vectors, an embedding's, by their shape.

    Args:
        shape: The shape of the weights.
        dtype: Their type as stored; only floats of 16 or 32 bits are told to be a table.
    """
    if len(shape) != 2 or dtype not in (np.float16, np.float32):
        return False
    return shape[0] >= max(LEAST_ROWS, LEAST_ROWS_FOR_A_COLUMN * shape[1])


def encode(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The table in bytes.

    Args:
        table: Float `[rows, columns]`.

    Returns:
        int8 `[rows, columns]` and float16 `[rows]`, the step of each row: its largest absolute
        value is 127 steps, or little less where float16 is coarse. A row of zeros has step 0.

    Raises:
        ValueError: If a number is not finite, or above what float16 holds.
    """
    table = np.asarray(table, np.float32)
    largest = np.abs(table).max(axis=1, initial=0.0)
    if not (largest <= np.finfo(np.float16).max).all():
        raise ValueError("`table` must be finite and within float16. Received: one with more")
    exact = largest / np.float32(LARGEST)
    steps = exact.astype(np.float16)
    steps = np.where(steps < exact, np.nextafter(steps, np.float16(np.inf)), steps)  # <= 127 steps
    divisors = np.where(steps > 0, steps, 1).astype(np.float32)
    return np.rint(table / divisors[:, np.newaxis]).astype(np.int8), steps


def decode(values: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The float32 `[rows, columns]` of what `encode` gave.

    Raises:
        ValueError: If there is not one step for each row.
    """
    if values.ndim != 2 or values.dtype != np.int8 or steps.shape != values.shape[:1]:
        raise ValueError(
            "`values` must be int8 [rows, columns] and `steps` [rows]. "
            f"Received: {values.dtype} {values.shape} and {steps.shape}"
        )
    return np.multiply(values, steps.astype(np.float32)[:, np.newaxis], dtype=np.float32)


def exactly(table: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The parts of a table that `decode` gave, of which it gives the same again.

    Args:
        table: Float32 `[rows, columns]`.

    Returns:
        As of `encode`; None if the table is not one that `decode` gave, or has been trained since.
    """
    values = np.zeros(table.shape, np.int8)
    steps = np.zeros(len(table), np.float16)
    largest = np.abs(table).max(axis=1, initial=0.0)
    rows = np.flatnonzero(largest)
    if not len(rows):
        return values, steps
    for most in range(LARGEST, 0, -1):
        with np.errstate(over="ignore"):
            found = (largest[rows] / np.float32(most)).astype(np.float16)
        wide = np.where(found > 0, found, 1).astype(np.float32)[:, np.newaxis]
        whole = np.rint(table[rows] / wide)
        fits = ((whole * wide == table[rows]) & (np.abs(whole) <= LARGEST)).all(axis=1)
        values[rows[fits]], steps[rows[fits]] = whole[fits], found[fits]
        rows = rows[~fits]
        # Only where float16 is coarse, below its normal numbers, is the largest value less.
        if (largest[rows] >= LARGEST * np.finfo(np.float16).smallest_normal).any():
            return None
        if not len(rows):
            return values, steps
    return None
