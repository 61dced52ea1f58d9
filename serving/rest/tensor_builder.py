"""Makes dense tensors of nested JSON lists, with TensorFlow Serving's checks and error texts."""

import base64
import binascii
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.serving.errors import ServingError, invalid_argument, shape_text
from zoo.serving.rest.json_quoting import format_error, type_name, value_text

_MAX_RANK = 64  # NumPy's limit; TensorFlow's own is 254
_INT32 = (-(2**31), 2**31 - 1)
# TensorFlow's name of a dtype -> smallest and largest whole number that JSON may hold for it.
# The small types take any int32 and wrap around, as in TensorFlow Serving.
_WHOLE_NUMBERS = {
    "int8": _INT32,
    "int16": _INT32,
    "int32": _INT32,
    "uint8": _INT32,
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
# Any number fits these: it is rounded, and infinite if it is past the largest.
_FLOATS = {"float": np.float32, "double": np.float64}
_NUMBERS = frozenset((int, float))


class TensorBuilder:
    """Collects the elements of one tensor: flat values and the shape of one item.

    Args:
        name: The input's name, for error messages.
        dtype: TensorFlow's name of it: "float", "int64", "string", ...
    """

    def __init__(self, name: str, dtype: str) -> None:
        self.name = name
        self.dtype = dtype
        self.values: list[Any] = []
        self.shape: tuple[int, ...] | None = None

    def add(self, item: Any) -> None:
        """Appends an item; all items of a tensor have the same shape.

        Raises:
            ServingError: INVALID_ARGUMENT if the item is ragged, of another shape than those
                before or not of the dtype; UNIMPLEMENTED if JSON has no form for the dtype.
        """
        shape = _dense_shape(item, self.name)
        before = len(self.values)
        _fill(self.values, item, 0, shape, self.dtype)
        if self.shape is None:
            self.shape, self.size = shape, len(self.values) - before
        elif self.size != len(self.values) - before:
            raise invalid_argument(
                f"Expecting tensor size: {self.size} but got: {len(self.values) - before}"
            )
        elif self.shape != shape:
            raise invalid_argument(
                f"Expecting shape {shape_text(self.shape)} but got: {shape_text(shape)}"
            )

    def array(self, batch: tuple[int, ...]) -> np.ndarray:
        """The items as one array `batch + shape`; `batch` is empty for a single item.

        Raises:
            ServingError: INVALID_ARGUMENT for more dimensions than an array can have.
        """
        if self.dtype == "string":
            array = np.empty(len(self.values), object)
            array[:] = self.values
        elif self.dtype in _FLOATS:
            with np.errstate(over="ignore"):
                array = np.array(self.values, _FLOATS[self.dtype])
        elif self.dtype == "bool":
            array = np.array(self.values, bool)
        elif self.dtype in _WHOLE_NUMBERS:
            wide = np.uint64 if self.dtype == "uint64" else np.int64
            array = np.array(self.values, wide).astype(self.dtype)
        else:  # JSON has no form for its elements, so there are none
            array = np.empty(0, _numpy_type(self.dtype))
        shape = batch + self.shape
        if len(shape) > _MAX_RANK:
            raise _too_deep(self.name)
        return array.reshape(shape)


def _dense_shape(item: Any, name: str) -> tuple[int, ...]:
    """The shape that the first element of every list promises."""
    shape = []
    while isinstance(item, list):
        shape.append(len(item))
        if not item:
            break
        item = item[0]
    if len(shape) > _MAX_RANK:
        raise _too_deep(name)
    return tuple(shape)


def _fill(values: list[Any], item: Any, level: int, shape: tuple[int, ...], dtype: str) -> None:
    """Appends the leaves of `item` to `values`, checking that it keeps the promised `shape`."""
    if not isinstance(item, list):
        if level != len(shape):
            raise invalid_argument(
                f"JSON Value: {value_text(item)} found at incorrect level: {level + 1} "
                f"in the JSON DOM. Expected at level: {len(shape)}"
            )
        values.append(_element(item, dtype))
        return
    if level >= len(shape):
        raise invalid_argument(
            f"Encountered list at unexpected level: {level} expected < {len(shape)}"
        )
    if len(item) != shape[level]:
        raise invalid_argument(
            f"Encountered list at unexpected size: {len(item)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    if level == len(shape) - 1 and _fits_as_is(item, dtype):
        values.extend(item)
        return
    for member in item:
        _fill(values, member, level + 1, shape, dtype)


def _fits_as_is(items: list[Any], dtype: str) -> bool:
    """Whether all elements of a list of scalars can be taken without a look at each of them."""
    if not items:
        return True
    kinds = set(map(type, items))
    if dtype in _FLOATS:
        return kinds <= _NUMBERS
    if dtype in _WHOLE_NUMBERS and kinds == {int}:
        smallest, largest = _WHOLE_NUMBERS[dtype]
        return smallest <= min(items) and max(items) <= largest
    return dtype == "bool" and kinds == {bool}


def _element(value: Any, dtype: str) -> Any:
    """Converts one scalar, or raises the error that names it."""
    kind = type(value)
    if kind is dict:
        if dtype == "string":
            return decode_base64(value)
    elif dtype == "string":
        if kind is str:
            return value.encode("utf-8")
        if kind is bytes:
            return value
    elif dtype in _FLOATS:
        if kind in _NUMBERS:
            return value
    elif dtype in _WHOLE_NUMBERS:
        smallest, largest = _WHOLE_NUMBERS[dtype]
        if kind is int and smallest <= value <= largest:
            return value
    elif dtype == "bool":
        if kind is bool:
            return value
    else:
        raise _no_conversion(value, dtype)
    raise invalid_argument(
        f"JSON Value: {value_text(value)} Type: {type_name(value)} is not of expected type: {dtype}"
    )


def decode_base64(value: dict[str, Any]) -> bytes:
    """Decodes `{"b64": "..."}`: standard alphabet, white space skipped.

    Padding may be left out; as for absl, which TensorFlow Serving decodes with, `.` pads too.
    """
    if not is_base64(value):
        raise format_error(value, "not formatted correctly for base64 data")
    text = value["b64"] if isinstance(value["b64"], bytes) else value["b64"].encode("utf-8")
    text = b"".join(text.split())
    digits = text.rstrip(b"=.")
    padding = len(text) - len(digits)
    try:
        if padding not in (0, -len(digits) % 4):
            raise binascii.Error
        return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except binascii.Error:
        raise invalid_argument("Unable to base64 decode") from None


def is_base64(value: Any) -> bool:
    """Whether a JSON value is `{"b64": "..."}`: bytes, not an object of named tensors."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and "b64" in value
        and isinstance(value["b64"], (str, bytes))
    )


def _numpy_type(dtype: str) -> type:
    try:
        return tf.as_dtype(dtype).as_numpy_dtype
    except (KeyError, TypeError):  # resources and variants have none
        raise _no_conversion([], dtype) from None


def _too_deep(name: str) -> ServingError:
    return invalid_argument(f"tensor parsing error: {name}")


def _no_conversion(value: Any, dtype: str) -> ServingError:
    text = value_text(value)
    return ServingError("UNIMPLEMENTED", f"Conversion of JSON Value: {text} to type: {dtype}")
