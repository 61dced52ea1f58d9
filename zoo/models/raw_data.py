"""Raw data in all the forms that users have it in, made `tf.data` of raw columns.

What is raw is told by a model's `columns` (see `zoo.models.columns`), never by what the values look
like: a data set or generator of what `preprocess` gives has the network's inputs, a dict, first.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from zoo.models.checks import check_column, short
from zoo.models.columns import Column, rank_of

WEIGHTS = "sample_weight"


def _read_weights(name: str, weights: object) -> tf.Tensor:
    """Weights of rows, float32 `[rows]`; a missing one is an error, not a loss of NaN."""
    numbers = np.array(check_column(name, weights, "numbers"))
    wrong = numbers.dtype.kind not in "buif" or numbers.ndim != 1 or not np.isfinite(numbers).all()
    if wrong:
        raise ValueError(
            f"`{name}` must hold finite numbers, one for each row. Received: {short(weights)}"
        )
    return tf.constant(numbers, tf.float32)


WEIGHT_COLUMN = Column(
    WEIGHTS,
    tf.float32,
    (),
    _read_weights,
    other_dtypes=(tf.float64, tf.float16, tf.int32, tf.int64, tf.bool),
    what="numbers",
)


class ReadColumns(tuple):
    """Columns in memory that have been checked."""


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
        self.columns = tuple(columns)
        self.read = read
        self.network_inputs = frozenset(network_inputs)
        self.prepare = prepare
        # What a generator raised, which tf.data would tell in its own words.
        self.error: Exception | None = None

    @property
    def names(self) -> list[str]:
        """The columns' names, for messages."""
        return [column.name for column in self.columns]

    def is_prepared(self, element: object) -> bool:
        """Whether an element (or its spec) is what `preprocess` gives rather than raw."""
        first = element[0] if isinstance(element, tuple | list) and element else element
        return isinstance(first, dict) and self.network_inputs <= first.keys()

    # For Keras.

    def batches(
        self,
        x: object,
        y: object = None,
        sample_weight: object = None,
        batch_size: int = 32,
        shuffle: bool = False,
    ) -> object:
        """Whatever was given, as prepared batches for Keras; arguments as of `ZooModel.fit`."""
        if is_in_memory(x):
            return self._in_batches(self.in_memory(x, y, sample_weight), batch_size, shuffle)
        last = self.names[-1] if len(self.columns) > 1 else "y"
        for name, column in ((last, y), (WEIGHTS, sample_weight)):
            if column is not None:
                raise ValueError(f"`{name}` must come in the data set. Received: {short(column)}")
        if isinstance(x, keras.utils.PyDataset):
            data = self.from_py_dataset(x, batch_size)
        elif not isinstance(x, tf.data.Dataset):
            data = self.from_generator(x, batch_size)
        elif self.is_prepared(x.element_spec):
            return x
        else:
            data = self.from_dataset(x, batch_size)
        return self._prepared(data) if isinstance(data, tf.data.Dataset) else data

    def validation(self, data: object, batch_size: int) -> object:
        """`validation_data` as prepared batches: `(x, y)`, with weights, or what `x` may be."""
        if data is None:
            return None
        count = len(self.columns)
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

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Within the block, what a user's generator raised comes out as it was raised."""
        try:
            yield
        except tf.errors.OpError:
            if self.error is not None:
                raise self.error from None
            raise

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

    # In memory.

    def in_memory(self, x: object, y: object, sample_weight: object) -> tuple:
        """Lists or arrays as checked tensors of equally many rows, weights last if there are any.

        Args:
            x: The first column; or, by name, all of them: a dict or data frame; or, of a model of
                more than two, a tuple of all but the last.
            y: The last column of a model of several, or None.
            sample_weight: A number for each row, or None.

        Returns:
            The columns; given once more, as `x`, they are what they are.
        """
        if isinstance(x, ReadColumns):
            return x
        given, sample_weight = self._given(x, y, sample_weight)
        names, columns = list(self.names), list(self.read(*given))
        if sample_weight is not None:
            names.append(WEIGHTS)
            columns.append(_read_weights(WEIGHTS, sample_weight))
        rows = [column.shape[0] for column in columns]
        for name, count in zip(names[1:], rows[1:], strict=True):
            if count != rows[0]:
                raise ValueError(
                    f"`{names[0]}` and `{name}` must have one entry for each other. "
                    f"Received: {rows[0]} and {count} entries"
                )
        return ReadColumns(columns)

    def _given(self, x: object, y: object, sample_weight: object) -> tuple[list, object]:
        if is_frame(x):
            x = {name: x[name] for name in x.columns}
        if isinstance(x, dict):
            more = {self.names[-1]: y, WEIGHTS: sample_weight}
            more = {name: value for name, value in more.items() if value is not None}
            if twice := more.keys() & x.keys():
                raise ValueError(
                    f"`{min(twice)}` must be given once. Received: it is in `x`, and an argument"
                )
            x = {**x, **more}
            return self._by_name(x), x.get(WEIGHTS)
        if len(self.columns) > 2:
            whole = [*x, *([] if y is None else [y])] if isinstance(x, tuple | list) else [x, y]
            if len(whole) != len(self.columns):
                raise ValueError(self._expected("columns", f"{len(whole)} columns"))
            return whole, sample_weight
        if len(self.columns) == 1:
            if y is not None:
                raise ValueError(
                    f"`y` must be left out: `{self.names[0]}` is all that the model reads. "
                    f"Received: y={short(y)}"
                )
            return [x], sample_weight
        if y is None:
            raise ValueError(
                f"`{self.names[1]}` must be given beside `{self.names[0]}`. "
                f"Received: y=None and x={short(x)}"
            )
        return [x, y], sample_weight

    def _by_name(self, of: dict) -> list:
        for column in self.columns:
            if column.name not in of:
                raise ValueError(
                    f"Column `{column.name}` is missing. "
                    + self._expected("keys", ", ".join(map(str, of)))
                )
        return [of[name] for name in self.names]

    def _expected(self, what: str, received: object) -> str:
        columns = "; ".join(map(str, self.columns))
        return f"Raw data must have the {what} {columns}. Received: {received}"

    # Data sets.

    def from_dataset(self, data: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
        """Rows or batches of raw columns, tuples or dicts, as batches of tuples."""
        spec = data.element_spec
        if isinstance(spec, dict):
            self._by_name(spec)
            names = [*self.names, *([WEIGHTS] if WEIGHTS in spec else [])]
            data = data.map(lambda of: tuple(of[name] for name in names))
            spec = data.element_spec
        columns = spec if isinstance(spec, tuple | list) else (spec,)
        count = len(self.columns)
        if len(columns) not in (count, count + 1):
            raise ValueError(
                f"A data set of raw data must have {_number(count)}, "
                f"{' and '.join(f'`{name}`' for name in self.names)}, or one more with weights: "
                f"{'; '.join(map(str, self.columns))}. Received: {spec}"
            )
        kinds = (*self.columns, WEIGHT_COLUMN)[: len(columns)]
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
            for c in self.columns
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
        weighted = len(self._split(first)) > len(self.columns)
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

        signature = tuple(column.batch_spec for column in self.columns)
        if weighted:
            signature += (tf.TensorSpec([None], tf.float32),)
        return tf.data.Dataset.from_generator(batches, output_signature=signature)

    def _checked(self, given: list, weights: object) -> tuple:
        columns = self.in_memory(
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
            for column, value in zip(self.columns, columns, strict=False)
        ) + tuple(columns[len(self.columns) :])

    def _split(self, element: object) -> list:
        """The columns of an element, weights last if it has them."""
        if isinstance(element, dict):
            return [*self._by_name(element), *([element[WEIGHTS]] if WEIGHTS in element else [])]
        count = len(self.columns)
        if isinstance(element, tuple) or (isinstance(element, list) and count > 1):
            if len(element) in (count, count + 1):
                return list(element)
        elif count == 1:
            return [element]
        raise ValueError(self._expected("columns", short(element)))

    def _entries_first(self, element: object) -> bool:
        """Whether an element is a row rather than a batch."""
        column, value = self.columns[0], self._split(element)[0]
        rank = rank_of(value)
        if rank not in (column.rank, column.rank + 1):
            raise ValueError(
                f"Column `{column.name}` of a generator must be entries, or batches, of {column}. "
                f"Received: {short(value)} of rank {rank}"
            )
        return rank == column.rank


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


def is_in_memory(x: object) -> bool:
    """Lists, arrays, dicts and frames, rather than what is read as it goes."""
    return not isinstance(x, tf.data.Dataset | keras.utils.PyDataset | Iterator)


def is_frame(x: object) -> bool:
    """Whether this is a data frame, pandas's or another: columns by name."""
    return hasattr(x, "columns") and hasattr(x, "__getitem__") and not isinstance(x, tf.Tensor)


def split_rows(columns: tuple, share: float) -> tuple[tuple, tuple]:
    """The first and the last rows of columns, `share` of them last, as Keras splits arrays."""
    rows = columns[0].shape[0]
    cut = int(rows * (1 - share)) if 0 < share < 1 else 0
    if not 0 < cut < rows:
        raise ValueError(
            "`validation_split` must be between 0 and 1 and leave rows to both parts. "
            f"Received: validation_split={share} of {rows} rows"
        )
    return tuple(column[:cut] for column in columns), tuple(column[cut:] for column in columns)


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
