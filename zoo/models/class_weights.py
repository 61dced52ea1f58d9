"""Weights of classes: how much the rows of one count, besides what each row counts by itself.

Keras takes `class_weight` only without `sample_weight`, and of classes that exclude each other.
Here both are multiplied, and each label of a text may have a weight of its own.
"""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from zoo.close_names import did_you_mean
from zoo.models.labels import integers_of


def class_weights(labels: list[str], class_weight: object) -> list[float]:
    """The weight of each class, in the order of `labels`; classes left out weigh 1.

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
    places |= {number: place for place, number in enumerate(integers_of(labels))}
    if unknown := sorted(class_weight.keys() - places.keys(), key=str):
        hint = did_you_mean(unknown[0], labels, 2, cutoff=0.6)
        raise ValueError(
            f"`class_weight` must name entries of {labels} or their numbers. "
            f"Received: {unknown}. {hint}".rstrip()
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
    return [given.get(place, 1.0) for place in range(len(labels))]


def balanced(counts: np.ndarray) -> np.ndarray:
    """Weights with which all classes count alike: rows / (classes * rows of one).

    Args:
        counts: How many rows each class has, int `[classes, ...]`; what is behind the first
            dimension is balanced each by itself.

    Returns:
        Float `[classes, ...]`; 1 for a class that no row has.
    """
    classes = np.count_nonzero(counts, axis=0)
    return np.where(counts, counts.sum(axis=0) / np.maximum(classes * counts, 1), 1.0)


def weighed(data: object, weights_of: Callable[[tf.Tensor], tf.Tensor]) -> object:
    """Prepared batches with further weights, multiplied into those that they have.

    Args:
        data: A `tf.data.Dataset`, iterator or `PyDataset` of `(inputs, targets)` or
            `(inputs, targets, weights)`.
        weights_of: The further weights of a batch's targets, float `[batch, ...]`.

    Returns:
        The same of `(inputs, targets, weights)`.
    """

    def add(inputs: dict, targets: tf.Tensor, *weights: tf.Tensor) -> tuple:
        product = weights_of(tf.convert_to_tensor(targets))
        for weight in weights:
            weight = tf.cast(weight, product.dtype)
            # A weight of the row is one of each of its labels.
            by_row = weight.shape.rank < product.shape.rank
            product *= weight[:, tf.newaxis] if by_row else weight
        return inputs, targets, product

    if isinstance(data, tf.data.Dataset):
        # Autograph would read the sources of all that is called, for nothing.
        add = tf.autograph.experimental.do_not_convert(add)
        return data.map(add, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if isinstance(data, keras.utils.PyDataset):
        return _Weighed(data, add)
    return _each(data, add)


def _each(batches: Iterator, add: Callable[..., tuple]) -> Iterator[tuple]:
    for batch in batches:
        yield add(*batch)


class _Weighed(keras.utils.PyDataset):
    """A `PyDataset` whose batches go through a function."""

    def __init__(self, data: keras.utils.PyDataset, add: Callable[..., tuple]) -> None:
        super().__init__(data.workers, data.use_multiprocessing, data.max_queue_size)
        self.data, self.add = data, add

    @property
    def num_batches(self) -> int | None:
        return self.data.num_batches

    def __getitem__(self, index: int) -> tuple:
        return self.add(*self.data[index])

    def on_epoch_begin(self) -> None:
        self.data.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.data.on_epoch_end()
