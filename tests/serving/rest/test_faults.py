"""Clients that are slow, lie, vanish or send too much; models that take too long."""

import contextlib
import http.client
import resource
import shutil
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.serving.fixture_models import save_half
from tests.serving.rest_client import Client
from zoo.serving.inference.servable import Servable
from zoo.serving.lifecycle.config import single_model
from zoo.serving.options import Options
from zoo.serving.rest import predict_body
from zoo.serving.rest.api import MAX_BODY_BYTES
from zoo.serving.server import Server

HALF = "/v1/models/half:predict"


@pytest.fixture(scope="module")
def hasty(models):
    """A server that gives up after half a second, with CORS, for the slow model."""
    options = Options(
        port=None, rest_api_port=0, rest_api_timeout_in_ms=500, rest_api_enable_cors_support=True
    )
    with Server(single_model("slow", str(models / "slow")), options) as server:
        yield server


def raw(port, *pieces, pause=0.0) -> bytes:
    """Sends bytes as they are, and reads until the server closes or answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        return connection.recv(100_000)


def test_a_run_past_the_timeout_is_504(hasty):
    reply = Client(hasty.rest_api_port).predict("slow", {"instances": [60]})
    assert reply.status == 504
    assert "Timed out" in reply.error
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


STAGES = ("read_body", "read_tensors", "run", "encode_outputs")


@pytest.mark.parametrize("slow", STAGES)
def test_the_timeout_is_for_reading_and_writing_too(models, monkeypatch, slow):
    """The client does not wait for what takes long, and no further stage is begun."""
    go_on, begun = threading.Event(), []

    def observe(place, name):
        original = getattr(place, name)

        def observed(*args, **options):
            begun.append(name)
            if name == slow:
                assert go_on.wait(60)
            return original(*args, **options)

        monkeypatch.setattr(place, name, observed)

    for name in STAGES:
        observe(Servable if name == "run" else predict_body, name)
    options = Options(
        port=None, rest_api_port=0, rest_api_timeout_in_ms=1000, rest_api_num_threads=1
    )
    with Server(single_model("half", str(models / "half")), options) as server:
        client = Client(server.rest_api_port)
        reply = client.predict("half", {"instances": [1.0]})
        assert (reply.status, reply.error) == (
            504,
            "Timed out: the request took longer than 1000 ms (--rest_api_timeout_in_ms).",
        )
        go_on.set()
        assert client("GET", "/v1/models/half").status == 200  # by the only thread
        assert begun == list(STAGES[: STAGES.index(slow) + 1])


def test_cors_headers_where_they_are_switched_on(hasty):
    client = Client(hasty.rest_api_port)
    for reply in (
        client("GET", "/v1/models/slow"),
        client("GET", "/v1/models/nope"),
        client("OPTIONS", "/v1/models/slow:predict", headers={"Origin": "https://a.b"}),
    ):
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert reply.headers["Access-Control-Allow-Methods"] == "POST, GET"
        assert reply.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert "Access-Control-Allow-Origin" not in client("GET", "/").headers


def test_a_content_length_that_never_comes(hasty):
    head = b"POST /v1/models/slow:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
    started = time.monotonic()
    answer = raw(hasty.rest_api_port, head, b'{"instances"')
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive in time" in answer
    assert time.monotonic() - started < 10


def test_a_content_length_that_is_too_small(client):
    """What is left of the body is no request: 400, and the end of the connection."""
    head = f"POST {HALF} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        connection.sendall(head + b'{"instances":[1.0]}' * 3 + b"\r\n\r\n")
        answers = b""
        while piece := connection.recv(1000):
            answers += piece
    assert answers.count(b" 400 ") == answers.count(b"HTTP/1.") > 0
    assert client.predict("half", {"instances": [1]}).json == {"predictions": [2.5]}


def test_a_body_that_drips_in_keeps_nobody_waiting(client):
    body = b'{"instances":[1.0]}'
    head = f"POST {HALF} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", client.port), timeout=20))
            for _ in range(50)  # more than there are threads
        ]
        for connection in slow:
            connection.sendall(head)
        for byte in body:
            for connection in slow:
                connection.sendall(bytes([byte]))
            assert client.predict("half", {"instances": [1]}).status == 200
        assert all(b"[2.5\n    ]" in connection.recv(1000) for connection in slow)


def test_a_client_that_vanishes_hurts_nobody(client, caplog):
    head = f"POST {HALF} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n".encode()
    for piece in (b"", b"POST", head, head + b'{"instances'):
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            connection.sendall(piece)
    time.sleep(0.2)
    assert client.predict("half", {"instances": [1]}).json == {"predictions": [2.5]}
    assert "Traceback" not in caplog.text


def memory(field: str) -> int:
    """Resident memory of this process, where the server runs, in bytes (Linux)."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if field in line)
    return int(line.split()[1]) * 1024


