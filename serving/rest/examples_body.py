"""Reads classify and regress requests: `tf.Example`s from JSON.

Pure functions. An example is a JSON object of features; a feature is a value or a list of values
of one kind: whole numbers and booleans, other numbers, or strings and base64 objects.
"""

from typing import Any

from tensorflow.core.example import example_pb2, feature_pb2
from tensorflow_serving.apis import input_pb2

from zoo.serving.errors import invalid_argument
from zoo.serving.rest.json_quoting import format_error, type_name
from zoo.serving.rest.predict_body import PredictBody, read_body
from zoo.serving.rest.tensor_builder import decode_base64, is_base64


def read_examples(body: bytes) -> tuple[str, input_pb2.Input]:
    """Reads the body of a classify or regress request.

    Args:
        body: `{"signature_name": ..., "context": {...}, "examples": [{...}, ...]}`, of which
            only the examples are required.

    Returns:
        The signature's name, empty if it was not sent, and the examples.

    Raises:
        ServingError: INVALID_ARGUMENT with TensorFlow Serving's message.

    Example:
        >>> read_examples(b'{"examples": [{"x": 1.5}]}')[1].example_list.examples[0]
        features { feature { key: "x" value { float_list { value: 1.5 } } } }
    """
    parsed: PredictBody = read_body(body)
    document = parsed.document
    request = input_pb2.Input()
    if "context" in document:
        target = request.example_list_with_context
        target.context.CopyFrom(_example(document["context"]))
    else:
        target = request.example_list
    if "examples" not in document:
        raise format_error(
            document, "When method is classify, key 'examples' is expected and was not found"
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise format_error(document, "Expecting 'examples' value to be an list/array")
    if not examples:
        raise format_error(document, "'examples' value is an empty array")
    target.examples.extend(map(_example, examples))
    return parsed.signature_name, request


def _example(value: Any) -> example_pb2.Example:
    if not isinstance(value, dict):
        raise invalid_argument(f"Example must be JSON object but got JSON {type_name(value)}")
    example = example_pb2.Example()
    for name, content in value.items():
        feature = example.features.feature[name]
        for item in content if isinstance(content, list) else [content]:
            _add(feature, item, name)
    return example


def _add(feature: feature_pb2.Feature, item: Any, name: str) -> None:
    """Appends a value to the list of its kind; a feature has one list only."""
    if isinstance(item, (str, bytes)):
        value = item.encode() if isinstance(item, str) else item
        _list_of("bytes", feature, name).append(value)
    elif is_base64(item):
        _list_of("bytes", feature, name).append(decode_base64(item))
    elif isinstance(item, float):
        _list_of("float", feature, name).append(item)
    elif isinstance(item, int):
        values = _list_of("int64", feature, name)
        if item >= 2**63:
            raise invalid_argument(
                f"Feature: {name} has uint64 element. Only int64_t is supported."
            )
        values.append(int(item))
    else:
        raise invalid_argument(
            f"Feature: {name} has element with unexpected JSON type: {type_name(item)}"
        )


def _list_of(kind: str, feature: feature_pb2.Feature, name: str) -> Any:
    present = feature.WhichOneof("kind")
    if present not in (None, f"{kind}_list"):
        raise invalid_argument(
            f"Unexpected element type in feature: {name} "
            f"expecting type: {present.removesuffix('_list')}"
        )
    return getattr(feature, f"{kind}_list").value
