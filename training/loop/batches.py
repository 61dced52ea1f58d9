"""Length-bucketed batches, their order a function of seed and epoch alone: a run can resume."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# Batches sorted together: enough for rows of like length to meet, few enough to stay shuffled.
POOL = 50

Draw = Callable[[np.random.Generator, int], Sequence[Any]]


def training_batches(
    draw: Draw,
    finish: Callable[..., Any],
    batch_size: int,
    seed: int,
    epochs: Iterable[int],
    sequences: int = 2,
    values: int = 0,
) -> tf.data.Dataset:
    """The batches of some epochs, one after the other.

    Args:
        draw: Function `(rng, epoch)` to `sequences` lists of int32 arrays of ids, such as
            `(sources, targets)`, then `values` int32 arrays `[rows]`, such as `labels`; called once
            for each epoch.
        finish: Function of tensors, ids and lengths of each sequence, then the values, to what
            `fit` takes.
        batch_size: Rows in a batch.
        seed: Of the order.
        epochs: The numbers of the epochs; those left to do in a resumed run.
        sequences: How many sequences of ids a row has.
        values: How many single integers a row has beside them.

    Returns:
        A data set. Each epoch has as many batches, `ceil(rows / batch_size)`, which is what `fit`
        needs as `steps_per_epoch`.
    """

    def batches() -> Iterator[tuple[np.ndarray, ...]]:
        for epoch in epochs:
            yield from bucketed_batches(draw, batch_size, seed, epoch, sequences)

    ids, one_each = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)
    # The signature is given: Keras would take it from two batches, and trip over the third where
    # those happen to be equally long.
    signature = (ids, one_each) * sequences + (one_each,) * values
    data = tf.data.Dataset.from_generator(batches, output_signature=signature)
    # AutoGraph would have nothing to convert, and doubles the time of tracing.
    return data.map(tf.autograph.experimental.do_not_convert(finish)).prefetch(tf.data.AUTOTUNE)


def bucketed_batches(
    draw: Draw, batch_size: int, seed: int, epoch: int, sequences: int = 2
) -> Iterator[tuple[np.ndarray, ...]]:
    """One epoch's rows, drawn anew, each batched with others of its length.

    Args:
        draw: As for `training_batches`.
        batch_size: Rows in a batch.
        seed: Of the order.
        epoch: The number of the epoch.
        sequences: As for `training_batches`.

    Yields:
        For each sequence int32 `[batch, time]`, padded with 0, and int32 `[batch]`, its lengths;
        then the values, int32 `[batch]` each.
    """
    rng = np.random.default_rng([seed, epoch])
    columns = draw(rng, epoch)
    ids, values = columns[:sequences], columns[sequences:]
    # By the last sequence first: in translation that is the target, which costs most.
    lengths = np.array([[len(sequence) for sequence in column] for column in ids])
    order = rng.permutation(lengths.shape[1])
    pool = POOL * batch_size
    batches = []
    for start in range(0, len(order), pool):
        rows = order[start : start + pool]
        rows = rows[np.lexsort(lengths[:, rows])]
        batches += [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
    for i in rng.permutation(len(batches)):
        padded = [_pad([column[row] for row in batches[i]]) for column in ids]
        yield (*(array for pair in padded for array in pair), *(v[batches[i]] for v in values))


def raw_batches(
    model: Any, data: Sequence[Any], batch_size: int, seed: int
) -> Callable[[range], tf.data.Dataset]:
    """Shuffled batches of a model's raw columns, for data that needs no more than `preprocess`.

    Args:
        model: A model of the zoo.
        data: Its raw columns as `fit` takes them, such as `(texts, labels)`.
        batch_size: Rows in a batch.
        seed: Of the order.

    Returns:
        A function of a range of epochs to their batches, for `zoo.training.loop.runs.train_model`;
        there are `ceil(rows / batch_size)` in an epoch.
    """
    columns = model.raw_columns(*data)

    def finish(rows: tf.Tensor) -> Any:
        return model.preprocess(*(tf.gather(column, rows) for column in columns))

    def batches(epochs: range) -> tf.data.Dataset:
        def rows() -> Iterator[np.ndarray]:
            for epoch in epochs:
                order = np.random.default_rng([seed, epoch]).permutation(len(data[0]))
                for start in range(0, len(order), batch_size):
                    yield order[start : start + batch_size].astype(np.int32)

        signature = tf.TensorSpec([None], tf.int32)
        dataset = tf.data.Dataset.from_generator(rows, output_signature=signature)
        return dataset.map(tf.autograph.experimental.do_not_convert(finish)).prefetch(
            tf.data.AUTOTUNE
        )

    return batches


def _pad(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Lists of ids as `(int32 [batch, longest], int32 lengths [batch])`, padded with 0."""
    lengths = np.array([len(sequence) for sequence in sequences], np.int32)
    padded = np.zeros((len(sequences), lengths.max()), np.int32)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded, lengths
