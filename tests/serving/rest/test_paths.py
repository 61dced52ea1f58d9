"""Which path and method means what over HTTP; status and metadata of models.

Numbers are explained in `test_codec.py`.
"""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.serving.errors import ServingError
from zoo.serving.rest.paths import is_api, local_part, parse_call

HALF = "/v1/models/half:predict"


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "/v1/foo", "Malformed request: GET /v1/foo"),
        ("POST", "/v1/models", "Malformed request: POST /v1/models"),
        ("POST", "/v1/models/half", "Malformed request: POST /v1/models/half"),
        ("POST", f"{HALF[:-8]}/metadata", f"Malformed request: POST {HALF[:-8]}/metadata"),
        ("GET", HALF, f"Malformed request: GET {HALF}"),
        ("POST", HALF + "?x=1", f"Malformed request: POST {HALF}?x=1"),
        (
            "POST",
            "/V1/Models/half:PREDICT",
            "Malformed request: POST /V1/Models/half:PREDICT",
        ),
        ("GET", "/v1/models", "Missing model name in request."),
        ("GET", "/v1/models/versions/1", "Missing model name in request."),
        ("GET", "/v1/models/labels/a/metadata", "Missing model name in request."),
        ("POST", HALF + "#x", f"Malformed request: POST {HALF}#x"),
        ("PUT", "/v1/models/half", "Malformed request: PUT /v1/models/half"),
        ("DELETE", "/v1/models/half", "Malformed request: DELETE /v1/models/half"),
        ("PATCH", "/v1/models/half", "Malformed request: PATCH /v1/models/half"),
        (
            "GET",
            "/v1/models/half/versions/99999999999999999999",
            "Failed to convert version: 99999999999999999999 to numeric.",
        ),
    ],
)
def test_malformed_requests(client, method, path, message):
    reply = client(method, path)
    assert (reply.status, reply.error) == (400, message)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/half/version/50:predict",
        "/v1/models/half/label/x:predict",
        "/v1/models/half/versions/HELLO:predict",
        "/v1/models/half/versions/50/labels/x:predict",
        "/v1/models/debug/half:predict",
        "/v1/models/half:predictx",
        "/v1/",
    ],
)
def test_paths_that_only_look_like_ours(client, path):
    reply = client("POST", path, '{"instances":[1]}')
    assert (reply.status, reply.error) == (400, f"Malformed request: POST {path}")


def test_head_has_no_body(client):
    reply = client("HEAD", "/v1/models/half")
    assert (reply.status, reply.body) == (400, b"")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/index"), ("POST", "/v2/models/half/infer")]
)
def test_other_paths_get_the_html_page(client, method, path):
    reply = client(method, path)
    assert reply.status == 404
    assert reply.headers["Content-Type"] == "text/html"
    assert reply.headers["Connection"] == "close"
    assert reply.body == (
        b"<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n"
        b"<H1>Not Found</H1>\n</BODY></HTML>\n"
    )


@pytest.mark.parametrize(
    "path", ["/v1/models/{half}:predict", "/v1/models/%zz", "/v1/models/a|b", '/v1/models/"']
)
def test_paths_that_are_no_uri(client, path):
    reply = client("POST", path, '{"instances":[1]}')
    assert (reply.status, reply.headers["Content-Type"]) == (400, "text/html")
    assert b"<H1>Bad Request</H1>" in reply.body


@settings(deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT"]), st.text(max_size=40) | st.just("/v1/?" + "a" * 9000)
)
def test_any_target_is_a_call_or_malformed(method, target):
    """Never anything else, and never slowly."""
    for path in (target, f"/v1/models/{target}", f"/v1/models/{target}{{:predict"):
        is_api(local_part(path))
        try:
            parse_call(method, path)
        except ServingError as error:
            status = error.http_status
        else:
            status = 200
        assert status in (200, 400)


def test_methods_that_are_not_taken(client):
    reply = client("TRACE", HALF)
    assert (reply.status, reply.headers["Content-Type"]) == (501, "text/html")


def test_preflight(client):
    reply = client("OPTIONS", HALF, headers={"Origin": "http://a.b"})
    assert (reply.status, reply.body) == (200, b"")
    for headers in ({}, {"Origin": "null"}):
        reply = client("OPTIONS", HALF, headers=headers)
        assert (reply.status, reply.body) == (400, b"")


def test_status(client):
    reply = client("GET", "/v1/models/half")
    assert reply.status == 200
    assert reply.json == {
        "model_version_status": [
            {
                "version": "123",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    assert re.match(rb'\{\n "model_version_status": \[\n  \{\n   "', reply.body)
    assert reply.body.endswith(b"\n}\n")


def test_status_of_some_versions(client):
    """A label is not looked at."""

    def versions(path):
        status = client("GET", f"/v1/models/{path}").json["model_version_status"]
        return [entry["version"] for entry in status]

    assert versions("two") == ["2", "1"]
    assert versions("two/versions/1") == ["1"]
    assert versions("two/labels/anything") == ["2", "1"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nope", "Could not find any versions of model nope"),
        ("no%20such", "Could not find any versions of model no such"),
        ("half?x=1", "Could not find any versions of model half?x=1"),
        ("half#x", "Could not find any versions of model half#x"),
        ("half%00%2f", "Could not find any versions of model half\0/"),
        ("metadata", "Could not find any versions of model metadata"),
        ("half/versions/7", "Could not find version 7 of model half"),
        ("nope/metadata", "Servable not found for request: Latest(nope)"),
        ("half/versions/7/metadata", "Servable not found for request: Specific(half, 7)"),
    ],
)
def test_status_and_metadata_of_unknown_models(client, path, message):
    reply = client("GET", f"/v1/models/{path}")
    assert (reply.status, reply.error) == (404, message)


def test_a_sub_resource_in_capitals_is_the_status(client):
    """The pattern takes any case, the comparison behind it does not."""
    assert client("GET", "/v1/models/half/METADATA").json == client("GET", "/V1/MODELS/half").json


def test_proxies_send_the_whole_url(client):
    assert client("GET", f"http://127.0.0.1:{client.port}/v1/models/half").status == 200


def test_metadata(client):
    reply = client("GET", "/v1/models/half/metadata")
    assert reply.status == 200
    assert reply.json["model_spec"] == {"name": "half", "signature_name": "", "version": "123"}
    signatures = reply.json["metadata"]["signature_def"]["signature_def"]
    assert signatures["serving_default"]["inputs"] == {
        "x": {
            "dtype": "DT_FLOAT",
            "tensor_shape": {"dim": [], "unknown_rank": True},
            "name": "serving_default_x:0",
        }
    }
    assert signatures["serving_default"]["method_name"] == "tensorflow/serving/predict"
    dims = client("GET", "/v1/models/multi/versions/1/metadata").json["metadata"]["signature_def"][
        "signature_def"
    ]["serving_default"]["inputs"]["a"]["tensor_shape"]["dim"]
    assert dims == [{"size": "-1", "name": ""}, {"size": "2", "name": ""}]


def test_metadata_by_label(client):
    reply = client("GET", "/v1/models/two/labels/stable/metadata")
    assert reply.json["model_spec"]["version"] == "1"
    reply = client("GET", "/v1/models/two/labels/x/metadata")
    assert (reply.status, reply.error) == (400, "Unrecognized servable version label: x")
