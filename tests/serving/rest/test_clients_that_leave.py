"""A client that leaves frees its slot: what waits is never run."""

import json
import socket
import threading
import time

import pytest

from tests.serving.lifecycle.test_manager import eventually
from tests.serving.rest_client import Client
from zoo.serving.errors import ServingError
from zoo.serving.lifecycle.config import single_model
from zoo.serving.options import Options
from zoo.serving.rest.deadline import Deadline
from zoo.serving.server import Server


def test_requests_of_clients_that_have_left_are_not_run(models, monkeypatch):
    options = Options(port=None, rest_api_port=0, rest_api_num_threads=1)
    with Server(single_model("half", str(models / "half")), options) as server:
        may_run, ran = threading.Event(), []
        with server.registry.acquire("half") as (servable, _):
            run = servable.run

        def hold(name, inputs, **arguments):
            ran.append(float(inputs["x"][0]))
            assert may_run.wait(60)
            return run(name, inputs, **arguments)

        monkeypatch.setattr(servable, "run", hold)

        def send(number):
            body = json.dumps({"instances": [number]}).encode()
            head = "POST /v1/models/half:predict HTTP/1.1\r\nHost: localhost\r\n"
            head += f"Content-Length: {len(body)}\r\n\r\n"
            connection = socket.create_connection(("127.0.0.1", server.rest_api_port), timeout=60)
            connection.sendall(head.encode() + body)
            return connection

        first = send(1)
        eventually(lambda: ran)
        waiting = [send(number) for number in (2, 3, 4)]
        eventually(lambda: server._executor._work_queue.qsize() == len(waiting))
        for connection in waiting:
            connection.close()
        time.sleep(0.3)  # the server hears of it
        may_run.set()
        assert b"200 OK" in first.recv(1000)
        first.close()
        reply = Client(server.rest_api_port).predict("half", {"instances": [5]})
        assert reply.json == {"predictions": [4.5]}
        assert ran == [1, 5]


@pytest.mark.parametrize("timeout_ms", [0, 1000])
def test_no_stage_is_begun_for_a_client_that_has_left(timeout_ms):
    deadline = Deadline(timeout_ms)
    deadline.left_ms()
    deadline.abandon()
    with pytest.raises(ServingError) as caught:
        deadline.left_ms()
    assert caught.value.code == "CANCELLED"
