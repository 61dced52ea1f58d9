"""Whatever the bytes of a body are, they give tensors or an error of the client."""

import json

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.serving.errors import ServingError
from zoo.serving.rest import predict_body

# The machine may be busy; what is slow here says nothing.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(body: bytes, inputs):
    return predict_body.read_tensors(predict_body.read_body(body), inputs)


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
        tensors, layout = read(json.dumps(body).encode(), inputs)
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
    if layout == predict_body.ROW:
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
            predict_body.encode_outputs(tensors, layout)
        except ServingError as error:
            status = error.http_status
        assert status in (200, 400)


# RapidJSON's fast reading of numbers may miss a double by one digit in the last place. That is
# nothing in a float, save at its largest value: there the double next to it is already too large.
_floats = st.floats(-(2.0**126), 2.0**126, width=32) | st.sampled_from([np.nan, np.inf, -np.inf])


@unhurried
@given(st.lists(st.lists(_floats, min_size=2, max_size=2), min_size=1))
def test_what_goes_in_comes_out(rows):
    tensors, layout = read(json.dumps({"instances": rows}).encode(), {"x": "float"})
    answer = json.loads(predict_body.encode_outputs({"y": tensors["x"]}, layout))
    np.testing.assert_array_equal(
        np.array(answer["predictions"], np.float32), np.array(rows, np.float32)
    )
