"""Reads tensors from a request body: TensorFlow Serving's row and column formats.

Pure functions. The order of the checks and the texts of the errors are TensorFlow Serving's: a
client that shows them to its user shows the same text against either server.

Row format, `{"instances": [...]}`: one entry per row of the batch. Column format,
`{"inputs": ...}`: whole tensors. Nothing is cast, broadcast or padded: a tensor's dtype is the
signature's and its shape is the nesting of the lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.serving.errors import ServingError, invalid_argument
from zoo.serving.rest import json_reader, json_writer
from zoo.serving.rest.json_quoting import format_error, value_text
from zoo.serving.rest.tensor_builder import TensorBuilder, is_base64

ROW, COLUMN = "row", "column"


@dataclass(frozen=True)
class PredictBody:
    """A body that is a JSON object with a valid `signature_name`; its tensors are not read yet.

    Attributes:
        document: The parsed object.
        signature_name: The name as it was sent; empty if it was not.
    """

    document: dict[str, Any]
    signature_name: str


def read_body(body: bytes) -> PredictBody:
    """Parses a body as far as it can be judged without knowing the model.

    Raises:
        ServingError: The body is not JSON or no object, or `signature_name` is not a string.
    """
    document = json_reader.parse(body)
    if not isinstance(document, dict):
        raise format_error(document, "Is not object")
    name = document.get("signature_name", "")
    if not isinstance(name, (str, bytes)):
        raise format_error(
            document, "not formatted correctly. 'signature_name' key must be a string value."
        )
    return PredictBody(document, name if isinstance(name, str) else name.decode(errors="replace"))


def read_tensors(body: PredictBody, inputs: Mapping[str, str]) -> tuple[dict[str, np.ndarray], str]:
    """Fills the tensors of a signature from a body.

    Args:
        body: What `read_body` returned.
        inputs: Input name -> TensorFlow's name of its dtype ("float", "int64", "string", ...).

    Returns:
        Name -> array (strings as object arrays of `bytes`), and `ROW` or `COLUMN`.

    Raises:
        ServingError: The body does not fit; with TensorFlow Serving's code and message.
    """
    document = body.document
    if not inputs:
        raise invalid_argument(
            f"Failed to get input map for signature: {body.signature_name or 'DEFAULT'}"
        )
    if "instances" in document:
        if "inputs" in document:
            raise format_error(
                document,
                "Not formatted correctly expecting only one of 'inputs' or 'instances' keys "
                "to exist ",
            )
        instances = document["instances"]
        if not isinstance(instances, list):
            raise format_error(document, "Expecting 'instances' to be an list/array")
        if not instances:
            raise format_error(document, "No values in 'instances' array")
        return _read_rows(instances, inputs), ROW
    if "inputs" in document:
        return _read_columns(document["inputs"], inputs), COLUMN
    raise invalid_argument("Missing 'inputs' or 'instances' key")


def encode_outputs(outputs: Mapping[str, np.ndarray], layout: str) -> bytes:
    """Writes the reply in the layout of the request, `ROW` or `COLUMN`."""
    return (
        json_writer.predictions(outputs) if layout == ROW else json_writer.outputs_object(outputs)
    )


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


def _read_named_rows(instances: list[Any], inputs: Mapping[str, str]) -> list[TensorBuilder]:
    tensors = {name: TensorBuilder(name, dtype) for name, dtype in inputs.items()}
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
                f"JSON object: {value_text(row)} "
                f"keys must be equal to: {','.join(sorted(tensors))}"
            )
    return list(tensors.values())


def _read_plain_rows(
    instances: list[Any], name: str, inputs: Mapping[str, str]
) -> list[TensorBuilder]:
    tensor = TensorBuilder(name, inputs[name])
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
        tensor = TensorBuilder(name, inputs[name])
        tensor.add(item)
        arrays[name] = tensor.array(())
    return arrays


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)
