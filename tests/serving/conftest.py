"""The fixture models, one server for all tests."""

from pathlib import Path

import pytest

from tests.serving.fixture_models import save_all, write_config
from tests.serving.rest_client import Client
from zoo.serving.lifecycle.config import read_config_file
from zoo.serving.options import Options
from zoo.serving.server import Server


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
    options = Options(
        port=0,
        rest_api_port=0,
        file_system_poll_wait_seconds=0.1,
        allow_version_labels_for_unavailable_models=True,  # none is available when it starts
    )
    with Server(read_config_file(config), options) as running:
        yield running


@pytest.fixture(scope="session")
def client(server) -> Client:
    return Client(server.rest_api_port)
