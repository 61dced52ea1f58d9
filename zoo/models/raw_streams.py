"""Raw data that is read as it goes: data sets, generators and `PyDataset`s of rows or batches.

What is raw is told by a model's `columns` (see `zoo.models.columns`), never by what the values look
like: a data set or generator of what `preprocess` gives has the network's inputs, a dict, first.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator

import keras
import tensorflow as tf

from zoo.models.checks import short
from zoo.models.columns import Column, rank_of
from zoo.models.raw_rows import WEIGHT_COLUMN, WEIGHTS, RawRows


class RawStreams:
    """Reads streams of one model's raw columns.

    Args:
        rows: What reads and checks the entries.
        network_inputs: Names of what `preprocess` gives as the network's inputs.
    """

    def __init__(self, rows: RawRows, network_inputs: Iterable[str]) -> None:
        self.rows = rows
        self.network_inputs = frozenset(network_inputs)
        # What a generator raised, which tf.data would tell in its own words.
        self.error: Exception | None = None

    def is_prepared(self, element: object) -> bool:
        """Whether an element (or its spec) is what `preprocess` gives rather than raw."""
        first = element[0] if isinstance(element, tuple | list) and element else element
        return isinstance(first, dict) and self.network_inputs <= first.keys()

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Within the block, what a user's generator raised comes out as it was raised."""
        try:
            yield
        except tf.errors.OpError:
            if self.error is not None:
                raise self.error from None
            raise

    # Data sets.

    def from_dataset(self, data: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
        """Rows or batches of raw columns, tuples or dicts, as batches of tuples."""
        spec = data.element_spec
        if isinstance(spec, dict):
            self.rows.by_name(spec)
            names = [*self.rows.names, *([WEIGHTS] if WEIGHTS in spec else [])]
            data = data.map(lambda of: tuple(of[name] for name in names))
            spec = data.element_spec
        columns = spec if isinstance(spec, tuple | list) else (spec,)
        count = len(self.rows.columns)
        if len(columns) not in (count, count + 1):
            named = " and ".join(f"`{name}`" for name in self.rows.names)
            raise ValueError(
                f"A data set of raw data must have {_number(count)}, {named}, or one more with "
                f"weights: {'; '.join(map(str, self.rows.columns))}. Received: {spec}"
            )
        kinds = (*self.rows.columns, WEIGHT_COLUMN)[: len(columns)]
        in_rows = [self._in_rows(*pair) for pair in zip(kinds, columns, strict=True)]
        if {True, False} <= set(in_rows):
            raise ValueError(f"{self._ranks()}, all of them alike. Received: {spec}")
        if None in in_rows:  # as out of a tf.py_function: what the others are, these are too
            shapes = [kind.shape if True in in_rows else (None, *kind.shape) for kind in kinds]
            data = data.map(lambda *of: tuple(map(_shaped, of, in_rows, shapes)))
        return data.ragged_batch(batch_size) if True in in_rows else data

    def _in_rows(self, column: Column, spec: tf.TypeSpec) -> bool | None:
        """Whether the column comes entry by entry rather than in batches; None: it is not known."""
        rank = getattr(getattr(spec, "shape", None), "rank", column.rank + 1)
        if rank not in (column.rank, column.rank + 1, None):
            raise ValueError(f"{self._ranks()}. Received: {column.name}={spec}")
        if not column.fits(spec):
            raise (ValueError if column.takes(spec) else TypeError)(
                f"`{column.name}` must be {column.what}: a data set has entries of {column}, or "
                f"batches of them. Received: {spec}"
            )
        return None if rank is None else rank == column.rank

    def _ranks(self) -> str:
        ranks = ", ".join(
            f"`{c.name}` rows of rank {c.rank} or batches of rank {c.rank + 1}"
            for c in self.rows.columns
        )
        return f"The columns of a data set must be {ranks}"

    # Generators.

    def from_generator(self, elements: Iterator, batch_size: int) -> tf.data.Dataset | Iterator:
        """A generator of rows or batches of raw entries; one of prepared batches as it is."""
        first = next(elements, None)
        if first is None:
            raise ValueError("The generator must give at least one element. Received: none")
        elements = itertools.chain([first], elements)
        if self.is_prepared(first):
            return (element for element in elements)  # Keras takes no other iterators
        return self._streamed(lambda: elements, first, batch_size)

    def from_py_dataset(
        self, data: keras.utils.PyDataset, batch_size: int
    ) -> tf.data.Dataset | keras.utils.PyDataset:
        """A `PyDataset` of raw batches; one of prepared batches as it is."""
        first = data[0]
        if self.is_prepared(first):
            return data

        def elements() -> Iterator:
            data.on_epoch_begin()
            count = data.num_batches
            yield from (data[i] for i in (range(count) if count else itertools.count()))
            data.on_epoch_end()

        stream = self._streamed(elements, first, batch_size)
        if data.num_batches and not self._entries_first(first):
            stream = stream.apply(tf.data.experimental.assert_cardinality(data.num_batches))
        return stream

    def _streamed(self, elements: Callable, first: object, batch_size: int) -> tf.data.Dataset:
        weighted = len(self._split(first)) > len(self.rows.columns)
        in_rows = self._entries_first(first)

        def batches() -> Iterator[tuple]:
            try:
                columns_of = map(self._split, elements())
                if in_rows:
                    groups = _batched(columns_of, batch_size)
                    columns_of = (list(zip(*rows, strict=True)) for rows in groups)
                for columns in columns_of:
                    columns = [_listed(column) for column in columns]
                    *given, weights = columns if weighted else (*columns, None)
                    yield self._checked(given, weights)
            except Exception as error:
                self.error = error
                raise

        signature = tuple(column.batch_spec for column in self.rows.columns)
        if weighted:
            signature += (tf.TensorSpec([None], tf.float32),)
        return tf.data.Dataset.from_generator(batches, output_signature=signature)

    def _checked(self, given: list, weights: object) -> tuple:
        columns = self.rows.in_memory(
            given[0] if len(given) < 3 else tuple(given),
            given[1] if len(given) == 2 else None,
            weights,
        )
        # Entries of like shape may have been read as a dense tensor.
        return tuple(
            tf.RaggedTensor.from_tensor(value, ragged_rank=spec.ragged_rank)
            if isinstance(spec := column.batch_spec, tf.RaggedTensorSpec)
            and not isinstance(value, tf.RaggedTensor)
            else value
            for column, value in zip(self.rows.columns, columns, strict=False)
        ) + tuple(columns[len(self.rows.columns) :])

    def _split(self, element: object) -> list:
        """The columns of an element, weights last if it has them."""
        if isinstance(element, dict):
            return [
                *self.rows.by_name(element),
                *([element[WEIGHTS]] if WEIGHTS in element else []),
            ]
        count = len(self.rows.columns)
        if isinstance(element, tuple) or (isinstance(element, list) and count > 1):
            if len(element) in (count, count + 1):
                return list(element)
        elif count == 1:
            return [element]
        raise ValueError(self.rows.expected("columns", short(element)))

    def _entries_first(self, element: object) -> bool:
        """Whether an element is a row rather than a batch."""
        column, value = self.rows.columns[0], self._split(element)[0]
        rank = rank_of(value)
        if rank not in (column.rank, column.rank + 1):
            raise ValueError(
                f"Column `{column.name}` of a generator must be entries, or batches, of {column}. "
                f"Received: {short(value)} of rank {rank}"
            )
        return rank == column.rank


def _shaped(value: tf.Tensor, in_rows: bool | None, shape: tuple[int | None, ...]) -> tf.Tensor:
    """The value itself, or one of unknown rank with its shape, checked as it comes."""
    return tf.ensure_shape(value, shape) if in_rows is None else value


def _batched(rows: Iterable, size: int) -> Iterator[tuple]:
    """What `itertools.batched` does, which Python 3.11 lacks."""
    rows = iter(rows)
    while batch := tuple(itertools.islice(rows, size)):
        yield batch


def _listed(column: object) -> object:
    return list(column) if isinstance(column, tuple) else column


def _number(count: int) -> str:
    return {1: "one column", 2: "two columns"}.get(count, f"{count} columns")
