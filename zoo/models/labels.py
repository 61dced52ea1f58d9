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


def _integers(labels: list[str]) -> list[int]:
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
    integers = _integers(labels)
    if _is_integer(label) and numbers and label in integers:
        return labels[integers.index(label)]
    names, received = ", ".join(map(repr, labels)), f"Received: labels[{row}]={label!r}"
    if _is_integer(label) and not numbers:
        raise ValueError(
            f"`labels` must hold {names}: integers may have been counted in another order. "
            f"{received}. Give the names; or, if {_mapping(labels)}, say so with "
            "`labels_are_numbers=True`"
        )
    raise ValueError(
        f"`labels` must hold {names} or their numbers, {integers[0]} to {integers[-1]}. "
        f"{received}. For other labels: zoo.load(name, labels=[...])"
    )


def _is_integer(label: object) -> bool:
    return isinstance(label, int | np.integer) and not isinstance(label, bool)


def _mapping(labels: list[str]) -> str:
    return ", ".join(f"{i} is {x!r}" for i, x in zip(_integers(labels), labels, strict=True))


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
        same = tf.cast(given, tf.int64)[:, tf.newaxis] == tf.constant(_integers(labels), tf.int64)
    else:
        raise TypeError(f"`labels` must be strings or integers. Received: {given}")
    known = tf.reduce_any(same, axis=1)
    numbers = tf.argmax(tf.cast(same, tf.int32), axis=1, output_type=tf.int32)
    message = f"`labels` must hold {', '.join(map(repr, labels))} or their numbers"
    unknown = tf.boolean_mask(given, ~known)
    check = tf.debugging.Assert(tf.reduce_all(known), [f"{message}. Received:", unknown])
    with tf.control_dependencies([check]):
        return tf.identity(numbers)


def class_numbers(labels: list[str], class_weight: object) -> dict[int, float]:
    """The weight of each class by its place in `labels`; classes left out weigh 1.

    Args:
        labels: The names of the classes.
        class_weight: A dict from classes, by label or by number, to finite weights of at least 0.

    Raises:
        TypeError: `class_weight` is no dict.
        ValueError: A class that is none, or is named twice; a weight that is none.
    """
    if not isinstance(class_weight, dict):
        raise TypeError(
            '`class_weight` must be a dict of weights by label, or "balanced". '
            f"Received: class_weight={class_weight!r}"
        )
    places = {label: place for place, label in enumerate(labels)}
    places |= {number: place for place, number in enumerate(_integers(labels))}
    if unknown := class_weight.keys() - places.keys():
        raise ValueError(
            f"`class_weight` must name entries of {labels} or their numbers. "
            f"Received: {sorted(unknown, key=str)}"
        )
    if len({places[key] for key in class_weight}) < len(class_weight):
        raise ValueError(
            f"`class_weight` must name each class once. Received: class_weight={class_weight}"
        )
    for key, weight in class_weight.items():
        number = isinstance(weight, int | float | np.number)
        if not number or not np.isfinite(weight) or weight < 0:
            raise ValueError(
                "`class_weight` must hold finite numbers of at least 0. "
                f"Received: class_weight[{key!r}]={weight!r}"
            )
    given = {places[key]: float(weight) for key, weight in class_weight.items()}
    return {place: given.get(place, 1.0) for place in range(len(labels))}


def balanced_weights(labels: list[str], given: tf.Tensor) -> dict[int, float]:
    """Weights with which all classes of some rows count alike: rows / (classes * rows of one).

    Args:
        labels: The names of the classes.
        given: Names of labels, string `[rows]`.

    Returns:
        The weight of each class by its place in `labels`; 1 of one that no row has.
    """
    counts = np.bincount(label_numbers(labels, given).numpy(), minlength=len(labels))
    classes = np.count_nonzero(counts)
    rows = counts.sum()
    return {i: float(rows / (classes * n)) if n else 1.0 for i, n in enumerate(counts)}


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


def checked_labels(labels: list[str] | tuple[str, ...]) -> list[str]:
    """The names of the classes as a list; raises TypeError or ValueError if they are none."""
    if not isinstance(labels, list | tuple) or not all(isinstance(x, str) and x for x in labels):
        raise TypeError(f"`labels` must be a list of strings. Received: labels={labels!r}")
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError(
            f"`labels` must be at least two different strings. Received: labels={labels!r}"
        )
    return list(labels)