def reset_peak_memory() -> int:
    """Makes the highest resident memory start anew from what there is now, and returns that."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def test_a_thousand_idle_connections(client):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # both ends are in this process
    with contextlib.ExitStack() as stack:
        head = f"POST {HALF} HTTP/1.1\r\nHost: a\r\n".encode()
        for number in range(1000):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", client.port)))
            idle.sendall(head[: number % len(head)])
        started = time.monotonic()
        for _ in range(10):
            assert client.predict("half", {"instances": [1]}).json == {"predictions": [2.5]}
        assert time.monotonic() - started < 5
    assert client.predict("half", {"instances": [1]}).status == 200


def test_broken_chunks(client):
    head = f"POST {HALF} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert raw(client.port, head + b"xyz\r\n").partition(b" ")[2].startswith(b"400 ")


def test_a_body_in_pieces(client):
    body = b'{"instances":[1.0]}'
    head = f"POST {HALF} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    answer = raw(client.port, head, body[:5], body[5:9], body[9:], pause=0.05)
    assert b"[2.5\n    ]" in answer
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in (body[:7], body[7:])) + b"0\r\n\r\n"
    head = f"POST {HALF} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert b"[2.5\n    ]" in raw(client.port, head + chunks)


def test_expect_100_continue(client):
    body = b'{"instances":[1.0]}'
    head = (
        f"POST {HALF} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_a_body_larger_than_the_limit(client):
    """200 MB against a limit of half of it: refused, and what is above the limit is never kept."""
    before = reset_peak_memory()
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    megabyte = b"[" * 2**20
    try:
        connection.putrequest("POST", HALF)
        connection.putheader("Content-Length", str(2 * MAX_BODY_BYTES))
        connection.endheaders()
        for _ in range(2 * MAX_BODY_BYTES // len(megabyte)):
            connection.send(megabyte)
    except ConnectionError:
        pass  # the server closed after its answer
    try:
        answer = connection.sock.recv(1000)
    except ConnectionError:
        answer = b"lost in the reset"
    connection.close()
    assert answer.startswith((b"HTTP/1.1 413 ", b"lost"))
    assert memory("VmHWM") - before < 1.9 * MAX_BODY_BYTES
    assert client.predict("half", {"instances": [1]}).json == {"predictions": [2.5]}


def test_a_keep_alive_connection_serves_many(client):
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=20)
    for value in range(20):
        connection.request("POST", HALF, f'{{"inputs":[{value}]}}')
        assert f"{value / 2 + 2}".encode() in connection.getresponse().read()
    connection.close()


def test_many_clients_at_once(client):
    wrong = []

    def ask(start: int):
        for value in np.arange(start, start + 10):
            answer = client.predict("half", {"instances": [int(value)]}).json
            if answer != {"predictions": [value / 2 + 2]}:
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(100 * index,)) for index in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_versions_change_under_load(tmp_path):
    """Real models: no request fails while versions are published and deleted."""
    save_half(tmp_path / "half" / "1", offset=1.0)
    save_half(tmp_path / "spare", offset=2.0)
    options = Options(port=None, rest_api_port=0, file_system_poll_wait_seconds=0.1)
    with Server(single_model("half", str(tmp_path / "half")), options) as server:
        client, stop, seen, failures = Client(server.rest_api_port), threading.Event(), set(), []

        def ask():
            while not stop.is_set():
                reply = client.predict("half", {"instances": [0]})
                if reply.status == 200:
                    seen.add(reply.json["predictions"][0])
                else:
                    failures.append(reply.body)

        def wait_for(version: str, state: str):
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                reply = client("GET", f"/v1/models/half/versions/{version}")
                if reply.status == 200 and reply.json["model_version_status"][0]["state"] == state:
                    return reply.json["model_version_status"][0]["status"]
                time.sleep(0.02)
            raise AssertionError(f"version {version} is not {state}: {reply.body}")

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            (tmp_path / "half" / "2").mkdir()
            shutil.copy(tmp_path / "spare" / "saved_model.pb", tmp_path / "half" / "2")
            (tmp_path / "half" / "2" / "saved_model.pb").write_bytes(b"\xff")
            status = wait_for("2", "END")
            assert status["error_code"] in ("DATA_LOSS", "NOT_FOUND")
            shutil.rmtree(tmp_path / "half" / "2")
            shutil.copytree(tmp_path / "spare", tmp_path / ".tmp-3")
            (tmp_path / ".tmp-3").rename(tmp_path / "half" / "3")
            wait_for("3", "AVAILABLE")
            wait_for("1", "END")
            shutil.rmtree(tmp_path / "half" / "3")
            wait_for("1", "AVAILABLE")
            wait_for("3", "END")
        finally:
            stop.set()
            asking.join()
    assert not failures
    assert seen == {1.0, 2.0}
