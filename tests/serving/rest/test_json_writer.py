"""TensorFlow Serving's layout, digits and escapes."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tensorflow_serving.apis import classification_pb2, regression_pb2

from zoo.serving.errors import ServingError
from zoo.serving.rest import json_writer

# The machine may be busy; what is slow here says nothing.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _strings(*items):
    array = np.empty(len(items), object)
    array[:] = items
    return array


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2, "0.2"),
        (1 / 3, "0.333333343"),
        (0.49698544, "0.496985435"),
        (9000000, "9e+06"),
        (1000000, "1e+06"),
        (1234567, "1234567.0"),
        (3e-5, "3e-05"),
        (555557.5, "555557.5"),
        (np.finfo(np.float32).max, "3.40282347e+38"),
        (2, "2.0"),
        (-0.0, "-0.0"),
        (np.nan, "NaN"),
        (np.inf, "Infinity"),
        (-np.inf, "-Infinity"),
    ],
)
def test_digits_of_a_float(value, text):
    body = json_writer.outputs_object({"y": np.float32(value)[()].reshape(())})
    assert body.decode() == f'{{\n    "outputs": {text}\n}}'


def test_digits_of_a_double():
    assert b'"outputs": 0.33333333333333331' in json_writer.outputs_object({"y": np.array(1 / 3)})


@unhurried
@given(arrays.arrays(np.float32, st.integers(0, 20), elements=st.floats(width=32)))
def test_floats_read_back_as_themselves(array):
    read = json.loads(json_writer.outputs_object({"y": array}))["outputs"]
    np.testing.assert_array_equal(np.array(read, np.float64).astype(np.float32), array)


def test_row_layout_of_one_output():
    body = json_writer.predictions({"y": np.array([2.5, 3.0, 4.5], np.float32)})
    assert body == b'{\n    "predictions": [2.5, 3.0, 4.5\n    ]\n}'
    body = json_writer.predictions({"y": np.array([[1, 2], [3, 4]])})
    assert body == b'{\n    "predictions": [[1, 2], [3, 4]\n    ]\n}'


def test_row_layout_of_several_outputs():
    body = json_writer.predictions({"a": np.array([[1, 2]]), "b_bytes": _strings(b"x")})
    assert body.decode() == (
        '{\n    "predictions": [\n        {\n            "a": [1, 2],\n            "b_bytes": {\n'
        '                "b64": "eA=="\n            }\n        }\n    ]\n}'
    )


def test_column_layout():
    assert json_writer.outputs_object({"y": np.array([[1, 2]])}).decode() == (
        '{\n    "outputs": [\n        [\n            1,\n            2\n        ]\n    ]\n}'
    )
    assert json_writer.outputs_object({"a": np.array([1]), "b": np.array(True)}).decode() == (
        '{\n    "outputs": {\n        "a": [\n            1\n        ],\n'
        '        "b": true\n    }\n}'
    )


@pytest.mark.parametrize("width", [0, 3])
def test_the_layout_of_an_empty_batch(width):
    empty = {"a": np.zeros((0, width)), "b": np.zeros(0)}
    assert json_writer.predictions(empty) == b'{\n    "predictions": []\n}'


def test_strings_keep_their_bytes():
    body = json_writer.predictions({"t": _strings('é"\\\n\x01/'.encode(), b"\xff")})
    assert body == b'{\n    "predictions": ["\xc3\xa9\\"\\\\\\n\\u0001/", "\xff"\n    ]\n}'


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({}, "Cannot convert empty tensor map to JSON"),
        ({"n": np.array(1)}, "Tensor name: n has no shape information "),
        (
            {"a": np.zeros(2), "b": np.zeros(3)},
            "Tensor name: b has inconsistent batch size: 3 expecting: 2",
        ),
        ({"y": np.zeros(1, np.float16)}, "Failed to write JSON value for tensor type: half"),
        ({"y": np.zeros(1, np.uint16)}, "Failed to write JSON value for tensor type: uint16"),
        (
            {"y": np.zeros(1, [("qint8", "i1")])},
            "Failed to write JSON value for tensor type: qint8",
        ),
        ({"y": np.zeros(1, np.complex64)}, "Failed to write JSON value for tensor type: complex64"),
    ],
)
def test_rows_that_cannot_be_written(outputs, message):
    with pytest.raises(ServingError) as caught:
        json_writer.predictions(outputs)
    assert (caught.value.http_status, caught.value.message) == (400, message)


def test_empty_tensors_of_any_type():
    """A type without a JSON form is only missed when an element is to be written."""
    assert json.loads(json_writer.predictions({"y": np.zeros((2, 0), np.float16)})) == {
        "predictions": [[], []]
    }
    assert json.loads(json_writer.outputs_object({"y": np.zeros(0, np.complex64)})) == {
        "outputs": []
    }


def test_classification_layout():
    result = classification_pb2.ClassificationResult()
    for row in ([("é", 0.2), ("", 9e6)], [("b", np.nan), ("c", 1.0)]):
        each = result.classifications.add()
        for label, score in row:
            each.classes.add(label=label, score=score)
    assert json_writer.classification_results(result).decode() == (
        '{\n    "results": [[["é", 0.2], ["", 9e+06]], [["b", NaN], ["c", 1.0]]\n    ]\n}'
    )


def test_regression_layout():
    result = regression_pb2.RegressionResult()
    for value in (0.2, np.inf, 1.0, -np.inf, np.nan):
        result.regressions.add(value=value)
    assert json_writer.regression_results(result) == (
        b'{\n    "results": [0.2, Infinity, 1.0, -Infinity, NaN]\n}'
    )


def test_error_body_escapes():
    assert json_writer.error_body('a "b"\n\udcff/é') == (
        b'{\n    "error": "a \\"b\\"\\n\xff/\xc3\xa9"\n}'
    )
