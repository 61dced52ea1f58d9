"""From a request body and a signature to tensors: TensorFlow Serving's row and column formats.

Pure functions. The order of the checks and the texts of the errors are TensorFlow Serving's: a
client that shows them to its user shows the same text against either server.

Row format, `{"instances": [...]}`: one entry per row of the batch. Column format,
`{"inputs": ...}`: whole tensors. Nothing is cast, broadcast or padded: a tensor's dtype is the
signature's and its shape is the nesting of the lists.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from serving import json_in, json_out
from serving.errors import ServingError, invalid_argument

DEFAULT_SIGNATURE = "serving_default"
ROW, COLUMN = "row", "column"

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
# Whole numbers up to this size, and any fraction up to the type's maximum, fit a float.
_FLOATS = {"float": (2**24 - 1, np.float32), "double": (2**53 - 1, np.float64)}
_FLOAT_TYPES = frozenset((int, float))


@dataclass(frozen=True)
class PredictBody:
    """A body that is a JSON object with a valid `signature_name`; its tensors are not read yet.

    Attributes:
        document: The parsed object.
        signature_name: As sent; empty if it was not.
    """

    document: dict[str, Any]
    signature_name: str


def read_body(body: bytes) -> PredictBody:
    """Parses a body as far as it can be judged without knowing the model.

    Raises:
        ServingError: Not JSON, not an object, or `signature_name` is not a string.
    """
    document = json_in.parse(body)
    if not isinstance(document, dict):
        raise _format_error(document, "Is not object")
    name = document.get("signature_name", "")
    if not isinstance(name, (str, bytes)):
        raise _format_error(
            document, "not formatted correctly. 'signature_name' key must be a string value."
        )
    return PredictBody(document, name if isinstance(name, str) else name.decode(errors="replace"))


def read_tensors(body: PredictBody, inputs: Mapping[str, str]) -> tuple[dict[str, np.ndarray], str]:
    """Fills the tensors of a signature from a body.

    Args:
        body: From `read_body`.
        inputs: Input name -> TensorFlow's name of its dtype ("float", "int64", "string", ...).

    Returns:
        Name -> array (strings as object arrays of `bytes`), and `ROW` or `COLUMN`.

    Raises:
        ServingError: With TensorFlow Serving's code and message.
    """
    document = body.document
    if not inputs:
        raise invalid_argument(
            f"Failed to get input map for signature: {body.signature_name or 'DEFAULT'}"
        )
    if "instances" in document:
        if "inputs" in document:
            raise _format_error(
                document,
                "Not formatted correctly expecting only one of 'inputs' or 'instances' keys "
                "to exist ",
            )
        instances = document["instances"]
        if not isinstance(instances, list):
            raise _format_error(document, "Expecting 'instances' to be an list/array")
        if not instances:
            raise _format_error(document, "No values in 'instances' array")
        return _read_rows(instances, inputs), ROW
    if "inputs" in document:
        return _read_columns(document["inputs"], inputs), COLUMN
    raise invalid_argument("Missing 'inputs' or 'instances' key")


def encode_outputs(outputs: Mapping[str, np.ndarray], layout: str) -> bytes:
    """Writes the reply in the layout of the request, `ROW` or `COLUMN`."""
    return json_out.predictions(outputs) if layout == ROW else json_out.outputs_object(outputs)


class _Tensor:
    """Collects the elements of one tensor: flat values and the shape of one item."""

    def __init__(self, name: str, dtype: str):
        self.name = name
        self.dtype = dtype
        self.values: list[Any] = []
        self.shape: tuple[int, ...] | None = None

    def add(self, item: Any) -> None:
        """Appends an item; all items of a tensor have the same shape."""
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
                f"Expecting shape {_shape_text(self.shape)} but got: {_shape_text(shape)}"
            )

    def array(self, batch: tuple[int, ...]) -> np.ndarray:
        """The items as one array `batch + shape`; `batch` is empty for a single item."""
        if self.dtype == "string":
            array = np.empty(len(self.values), object)
            array[:] = self.values
        elif self.dtype in _FLOATS:
            array = np.array(self.values, _FLOATS[self.dtype][1])
        elif self.dtype == "bool":
            array = np.array(self.values, bool)
        elif self.dtype in _WHOLE_NUMBERS:
            wide = np.uint64 if self.dtype == "uint64" else np.int64
            array = np.array(self.values, wide).astype(self.dtype)
        else:  # an empty list got here without meeting `_element`
            raise _no_conversion([], self.dtype)
        return array.reshape(batch + self.shape)


def _read_rows(instances: list[Any], inputs: Mapping[str, str]) -> dict[str, np.ndarray]:
    if len(inputs) > 1 and not isinstance(instances[0], dict):
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    if _is_named(instances[0]):
        tensors = _read_named_rows(instances, inputs)
    else:
        tensors = _read_plain_rows(instances, min(inputs), inputs)
    return {tensor.name: tensor.array((len(instances),)) for tensor in tensors}


def _read_named_rows(instances: list[Any], inputs: Mapping[str, str]) -> list[_Tensor]:
    tensors = {name: _Tensor(name, dtype) for name, dtype in inputs.items()}
    for index, row in enumerate(instances):
        if not _is_named(row):
            raise invalid_argument(f"Expecting object but got list at item {index} of input list")
        for name, item in row.items():
            try:
                if name not in tensors:
                    raise invalid_argument(f"JSON object: does not have named input: {name}")
                tensors[name].add(item)
            except ServingError as error:
                raise invalid_argument(
                    f"Failed to process element: {index} key: {name} of 'instances' list. "
                    f"Error: {error}"
                ) from None
        if len(row) != len(tensors):
            raise invalid_argument(
                f"Failed to process element: {index} of 'instances' list. "
                f"JSON object: {json_out.value_text(row)} "
                f"keys must be equal to: {','.join(sorted(tensors))}"
            )
    return list(tensors.values())


def _read_plain_rows(instances: list[Any], name: str, inputs: Mapping[str, str]) -> list[_Tensor]:
    tensor = _Tensor(name, inputs[name])
    for index, item in enumerate(instances):
        if _is_named(item):
            raise invalid_argument(
                f"Expecting value/list but got object at item {index} of input list"
            )
        try:
            tensor.add(item)
        except ServingError as error:
            raise invalid_argument(
                f"Failed to process element: {index} of 'instances' list. Error: {error}"
            ) from None
    return [tensor]


def _read_columns(value: Any, inputs: Mapping[str, str]) -> dict[str, np.ndarray]:
    if _is_named(value):
        items = {}
        for name in inputs:
            if name not in value:
                raise invalid_argument(f"Missing named input: {name} in 'inputs' object.")
            items[name] = value[name]
    elif len(inputs) > 1:
        raise invalid_argument(
            "inputs is a plain value/list, but expecting an object as multiple input tensors "
            "required as per tensorinfo_map"
        )
    else:
        items = {next(iter(inputs)): value}
    arrays = {}
    for name, item in items.items():
        tensor = _Tensor(name, inputs[name])
        tensor.add(item)
        arrays[name] = tensor.array(())
    return arrays


def _dense_shape(item: Any, name: str) -> tuple[int, ...]:
    """The shape that the first element of every list promises."""
    shape = []
    while isinstance(item, list):
        shape.append(len(item))
        if not item:
            break
        item = item[0]
    if len(shape) > _MAX_RANK:
        raise invalid_argument(f"tensor parsing error: {name}")
    return tuple(shape)


def _fill(values: list[Any], item: Any, level: int, shape: tuple[int, ...], dtype: str) -> None:
    """Appends the leaves of `item` to `values`, checking that it keeps the promised `shape`."""
    if not isinstance(item, list):
        if level != len(shape):
            raise invalid_argument(
                f"JSON Value: {json_out.value_text(item)} found at incorrect level: {level + 1} "
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
        largest = np.finfo(_FLOATS[dtype][1]).max if kinds == {float} else _FLOATS[dtype][0]
        # A NaN or an infinity fails the comparison and is looked at by itself.
        return kinds <= _FLOAT_TYPES and -largest <= min(items) and max(items) <= largest
    if dtype in _WHOLE_NUMBERS and kinds == {int}:
        smallest, largest = _WHOLE_NUMBERS[dtype]
        return smallest <= min(items) and max(items) <= largest
    return dtype == "bool" and kinds == {bool}


def _element(value: Any, dtype: str) -> Any:
    """Converts one scalar, or raises the error that names it."""
    kind = type(value)
    if kind is dict:
        if dtype == "string":
            return _decode_base64(value)
    elif dtype == "string":
        if kind is str:
            return value.encode("utf-8")
        if kind is bytes:
            return value
    elif dtype in _FLOATS:
        if kind in _FLOAT_TYPES:
            return _lossless(value, dtype)
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
        f"JSON Value: {json_out.value_text(value)} Type: {json_out.type_name(value)} "
        f"is not of expected type: {dtype}"
    )


def _lossless(value: float, dtype: str) -> float:
    largest_whole, numpy_type = _FLOATS[dtype]
    largest = largest_whole if type(value) is int else float(np.finfo(numpy_type).max)
    if abs(value) <= largest or value != value or value in (float("inf"), float("-inf")):
        return value
    raise invalid_argument(
        f"Cannot convert JSON value: {json_out.value_text(value)} to {dtype} "
        "without loss of precision."
    )


def _decode_base64(value: dict[str, Any]) -> bytes:
    """Decodes `{"b64": "..."}`: standard alphabet, padding optional, white space skipped."""
    if not _is_base64(value):
        raise _format_error(value, "not formatted correctly for base64 data")
    text = value["b64"] if isinstance(value["b64"], bytes) else value["b64"].encode("utf-8")
    text = b"".join(text.split())
    digits = text.rstrip(b"=")
    padding = len(text) - len(digits)
    try:
        if padding not in (0, -len(digits) % 4):
            raise binascii.Error
        return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except binascii.Error:
        raise invalid_argument("Unable to base64 decode") from None


def _is_base64(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) == 1
        and "b64" in value
        and isinstance(value["b64"], (str, bytes))
    )


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _shape_text(shape: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


def _no_conversion(value: Any, dtype: str) -> ServingError:
    text = json_out.value_text(value)
    return ServingError("UNIMPLEMENTED", f"Conversion of JSON Value: {text} to type: {dtype}")


def _format_error(value: Any, text: str) -> ServingError:
    return invalid_argument(f"JSON Value: {json_out.value_text(value)} {text}")
