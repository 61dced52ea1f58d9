"""The labels of a classifier: a column of raw data, and the names of the user's own classes.

The names are how labels are given. Integers are the names themselves where these are numbers, such
as stars from "1" to "5". Of other names they are places in the list, which nobody checks: codes of
another order would train other classes without a word. So they are taken where the order is that
of the presets, 0 being negative, and otherwise of those who say that they mean it.
"""

import functools
import re
import warnings

import numpy as np
import tensorflow as tf

from zoo.close_names import did_you_mean
from zoo.models.checks import check_column
from zoo.models.columns import Column

PRESET_LABELS = ("negative", "positive")
INTEGERS = (tf.int32, tf.int64, tf.int8, tf.int16, tf.uint8, tf.uint16, tf.uint32, tf.uint64)


def label_column(labels: list[str], numbers: bool = False) -> Column:
    """The raw column of a classifier's labels: entries of `labels`, or integers that mean them.

    Args:
        labels: The names of the classes.
        numbers: Take integers as places in `labels`, whatever the names are.
    """
    numbers = numbers or tuple(labels) == PRESET_LABELS or _names_are_integers(labels)
    return Column(
        "labels",
        tf.string,
        (),
        functools.partial(_read_labels, labels, numbers),
        other_dtypes=INTEGERS if numbers else (),
        what="strings or integers" if numbers else "strings (integers: `labels_are_numbers=True`)",
    )


def _names_are_integers(labels: list[str]) -> bool:
    """Whether every label is an integer, and another one, such as the stars "1" to "5"."""
    whole = all(re.fullmatch("-?[0-9]{1,18}", label) for label in labels)
    return whole and len({int(label) for label in labels}) == len(labels)


def integers_of(labels: list[str]) -> list[int]:
    """The integer that means each label."""
    return [int(x) for x in labels] if _names_are_integers(labels) else list(range(len(labels)))


def _read_labels(labels: list[str], numbers: bool, name: str, given: object) -> tf.Tensor:
    """Labels by their names, string `[rows]`; raises ValueError for one that the model lacks."""
    entries = check_column(name, given)
    names = [_name(labels, numbers, *entry) for entry in enumerate(entries)]
    if any(_is_integer(entry) for entry in entries):
        _tell(labels)
    return tf.constant(names)


def _name(labels: list[str], numbers: bool, row: int, label: object) -> str:
    name = label.decode("utf-8", "replace") if isinstance(label, bytes) else label
    if isinstance(name, str) and name in labels:
        return str(name)
    integers = integers_of(labels)
    if _is_integer(label) and numbers and label in integers:
        return labels[integers.index(label)]
    names, received = ", ".join(map(repr, labels)), f"Received: labels[{row}]={label!r}"
    if _is_integer(label) and not numbers:
        raise ValueError(
            f"`labels` must hold {names}: integers may have been counted in another order. "
            f"{received}. Give the names; or, if {_mapping(labels)}, say so with "
            "`labels_are_numbers=True`"
        )
    way = (
        did_you_mean(name, labels, 2, cutoff=0.6)
        or "For other labels: zoo.load(name, labels=[...])"
    )
    if isinstance(label, list | tuple | set | frozenset):
        way = "For several labels of a text: zoo.load(name, labels=[...], multi_label=True)"
    raise ValueError(
        f"`labels` must hold {names} or their numbers, {integers[0]} to {integers[-1]}. "
        f"{received}. {way}"
    )


def _is_integer(label: object) -> bool:
    return isinstance(label, int | np.integer) and not isinstance(label, bool)


def _mapping(labels: list[str]) -> str:
    return ", ".join(f"{i} is {x!r}" for i, x in zip(integers_of(labels), labels, strict=True))


def _tell(labels: list[str]) -> None:
    """Shows once what integers mean, unless the names say it."""
    if not _names_are_integers(labels):
        # Python shows the same warning of one place once.
        warnings.warn(f"Labels are given as numbers: {_mapping(labels)}", stacklevel=1)


def label_numbers(labels: list[str], given: tf.Tensor) -> tf.Tensor:
    """Places of labels in the graph: of the user's own data sets nothing is known before.

    Args:
        labels: The names of the classes.
        given: String or integer `[batch]`; an integer is the name if the names are integers, else
            the place.

    Returns:
        int32 `[batch]`; running it fails, with a message, where a label is none of `labels`.

    Raises:
        TypeError: `given` is of another type.
    """
    if given.dtype == tf.string:
        same = given[:, tf.newaxis] == tf.constant(labels)
    elif given.dtype.is_integer:
        _tell(labels)
        same = tf.cast(given, tf.int64)[:, tf.newaxis] == tf.constant(integers_of(labels), tf.int64)
    else:
        raise TypeError(f"`labels` must be strings or integers. Received: {given}")
    known = tf.reduce_any(same, axis=1)
    numbers = tf.argmax(tf.cast(same, tf.int32), axis=1, output_type=tf.int32)
    message = f"`labels` must hold {', '.join(map(repr, labels))} or their numbers"
    unknown = tf.boolean_mask(given, ~known)
    check = tf.debugging.Assert(tf.reduce_all(known), [f"{message}. Received:", unknown])
    with tf.control_dependencies([check]):
        return tf.identity(numbers)


def refuse_class_weight(class_weight: object, reason: str, instead: str) -> None:
    """Raises ValueError if a model that has no classes to weigh was given weights of them.

    Args:
        class_weight: What `fit` was given.
        reason: What the model's loss is of, for the message.
        instead: What to do, for the message.
    """
    if class_weight is not None:
        raise ValueError(
            f"`class_weight` must be left out: {reason}. {instead}. "
            f"Received: class_weight={class_weight!r}"
        )


def checked_labels(labels: list[str] | tuple[str, ...], fewest: int = 2) -> list[str]:
    """The names of the classes as a list; raises TypeError or ValueError if they are none.

    Args:
        labels: What was given.
        fewest: How many there must be: 1 where a text may have none of them.
    """
    if not isinstance(labels, list | tuple) or not all(isinstance(x, str) and x for x in labels):
        raise TypeError(f"`labels` must be a list of strings. Received: labels={labels!r}")
    if len(labels) < fewest or len(set(labels)) < len(labels):
        least = "at least two different strings" if fewest > 1 else "different strings"
        raise ValueError(f"`labels` must be {least}. Received: labels={labels!r}")
    return list(labels)
