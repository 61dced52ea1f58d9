"""Predict over HTTP: bodies, the order of checks, errors, layouts."""

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HALF = "/v1/models/half:predict"


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (HALF, '{"instances":[1.0,2.0,5.0]}', {"predictions": [2.5, 3.0, 4.5]}),
        (
            "/v1/models/half/versions/123:predict",
            '{"instances":[1]}',
            {"predictions": [2.5]},
        ),
        (
            "/v1/models/half/versions/00123:predict",
            '{"instances":[1]}',
            {"predictions": [2.5]},
        ),
        ("/V1/MODELS/half:predict", '{"instances":[1]}', {"predictions": [2.5]}),
        ("/v1/models/a%2Fb%3Ac:predict", '{"instances":[1]}', {"predictions": [2.5]}),
        ("/v1/models/two:predict", '{"instances":[0]}', {"predictions": [3.0]}),
        ("/v1/models/two/versions/1:predict", '{"instances":[0]}', {"predictions": [2.0]}),
        (
            "/v1/models/two/labels/stable:predict",
            '{"instances":[0]}',
            {"predictions": [2.0]},
        ),
        (
            "/v1/models/two/labels/canary:predict",
            '{"instances":[0]}',
            {"predictions": [3.0]},
        ),
        (HALF, '{"instances":[{"x":1.0},{"x":2.0}]}', {"predictions": [2.5, 3.0]}),
        (HALF, '{"instances":[[1,2],[3,4]]}', {"predictions": [[2.5, 3.0], [3.5, 4.0]]}),
        (HALF, '{"inputs":[3.0,4.0]}', {"outputs": [3.5, 4.0]}),
        (HALF, '{"inputs":{"x":[3.0,4.0]}}', {"outputs": [3.5, 4.0]}),
        (HALF, '{"inputs":3.0}', {"outputs": 3.5}),
        (HALF, '{"inputs":{"x":[1.0],"zzz":1}}', {"outputs": [2.5]}),
        (HALF, '{"signature_name":"","inputs":[1]}', {"outputs": [2.5]}),
        (HALF, '{"instances":[1.0]} trailing', {"predictions": [2.5]}),
        (HALF, '{"instances":[1.0]}{"instances":[3.0]}', {"predictions": [2.5]}),
        (HALF, '{"instances":[1.0],"instances":[3.0]}', {"predictions": [2.5]}),
        (HALF, '{"unknown":{"a":[]},"instances":[1.0]}', {"predictions": [2.5]}),
        (HALF, '{"nested":' + "[" * 5000 + "]" * 5000 + ',"inputs":1}', {"outputs": 2.5}),
        (
            "/v1/models/multi:predict",
            '{"instances":[{"a":[1,2],"s":"x"},{"a":[3,4],"s":"y"}]}',
            {
                "predictions": [
                    {"ids": [1, 2], "txt": "x", "raw_bytes": {"b64": "eA=="}},
                    {"ids": [3, 4], "txt": "y", "raw_bytes": {"b64": "eQ=="}},
                ]
            },
        ),
        (
            "/v1/models/multi:predict",
            '{"inputs":{"a":[[1,2]],"s":["x"]}}',
            {"outputs": {"ids": [[1, 2]], "txt": ["x"], "raw_bytes": [{"b64": "eA=="}]}},
        ),
        (  # batch sizes of inputs need not agree
            "/v1/models/multi:predict",
            '{"inputs":{"a":[[1,2],[3,4]],"s":["x"]}}',
            {
                "outputs": {
                    "ids": [[1, 2], [3, 4]],
                    "txt": ["x"],
                    "raw_bytes": [{"b64": "eA=="}],
                }
            },
        ),
        (
            "/v1/models/echo:predict",
            '{"signature_name":"plain","instances":["é", "a\\u0000b", {"b64":"eA=="}]}',
            {"predictions": ["é", "a\0b", "x"]},
        ),
        (
            "/v1/models/echo:predict",
            '{"inputs":{"b64":"/w"}}',
            {"outputs": {"b64": "/w=="}},
        ),
        ("/v1/models/echo:predict", '{"inputs":[]}', {"outputs": []}),
        (
            "/v1/models/i64:predict",
            '{"inputs":[9223372036854775807]}',
            {"outputs": [2**63 - 1]},
        ),
        (
            "/v1/models/u64:predict",
            '{"inputs":[18446744073709551615]}',
            {"outputs": [2**64 - 1]},
        ),
        ("/v1/models/u32:predict", '{"inputs":[4294967295]}', {"outputs": [2**32 - 1]}),
        ("/v1/models/i32:predict", '{"inputs":[-2147483648]}', {"outputs": [-(2**31)]}),
        ("/v1/models/u8:predict", '{"instances":[0, 255]}', {"predictions": [0, 255]}),
        (
            "/v1/models/b:predict",
            '{"instances":[true, false]}',
            {"predictions": [True, False]},
        ),
        ("/v1/models/f64:predict", '{"instances":[0.1]}', {"predictions": [0.1]}),
        ("/v1/models/words:predict", '{"instances":["two","?"]}', {"predictions": [1, 3]}),
        ("/v1/models/tf1:predict", '{"instances":[2]}', {"predictions": [6.0]}),
        (  # a tensor's name without its index
            "/v1/models/odd:predict",
            '{"signature_name":"bare","instances":[2]}',
            {"predictions": [4.0]},
        ),
        (HALF, '{"instances":[1E2, 1e-400, -0]}', {"predictions": [52.0, 2.0, 2.0]}),
        (HALF, '{"instances":[18446744073709551616]}', {"predictions": [9.22337204e18]}),
    ],
)
def test_predict(client, path, body, expected):
    reply = client("POST", path, body.encode())
    assert (reply.status, reply.json) == (200, expected)
    assert reply.headers["Content-Type"] == "application/json"


