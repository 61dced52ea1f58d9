"""Pictures that stay in memory as what a frozen encoder sees in them, so that it looks once."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.models.raw_data import RawData


class SeenPictures(RawData):
    """Raw data whose first column is pictures; lists of them are looked at once, not each epoch.

    Data sets and generators, which are read as they go, are looked at as they come.

    Args:
        *arguments: Those of `RawData`; `prepare` takes what `look` gives in place of contents too.
        look: `(different contents, string [n]) -> [n, ...]`, or None where that would take too much
            memory.
    """

    def __init__(
        self, *arguments: Any, look: Callable[[tf.Tensor], tf.Tensor | None], **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self.look = look

    def _in_batches(
        self, columns: tuple, batch_size: int, shuffle: bool = False
    ) -> tf.data.Dataset:
        pictures, *rest = columns
        contents, places = tf.unique(pictures)
        seen = self.look(contents)
        if seen is None:
            return super()._in_batches(columns, batch_size, shuffle)
        data = tf.data.Dataset.from_tensor_slices((places, *rest))
        if shuffle:
            data = data.shuffle(len(places))
        data = data.batch(batch_size)
        return self._prepared(data.map(lambda places, *rest: (tf.gather(seen, places), *rest)))
