"""What a model reads: its raw columns, each declared by a spec."""

from collections.abc import Callable
from dataclasses import dataclass

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
        other_dtypes: What an entry of a data set may be instead, such as the numbers of labels.
        wire_name: The input of exported signatures that read this column, such as `"text"`; its
            own name unless told.
    """

    name: str
    dtype: tf.DType
    shape: tuple[int | None, ...]
    read: Callable[[str, object], tf.Tensor | tf.RaggedTensor]
    other_dtypes: tuple[tf.DType, ...] = ()
    wire_name: str = ""

    def __post_init__(self) -> None:
        if not self.wire_name:
            object.__setattr__(self, "wire_name", self.name)  # the class is frozen

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

    def takes(self, spec: tf.TypeSpec) -> bool:
        """Whether the values of a data set are of a type that an entry may have."""
        return getattr(spec, "dtype", None) in (self.dtype, *self.other_dtypes)

    def fits(self, spec: tf.TypeSpec) -> bool:
        """Whether the values of a data set may be entries of this column, or batches of them."""
        shapes = (self.shape, (None, *self.shape))
        return self.takes(spec) and any(spec.shape.is_compatible_with(of) for of in shapes)

    def __str__(self) -> str:
        """As an error message shows it."""
        names = [dtype.name for dtype in (self.dtype, *self.other_dtypes)]
        shape = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"`{self.name}`: {' or '.join(names)} [{shape}]"
