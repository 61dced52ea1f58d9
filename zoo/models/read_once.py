"""Files that stay in memory as what a network reads of them, so that they are read once."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.models.raw_data import RawData


class ReadOnce(RawData):
    """Raw data whose first column is files; lists of them are read once, not at each epoch.

    Data sets and generators, which are read as they go, are read as they come.

    Args:
        *arguments: Those of `RawData`; `prepare` takes what `look` gives in place of contents too.
        look: `(different contents, string [n]) -> [n, ...]`, a tensor or `RaggedTensor`; or None
            where that would take too much memory.
    """

    def __init__(
        self,
        *arguments: Any,
        look: Callable[[tf.Tensor], tf.Tensor | tf.RaggedTensor | None],
        **named: Any,
    ) -> None:
        super().__init__(*arguments, **named)
        self.look = look

    def _in_batches(
        self, columns: tuple, batch_size: int, shuffle: bool = False
    ) -> tf.data.Dataset:
        files, *rest = columns
        contents, places = tf.unique(files)
        seen = self.look(contents)
        if seen is None:
            return super()._in_batches(columns, batch_size, shuffle)
        data = tf.data.Dataset.from_tensor_slices((places, *rest))
        if shuffle:
            data = data.shuffle(len(places))
        data = data.ragged_batch(batch_size)  # of labels there may be several
        return self._prepared(data.map(lambda places, *rest: (tf.gather(seen, places), *rest)))
