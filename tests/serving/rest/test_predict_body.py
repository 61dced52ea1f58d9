"""Bodies to tensors: formats, dtypes, shapes, and whose fault an error is."""

import json

import numpy as np
import pytest

from zoo.serving.errors import ServingError
from zoo.serving.rest import predict_body

X = {"x": "float"}
MULTI = {"a": "int32", "s": "string"}


def read(body, inputs):
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return predict_body.read_tensors(
        predict_body.read_body(text.encode() if isinstance(text, str) else text), inputs
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


@pytest.mark.parametrize(
    ("dtype", "text", "expected"),
    [
        ("float", "1435774380", np.float32(1435774380)),
        ("float", "16777216", 16777216.0),
        ("float", "-16777217", -16777216.0),
        ("float", "9007199254740993", 9007199254740992.0),
        ("float", "0.1", np.float32(0.1)),
        ("float", "3.4028234700000002e38", np.finfo(np.float32).max),
        ("float", "1e39", np.inf),
        ("float", "-1e39", -np.inf),
        ("float", "1e-60", 0.0),
        ("float", "18446744073709551615", 2.0**64),
        ("float", "18446744073709551616", 2.0**64),
        ("double", "9007199254740993", 9007199254740992.0),
        ("double", "18446744073709551615", 2.0**64),
        ("double", "1e300", 1e300),
    ],
)
def test_any_number_is_rounded_to_a_float(dtype, text, expected):
    for body in (f'{{"instances": [{text}, 0.5]}}', f'{{"inputs": [[{text}], [1]]}}'):
        (tensor,) = read(body, {"x": dtype})[0].values()
        assert tensor.dtype == {"float": np.float32, "double": np.float64}[dtype]
        assert tensor.flat[0] == expected


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
    assert layout == predict_body.ROW
    tensors, layout = read({"inputs": {"s": {"b64": ""}}}, {"s": "string"})
    assert tensors["s"].item() == b""
    assert layout == predict_body.COLUMN
    assert read(b'{"inputs": "\xff"}', {"s": "string"})[0]["s"].item() == b"\xff"


def wrong_type(text: str, kind: str, dtype: str) -> str:
    return f"JSON Value: {text} Type: {kind} is not of expected type: {dtype}"


def unequal_lists(level: int) -> str:
    return f"Encountered list at unexpected size: 1 at level: {level} expected size: 2"


S, N = {"s": "string"}, {"n": "int64"}


@pytest.mark.parametrize(
    ("dtypes", "rows", "index", "message"),
    [
        (X, ["x", "y"], 0, wrong_type('"x"', "String", "float")),
        (X, [True], 0, wrong_type("true", "True", "float")),
        (X, [1, None], 1, wrong_type("null", "Null", "float")),
        (X, [{"b64": "AA=="}], 0, wrong_type('{\n    "b64": "AA=="\n}', "Object", "float")),
        (X, [[1, 2], [3, 4], [[5, 6]]], 2, "Expecting shape [2] but got: [1,2]"),
        (X, [1, [1]], 1, "Expecting shape [] but got: [1]"),
        (X, [[[]], [[], []]], 1, "Expecting shape [1,0] but got: [2,0]"),
        (X, [[1, 2], [3]], 1, "Expecting tensor size: 2 but got: 1"),
        (X, [[], 1], 1, "Expecting tensor size: 0 but got: 1"),
        (X, [[[1, 2], [3]]], 0, unequal_lists(level=1)),
        (X, [[[[1], [2]], [[3]]]], 0, unequal_lists(level=1)),
        (X, [[1, [2]]], 0, "Encountered list at unexpected level: 1 expected < 1"),
        (
            X,
            [[[1], 2]],
            0,
            "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
        ),
        (S, [{"b64": "a-b_"}], 0, "Unable to base64 decode"),
        (S, [{"b64": "QQ="}], 0, "Unable to base64 decode"),
        (N, [1, 1.0], 1, wrong_type("1.0", "Number", "int64")),
    ],
)
def test_rows_refused(dtypes, rows, index, message):
    with pytest.raises(ServingError) as caught:
        read({"instances": rows}, dtypes)
    assert caught.value.http_status == 400
    assert caught.value.message == (
        f"Failed to process element: {index} of 'instances' list. "
        f"Error: INVALID_ARGUMENT: {message}"
    )


@pytest.mark.parametrize(
    ("dtypes", "column", "message"),
    [
        (X, ["x"], wrong_type('"x"', "String", "float")),
        (X, [[1.0, 2.0], [3.0]], unequal_lists(level=1)),
        (S, [1], wrong_type("1", "Number", "string")),
        (S, ["a", None], wrong_type("null", "Null", "string")),
        ({"b": "bool"}, [1], wrong_type("1", "Number", "bool")),
        ({"b": "bool"}, [True, "true"], wrong_type('"true"', "String", "bool")),
        (N, [True], wrong_type("true", "True", "int64")),
        (S, {"b64": "a"}, "Unable to base64 decode"),
        (S, {"b64": "QQ==="}, "Unable to base64 decode"),
        (
            S,
            [{"b64": 1}],
            'JSON Value: {\n    "b64": 1\n} not formatted correctly for base64 data',
        ),
        (
            S,
            [{"b64": "", "x": 1}],
            'JSON Value: {\n    "b64": "",\n    "x": 1\n} not formatted correctly for base64 data',
        ),
        (N, [1.0], wrong_type("1.0", "Number", "int64")),
        (N, [1e3], wrong_type("1000.0", "Number", "int64")),
        ({"n": "int32"}, [2**31], wrong_type("2147483648", "Number", "int32")),
        ({"n": "int8"}, [-(2**31) - 1], wrong_type("-2147483649", "Number", "int8")),
        ({"n": "uint32"}, [-1], wrong_type("-1", "Number", "uint32")),
        ({"n": "uint32"}, [2**32], wrong_type("4294967296", "Number", "uint32")),
        ({"n": "uint64"}, [-1], wrong_type("-1", "Number", "uint64")),
        (
            {"n": "uint64"},
            [2**64],
            wrong_type("18446744073709552000.0", "Number", "uint64"),
        ),
        (N, [2**63], wrong_type("9223372036854775808", "Number", "int64")),
        (X, {"x": {"x": 1}}, wrong_type('{\n    "x": 1\n}', "Object", "float")),
        (X, {}, "Missing named input: x in 'inputs' object."),
        (MULTI, {"s": ["x"]}, "Missing named input: a in 'inputs' object."),
        (
            MULTI,
            [1],
            "inputs is a plain value/list, but expecting an object as multiple input tensors "
            "required as per tensorinfo_map",
        ),
    ],
)
def test_columns_refused(dtypes, column, message):
    with pytest.raises(ServingError) as caught:
        read({"inputs": column}, dtypes)
    assert (caught.value.http_status, caught.value.message) == (400, message)


@pytest.mark.parametrize(
    ("dtypes", "body", "message"),
    [
        (
            X,
            {"inputs": [1, 2], "instances": [1]},
            'JSON Value: {\n    "inputs": [1, 2],\n    "instances": [1]\n} Not formatted correctly '
            "expecting only one of 'inputs' or 'instances' keys to exist ",
        ),
        (
            X,
            {"instances": 5},
            "JSON Value: {\n    \"instances\": 5\n} Expecting 'instances' to be an list/array",
        ),
        (
            X,
            {"instances": {"x": 1}},
            'JSON Value: {\n    "instances": {\n        "x": 1\n    }\n} '
            "Expecting 'instances' to be an list/array",
        ),
        (
            X,
            {"instances": None},
            "JSON Value: {\n    \"instances\": null\n} Expecting 'instances' to be an list/array",
        ),
        (
            X,
            {"instances": []},
            "JSON Value: {\n    \"instances\": []\n} No values in 'instances' array",
        ),
        (
            MULTI,
            {"instances": [1]},
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map",
        ),
        (
            MULTI,
            {"instances": [{"a": [1, 2]}]},
            "Failed to process element: 0 of 'instances' list. JSON object: "
            '{\n    "a": [1, 2]\n} keys must be equal to: a,s',
        ),
        (
            X,
            {"instances": [{}]},
            "Failed to process element: 0 of 'instances' list. JSON object: "
            "{} keys must be equal to: x",
        ),
        (
            X,
            {"instances": [{"x": 1}, {"x": 2, "y": 2}]},
            "Failed to process element: 1 key: y of 'instances' list. Error: INVALID_ARGUMENT: "
            "JSON object: does not have named input: y",
        ),
        (
            MULTI,
            {"instances": [{"a": 1, "s": 5}]},
            "Failed to process element: 0 key: s of 'instances' list. Error: INVALID_ARGUMENT: "
            + wrong_type("5", "Number", "string"),
        ),
        (
            X,
            {"instances": [{"x": 1}, 2]},
            "Expecting object but got list at item 1 of input list",
        ),
        (
            MULTI,
            {"instances": [{"a": 1, "s": ""}, {"b64": "QQ=="}]},
            "Expecting object but got list at item 1 of input list",
        ),
        (
            X,
            {"instances": [1, {"x": 2}]},
            "Expecting value/list but got object at item 1 of input list",
        ),
        (
            S,
            {"instances": ["", {"b64": 1}]},
            "Expecting value/list but got object at item 1 of input list",
        ),
        (X, {"Instances": [1]}, "Missing 'inputs' or 'instances' key"),
        ({}, {"inputs": [1]}, "Failed to get input map for signature: DEFAULT"),
    ],
)
def test_bodies_refused(dtypes, body, message):
    with pytest.raises(ServingError) as caught:
        read(body, dtypes)
    assert (caught.value.http_status, caught.value.message) == (400, message)


@pytest.mark.parametrize("key", ["inputs", "instances"])
def test_a_tensor_of_more_dimensions_than_there_are(key):
    for dimensions in (65, 600):
        with pytest.raises(ServingError, match="tensor parsing error: x"):
            read(f'{{"{key}": {"[" * dimensions}1.0{"]" * dimensions}}}', X)
    assert read(f'{{"{key}": {"[" * 64}1.0{"]" * 64}}}', X)[0]["x"].ndim == 64


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
