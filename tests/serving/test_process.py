"""The whole program as a user starts it, and its end by signals."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from tests.serving.fixture_models import write_config
from tests.serving.rest_client import Client


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """`zoo-serve` with all fixture models, on the same port and Unix socket every time."""

    def __init__(self, models, folder):
        self.port, self.unix_socket = free_port(), folder / "grpc.sock"
        self._config = write_config(folder / "models.config", models)
        self.temporary = folder / "temporary"
        self.temporary.mkdir()

    @contextlib.contextmanager
    def running(self, *flags, log=os.devnull):
        """The process, and the lines it printed when its ports were open."""
        command = [sys.executable, "-m", "zoo.serving", f"--model_config_file={self._config}"]
        command += [f"--rest_api_port={self.port}", "--port=0", "--enable_model_warmup=false"]
        command += [f"--grpc_socket_path={self.unix_socket}"]
        command += ["--allow_version_labels_for_unavailable_models", *flags]
        with (
            open(log, "w") as errors,
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "TMPDIR": str(self.temporary)},
            ) as process,
        ):
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "a%2Fb%3Ac:predict" in line:
                    break
            try:
                yield process, "".join(lines)
            finally:
                process.kill()

    def ask_slowly(self) -> tuple[threading.Thread, list]:
        """Sends a request that takes most of a second; its status comes into the list."""
        answers = []

        def ask():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            connection.request("POST", "/v1/models/slow:predict", '{"instances": [0.7]}')
            try:
                answers.append(connection.getresponse().status)
            except (ConnectionError, http.client.HTTPException) as error:
                answers.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.3)
        return thread, answers

    def refuses_connections(self) -> bool:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port))
        return True


def everything_below(directory) -> dict:
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*")}


def test_the_end_by_signals(models, tmp_path):
    """SIGKILL leaves nothing behind that hinders the next start; SIGTERM lets requests end.

    What the second start writes in JSON is checked too: a start takes seconds.
    """
    program, before = Program(models, tmp_path), everything_below(models)

    with program.running() as (process, started):
        assert "Serving keras, version 1: signatures serve, serving_default" in started
        assert f"""  curl -d '{{"instances": [1.0]}}' http://127.0.0.1:{program.port}""" in started
        assert f"gRPC at unix:{program.unix_socket}" in started
        asking, answers = program.ask_slowly()
        process.kill()
        asking.join()
        assert isinstance(answers[0], Exception)
        assert process.wait(30) == -signal.SIGKILL
    assert program.refuses_connections()
    assert everything_below(models) == before
    assert not list(program.temporary.iterdir())

    log = tmp_path / "serve.log"
    with program.running("--log_format=json", log=log) as (process, started):
        assert f"Playground at http://127.0.0.1:{program.port}/\n" in started
        page = Client(program.port)("GET", "/")
        assert (page.status, page.body[:15].lower()) == (200, b"<!doctype html>")
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "half"
        with grpc.insecure_channel(f"unix:{program.unix_socket}") as channel:
            stub = model_service_pb2_grpc.ModelServiceStub(channel)
            assert stub.GetModelStatus(request, timeout=20).model_version_status
        asking, answers = program.ask_slowly()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        asking.join()
        assert answers == [200]
        assert process.wait(30) == 0
    assert program.refuses_connections()
    assert not program.unix_socket.exists()
    assert_in_json(log.read_text().splitlines())


def assert_in_json(lines):
    """All that the program logged is JSON, but for TensorFlow's own lines, to its last word."""
    written = []
    for line in lines:
        with contextlib.suppress(ValueError):
            written.append(json.loads(line))
    assert {"time", "level", "logger", "message"} == set(written[0])
    assert written[-1]["message"] == "Stopped: all models are unloaded"