def test_numbers_without_a_json_form_come_as_bare_tokens(client):
    reply = client.predict("half", '{"instances":[NaN, Infinity, -Infinity]}')
    assert reply.body == b'{\n    "predictions": [NaN, Infinity, -Infinity\n    ]\n}'


@pytest.mark.parametrize(
    ("model", "body", "status", "message"),
    [
        ("half", "", 400, "JSON Parse error: The document is empty"),
        ("half", " ", 400, "JSON Parse error: The document is empty. at offset: 1"),
        (
            "half",
            '{"instances": [1, 2',
            400,
            "JSON Parse error: Missing a comma or ']' after an array element. at offset: 19",
        ),
        ("half", "{", 400, "JSON Parse error: Missing a name for object member. at off"),
        ("half", '{"instances": [1e400]}', 400, "JSON Parse error: Number too big to be"),
        ("half", "[1,2]", 400, "JSON Value: [1, 2] Is not object"),
        ("half", "5", 400, "JSON Value: 5 Is not object"),
        ("half", "null", 400, "JSON Value: null Is not object"),
        # which error wins
        ("nope", "{", 400, "JSON Parse error: Missing a name for object member. at off"),
        ("nope", '{"signature_name": 5}', 400, 'JSON Value: {\n    "signature_name": 5'),
        ("nope", '{"instances":[1]}', 404, "Servable not found for request: Latest(nope)"),
        ("HALF", '{"instances":[1]}', 404, "Servable not found for request: Latest(HALF)"),
        ("nope", "{}", 404, "Servable not found for request: Latest(nope)"),
        ("nope/versions/3", "{}", 404, "Servable not found for request: Specific(nope, 3)"),
        ("half/versions/7", "{}", 404, "Servable not found for request: Specific(half, 7)"),
        ("two/labels/None", "{}", 400, "Unrecognized servable version label: None"),
        ("half/labels/stable", "{}", 400, "Unrecognized servable version label: stable"),
        ("nope/labels/stable", "{}", 400, "Unrecognized servable version label: stable"),
        ("two/labels/a%20b", "{}", 400, "Unrecognized servable version label: a b"),
        (
            "half",
            '{"signature_name":"nope"}',
            400,
            'Serving signature name: "nope" not found in signature def',
        ),
        (
            "half",
            '{"signature_name":"__saved_model_init_op","instances":[1]}',
            400,
            "Failed to get input map for signature: __saved_model_init_op",
        ),
        ("echo", '{"inputs":[{"b64":"A"}]}', 400, "Unable to base64 decode"),
        ("echo", '{"inputs":[{"b64":"__8="}]}', 400, "Unable to base64 decode"),
        (
            "f16",
            '{"inputs":[[],[1]]}',
            400,
            "Encountered list at unexpected size: 1 at lev",
        ),
        (
            "u64",
            '{"inputs":[18446744073709551616]}',
            400,
            "JSON Value: 18446744073709552000.0 Type: Number is not of expected type: uint64",
        ),
        ("half", "{}", 400, "Missing 'inputs' or 'instances' key"),
        ("half", '{"instance":[1]}', 400, "Missing 'inputs' or 'instances' key"),
        ("multi", '{"inputs":{"a":[[1,2]]}}', 400, "Missing named input: s in 'inputs' o"),
        (
            "half",
            '{"inputs":["x"]}',
            400,
            'JSON Value: "x" Type: String is not of expected type: float',
        ),
        (
            "half",
            '{"instances":["x","y"]}',
            400,
            "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: "
            'JSON Value: "x" Type: String is not of expected type: float',
        ),
        (
            "f16",
            '{"instances":[1.0]}',
            400,
            "Failed to process element: 0 of 'instances' list. Error: UNIMPLEMENTED: "
            "Conversion of JSON Value: 1.0 to type: half",
        ),
        ("f16", '{"inputs":[1.0]}', 501, "Conversion of JSON Value: 1.0 to type: half"),
    ],
)
def test_predict_refuses(client, model, body, status, message):
    reply = client.predict(model, body)
    assert reply.status == status
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.error.startswith(message)


