"""Several labels for one text: a column of raw data, and what the network learns of it.

A row is the names of its labels, a list or set that may be empty. What scikit-learn's
`MultiLabelBinarizer` and tables of 0 and 1 give means the same: a column for each label, in the
order of the model's; columns of a data frame are found by name. A row given as one string is
refused, never split: whether "a|b" is one label or two is for those to say who wrote it.
"""

import functools
import re
from typing import NoReturn

import numpy as np
import tensorflow as tf

from zoo.close_names import did_you_mean
from zoo.models.checks import check_column, short
from zoo.models.columns import Column
from zoo.models.labels import INTEGERS
from zoo.models.raw_rows import is_frame

WHAT = "lists of names, or 0 and 1 for each label"
NUMBERS = (*INTEGERS, tf.float32, tf.float64, tf.float16, tf.bool)


def label_set_column(labels: list[str]) -> Column:
    """The raw column of a classifier that gives several labels to a text.

    Args:
        labels: The names of the classes.
    """
    return Column(
        "labels",
        tf.string,
        (None,),
        functools.partial(_read_label_sets, labels),
        other_dtypes=NUMBERS,
        what=WHAT,
    )


def multi_hot(labels: list[str], given: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
    """Sets of labels as 0 and 1, in the graph.

    Args:
        labels: The names of the classes.
        given: Names, string `[batch, names]`, ragged or padded with empty strings; or 0 and 1,
            numbers or booleans `[batch, labels]`.

    Returns:
        float32 `[batch, labels]`; running it fails, with a message, where a name is none of
        `labels`, a number is neither 0 nor 1, or a row of numbers has another length.
    """
    ragged = given
    if not isinstance(given, tf.RaggedTensor):
        ragged = tf.RaggedTensor.from_tensor(given)
    if given.dtype != tf.string:
        return _checked_numbers(labels, ragged)
    names = ragged.flat_values
    same = names[:, tf.newaxis] == tf.constant(labels)
    known = tf.reduce_any(same, axis=1) | (names == "")  # empty: padding of a batch
    check = tf.debugging.Assert(
        tf.reduce_all(known),
        [
            f"`labels` must hold {', '.join(map(repr, labels))}. Received:",
            tf.boolean_mask(names, ~known),
        ],
    )
    with tf.control_dependencies([check]):
        counts = tf.math.unsorted_segment_sum(
            tf.cast(same, tf.float32), ragged.value_rowids(), ragged.nrows()
        )
    return tf.minimum(counts, 1.0)


def _checked_numbers(labels: list[str], given: tf.RaggedTensor) -> tf.Tensor:
    numbers = tf.cast(given.flat_values, tf.float32)
    right = (numbers == 0) | (numbers == 1)
    lengths = given.row_lengths()
    checks = [
        tf.debugging.Assert(
            tf.reduce_all(right),
            ["`labels` must be 0 or 1. Received:", tf.boolean_mask(numbers, ~right)],
        ),
        tf.debugging.Assert(
            tf.reduce_all(lengths == len(labels)),
            [f"`labels` must have {len(labels)} numbers in a row. Received:", lengths],
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.reshape(numbers, [-1, len(labels)])


def _read_label_sets(labels: list[str], name: str, given: object) -> tf.RaggedTensor:
    """Sets of labels by their names, string `[rows, (names)]`, each in the order of `labels`.

    Raises:
        TypeError: Not a list of lists; the message names the row.
        ValueError: A name that the model lacks, or that stands twice in a row; a row of numbers
            that are not 0 and 1, or not one for each label; a data frame of other columns.
    """
    rows = [
        _names_of_row(labels, f"{name}[{number}]", row)
        for number, row in enumerate(_rows(labels, name, given))
    ]
    flat = tf.constant([label for row in rows for label in row], tf.string)
    return tf.RaggedTensor.from_row_lengths(flat, [len(row) for row in rows])


def _rows(labels: list[str], name: str, given: object) -> list:
    if is_frame(given):
        _check_columns(labels, name, list(given.columns))
        given = np.stack([np.asarray(given[label]) for label in labels], axis=1)
    elif hasattr(given, "toarray"):  # scipy's sparse matrices
        given = given.toarray()
    if getattr(given, "ndim", 1) == 2 and not isinstance(given, tf.RaggedTensor):
        given = list(np.asarray(given))
    return check_column(name, given, WHAT)


def _check_columns(labels: list[str], name: str, columns: list) -> None:
    hints = [did_you_mean(label, map(str, columns), 2, 0.6) for label in labels]
    missing = [label for label in labels if label not in columns]
    if missing or len(columns) != len(labels):
        raise ValueError(
            f"`{name}` must have the model's labels as its columns, {', '.join(labels)}. "
            f"Received: the columns {', '.join(map(str, columns))}"
            + "".join(
                f". {label!r}: {hint}"
                for label, hint in zip(labels, hints, strict=True)
                if label in missing and hint
            )
        )


def _names_of_row(labels: list[str], place: str, row: object) -> list[str]:
    if isinstance(row, tf.Tensor):
        row = row.numpy()
    if isinstance(row, str | bytes):
        _refuse_string(labels, place, row)
    if isinstance(row, dict) or not hasattr(row, "__iter__") or getattr(row, "ndim", 1) != 1:
        raise TypeError(
            f"`{place}` must be a list of names, or 0 and 1 for each label; for a text with none "
            f"of the labels, an empty list. Received: {place}={short(row)}"
        )
    entries = [
        entry.decode("utf-8", "replace") if isinstance(entry, bytes) else entry for entry in row
    ]
    if any(_is_number(entry) for entry in entries):
        return _names_of_numbers(labels, place, entries)
    for entry in entries:
        if not isinstance(entry, str) or entry not in labels:
            hint = did_you_mean(entry, labels, 2, 0.6)
            if entry == "":
                hint = "A text with none of the labels has an empty list."
            raise ValueError(
                f"`{place}` must hold {', '.join(map(repr, labels))}. "
                f"Received: {entry!r}. {hint or 'For other labels: zoo.load(name, labels=[...])'}"
            )
    if len(set(entries)) < len(entries):
        raise ValueError(f"`{place}` must name each label once. Received: {entries!r}")
    return [label for label in labels if label in entries]


def _is_number(entry: object) -> bool:
    return isinstance(entry, int | float | np.number | np.bool_)


def _names_of_numbers(labels: list[str], place: str, entries: list) -> list[str]:
    if len(entries) != len(labels) or not all(_is_number(x) and x in (0, 1) for x in entries):
        raise ValueError(
            f"`{place}` must be the names of its labels, or 0 and 1, a number for each of "
            f"{', '.join(map(repr, labels))}. Received: {short(entries)}"
        )
    return [label for label, chosen in zip(labels, entries, strict=True) if chosen]


def _refuse_string(labels: list[str], place: str, row: str | bytes) -> NoReturn:
    text = row.decode("utf-8", "replace") if isinstance(row, bytes) else str(row)
    parts = re.split(r"\s*[|;,]\s*", text)
    way = f"For one label give [{text!r}]"
    if text not in labels and len(parts) > 1:
        way = f"It is not split: give {parts!r} if these are its labels"
    raise TypeError(
        f"`{place}` must be a list of names, or 0 and 1 for each label. "
        f"Received: {place}={short(text)}. {way}"
    )
