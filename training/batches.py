"""Length-bucketed batches, their order a function of seed and epoch alone: a run can resume."""

import keras
import numpy as np

# Batches sorted together: enough for rows of like length to meet, few enough to stay shuffled.
POOL = 50


class BucketedBatches(keras.utils.PyDataset):
    """Pairs of id sequences, drawn anew for each epoch and batched with others of their length.

    Args:
        draw: function ``(rng) -> (sources, targets)``, two lists of int32 arrays of ids; called
            once for each epoch with a generator seeded by (``seed``, epoch).
        finish: function ``(source, source_lengths, target, target_lengths)`` of NumPy arrays to
            what ``fit`` takes, such as ``TranslationModel.training_batch``.
        batch_size: int, pairs in a batch.
        seed: int.
        epoch: int, the first epoch to give, for a resumed run.
    """

    def __init__(self, draw, finish, batch_size, seed, epoch=0):
        super().__init__()
        self._draw, self._finish = draw, finish
        self._batch_size, self._seed, self._epoch = batch_size, seed, epoch
        self._start_epoch()

    def _start_epoch(self):
        rng = np.random.default_rng([self._seed, self._epoch])
        self._sources, self._targets = self._draw(rng)
        lengths = np.array(
            [[len(t), len(s)] for s, t in zip(self._sources, self._targets, strict=True)]
        )
        order = rng.permutation(len(lengths))
        pool = POOL * self._batch_size
        batches = []
        for start in range(0, len(order), pool):
            rows = order[start : start + pool]
            rows = rows[np.lexsort(lengths[rows].T[::-1])]
            batches += [
                rows[i : i + self._batch_size] for i in range(0, len(rows), self._batch_size)
            ]
        self._batches = [batches[i] for i in rng.permutation(len(batches))]

    def __len__(self):
        return len(self._batches)

    def __getitem__(self, index):
        rows = self._batches[index]
        source, target = (pad([ids[row] for row in rows]) for ids in (self._sources, self._targets))
        return self._finish(*source, *target)

    def on_epoch_end(self):
        self._epoch += 1
        self._start_epoch()


def pad(sequences):
    """Lists of ids as ``(int32 [batch, longest], int32 lengths [batch])``, padded with 0."""
    lengths = np.array([len(sequence) for sequence in sequences], np.int32)
    padded = np.zeros((len(sequences), lengths.max()), np.int32)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded, lengths
