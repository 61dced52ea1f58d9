"""Checks of what users hand in: errors that name the argument, what was received, what to do."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def check_column(name: str, values: object, what: str = "strings") -> list:
    """A column of raw data as a list; raises an error that names what is wrong.

    Args:
        name: The argument's name, for the message.
        values: A list, tuple, NumPy array, pandas Series or tensor, one-dimensional, or a
            `RaggedTensor`.
        what: What it must hold, for the message.

    Raises:
        TypeError: `values` is one string or no sequence.
        ValueError: `values` is empty or has more than one dimension.
    """
    if isinstance(values, tf.RaggedTensor):
        values = values.to_list()
    if isinstance(values, str | bytes | dict) or not hasattr(values, "__len__"):
        raise TypeError(f"`{name}` must be a list of {what}. Received: {short(values)}")
    if getattr(values, "ndim", 1) != 1:
        raise ValueError(f"`{name}` must have one dimension. Received: shape {values.shape}")
    values = list(values.numpy() if isinstance(values, tf.Tensor) else values)
    if not values:
        raise ValueError(f"`{name}` must not be empty. Received: an empty list")
    return values


def check_texts(name: str, texts: object) -> list[bytes]:
    """Texts as a flat list of `bytes`; raises an error that names what is wrong.

    Args:
        name: The argument's name, for the message.
        texts: A list, tuple, NumPy array, pandas Series or string tensor of texts.

    Raises:
        TypeError: `texts` is one string or no sequence, or an entry is not a string.
        ValueError: `texts` is empty or has more than one dimension.
    """
    texts = check_column(name, texts)
    for index, text in enumerate(texts):
        if getattr(text, "shape", None) == () and hasattr(text, "numpy"):
            texts[index] = text = text.numpy()  # a row of a data set
        elif isinstance(text, np.ndarray) and text.ndim == 0:
            texts[index] = text = text.item()
        if not isinstance(text, str | bytes):
            raise TypeError(
                f"`{name}` must hold strings only. Received: {name}[{index}]={short(text)}"
            )
    # Lone surrogates, as in "\ud800", have no UTF-8 form; they get the mark of a damaged character.
    return [t.encode("utf-8", "replace") if isinstance(t, str) else bytes(t) for t in texts]


def read_texts(name: str, texts: object) -> tf.Tensor:
    """What `Column.read` of a column of texts is: `check_texts` as a string tensor `[rows]`."""
    return tf.constant(check_texts(name, texts))


def read_arrays(
    dtype: tf.DType, shape: tuple[int | None, ...]
) -> Callable[[str, object], tf.Tensor | tf.RaggedTensor]:
    """What `Column.read` of a column of numbers is: pictures, series, features.

    Args:
        dtype: Of an entry. Values that it cannot hold exactly are refused, but for the rounding of
            floats.
        shape: Of an entry; None is a dimension that differs from entry to entry.

    Returns:
        `(name, entries) -> tensor [rows, ...]`, ragged if a dimension differs.
    """
    ragged = max((axis for axis, size in enumerate(shape, 1) if size is None), default=0)
    wanted = f"{dtype.name} of shape [{', '.join('?' if s is None else str(s) for s in shape)}]"

    def read(name: str, entries: object) -> tf.Tensor | tf.RaggedTensor:
        if isinstance(entries, str | bytes | dict) or not hasattr(entries, "__len__"):
            raise TypeError(f"`{name}` must be a list of {wanted}. Received: {short(entries)}")
        if not len(entries):
            raise ValueError(f"`{name}` must not be empty. Received: an empty list")
        rows = []
        for index, entry in enumerate(entries):
            try:
                array = np.asarray(entry)
            except ValueError as error:  # lists of different lengths in one entry
                raise ValueError(
                    f"`{name}` must hold {wanted} ({error}). "
                    f"Received: {name}[{index}]={short(entry)}"
                ) from error
            received = f"{name}[{index}] of shape {list(array.shape)} and type {array.dtype}"
            if array.dtype.kind not in "buif":
                raise TypeError(f"`{name}` must hold {wanted}. Received: {received}")
            if not tf.TensorShape(shape).is_compatible_with(array.shape):
                raise ValueError(f"`{name}` must hold {wanted}. Received: {received}")
            cast = array.astype(dtype.as_numpy_dtype)
            if not dtype.is_floating and not np.array_equal(cast, array):
                raise ValueError(
                    f"`{name}` must hold {wanted}, and no other values. Received: {received}"
                )
            rows.append(cast)
        if not ragged:
            return tf.constant(np.stack(rows), dtype)
        if ragged > 1:
            rows = [tf.RaggedTensor.from_tensor(row, ragged_rank=ragged - 1) for row in rows]
        return tf.ragged.stack([tf.convert_to_tensor(r) if ragged == 1 else r for r in rows])

    return read


def check_kind(name: str, value: object, kind: type) -> None:
    """Raises TypeError unless `value` is a `kind`."""
    if not isinstance(value, kind):
        raise TypeError(f"`{name}` must be a {kind.__name__}. Received: {value!r}")


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raises ValueError unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {', '.join(choices)}. Received: {name}={value!r}"
        )


def check_count(name: str, value: object) -> None:
    """Raises ValueError unless `value` is an int of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"`{name}` must be an int of at least 1. Received: {name}={value!r}")


def short(value: object) -> str:
    """A value for an error message, at most 60 characters of it, and its type."""
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