def test_types_without_a_json_form_come_and_go_empty(client):
    """Not one element is converted, so nothing is missed."""
    assert client.predict("u16", {"inputs": []}).json == {"outputs": []}
    assert client.predict("f16", {"instances": [[], []]}).json == {"predictions": [[], []]}


def test_error_of_a_kernel_is_the_clients(client):
    reply = client.predict("enc", '{"inputs":[1,2]}')  # rank 1 where the graph slices rank 2
    assert reply.status == 400
    assert "Traceback" not in reply.error


def test_error_layout(client):
    assert client("GET", "/v1/models").body == (
        b'{\n    "error": "Missing model name in request."\n}'
    )


def test_row_format_needs_a_batch_dimension(client):
    """The column format takes outputs of any shape."""
    reply = client.predict("enc", {"instances": [{"tokens": [1, 2]}]})
    assert reply.status == 400
    assert reply.error in (
        "Tensor name: n has no shape information ",
        "Tensor name: state has inconsistent batch size: 3 expecting: 1",
    )
    outputs = client.predict("enc", {"inputs": [[1, 2]]}).json["outputs"]
    assert outputs["n"] == 2
    assert len(outputs["state"]) == 3


def test_gzip_request(client):
    body = gzip.compress(b'{"instances":[1.0]}')
    for encoding in ("gzip", "x-gzip", "identity, gzip"):  # any value with "gzip" in it
        reply = client("POST", HALF, body, {"Content-Encoding": encoding})
        assert reply.json == {"predictions": [2.5]}
    for encoding in ("GZIP", "deflate", "br"):  # as sent, and that is not JSON
        reply = client("POST", HALF, body, {"Content-Encoding": encoding})
        assert (reply.status, reply.error[:17]) == (400, "JSON Parse error:")
    reply = client("POST", HALF, body, {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"})
    assert reply.headers["Content-Encoding"] is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances":[1.0]}',
        b"",
        gzip.compress(b"[" * 30)[:-9],
        gzip.compress(b'{"instances":[1.0]}') + b"x",
        gzip.compress(bytes(101 * 2**20)),
    ],
    ids=["not gzip", "empty", "cut", "more behind it", "too large"],
)
def test_bad_gzip_counts_as_empty(client, body):
    reply = client("POST", HALF, body, {"Content-Encoding": "gzip"})
    assert (reply.status, reply.error) == (400, "JSON Parse error: The document is empty")


def test_a_keras_model_of_raw_text(client):
    reply = client.predict("keras_text", {"instances": ["good bad", "?"]})
    assert reply.json == {"predictions": [[1.0, 1.0], [1.0, 1.0]]}


def test_a_model_in_text_form(client):
    reply = client.predict("number", {"instances": ["1.5", {"b64": "Mg=="}]})
    assert reply.json == {"predictions": [1.5, 2.0]}


def test_a_kernels_error_about_bytes_that_are_no_text(client):
    reply = client.predict("number", {"instances": [{"b64": "/w=="}]})
    assert reply.status == 400
    assert "could not correctly convert string" in reply.error


def test_signatures_with_defaults_and_without_outputs(client):
    """Over REST every input must be sent."""
    body = {"inputs": {"a": [1], "b": [2]}}
    assert client.predict("odd", body).json == {"outputs": [3.0]}
    reply = client.predict("odd", {"inputs": {"a": [1]}})
    assert (reply.status, reply.error) == (400, "Missing named input: b in 'inputs' object.")
    reply = client.predict("odd", {"signature_name": "nothing", "inputs": [1]})
    assert (reply.status, reply.error) == (400, "Cannot convert empty tensor map to JSON")


@pytest.mark.parametrize("signature", ["serve", "serving_default"])
def test_a_stock_keras_export(client, signature):
    body = {"signature_name": signature, "instances": [[[0, 1]] * 4] * 3}
    (first,), _, (last,) = client.predict("keras", body).json["predictions"]
    assert first == pytest.approx(last, rel=1e-5)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "s", "x", "b64"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["half", "multi", "enc", "echo", "words", "u8", "f16", "keras"]),
    st.dictionaries(st.sampled_from(["instances", "inputs", "signature_name"]), _values),
)
def test_no_body_makes_the_server_fail(client, model, body):
    assert client.predict(model, body).status in (200, 400, 501)


def test_b64_in_place_of_named_inputs(client):
    reply = client.predict("multi", {"instances": [{"b64": "eA=="}]})
    assert reply.status == 400
    reply = client.predict("multi", {"inputs": {"b64": "eA=="}})
    assert "inputs is a plain value/list" in reply.error


def test_large_batch(client):
    values = [float(i % 1000) for i in range(200_000)]
    reply = client.predict("half", json.dumps({"inputs": values}))
    assert reply.json["outputs"] == [value / 2 + 2 for value in values]
