"""The fixture models, one server for all tests, and a client made of the standard library."""

import http.client
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from fixture_models import save_all, write_config

from serving.config import read_config_file
from serving.server import Options, Server


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """Directory of base paths, `models/NAME/VERSION`."""
    root = tmp_path_factory.mktemp("models")
    save_all(root, tmp_path_factory.mktemp("scratch"))
    return root


@pytest.fixture(scope="session")
def server(models, tmp_path_factory) -> Server:
    """A running server with all fixture models, on free loopback ports."""
    config = write_config(tmp_path_factory.mktemp("config") / "models.config", models)
    options = Options(port=0, rest_api_port=0, file_system_poll_wait_seconds=0.1)
    with Server(read_config_file(config), options) as running:
        yield running


@dataclass
class Reply:
    """What came back for an HTTP request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self) -> str:
        assert list(self.json) == ["error"]
        return self.json["error"]


class Client:
    """Sends one request per connection with nothing but the standard library."""

    def __init__(self, port: int):
        self.port = port

    def __call__(self, method: str, path: str, body=None, headers=None) -> Reply:
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def predict(self, model: str, body) -> Reply:
        return self("POST", f"/v1/models/{model}:predict", body)


@pytest.fixture(scope="session")
def client(server) -> Client:
    return Client(server.rest_api_port)
