"""What the log says of requests, of labels and reloads, and in which form."""

import json
import logging
import socket
import sys
import time

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.serving.rest_client import Client
from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.logs import JsonFormatter
from zoo.serving.options import Options
from zoo.serving.server import Server


@pytest.fixture
def serve(models, caplog):
    """Starts a server of one model, and logs what it logs."""
    caplog.set_level(logging.INFO)
    running = []

    def start(**options):
        server = Server(
            {"half": ModelConfig("half", str(models / "half"))},
            Options(port=0, rest_api_port=0, **options),
        )
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        if not server._stopped.is_set():
            server.stop()


def requests(caplog):
    return [
        (record.levelname, record.request["api"], record.request["call"], record.request["status"])
        for record in caplog.records
        if record.name == "zoo.serving.access"
    ]


def ask_over_grpc(server, name):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    request.inputs["x"].dtype, request.inputs["x"].float_val[:] = 1, [1.0]
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=20)


def ask(server):
    client = Client(server.rest_api_port)
    assert client.predict("half", {"instances": [1.0]}).status == 200
    assert client.predict("none", {"instances": [1.0]}).status == 404
    ask_over_grpc(server, "half")
    with pytest.raises(grpc.RpcError):
        ask_over_grpc(server, "none")


FAILED = [
    ("WARNING", "REST", "POST /v1/models/none:predict", 404),
    ("WARNING", "gRPC", "/tensorflow.serving.PredictionService/Predict", "NOT_FOUND"),
]
SUCCEEDED = [
    ("INFO", "REST", "POST /v1/models/half:predict", 200),
    ("INFO", "gRPC", "/tensorflow.serving.PredictionService/Predict", "OK"),
]


@pytest.mark.parametrize(
    ("which", "logged"),
    [("none", []), ("errors", FAILED), ("all", [*SUCCEEDED, *FAILED])],
)
def test_requests_are_logged_by_their_end(serve, caplog, which, logged):
    ask(serve(access_log=which))
    deadline = time.monotonic() + 10  # the client may be quicker than the log
    while len(requests(caplog)) < len(logged) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(requests(caplog), key=str) == sorted(logged, key=str)


def test_a_path_stays_on_one_line(serve, caplog):
    server = serve(access_log="all")
    with socket.create_connection(("127.0.0.1", server.rest_api_port)) as connection:
        connection.sendall("GET /v1/models/b\u0085\u2028c HTTP/1.0\r\n\r\n".encode())
        connection.recv(1000)
    for record in caplog.records:
        assert len(record.getMessage().splitlines()) == 1


def test_reloads_labels_and_the_end_are_logged(serve, models, caplog):
    server = serve(allow_version_labels_for_unavailable_models=True)
    two = ModelConfig("two", models / "two", latest=0, labels={"stable": 1, "canary": 2})
    server.registry.reload({"two": two}, timeout=60)
    moved = ModelConfig("two", models / "two", latest=0, labels={"stable": 2})
    server.registry.reload({"two": moved}, timeout=60)
    server.registry.reload({"two": moved}, timeout=60)
    server.stop()
    text = "\n".join(record.getMessage() for record in caplog.records)
    for line in (
        "Models to serve, new: half",
        "Models to serve, new: two; removed: half",
        "Models to serve, changed: two",
        "Label canary of servable two: version 2, was none",
        "Label canary of servable two: version none, was 2",
        "Label stable of servable two: version 2, was 1",
        "Unloaded servable {name: half version: 123}",
        "Stopping: ",
        "Stopped: ",
    ):
        assert text.count(line) == 1, line


def test_lines_of_json():
    record = logging.LogRecord("serving.x", logging.WARNING, "f.py", 1, "%s: 'ä'\n", ("m",), None)
    record.request = {"api": "REST", "status": 404}
    line = JsonFormatter().format(record)
    assert len(line.splitlines()) == 1
    written = json.loads(line)
    assert written.pop("time").endswith("+00:00")
    assert written == {
        "level": "WARNING",
        "logger": "serving.x",
        "message": "m: 'ä'\n",
        "api": "REST",
        "status": 404,
    }
    try:
        raise ValueError("bad")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert "ValueError: bad" in json.loads(JsonFormatter().format(record))["exception"]
