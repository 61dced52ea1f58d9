"""What the ports answer while the server starts: models load side by side, or are prepared."""

import json
import queue
import re
import socket
import threading

import grpc
import pytest
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

import zoo.serving.server
from tests.serving.rest_client import Client
from zoo.serving.errors import ServingError
from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.lifecycle.loader import Loader
from zoo.serving.options import Options
from zoo.serving.server import Server

STATUS = "model_version_status"


class HeldLoader(Loader):
    """Loads a model when it may; before that it says which one it was asked for."""

    started = queue.SimpleQueue()
    may_finish = threading.Event()

    def __call__(self, model_name, directory):
        self.started.put(model_name)
        assert self.may_finish.wait(60)
        return super().__call__(model_name, directory)


@pytest.fixture
def held_loader(monkeypatch):
    monkeypatch.setattr(zoo.serving.server, "Loader", HeldLoader)
    HeldLoader.may_finish.clear()
    yield HeldLoader
    HeldLoader.may_finish.set()


class Starting:
    """A server that starts in a thread of its own."""

    def __init__(self, *args, **options):
        options = {"port": 0, "rest_api_port": 0, "playground": True} | options
        self.server = Server(args[0], Options(**options), None, *args[1:])
        self.error = None
        self._thread = threading.Thread(target=self._start)
        self._thread.start()

    def _start(self):
        try:
            self.server.start()
        except BaseException as error:
            self.error = error

    def has_started(self) -> bool:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.error is None

    @property
    def client(self) -> Client:
        return Client(self.server.rest_api_port)


def configs(models, *names):
    return {name: ModelConfig(name, models / name) for name in names}


def states(client, name):
    return [each["state"] for each in client("GET", f"/v1/models/{name}").json[STATUS]]


def test_the_ports_answer_while_models_load_side_by_side(models, held_loader):
    starting = Starting(configs(models, "half", "i64", "echo"), num_load_threads=2)
    both = {held_loader.started.get(timeout=60) for _ in range(2)}
    assert both == {"half", "i64"}  # neither may finish, so they load at the same time
    client = starting.client
    assert states(client, "half") == states(client, "i64") == ["LOADING"]
    assert states(client, "echo") == ["START"]
    for name in ("half", "echo"):
        for reply in (
            client.predict(name, {"instances": [1.0]}),
            client("GET", f"/v1/models/{name}/metadata"),
        ):
            missing = f"Servable not found for request: Latest({name})"
            assert (reply.status, reply.error) == (404, missing)
    page = client("GET", "/")
    assert page.status == 200
    assert b'["half", "i64", "echo"]' in page.body
    with grpc.insecure_channel(f"127.0.0.1:{starting.server.port}") as channel:
        status = get_model_status_pb2.GetModelStatusRequest()
        status.model_spec.name = "half"
        reply = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(status, timeout=20)
        assert [each.state for each in reply.model_version_status] == [20]
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "half"
        with pytest.raises(grpc.RpcError) as caught:
            prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=20)
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        assert caught.value.details() == "Servable not found for request: Latest(half)"
    held_loader.may_finish.set()
    assert starting.has_started()
    assert client.predict("half", {"instances": [1.0]}).json == {"predictions": [2.5]}
    assert states(client, "half") == states(client, "echo") == ["AVAILABLE"]
    starting.server.stop()


def test_models_are_served_while_others_are_prepared(models):
    prepared, may_prepare = queue.SimpleQueue(), threading.Event()

    def prepare(config):
        prepared.put(config.name)
        if config.name == "i64":
            assert may_prepare.wait(60)

    starting = Starting(configs(models, "half", "i64"), prepare)
    assert [prepared.get(timeout=60) for _ in range(2)] == ["half", "i64"]
    client = starting.client
    starting.server.registry.wait_until_served(["half"], timeout=60)
    assert client.predict("half", {"instances": [1.0]}).json == {"predictions": [2.5]}
    reply = client("GET", "/v1/models/i64")
    assert (reply.status, reply.error) == (404, "Could not find any versions of model i64")
    names = re.search(rb'id="model-names">(.*?)</script>', client("GET", "/").body)[1]
    assert json.loads(names) == ["half", "i64"]
    may_prepare.set()
    assert starting.has_started()
    assert client.predict("i64", {"instances": [7]}).json == {"predictions": [7]}
    starting.server.stop()


@pytest.mark.parametrize(
    "error", [ServingError("INVALID_ARGUMENT", "It cannot be served."), SystemExit(0)]
)
def test_what_ends_the_start_closes_the_ports(models, error):
    """A preset that cannot be exported does, and so does a signal."""
    known, ports = threading.Event(), []

    def prepare(config):
        assert known.wait(60)
        ports.append(starting.server.rest_api_port)
        raise error

    starting = Starting(configs(models, "half"), prepare)
    known.set()
    assert not starting.has_started()
    assert starting.error is error
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[0]))


def test_how_many_versions_are_loaded_at_a_time():
    assert Options(num_load_threads=5).load_threads() == 5
    assert Options(num_load_threads=1).load_threads() == 1
    assert Options().load_threads() >= 2
