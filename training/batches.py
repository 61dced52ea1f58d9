"""Length-bucketed batches, their order a function of seed and epoch alone: a run can resume."""

import numpy as np
import tensorflow as tf

# Batches sorted together: enough for rows of like length to meet, few enough to stay shuffled.
POOL = 50


def training_batches(draw, finish, batch_size, seed, epochs):
    """The batches of some epochs, one after the other.

    Args:
        draw: function ``(rng, epoch) -> (sources, targets)``, two lists of int32 arrays of ids;
            called once for each epoch.
        finish: function of tensors ``(source, source_lengths, target, target_lengths)`` to what
            ``fit`` takes, such as ``TranslationModel.training_batch``.
        batch_size: int, pairs in a batch.
        seed: int.
        epochs: iterable of ints, the numbers of the epochs; those left to do in a resumed run.

    Returns:
        A ``tf.data.Dataset``. Each epoch has as many batches, ``ceil(pairs / batch_size)``, which
        is what ``fit`` needs as ``steps_per_epoch``.
    """

    def batches():
        for epoch in epochs:
            yield from bucketed_batches(draw, batch_size, seed, epoch)

    ids, lengths = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)
    # The signature is told: Keras would take it from two batches, and trip over the third where
    # those happen to be equally long.
    data = tf.data.Dataset.from_generator(batches, output_signature=(ids, lengths, ids, lengths))
    return data.map(finish).prefetch(tf.data.AUTOTUNE)


def bucketed_batches(draw, batch_size, seed, epoch):
    """One epoch's pairs, drawn anew, each batched with others of its length.

    Args:
        draw, batch_size, seed: as for :func:`training_batches`.
        epoch: int.

    Yields:
        ``(source, source_lengths, target, target_lengths)``: int32 ``[batch, time]``, padded with
        0, and int32 ``[batch]``, twice.
    """
    rng = np.random.default_rng([seed, epoch])
    sources, targets = draw(rng, epoch)
    lengths = np.array([[len(t), len(s)] for s, t in zip(sources, targets, strict=True)])
    order = rng.permutation(len(lengths))
    pool = POOL * batch_size
    batches = []
    for start in range(0, len(order), pool):
        rows = order[start : start + pool]
        rows = rows[np.lexsort(lengths[rows].T[::-1])]
        batches += [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
    for i in rng.permutation(len(batches)):
        source, target = (_pad([ids[row] for row in batches[i]]) for ids in (sources, targets))
        yield *source, *target


def _pad(sequences):
    """Lists of ids as ``(int32 [batch, longest], int32 lengths [batch])``, padded with 0."""
    lengths = np.array([len(sequence) for sequence in sequences], np.int32)
    padded = np.zeros((len(sequences), lengths.max()), np.int32)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded, lengths
