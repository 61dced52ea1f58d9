"""Tables of vectors, which an export may hold in bytes.

A table that was stored as bytes with a step for each row is float32 in a model, to be trained. A
server does not train: it keeps the bytes, a quarter of the memory, and multiplies the rows that it
looks up, which gives the same numbers.
"""

import contextlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar

import keras
import numpy as np
import tensorflow as tf

_Parts = tuple[tf.Variable, tf.Variable]
_in_bytes: ContextVar[dict[int, _Parts] | None] = ContextVar("tables in bytes", default=None)


@contextlib.contextmanager
def tables_in_bytes(
    tables: Iterable[tuple[keras.Variable, np.ndarray, np.ndarray]],
) -> Iterator[None]:
    """Within the block, `look_up` and `Embedding` of these tables are traced with their bytes.

    Args:
        tables: Of each the variable `[rows, units]`, its int8 values of the same shape, and the
            steps of its rows, float16 `[rows]`: the variable is the product.
    """
    parts = {
        id(table): tuple(tf.Variable(part, trainable=False) for part in (values, steps))
        for table, values, steps in tables
    }
    token = _in_bytes.set(parts)
    try:
        yield
    finally:
        _in_bytes.reset(token)


def look_up(table: keras.Variable, ids: tf.Tensor) -> tf.Tensor:
    """Rows of a table.

    Args:
        table: `[rows, units]`.
        ids: Integers of any shape.

    Returns:
        Of the table's type, `[..., units]`.
    """
    rows = _look_up_bytes(table, ids)
    return tf.gather(table, ids) if rows is None else tf.cast(rows, table.dtype)


def _look_up_bytes(table: keras.Variable, ids: tf.Tensor) -> tf.Tensor | None:
    parts = (_in_bytes.get() or {}).get(id(table))
    if parts is None:
        return None
    values, steps = (tf.cast(tf.gather(part, ids), tf.float32) for part in parts)
    return values * steps[..., tf.newaxis]


class Embedding(keras.layers.Embedding):
    """Keras's `Embedding`; in an export a large table may be bytes, see `tables_in_bytes`."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Vectors `[..., output_dim]` of ids, integers of any shape."""
        rows = _look_up_bytes(self._embeddings, inputs)
        return super().call(inputs) if rows is None else tf.cast(rows, self.compute_dtype)
