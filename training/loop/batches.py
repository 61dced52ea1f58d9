"""Length-bucketed batches, their order a function of seed and epoch alone: a run can resume."""

import numpy as np
import tensorflow as tf

# Batches sorted together: enough for rows of like length to meet, few enough to stay shuffled.
POOL = 50


def training_batches(draw, finish, batch_size, seed, epochs, sequences=2, values=0):
    """The batches of some epochs, one after the other.

    Args:
        draw: function ``(rng, epoch)`` to ``sequences`` lists of int32 arrays of ids, such as
            ``(sources, targets)``, then ``values`` int32 arrays ``[rows]``, such as ``labels``;
            called once for each epoch.
        finish: function of tensors, ids and lengths of each sequence, then the values, to what
            ``fit`` takes; for two sequences ``TranslationModel.training_batch`` is one.
        batch_size: int, rows in a batch.
        seed: int.
        epochs: iterable of ints, the numbers of the epochs; those left to do in a resumed run.
        sequences: int, how many sequences of ids a row has.
        values: int, how many single integers a row has beside them.

    Returns:
        A ``tf.data.Dataset``. Each epoch has as many batches, ``ceil(rows / batch_size)``, which
        is what ``fit`` needs as ``steps_per_epoch``.
    """

    def batches():
        for epoch in epochs:
            yield from bucketed_batches(draw, batch_size, seed, epoch, sequences)

    ids, one_each = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)
    # The signature is told: Keras would take it from two batches, and trip over the third where
    # those happen to be equally long.
    signature = (ids, one_each) * sequences + (one_each,) * values
    data = tf.data.Dataset.from_generator(batches, output_signature=signature)
    # AutoGraph would have nothing to convert, and doubles the time of tracing.
    return data.map(tf.autograph.experimental.do_not_convert(finish)).prefetch(tf.data.AUTOTUNE)


def bucketed_batches(draw, batch_size, seed, epoch, sequences=2):
    """One epoch's rows, drawn anew, each batched with others of its length.

    Args:
        draw, batch_size, seed, sequences: as for :func:`training_batches`.
        epoch: int.

    Yields:
        For each sequence int32 ``[batch, time]``, padded with 0, and int32 ``[batch]``, its
        lengths; then the values, int32 ``[batch]`` each.
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


def _pad(sequences):
    """Lists of ids as ``(int32 [batch, longest], int32 lengths [batch])``, padded with 0."""
    lengths = np.array([len(sequence) for sequence in sequences], np.int32)
    padded = np.zeros((len(sequences), lengths.max()), np.int32)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded, lengths
