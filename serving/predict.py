"""Runs a `PredictRequest` message: what gRPC clients send and what warm-up files hold."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from serving.codec import DEFAULT_SIGNATURE
from serving.errors import ServingError, invalid_argument
from serving.servable import Servable

# A proto may repeat one value over its whole shape, so a short message can ask for any size.
_MAX_ELEMENTS = 2**28

# NumPy's name of a dtype -> the typed field of `TensorProto` that holds its values.
_VALUE_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int8": "int_val",
    "int16": "int_val",
    "int32": "int_val",
    "uint8": "int_val",
    "uint16": "int_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "object": "string_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
}


def run_predict_request(
    servable: Servable, request: predict_pb2.PredictRequest, timeout_ms: int = 0
) -> dict[str, np.ndarray]:
    """Runs the request's signature on its tensors; the model named in it is not looked at.

    Args:
        servable: The model version to run.
        request: `inputs`, `model_spec.signature_name` and `output_filter` are used.
        timeout_ms: After which the run is given up; 0 waits for ever.

    Returns:
        Output name -> array.

    Raises:
        ServingError: FAILED_PRECONDITION for an unknown signature, INVALID_ARGUMENT for tensors
            that are not the signature's, or what the model raised.
    """
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    if name not in servable.signatures:
        raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
    inputs = {name: _read_tensor(name, proto) for name, proto in request.inputs.items()}
    return servable.run(
        name, inputs, output_names=list(request.output_filter), timeout_ms=timeout_ms
    )


def write_tensor(array: np.ndarray) -> tensor_pb2.TensorProto:
    """Writes an array into the typed value field, as TensorFlow Serving's replies do.

    `tf.make_tensor_proto` would use `tensor_content`, which many clients do not read.
    """
    proto = tensor_pb2.TensorProto(
        dtype=tf.as_dtype(tf.string if array.dtype == object else array.dtype).as_datatype_enum
    )
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    field = _VALUE_FIELDS[array.dtype.name]
    flat = array.ravel()
    if field == "half_val":
        flat = flat.view(np.uint16)
    elif field in ("scomplex_val", "dcomplex_val"):
        flat = flat.view(np.float32 if field == "scomplex_val" else np.float64)
    getattr(proto, field).extend(flat.tolist())
    return proto


def _read_tensor(name: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    try:
        if any(size < 0 for size in sizes) or math.prod(sizes) > _MAX_ELEMENTS:
            raise ValueError(f"shape {sizes}")
        return tf.make_ndarray(proto)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise invalid_argument(f"tensor parsing error: {name}") from error
