"""Configurations that TensorFlow Serving does not start with end the process here, too."""

import os
import subprocess
import sys

import pytest

from tests.serving.rest_client import Client
from zoo.serving.errors import ServingError
from zoo.serving.lifecycle.config import ModelConfig, read_config_file
from zoo.serving.options import Options
from zoo.serving.server import Server


@pytest.fixture
def write(models, tmp_path):
    """Writes a model config file for `two`, with further fields."""

    def write_file(fields):
        path = tmp_path / "models.config"
        path.write_text(
            f"model_config_list {{ config {{ name: 'two' base_path: '{models / 'two'}' "
            f"{fields} }} }}\n"
        )
        return path

    return write_file


def test_a_file_that_does_not_parse_ends_the_process(tmp_path):
    path = tmp_path / "models.config"
    path.write_text("improper model config\n")
    ended = subprocess.run(
        [sys.executable, "-m", "zoo.serving", f"--model_config_file={path}", "--port=0"],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ,
    )
    assert ended.returncode > 0
    parsing = "Error parsing text-format tensorflow.serving.ModelServerConfig: 1:1: "
    assert parsing in ended.stderr
    assert f"Invalid protobuf file: '{path}'" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            "model_platform: 'tensorflow' version_labels { key: 'canary' value: 2 }",
            "FAILED_PRECONDITION: Request to assign label to version 2 of model two, which is not "
            "currently available for inference",
        ),
        (
            "",
            "INVALID_ARGUMENT: Illegal setting neither ModelServerConfig::model_type (deprecated) "
            "nor ModelServerConfig::model_platform, model name is two",
        ),
        (
            "model_platform: 'torch'",
            "INVALID_ARGUMENT: Model two requests unsupported platform torch",
        ),
    ],
)
def test_a_server_does_not_start_with(write, fields, message):
    with pytest.raises(ServingError) as caught:
        Server(read_config_file(write(fields)), Options(port=0, rest_api_port=0)).start()
    assert str(caught.value) == message


def test_labels_of_missing_versions_where_they_are_allowed(write):
    fields = (
        "model_platform: 'tensorflow' version_labels { key: 'stable' value: 2 } "
        "version_labels { key: 'next' value: 9 }"
    )
    options = Options(port=None, rest_api_port=0, allow_version_labels_for_unavailable_models=True)
    with Server(read_config_file(write(fields)), options) as server:
        client = Client(server.rest_api_port)
        body = {"instances": [1.0]}
        assert client("POST", "/v1/models/two/labels/stable:predict", body).status == 200
        for reply in (
            client("POST", "/v1/models/two/labels/next:predict", body),
            client("GET", "/v1/models/two/labels/next/metadata"),
        ):
            missing = "Servable not found for request: Specific(two, 9)"
            assert (reply.status, reply.error) == (404, missing)


def test_a_label_moves_as_soon_as_its_version_is_loaded(models):
    two = {"base_path": models / "two", "specific": (1, 2)}
    with Server({"two": ModelConfig("two", **two)}, Options(port=None, rest_api_port=0)) as server:
        call = Client(server.rest_api_port)
        for version, answer in ((1, 2.5), (2, 3.5)):
            server.registry.reload({"two": ModelConfig("two", labels={"stable": version}, **two)})
            reply = call("POST", "/v1/models/two/labels/stable:predict", {"instances": [1.0]})
            assert reply.json == {"predictions": [answer]}


def test_threads_are_set_in_one_way_only():
    options = Options(
        tensorflow_session_parallelism=2,
        tensorflow_intra_op_parallelism=2,
        tensorflow_inter_op_parallelism=2,
    )
    with pytest.raises(ServingError, match="You cannot configure all"):
        options.session_config()
