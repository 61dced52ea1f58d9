"""Batching seen from outside: a server that has it, real models, REST."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.serving.fixture_models import write_config
from tests.serving.rest_client import Client
from zoo.serving.lifecycle.config import read_config_file
from zoo.serving.options import Options
from zoo.serving.server import Server


@pytest.fixture(scope="module")
def server(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("batching")
    parameters = folder / "batching.config"
    parameters.write_text(
        """
        max_batch_size { value: 4 }  batch_timeout_micros { value: 0 }
        max_enqueued_batches { value: 1 }  num_batch_threads { value: 1 }
        allowed_batch_sizes: 2 allowed_batch_sizes: 4
        """
    )
    options = Options(
        port=None,
        rest_api_port=0,
        enable_batching=True,
        batching_parameters_file=parameters,
        allow_version_labels_for_unavailable_models=True,
    )
    config = write_config(folder / "models.config", models)
    with Server(read_config_file(config), options) as running:
        yield running


@pytest.fixture
def client(server):
    return Client(server.rest_api_port)


def test_requests_get_their_own_rows(client):
    def ask(value):
        while (reply := client.predict("half", {"instances": [value, -value]})).status == 503:
            time.sleep(0.01)
        return reply.json

    values = [float(value) for value in range(40)]
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(ask, values))
    assert answers == [{"predictions": [value / 2 + 2, 2 - value / 2]} for value in values]


def test_a_request_without_rows_in_a_batch(client):
    assert client.predict("i64", {"inputs": []}).json == {"outputs": []}


def test_a_full_queue_is_503(client):
    """One long run, one waiting behind it, and no room for a third."""
    statuses = []

    def ask(seconds):
        statuses.append(client.predict("slow", {"inputs": [seconds, 0, 0, 0]}).status)

    threads = []
    for seconds in (0.4, 0.0):
        threads.append(threading.Thread(target=ask, args=(seconds,)))
        threads[-1].start()
        time.sleep(0.1)
    refused = client.predict("slow", {"inputs": [0, 0, 0, 0]})
    for thread in threads:
        thread.join()
    assert refused.status == 503
    assert "The batch scheduling queue to which this task was submitted is full" in refused.error
    assert statuses == [400, 400]  # the model gives one row for four


def test_a_request_larger_than_a_batch(client):
    reply = client.predict("half", {"instances": [0] * 5})
    assert (reply.status, reply.error) == (
        400,
        "Task size 5 is larger than maximum input batch size 4",
    )


@pytest.mark.parametrize(
    ("model", "body", "message"),
    [
        ("half", {"inputs": 1.0},
         "Batching Run() input tensors must have at least one dimension"),
        ("multi", {"inputs": {"a": [[1, 2]], "s": ["x", "y"]}},
         "Batching Run() input tensors must have equal 0th-dimension size"),
        ("enc", {"inputs": {"tokens": [[1, 2]]}}, "Batched output tensor"),
    ],
)  # fmt: skip
def test_what_cannot_be_batched_is_400(client, model, body, message):
    reply = client.predict(model, body)
    assert reply.status == 400
    assert reply.error.startswith(message)


def test_every_kind_of_model_runs(client):
    assert client.predict("words", {"instances": ["two", "none"]}).json == {"predictions": [1, 3]}
    assert client.predict("tf1", {"instances": [2.0]}).json == {"predictions": [6.0]}
    steps = [[[1.0, 2.0]] * 4] * 3
    assert len(client.predict("keras", {"instances": steps}).json["predictions"]) == 3
    body = {"instances": [{"a": [1, 2], "s": "x"}]}
    assert client.predict("multi", body).json["predictions"][0]["txt"] == "x"
