"""Bodies of classify and regress requests: from JSON to `tf.Example`s."""

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.example import example_pb2
from tensorflow_serving.apis import input_pb2

from zoo.serving.errors import ServingError
from zoo.serving.inference.classify import serialized_examples
from zoo.serving.rest.examples_body import read_examples


def read(body) -> tuple[str, input_pb2.Input]:
    return read_examples(body if isinstance(body, bytes) else json.dumps(body).encode())


def features(example: example_pb2.Example) -> dict[str, list]:
    return {
        name: list(getattr(feature, feature.WhichOneof("kind")).value)
        for name, feature in example.features.feature.items()
        if feature.WhichOneof("kind")
    }


def test_kinds_of_features():
    body = b"""{"signature_name": "sig", "examples": [{
        "whole": 20, "wholes": [1, true, false, -9223372036854775808], "floats": [8.0, 1e3, NaN],
        "infinite": -Infinity, "text": "\xc3\xa9", "bytes": ["a", {"b64": "/w=="}, "\xff"],
        "empty": [], "b64": {"b64": "aGVsbG8"}
    }, {}]}"""
    name, request = read(body)
    first, second = map(features, request.example_list.examples)
    assert name == "sig"
    assert math.isnan(first["floats"].pop())
    assert first == {
        "whole": [20],
        "wholes": [1, 1, 0, -(2**63)],
        "floats": [8.0, 1000.0],
        "infinite": [-math.inf],
        "text": ["é".encode()],
        "bytes": [b"a", b"\xff", b"\xff"],
        "b64": [b"hello"],
    }
    assert second == {}
    assert "empty" in request.example_list.examples[0].features.feature


def test_any_fraction_is_rounded_to_a_float():
    body = b'{"examples": [{"x": [18446744073709551616, 1e39, 0.1, 3.4028234700000002e38]}]}'
    (example,) = read(body)[1].example_list.examples
    largest = float(np.finfo(np.float32).max)
    assert features(example)["x"] == [2.0**64, math.inf, float(np.float32(0.1)), largest]


def test_names_of_features_that_are_no_text():
    (example,) = read(b'{"examples": [{"\xff": "\xff"}]}')[1].example_list.examples
    assert list(features(example).values()) == [[b"\xff"]]


def test_context_stands_before_every_example():
    context = {"query": "pizza", "x": 1.0}
    _, request = read({"context": context, "examples": [{"y": 2}, {"x": 3.0}]})
    merged = [
        features(example_pb2.Example.FromString(each)) for each in serialized_examples(request)
    ]
    assert merged == [
        {"query": [b"pizza"], "x": [1.0], "y": [2]},
        {"query": [b"pizza"], "x": [3.0]},  # the example's own wins
    ]
    assert read({"context": {}, "examples": [{}]})[1].HasField("example_list_with_context")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error: The document is empty"),
        ([1], "JSON Value: [1] Is not object"),
        ({"signature_name": ["a"], "examples": [{}]}, "'signature_name' key must be a str"),
        ({"examples": {"x": 1}}, "Expecting 'examples' value to be an list/array"),
        ({"examples": 5}, 'JSON Value: {\n    "examples": 5\n} Expecting'),
        ({"examples": []}, "'examples' value is an empty array"),
        ({}, "When method is classify, key 'examples' is expected and was not found"),
        ({"examples": [{}, [1]]}, "Example must be JSON object but got JSON Array"),
        ({"examples": [None]}, "Example must be JSON object but got JSON Null"),
        ({"context": [1], "examples": 5}, "Example must be JSON object but got JSON Array"),
        ({"examples": [{"x": [10, 10.0]}]}, "in feature: x expecting type: int64"),
        ({"examples": [{"x": [10.0, 10]}]}, "in feature: x expecting type: float"),
        ({"examples": [{"x": ["a", True]}]}, "in feature: x expecting type: bytes"),
        ({"examples": [{"x": [1, {"b64": "QQ=="}]}]}, "x expecting type: int64"),
        ({"context": {"c": [1, "a"]}, "examples": [{}]}, "c expecting type: int64"),
        ({"examples": [{"x": [10, None]}]}, "has element with unexpected JSON type: Null"),
        ({"examples": [{"x": [[1], 2]}]}, "x has element with unexpected JSON type: Array"),
        ({"examples": [{"x": {"t": 1}}]}, "has element with unexpected JSON type: Object"),
        ({"examples": [{"x": {"b64": 1}}]}, "element with unexpected JSON type: Object"),
        ({"examples": [{"x": 2**63}]}, "x has uint64 element. Only int64_t is supported"),
        ({"examples": [{"x": {"b64": "a-_b"}}]}, "Unable to base64 decode"),
    ],
)  # fmt: skip
def test_refused(body, message):
    with pytest.raises(ServingError) as caught:
        read(body)
    assert caught.value.http_status == 400
    assert message in caught.value.message


@pytest.mark.parametrize("field", [None, "example_list", "example_list_with_context"])
def test_no_examples(field):
    request = input_pb2.Input()
    if field:
        getattr(request, field).SetInParent()
    with pytest.raises(ServingError, match="Input is empty"):
        serialized_examples(request)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["b64", "x", "é"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.fixed_dictionaries(
        {},
        optional={"examples": st.lists(_json) | _json, "context": _json, "signature_name": _json},
    )
)
def test_any_json_gives_examples_or_an_error_of_the_client(body):
    try:
        _, request = read(body)
    except ServingError as error:
        refused = error.http_status
    else:
        refused = None
        assert len(serialized_examples(request)) == len(body["examples"])
    assert refused in (None, 400)
