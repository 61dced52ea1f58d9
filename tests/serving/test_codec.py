"""Bodies to tensors: formats, dtypes, shapes, and whose fault an error is."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving import codec
from serving.errors import ServingError

# The machine may be busy; what is slow here says nothing.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

X = {"x": "float"}
MULTI = {"a": "int32", "s": "string"}


def read(body, inputs):
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return codec.read_tensors(
        codec.read_body(text.encode() if isinstance(text, str) else text), inputs
    )


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("float", [1.5, 2]),
        ("double", [0.1, -3]),
        ("int8", [-128, 127]),
        ("int16", [-32768, 32767]),
        ("int32", [-(2**31), 2**31 - 1]),
        ("int64", [-(2**63), 2**63 - 1]),
        ("uint8", [0, 255]),
        ("uint32", [0, 2**32 - 1]),
        ("uint64", [0, 2**64 - 1]),
        ("bool", [True, False]),
    ],
)
def test_dtype_is_the_signatures(dtype, values):
    (tensor,) = read({"instances": values}, {"x": dtype})[0].values()
    assert tensor.dtype.name == {"float": "float32", "double": "float64"}.get(dtype, dtype)
    assert tensor.tolist() == values


def test_shapes_are_the_nesting():
    def shape(body):
        return read(body, X)[0]["x"].shape

    assert shape({"instances": [[[1, 2]], [[3, 4]]]}) == (2, 1, 2)
    assert shape({"instances": [[], []]}) == (2, 0)
    assert shape({"inputs": [[1, 2]]}) == (1, 2)
    assert shape({"inputs": 1}) == ()
    assert shape({"inputs": []}) == (0,)


def test_strings_and_bytes():
    tensors, layout = read(
        {"instances": ["é", {"b64": "/w=="}, {"b64": " /\n w.."}]}, {"s": "string"}
    )
    assert tensors["s"].tolist() == ["é".encode(), b"\xff", b"\xff"]
    assert layout == codec.ROW
    tensors, layout = read({"inputs": {"s": {"b64": ""}}}, {"s": "string"})
    assert tensors["s"].item() == b""
    assert layout == codec.COLUMN
    assert read(b'{"inputs": "\xff"}', {"s": "string"})[0]["s"].item() == b"\xff"


ELEMENT = "Failed to process element: {} of 'instances' list. Error: INVALID_ARGUMENT: "


@pytest.mark.parametrize(
    ("inputs", "body", "message"),
    [
        (X, {"instances": ["x", "y"]}, ELEMENT.format(0) + 'JSON Value: "x" Type: String is not '
         "of expected type: float"),
        (X, {"instances": [True]}, ELEMENT.format(0) + "JSON Value: true Type: True is not of "
         "expected type: float"),
        (X, {"instances": [1, None]}, ELEMENT.format(1) + "JSON Value: null Type: Null is not of "
         "expected type: float"),
        (X, {"instances": [{"b64": "AA=="}]}, ELEMENT.format(0) + 'JSON Value: {\n    "b64": '
         '"AA=="\n} Type: Object is not of expected type: float'),
        (X, {"instances": [[1, 2], [3, 4], [[5, 6]]]}, ELEMENT.format(2) + "Expecting shape [2] "
         "but got: [1,2]"),
        (X, {"instances": [1, [1]]}, ELEMENT.format(1) + "Expecting shape [] but got: [1]"),
        (X, {"instances": [[1, 2], [3]]}, ELEMENT.format(1) + "Expecting tensor size: 2 but got: "
         "1"),
        (X, {"instances": [[[1, 2], [3]]]}, ELEMENT.format(0) + "Encountered list at unexpected "
         "size: 1 at level: 1 expected size: 2"),
        (X, {"instances": [[[1], 2]]}, ELEMENT.format(0) + "JSON Value: 2 found at incorrect "
         "level: 2 in the JSON DOM. Expected at level: 2"),
        (X, {"instances": [[1, [2]]]}, ELEMENT.format(0) + "Encountered list at unexpected level: "
         "1 expected < 1"),
        (X, {"instances": [{"x": 1}, 2]}, "Expecting object but got list at item 1 of input list"),
        (X, {"instances": [1, {"x": 2}]}, "Expecting value/list but got object at item 1 of input "
         "list"),
        (X, {"instances": [{"x": 1}, {"y": 2}]}, "Failed to process element: 1 key: y of "
         "'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named input: y"),
        (X, {"instances": [{}]}, "Failed to process element: 0 of 'instances' list. JSON object: "
         "{} keys must be equal to: x"),
        (X, {"inputs": [[1.0, 2.0], [3.0]]}, "Encountered list at unexpected size: 1 at level: 1 "
         "expected size: 2"),
        (X, {"inputs": [1, 2], "instances": [1]}, 'JSON Value: {\n    "inputs": [1, 2],\n    '
         '"instances": [1]\n} Not formatted correctly expecting only one of \'inputs\' or '
         "'instances' keys to exist "),
        (X, {"instances": 5}, "JSON Value: {\n    \"instances\": 5\n} Expecting 'instances' to be "
         "an list/array"),
        (X, {"instances": []}, "JSON Value: {\n    \"instances\": []\n} No values in 'instances' "
         "array"),
        (X, {"instances": [1e39]}, ELEMENT.format(0) + "Cannot convert JSON value: 1e39 to float "
         "without loss of precision."),
        (MULTI, {"instances": [1]}, "instances is a plain list, but expecting list of objects as "
         "multiple input tensors required as per tensorinfo_map"),
        (MULTI, {"inputs": [1]}, "inputs is a plain value/list, but expecting an object as "
         "multiple input tensors required as per tensorinfo_map"),
        (MULTI, {"instances": [{"a": [1, 2]}]}, "Failed to process element: 0 of 'instances' "
         'list. JSON object: {\n    "a": [1, 2]\n} keys must be equal to: a,s'),
        ({"s": "string"}, {"inputs": [1]}, "JSON Value: 1 Type: Number is not of expected type: "
         "string"),
        ({"s": "string"}, {"inputs": {"b64": "a-b_"}}, "Unable to base64 decode"),
        ({"s": "string"}, {"inputs": {"b64": "a"}}, "Unable to base64 decode"),
        ({"s": "string"}, {"inputs": {"s": {"b64": 1}}}, 'JSON Value: {\n    "b64": 1\n} not '
         "formatted correctly for base64 data"),
        ({"b": "bool"}, {"inputs": [1]}, "JSON Value: 1 Type: Number is not of expected type: "
         "bool"),
        ({"n": "int64"}, {"inputs": [1.0]}, "JSON Value: 1.0 Type: Number is not of expected type: "
         "int64"),
        ({"n": "int64"}, '{"inputs": [1e3]}', "JSON Value: 1000.0 Type: Number is not of expected "
         "type: int64"),
        ({"n": "int32"}, {"inputs": [2**31]}, "JSON Value: 2147483648 Type: Number is not of "
         "expected type: int32"),
        ({"n": "uint32"}, {"inputs": [-1]}, "JSON Value: -1 Type: Number is not of expected type: "
         "uint32"),
        ({"n": "uint64"}, {"inputs": [2**64]}, "JSON Value: 18446744073709552000.0 Type: Number"),
        ({"n": "int64"}, {"inputs": [2**63]}, "JSON Value: 9223372036854775808 Type: Number is not "
         "of expected type: int64"),
        (X, '{"inputs": ' + "[" * 600 + "]" * 600 + "}", "tensor parsing error: x"),
    ],
)  # fmt: skip
def test_refused(inputs, body, message):
    with pytest.raises(ServingError) as caught:
        read(body, inputs)
    assert caught.value.http_status == 400
    assert caught.value.message.startswith(message)


def test_types_without_a_json_form():
    """An element of them cannot be written, but an empty list has none."""
    tensor = read({"instances": [[], []]}, {"x": "bfloat16"})[0]["x"]
    assert (tensor.dtype.name, tensor.shape) == ("bfloat16", (2, 0))
    with pytest.raises(ServingError, match="to type: resource"):
        read({"inputs": []}, {"x": "resource"})
    with pytest.raises(ServingError) as caught:
        read({"inputs": [1.0]}, {"x": "half"})
    assert caught.value.http_status == 501
    with pytest.raises(ServingError) as caught:
        read({"instances": [1.0]}, {"x": "half"})
    assert caught.value.http_status == 400
    assert "UNIMPLEMENTED: Conversion of JSON Value: 1.0 to type: half" in caught.value.message


def test_a_long_list_is_read_like_a_short_one():
    """Leaf lists are taken whole when all their elements fit; otherwise the bad one is named."""
    good = [float(value) for value in range(1000)]
    assert read({"inputs": good}, X)[0]["x"].tolist() == good
    for bad, text in ((True, "true"), ("s", '"s"'), (None, "null")):
        with pytest.raises(ServingError, match=f"JSON Value: {text} "):
            read({"inputs": [*good, bad]}, X)
    with np.errstate(all="raise"):
        tensor = read(b'{"inputs": [NaN, 1.0, Infinity, 3]}', X)[0]["x"]
    assert np.isnan(tensor[0])
    assert tensor[2] == np.inf


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["b64", "x", "a", "s", "é"]), inner, max_size=3)
    ),
    max_leaves=15,
)
_dtypes = st.sampled_from(
    ["float", "double", "int8", "int32", "int64", "uint8", "uint64", "bool", "string", "half"]
)


@unhurried
@given(
    st.fixed_dictionaries({}, optional={"instances": _json, "inputs": _json}),
    st.dictionaries(st.sampled_from(["x", "a", "s"]), _dtypes, max_size=2),
)
def test_any_json_gives_tensors_or_an_error_of_the_client(body, inputs):
    try:
        tensors, layout = read(body, inputs)
    except ServingError as error:
        refused = error
    else:
        refused = None
    if refused:
        assert refused.http_status in (400, 501)
        refused.message.encode("utf-8", "surrogateescape")
        return
    assert set(tensors) <= set(inputs)
    assert all(isinstance(tensor, np.ndarray) for tensor in tensors.values())
    if layout == codec.ROW:
        assert {len(tensor) for tensor in tensors.values()} == {len(body["instances"])}


_bodies = st.sampled_from(
    [
        b'{"signature_name": "a", "instances": [{"x": [1.5, NaN], "s": "\xc3\xa9"}, {"x": 2}]}',
        b'{"inputs": {"x": [[1, -2], [3e5, 4]], "s": [{"b64": "/w=="}, "\\u00e9\\n"]}}',
        b'{"instances": [[[1], [2]], [[-Infinity], [true]]], "inputs": null}',
    ]
)


@unhurried
@given(_bodies, st.lists(st.tuples(st.integers(0, 95), st.binary(max_size=3)), max_size=4))
def test_any_bytes_give_tensors_or_an_error_of_the_client(body, edits):
    for place, replacement in edits:
        body = body[:place] + replacement + body[place + 1 :]
    for inputs in ({"x": "float"}, {"x": "int32", "s": "string"}):
        try:
            tensors, layout = read(body, inputs)
            status = 200
            codec.encode_outputs(tensors, layout)
        except ServingError as error:
            status = error.http_status
        assert status in (200, 400)


# RapidJSON's fast reading of numbers may miss a double by one digit in the last place. That is
# nothing in a float, save at its largest value: there the double next to it is already too large.
_floats = st.floats(-(2.0**126), 2.0**126, width=32) | st.sampled_from([np.nan, np.inf, -np.inf])


@unhurried
@given(st.lists(st.lists(_floats, min_size=2, max_size=2), min_size=1))
def test_what_goes_in_comes_out(rows):
    tensors, layout = read({"instances": rows}, X)
    answer = json.loads(codec.encode_outputs({"y": tensors["x"]}, layout))
    np.testing.assert_array_equal(
        np.array(answer["predictions"], np.float32), np.array(rows, np.float32)
    )
