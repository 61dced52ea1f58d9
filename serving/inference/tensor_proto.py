"""`TensorProto` to NumPy array and back, as TensorFlow itself reads and writes the message."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from zoo.serving.errors import invalid_argument

# A proto may repeat one value over its whole shape, so a short message can ask for any size.
_MAX_ELEMENTS = 2**28

# NumPy's name of a dtype -> the field of the proto that holds its values, one by one, and the type
# they have there.
_VALUE_FIELDS = {
    "float32": ("float_val", np.float32),
    "float64": ("double_val", np.float64),
    "int8": ("int_val", np.int32),
    "int16": ("int_val", np.int32),
    "int32": ("int_val", np.int32),
    "uint8": ("int_val", np.int32),
    "uint16": ("int_val", np.int32),
    "int64": ("int64_val", np.int64),
    "uint32": ("uint32_val", np.uint32),
    "uint64": ("uint64_val", np.uint64),
    "bool": ("bool_val", np.bool_),
    "object": ("string_val", object),
    "float16": ("half_val", np.uint16),
    "bfloat16": ("half_val", np.uint16),
    "complex64": ("scomplex_val", np.float32),
    "complex128": ("dcomplex_val", np.float64),
}
_BIT_PATTERNS = ("float16", "bfloat16", "complex64", "complex128")


def read_tensor(name: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
    """Reads a tensor from `tensor_content` or from the typed value field.

    Of too few values the last one is repeated; none at all are zeros; surplus ones are dropped.

    Args:
        name: The input's name, for the error message.
        proto: The message.

    Returns:
        The array; strings as an object array of `bytes`.

    Raises:
        ServingError: INVALID_ARGUMENT if the message is no tensor of known shape.
    """
    shape = [dim.size for dim in proto.tensor_shape.dim]
    size = math.prod(shape)
    try:
        if proto.tensor_shape.unknown_rank or min(shape, default=0) < 0 or size > _MAX_ELEMENTS:
            raise ValueError(f"shape {shape}")
        dtype = np.dtype(tf.as_dtype(proto.dtype).as_numpy_dtype)
        if proto.tensor_content and size:
            if dtype.name == "object":
                return _read_string_content(proto)
            return np.frombuffer(proto.tensor_content, dtype).reshape(shape)
        return _read_values(proto, dtype, size).reshape(shape)
    except (KeyError, OverflowError, TypeError, ValueError, tf.errors.OpError) as error:
        raise invalid_argument(f"tensor parsing error: {name}") from error


def write_tensor(array: np.ndarray) -> tensor_pb2.TensorProto:
    """Writes an array into the typed value field, as TensorFlow Serving's replies do.

    `tf.make_tensor_proto` would use `tensor_content`, which many clients do not read; so only rare
    types without a field of their own are left to it.
    """
    if array.dtype.name not in _VALUE_FIELDS:
        return tf.make_tensor_proto(array)
    proto = tensor_pb2.TensorProto(
        dtype=tf.as_dtype(tf.string if array.dtype == object else array.dtype).as_datatype_enum
    )
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    field, kind = _VALUE_FIELDS[array.dtype.name]
    flat = array.ravel()
    if array.dtype.name in _BIT_PATTERNS:
        flat = flat.view(kind)
    getattr(proto, field).extend(flat.tolist())
    return proto


def _read_values(proto: tensor_pb2.TensorProto, dtype: np.dtype, size: int) -> np.ndarray:
    field, kind = _VALUE_FIELDS[dtype.name]
    sent = getattr(proto, field)
    numbers = 2 if dtype.kind == "c" else 1  # of the field, for one element
    count = min(len(sent) // numbers, size)
    wire = np.int32 if field == "half_val" else kind
    values = np.fromiter(sent, wire, count * numbers).astype(kind, copy=False)
    if dtype.name in _BIT_PATTERNS:
        values = values.view(dtype)
    values = values.astype(dtype, copy=False)  # out of range wraps around, as in C++
    if count == size:
        return values
    if count:
        return np.concatenate([values, np.full(size - count, values[-1], dtype)])
    return np.full(size, b"" if dtype.name == "object" else 0, dtype)


def _read_string_content(proto: tensor_pb2.TensorProto) -> np.ndarray:
    """Strings in `tensor_content` have a format of TensorFlow's own, so it reads them itself."""
    if proto.dtype != types_pb2.DT_STRING:
        raise ValueError(f"dtype {proto.dtype}")
    return tf.io.parse_tensor(proto.SerializeToString(), tf.string).numpy()
