"""Raw data in all the forms that users have it in, made batches for Keras."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import keras
import tensorflow as tf

from zoo.models.checks import short
from zoo.models.columns import Column
from zoo.models.raw_rows import WEIGHTS, RawRows, is_in_memory, split_rows
from zoo.models.raw_streams import RawStreams


class RawData:
    """Reads raw data for one model.

    Args:
        columns: The model's raw columns.
        read: `(*columns) -> tensors`: the model's `raw_columns`, which checks entries.
        network_inputs: Names of what `preprocess` gives as the network's inputs.
        prepare: `(*tensors) -> what Keras takes`: the model's preprocessing of batches of raw
            columns, weights last if there are any.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        read: Callable[..., tuple],
        network_inputs: Iterable[str],
        prepare: Callable[..., tuple],
    ) -> None:
        self.rows = RawRows(columns, read)
        self.streams = RawStreams(self.rows, network_inputs)
        self.prepare = prepare

    def is_prepared(self, element: object) -> bool:
        """Whether an element (or its spec) is what `preprocess` gives rather than raw."""
        return self.streams.is_prepared(element)

    def in_memory(self, x: object, y: object, sample_weight: object) -> tuple:
        """As `RawRows.in_memory`."""
        return self.rows.in_memory(x, y, sample_weight)

    def errors(self) -> contextlib.AbstractContextManager[None]:
        """Within the block, what a user's generator raised comes out as it was raised."""
        return self.streams.errors()

    def batches(
        self,
        x: object,
        y: object = None,
        sample_weight: object = None,
        batch_size: int = 32,
        shuffle: bool = False,
    ) -> object:
        """Whatever was given, as prepared batches for Keras.

        Args:
            x: As of `ZooModel.fit`, as are those below.
            y: Likewise.
            sample_weight: Likewise.
            batch_size: Likewise.
            shuffle: Likewise.
        """
        if is_in_memory(x):
            columns = self.in_memory(x, y, sample_weight)
            return self._in_batches(columns, batch_size, shuffle)
        last = self.rows.names[-1] if len(self.rows.columns) > 1 else "y"
        for name, column in ((last, y), (WEIGHTS, sample_weight)):
            if column is not None:
                raise ValueError(f"`{name}` must come in the data set. Received: {short(column)}")
        if isinstance(x, keras.utils.PyDataset):
            data = self.streams.from_py_dataset(x, batch_size)
        elif not isinstance(x, tf.data.Dataset):
            data = self.streams.from_generator(x, batch_size)
        elif self.is_prepared(x.element_spec):
            return x
        else:
            data = self.streams.from_dataset(x, batch_size)
        return self._prepared(data) if isinstance(data, tf.data.Dataset) else data

    def validation(self, data: object, batch_size: int) -> object:
        """`validation_data` as prepared batches: `(x, y)`, with weights, or what `x` may be."""
        if data is None:
            return None
        count = len(self.rows.columns)
        if isinstance(data, tuple) or (isinstance(data, list) and count > 1):
            if len(data) not in (count, count + 1):
                raise ValueError(
                    "`validation_data` must be (x, y), (x, y, sample_weight) or a data set. "
                    f"Received: {short(data)}"
                )
            *first, last = data[:count]
            x, y = (first[0] if count == 2 else first, last) if first else (last, None)
            return self.batches(x, y, (*data, None)[count], batch_size)
        return self.batches(data, batch_size=batch_size)

    def split(
        self,
        x: object,
        y: object,
        sample_weight: object,
        share: float,
        batch_size: int,
        shuffle: bool,
        validation_batch_size: int,
    ) -> tuple[tf.data.Dataset, tf.data.Dataset]:
        """Prepared batches of the first rows, and of the last ones, `share` of them."""
        if not is_in_memory(x):
            raise ValueError(
                "`validation_split` needs lists or arrays: of a data set give `validation_data`. "
                f"Received: x={short(x)}"
            )
        train, held_out = split_rows(self.in_memory(x, y, sample_weight), share)
        return (
            self._in_batches(train, batch_size, shuffle),
            self._in_batches(held_out, validation_batch_size),
        )

    def _in_batches(
        self, columns: tuple, batch_size: int, shuffle: bool = False
    ) -> tf.data.Dataset:
        data = tf.data.Dataset.from_tensor_slices(tuple(columns))
        if shuffle:
            data = data.shuffle(columns[0].shape[0])
        return self._prepared(data.ragged_batch(batch_size))

    def _prepared(self, data: tf.data.Dataset) -> tf.data.Dataset:
        data = data.map(self.prepare, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return data.prefetch(tf.data.AUTOTUNE)


def in_epochs(
    data: object, source: object, steps: int | None = None, endless: bool = False
) -> tuple[object, int | None]:
    """A data set of known length as one without end, and the number of batches of an epoch.

    Of one that ends Keras makes two iterators for each epoch, and in each TensorFlow prepares the
    graph of the preprocessing anew, which takes longer than an epoch of a few hundred rows.

    Args:
        data: What Keras is to be given.
        source: What the user gave. A `PyDataset` does something when an epoch begins: it stays.
        steps: Batches that the user calls an epoch, or None.
        endless: Whether the data begins anew where it ends if there are `steps`.
    """
    finite = isinstance(data, tf.data.Dataset) and not isinstance(source, keras.utils.PyDataset)
    if finite and (steps is None or endless):
        count = int(data.cardinality())
        if count > 0:
            return data.repeat(), count if steps is None else steps
    return data, steps


def check_epochs(
    x: object,
    validation_data: object,
    epochs: int = 1,
    steps_per_epoch: int | None = None,
    **kwargs: object,
) -> None:
    """Raises ValueError if a generator, which can be read once, shall give several epochs."""
    if epochs > 1 and isinstance(x, Iterator) and not steps_per_epoch:
        raise ValueError(
            "A generator can be read once: say how many batches make an epoch with "
            f"`steps_per_epoch`, or give a list or data set. Received: epochs={epochs}"
        )
    if epochs > 1 and isinstance(validation_data, Iterator):
        # Keras starts anew at each validation, whatever it has read ahead.
        raise ValueError(
            "A generator can be read once: as `validation_data` of several epochs give a list or "
            f"data set. Received: epochs={epochs}"
        )
