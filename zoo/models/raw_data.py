"""Raw data as users hand it in: checked, named in errors, made plain lists."""

import numpy as np
import tensorflow as tf


def check_column(name, values, what="strings"):
    """A column of raw data as a list; raises an error that names what is wrong.

    Args:
        name: the argument's name, for the message.
        values: a list, tuple, NumPy array or tensor, one-dimensional, or a ``RaggedTensor``.
        what: what it must hold, for the message.

    Raises:
        TypeError: ``values`` is one string or no sequence.
        ValueError: ``values`` is empty or has more than one dimension.
    """
    if isinstance(values, tf.RaggedTensor):
        values = values.to_list()
    if isinstance(values, (str, bytes, dict)) or not hasattr(values, "__len__"):
        raise TypeError(f"`{name}` must be a list of {what}. Received: {short(values)}")
    if getattr(values, "ndim", 1) != 1:
        raise ValueError(f"`{name}` must have one dimension. Received: shape {values.shape}")
    values = list(values.numpy() if isinstance(values, tf.Tensor) else values)
    if not values:
        raise ValueError(f"`{name}` must not be empty. Received: an empty list")
    return values


def check_texts(name, texts):
    """Texts as a flat list of ``bytes``; raises an error that names what is wrong.

    Args:
        name: the argument's name, for the message.
        texts: a list, tuple, NumPy array or string tensor of texts, one-dimensional.

    Raises:
        TypeError: ``texts`` is one string or no sequence, or an entry is not a string.
        ValueError: ``texts`` is empty or has more than one dimension.
    """
    texts = check_column(name, texts)
    for index, text in enumerate(texts):
        if not isinstance(text, (str, bytes)):
            raise TypeError(
                f"`{name}` must hold strings only. Received: {name}[{index}]={short(text)}"
            )
    # Lone surrogates, as in "\ud800", have no UTF-8 form; they get the mark of a damaged character.
    return [t.encode("utf-8", "replace") if isinstance(t, str) else bytes(t) for t in texts]


def check_count(name, value):
    """Raises ValueError unless ``value`` is an int of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"`{name}` must be an int of at least 1. Received: {name}={value!r}")


def is_raw(x):
    """Whether these are strings, or a data set whose first column are strings."""
    if isinstance(x, tf.data.Dataset):
        spec = x.element_spec
        x = spec[0] if isinstance(spec, tuple) else spec
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "OSU"
    return isinstance(x, (str, bytes)) or getattr(x, "dtype", None) == tf.string


def three_columns(data):
    """``(x, y)`` or ``(x, y, sample_weight)`` with None for weights that are not there."""
    if len(data) not in (2, 3):
        raise ValueError(
            "`validation_data` must be (x, y), (x, y, sample_weight) or a data set. "
            f"Received: {short(data)}"
        )
    return (*data, None)[:3]


def split_rows(columns, share):
    """The first and the last rows of columns, ``share`` of them last, as Keras splits arrays."""
    rows = columns[0].shape[0]
    cut = int(rows * (1 - share)) if 0 < share < 1 else 0
    if not 0 < cut < rows:
        raise ValueError(
            "`validation_split` must be between 0 and 1 and leave rows to both parts. "
            f"Received: validation_split={share} of {rows} rows"
        )
    return tuple(column[:cut] for column in columns), tuple(column[cut:] for column in columns)


def short(value):
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
