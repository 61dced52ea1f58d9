"""What a model offers to a server, checked before anything is written.

A server knows a signature only: tensors by name, in and out, of any dtype that REST carries and of
any rank, with the batch as first dimension. What is checked here is what would otherwise be found
by the first client.
"""

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from zoo.export.errors import ExportError

if TYPE_CHECKING:
    from zoo.models.base import Signature

# TensorFlow Serving's REST API reads and writes these; cast float16 and bfloat16 to float32.
WIRE_DTYPES = (
    *(tf.bool, tf.string, tf.float32, tf.float64, tf.int8, tf.int16, tf.int32, tf.int64),
    *(tf.uint8, tf.uint32, tf.uint64),
)


def of(model: Any) -> dict[str, "Signature"]:
    """The checked signatures of a model.

    Args:
        model: Offers `signatures()`, which gives a `zoo.models.base.Signature` by name.

    Returns:
        Signature by name; `serving_default` is among them.

    Raises:
        ExportError: A signature is missing, or does not keep to what the module says.
    """
    if not callable(getattr(model, "signatures", None)):
        raise ExportError(
            "model must offer signatures(), which returns a zoo.models.base.Signature by name. "
            f"Received: model={model!r}"
        )
    signatures = model.signatures()
    if "serving_default" not in signatures:
        raise ExportError(
            "a model needs the signature 'serving_default', which answers requests that name none. "
            f"Received: signatures={sorted(signatures)}"
        )
    for name, signature in signatures.items():
        _check_inputs(f"signature {name!r}", signature)
    return signatures


def example(signature: "Signature") -> dict[str, tf.Tensor]:
    """The example request of a signature as tensors, by input name."""
    return {name: tf.convert_to_tensor(value) for name, value in signature.examples.items()}


def empty(signature: "Signature") -> dict[str, tf.Tensor]:
    """The example request without rows."""
    return {name: value[:0] for name, value in example(signature).items()}


def _check_inputs(who: str, signature: "Signature") -> None:
    specs, examples = signature.inputs, signature.examples
    if not specs or set(specs) != set(examples):
        raise ExportError(
            f"{who} needs inputs and an example for each. "
            f"Received: inputs={sorted(specs)}, examples={sorted(examples)}"
        )
    rows = {name: _check_input(who, name, spec, examples[name]) for name, spec in specs.items()}
    if len(set(rows.values())) != 1 or 0 in rows.values():
        raise ExportError(
            f"{who}: the examples need the same number of rows, at least 1. Received: rows={rows}"
        )


def _check_input(who: str, name: str, spec: tf.TensorSpec, value: Any) -> int:
    """Checks one input and its example, and returns the example's number of rows."""
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):  # TensorFlow would change it
        raise ExportError(
            f"{who}: the name of an input must be letters, digits and underscores, a letter first. "
            f"Received: {name!r}"
        )
    if spec.dtype not in WIRE_DTYPES:
        raise ExportError(f"{who}: REST cannot carry input {name!r}. Received: {spec}")
    if not spec.shape.rank or spec.shape[0] is not None:
        raise ExportError(
            f"{who}: input {name!r} needs the batch, of any size, as first dimension "
            f"(shape [None, ...]). Received: {spec}"
        )
    try:
        tensor = tf.convert_to_tensor(value)
    except (TypeError, ValueError) as error:
        raise ExportError(
            f"{who}: the example of input {name!r} must be one array. "
            f"Received: {value!r:.100} ({error})"
        ) from error
    if tensor.dtype != spec.dtype or not spec.shape.is_compatible_with(tensor.shape):
        raise ExportError(
            f"{who}: the example of input {name!r} must fit {spec} exactly. Received: "
            f"dtype={tensor.dtype.name}, shape={tensor.shape}"
        )
    return tensor.shape[0]


def check_outputs(name: str, outputs: Any) -> dict[str, tf.Tensor]:
    """The outputs of a signature's function, eager or traced, if they will do.

    Args:
        name: Name of the signature, for the message.
        outputs: What its function returned.

    Returns:
        The outputs as they are.

    Raises:
        ExportError: They are not a dict of batch-first tensors that REST can write.
    """
    who = f"signature {name!r}"
    if not isinstance(outputs, dict) or not outputs:
        raise ExportError(
            f"{who} must return a dict of tensors by output name. "
            f"Received: {type(outputs).__name__}"
        )
    for key, value in outputs.items():
        if not isinstance(value, tf.Tensor):
            raise ExportError(
                f"{who}: output {key!r} must be a dense tensor. Received: {type(value).__name__}"
            )
        if value.dtype not in WIRE_DTYPES:
            raise ExportError(
                f"{who}: REST cannot carry output {key!r}; cast it. Received: {value.dtype.name}"
            )
        if value.shape.rank == 0:
            raise ExportError(
                f"{who}: output {key!r} has no batch dimension. Received: shape={value.shape}"
            )
    return outputs


def check_rows(who: str, outputs: dict[str, np.ndarray], rows: int) -> None:
    """Refuses outputs that have not one row for each row of the request.

    Args:
        who: What produced the outputs, for the message.
        outputs: Arrays by output name.
        rows: Rows of the request.

    Raises:
        ExportError: An output has another number of rows, or none.
    """
    for name, value in outputs.items():
        if value.ndim == 0 or value.shape[0] != rows:
            raise ExportError(
                f"{who}: the first dimension of output {name!r} must be the batch, {rows} here. "
                f"Received: shape={list(value.shape)}"
            )
