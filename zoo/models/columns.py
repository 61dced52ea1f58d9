"""What a model reads: its raw columns, each declared by a spec."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Column:
    """One column of raw data: texts, images, numbers, labels, lists of tokens.

    Attributes:
        name: As it stands in error messages and in dicts and data frames, such as `"texts"`.
        dtype: Of an entry as a tensor.
        shape: Of an entry: `()` for a text, `(None,)` for a list of tokens, `(28, 28)` for a small
            picture. None is a dimension that differs from entry to entry.
        read: `(name, entries) -> tensor`: checks a list, tuple, array or tensor of entries and
            makes one tensor of it, `[rows, ...]`, ragged where entries differ. It raises TypeError
            or ValueError that names the column and the entry.
        other_dtypes: What an entry of a data set may be instead, such as the names of labels.
        what: What its entries are, for messages, such as "strings or integers"; by default the
            types.
        wire_name: The input of exported signatures that read this column, such as `"text"`; its
            own name unless told.
    """

    name: str
    dtype: tf.DType
    shape: tuple[int | None, ...]
    read: Callable[[str, object], tf.Tensor | tf.RaggedTensor]
    other_dtypes: tuple[tf.DType, ...] = ()
    wire_name: str = ""
    what: str = ""

    reads_files = False  # whether its entries may be names of files

    def __post_init__(self) -> None:
        dtypes = " or ".join(dtype.name for dtype in (self.dtype, *self.other_dtypes))
        for name, default in (("wire_name", self.name), ("what", dtypes)):
            if not getattr(self, name):
                object.__setattr__(self, name, default)  # the class is frozen

    @property
    def rank(self) -> int:
        """Of one entry: 0 for a text."""
        return len(self.shape)

    @property
    def batch_spec(self) -> tf.TensorSpec | tf.RaggedTensorSpec:
        """Of a batch: what a graph that reads this column takes."""
        shape = [None, *self.shape]
        # What differs from entry to entry is told by the rows, not by padding.
        ragged = max((axis for axis, size in enumerate(shape) if size is None), default=0)
        if ragged:
            return tf.RaggedTensorSpec(shape, self.dtype, ragged_rank=ragged)
        return tf.TensorSpec(shape, self.dtype)

    def is_entry(self, value: object) -> bool:
        """Whether a user gave one entry rather than a list of them."""
        if self.rank == 0:
            return isinstance(value, str | bytes if self.dtype == tf.string else int | float)
        return rank_of(value) == self.rank

    def takes(self, spec: tf.TypeSpec) -> bool:
        """Whether the values of a data set are of a type that an entry may have."""
        return getattr(spec, "dtype", None) in (self.dtype, *self.other_dtypes)

    def fits(self, spec: tf.TypeSpec) -> bool:
        """Whether the values of a data set may be entries of this column, or batches of them."""
        shapes = (self.shape, (None, *self.shape))
        return self.takes(spec) and any(spec.shape.is_compatible_with(of) for of in shapes)

    def __str__(self) -> str:
        """As an error message shows it."""
        shape = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"`{self.name}` {self.what} [{shape}]"


def read_columns(
    columns: Sequence[Column], *given: object
) -> tuple[tf.Tensor | tf.RaggedTensor, ...]:
    """What a user gave for each of the columns, checked: a tensor or `RaggedTensor` of each."""
    pairs = zip(columns, given, strict=True)
    return tuple(column.read(column.name, values) for column, values in pairs)


def rank_of(value: object) -> int:
    """Of what a user hands in: 0 for a string or number, 1 for a list of them."""
    if isinstance(value, str | bytes):
        return 0
    if hasattr(value, "to_numpy"):  # a pandas Series
        value = value.to_numpy()
    if (shape := getattr(value, "shape", None)) is not None:
        # Arrays of objects hold further sequences.
        of_objects = isinstance(value, np.ndarray) and value.dtype.kind == "O" and value.size
        return len(shape) + (rank_of(value.flat[0]) if of_objects else 0)
    if isinstance(value, Sequence):
        return 1 + (rank_of(value[0]) if len(value) else 0)
    return 0
