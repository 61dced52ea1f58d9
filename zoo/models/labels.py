"""The labels of a classifier: a column of raw data, and the names of the user's own classes."""

import functools

import numpy as np
import tensorflow as tf

from zoo.models.checks import check_column
from zoo.models.columns import Column


def label_column(labels: list[str]) -> Column:
    """The raw column of a classifier's labels: entries of `labels`, or their numbers from 0.

    Args:
        labels: The names of the classes.
    """
    integers = (tf.int64, tf.int8, tf.int16, tf.uint8, tf.uint16, tf.uint32, tf.uint64)
    read = functools.partial(_read_labels, labels)
    return Column(
        "labels",
        tf.int32,
        (),
        read,
        other_dtypes=(tf.string, *integers),
        what="strings or integers",
    )


def _read_labels(labels: list[str], name: str, given: object) -> tf.Tensor:
    """Labels as their numbers, int32 `[rows]`; raises ValueError for one that the model lacks."""
    numbers = [_number(labels, *entry) for entry in enumerate(check_column(name, given))]
    return tf.constant(numbers, tf.int32)


def _number(labels: list[str], row: int, label: object) -> int:
    name = label.decode("utf-8", "replace") if isinstance(label, bytes) else label
    if isinstance(name, str) and name in labels:
        return labels.index(name)
    whole = isinstance(label, int | np.integer) and not isinstance(label, bool)
    if whole and 0 <= label < len(labels):
        return int(label)
    raise ValueError(
        f"`labels` must hold {', '.join(map(repr, labels))} or their numbers, 0 to "
        f"{len(labels) - 1}. Received: labels[{row}]={label!r}. For other labels: "
        "zoo.load(name, labels=[...])"
    )


def label_numbers(labels: list[str], given: tf.Tensor) -> tf.Tensor:
    """Numbers of labels in the graph: of the user's own data sets nothing is known before.

    Args:
        labels: The names of the classes.
        given: String or integer `[batch]`.

    Returns:
        int32 `[batch]`; running it fails, with a message, where a label is none of `labels`.

    Raises:
        TypeError: `given` is of another type.
    """
    if given.dtype == tf.string:
        same = given[:, tf.newaxis] == tf.constant(labels)
        known = tf.reduce_any(same, axis=1)
        numbers = tf.argmax(tf.cast(same, tf.int32), axis=1, output_type=tf.int32)
    elif given.dtype.is_integer:
        known = (given >= 0) & (given < len(labels))
        numbers = tf.cast(given, tf.int32)
    else:
        raise TypeError(f"`labels` must be strings or integers. Received: {given}")
    message = f"`labels` must hold {', '.join(map(repr, labels))} or their numbers"
    unknown = tf.boolean_mask(given, ~known)
    check = tf.debugging.Assert(tf.reduce_all(known), [f"{message}. Received:", unknown])
    with tf.control_dependencies([check]):
        return tf.identity(numbers)


def class_numbers(labels: list[str], class_weight: dict) -> dict:
    """`class_weight` by number, however it names the classes.

    Raises:
        ValueError: A class that is none.
    """
    numbers = {label: number for number, label in enumerate(labels)}
    class_weight = {numbers.get(key, key): value for key, value in class_weight.items()}
    if unknown := class_weight.keys() - numbers.values():
        raise ValueError(
            f"`class_weight` must name entries of {labels} or their numbers. "
            f"Received: {sorted(unknown, key=str)}"
        )
    return class_weight


def checked_labels(labels: list[str] | tuple[str, ...]) -> list[str]:
    """The names of the classes as a list; raises TypeError or ValueError if they are none."""
    if not isinstance(labels, list | tuple) or not all(isinstance(x, str) and x for x in labels):
        raise TypeError(f"`labels` must be a list of strings. Received: labels={labels!r}")
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError(
            f"`labels` must be at least two different strings. Received: labels={labels!r}"
        )
    return list(labels)
