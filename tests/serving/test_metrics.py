"""Metrics for Prometheus: their text form, and what the ports count."""

import grpc
import pytest
import tensorflow as tf
from prometheus_client.parser import text_string_to_metric_families
from tensorflow_serving.apis import inference_pb2, predict_pb2, prediction_service_pb2_grpc

from tests.serving.rest_client import Client
from zoo.serving.lifecycle.config import single_model
from zoo.serving.metrics import PROMETHEUS_PATH, Metrics
from zoo.serving.options import Options
from zoo.serving.server import Server


@pytest.fixture(scope="module")
def server(models, tmp_path_factory):
    """A server of its own, with metrics, whose counts no other test changes."""
    monitoring = tmp_path_factory.mktemp("monitoring") / "monitoring.config"
    monitoring.write_text('prometheus_config { enable: true path: "" }')
    options = Options(port=0, rest_api_port=0, monitoring_config_file=monitoring)
    with Server(single_model("half", str(models / "half")), options) as running:
        yield running


@pytest.fixture
def client(server):
    return Client(server.rest_api_port)


@pytest.fixture
def samples(client):
    """Reads a sample of the page: `samples(name, **labels)`, 0 if there is none."""

    def read(name, **labels):
        page = client("GET", PROMETHEUS_PATH).body.decode().splitlines()
        text = ",".join(f'{key}="{value}"' for key, value in labels.items())
        values = [line.split()[-1] for line in page if line.startswith(f"{name}{{{text}}} ")]
        return float(values[0]) if values else 0

    return read


def test_the_page_of_metrics(client):
    for method in ("GET", "POST", "DELETE"):
        reply = client(method, PROMETHEUS_PATH)
        assert reply.status == 200
        assert reply.headers["Content-Type"].split(";")[0] == "text/plain"
        assert b"# TYPE :tensorflow:serving:request_count counter\n" in reply.body


def test_the_path_of_the_metrics_must_be_exact(client):
    reply = client("GET", f"{PROMETHEUS_PATH}?x=1")
    assert reply.status == 400
    assert reply.headers["Content-Type"].split(";")[0] == "text/plain"
    assert reply.body == (
        b"Unexpected path: /monitoring/prometheus/metrics?x=1. "
        b"Should be /monitoring/prometheus/metrics"
    )
    assert client("GET", f"{PROMETHEUS_PATH}/x").status == 404


def test_no_page_of_metrics_unless_it_is_switched_on(tmp_path):
    assert Options().prometheus_path() is None
    file = tmp_path / "monitoring.config"
    for text, path in [
        ("", None),
        ('prometheus_config { path: "/m" }', None),
        ('prometheus_config { enable: true path: "/m" }', "/m"),
        ("prometheus_config: { enable: true }", PROMETHEUS_PATH),
    ]:
        file.write_text(text)
        assert Options(monitoring_config_file=file).prometheus_path() == path


def test_the_text_form_of_the_metrics():
    metrics = Metrics()
    metrics.count_request('a\\b"c\n', "OK")
    metrics.count_request("half", "NOT_FOUND")
    metrics.count_request("half", "NOT_FOUND")
    metrics.time_request("half", "predict", "REST", 20e-6)
    metrics.time_run("half", "Predict", 10e-6)
    metrics.time_load("/models/half/1", True, 1.5)
    page = metrics.page().decode()
    assert page.endswith("\n")
    lines = page.splitlines()
    assert lines == [line for line in lines if line.startswith(("#", ":"))]
    types = [line for line in lines if line.startswith("#")]
    assert types == sorted(types)
    assert "# TYPE :tensorflow:serving:request_latency histogram" in types
    assert ':tensorflow:serving:request_count{model_name="half",status="NOT_FOUND"} 2' in lines
    labels = 'model_name="half",API="Predict",runtime="TF1"'
    assert f':tensorflow:serving:runtime_latency_bucket{{{labels},le="10"}} 1' in lines
    assert ':tensorflow:serving:request_count{model_name="a\\\\b\\"c\\n",status="OK"} 1' in lines
    assert ':tensorflow:cc:saved_model:load_latency{model_path="/models/half/1"} 1500000' in lines
    latency = ":tensorflow:serving:request_latency"
    labels = 'model_name="half",API="predict",entrypoint="REST"'
    histogram = [line for line in lines if line.startswith(latency)]
    assert histogram[:4] == [
        f'{latency}_bucket{{{labels},le="10"}} 0',
        f'{latency}_bucket{{{labels},le="18"}} 0',
        f'{latency}_bucket{{{labels},le="32.4"}} 1',
        f'{latency}_bucket{{{labels},le="58.32"}} 1',
    ]
    assert f'{latency}_bucket{{{labels},le="708235"}} 1' in histogram
    assert histogram[-3:] == [
        f'{latency}_bucket{{{labels},le="+Inf"}} 1',
        f"{latency}_count{{{labels}}} 1",
        f"{latency}_sum{{{labels}}} 20",
    ]
    assert len(histogram) == 33 + 3
    assert list(text_string_to_metric_families(page))  # Prometheus' own parser reads it


def test_the_text_form_of_example_counts():
    """Fifteen limits from 1 to 2^14; a bucket ends before its limit, as TensorFlow's do."""
    metrics = Metrics()
    for number in (1, 3, 4, 20_000):
        metrics.count_examples("half", number)
    lines = metrics.page().decode().splitlines()
    name = ":tensorflow:serving:request_example_counts"
    histogram = [line for line in lines if line.startswith(f"{name}_")]
    assert histogram[:5] == [
        f'{name}_bucket{{model="half",le="1"}} 0',
        f'{name}_bucket{{model="half",le="2"}} 1',
        f'{name}_bucket{{model="half",le="4"}} 2',
        f'{name}_bucket{{model="half",le="8"}} 3',
        f'{name}_bucket{{model="half",le="16"}} 3',
    ]
    assert histogram[-4:] == [
        f'{name}_bucket{{model="half",le="16384"}} 3',
        f'{name}_bucket{{model="half",le="+Inf"}} 4',
        f'{name}_count{{model="half"}} 4',
        f'{name}_sum{{model="half"}} 20008',
    ]
    assert len(histogram) == 15 + 3
    total = ":tensorflow:serving:request_example_count_total"
    assert f"# TYPE {total} counter" in lines
    assert f'{total}{{model="half"}} 20008' in lines


def test_rest_calls_are_counted(client, samples):
    count, timed = ":tensorflow:serving:request_count", ":tensorflow:serving:request_latency_count"
    labels = {"model_name": "half", "API": "predict", "entrypoint": "REST"}
    ok, missing = samples(count, model_name="half", status="OK"), samples(timed, **labels)
    client.predict("half", {"instances": [1.0]})
    client("GET", "/v1/models/half")
    client.predict("half", {"instances": ["x"]})
    client.predict("nope", {"instances": [1.0]})
    client("GET", "/v1/nope")
    client("GET", "/")
    assert samples(count, model_name="half", status="OK") == ok + 2
    assert samples(timed, **labels) == missing + 1
    assert samples(count, model_name="half", status="INVALID_ARGUMENT") == 1
    assert samples(count, model_name="nope", status="NOT_FOUND") == 1
    assert samples(count, model_name="", status="INVALID_ARGUMENT") == 1


def test_the_status_is_the_errors_own(client, samples):
    """And not what HTTP makes of it, which has one number for several."""

    def count(status):
        return samples(":tensorflow:serving:request_count", model_name="half", status=status)

    before, wrong = count("FAILED_PRECONDITION"), count("INVALID_ARGUMENT")
    reply = client("POST", "/v1/models/half:classify", {"examples": [{"x": 1.0}]})
    assert reply.status == 400  # its input is not called `inputs`
    assert (count("FAILED_PRECONDITION"), count("INVALID_ARGUMENT")) == (before + 1, wrong)
    before = samples(":tensorflow:serving:request_count", model_name="", status="OK")
    client("OPTIONS", "/v1/models/half:predict", headers={"Origin": "http://a.b"})
    client("TRACE", "/v1/models/half:predict")
    assert samples(":tensorflow:serving:request_count", model_name="", status="OK") == before + 1
    assert samples(":tensorflow:serving:request_count", model_name="", status="UNIMPLEMENTED") == 1


def test_runs_are_timed_whichever_port_they_come_by(server, client, samples):
    def runs(api):
        name = ":tensorflow:serving:runtime_latency_count"
        return samples(name, model_name="half", API=api, runtime="TF1")

    before = runs("Predict")
    client.predict("half", {"instances": [1.0]})
    client.predict("half", {"instances": ["x"]})  # does not come to a run
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "half"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(1.0))
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request)
    assert runs("Predict") == before + 2
    for verb, signature in (("classify", "classify_x_to_y"), ("regress", "regress_x_to_y")):
        body = {"signature_name": signature, "examples": [{"x": 1.0}]}
        assert client("POST", f"/v1/models/half:{verb}", body).status == 200
        assert runs(verb.title()) == 1


def test_grpc_calls_are_counted(server, samples):
    latency = ":tensorflow:serving:request_latency_count"
    labels = {"model_name": "half", "API": "Predict", "entrypoint": "GRPC"}
    timed = samples(latency, **labels)
    request = predict_pb2.PredictRequest()
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with pytest.raises(grpc.RpcError):
            stub.Predict(request)
        request.model_spec.name = "half"
        request.inputs["x"].dtype = 1
        request.inputs["x"].float_val.append(1.0)
        before = samples(":tensorflow:serving:request_count", model_name="half", status="OK")
        assert stub.Predict(request).outputs["y"].float_val == [2.5]
        request.inputs["z"].CopyFrom(request.inputs["x"])
        with pytest.raises(grpc.RpcError):
            stub.Predict(request)
    count = ":tensorflow:serving:request_count"
    assert samples(count, model_name="half", status="OK") == before + 1
    assert samples(count, model_name="half", status="INVALID_ARGUMENT") >= 1
    assert samples(latency, **labels) == timed + 1


def test_loads_are_counted(samples, models):
    path = str(models / "half" / "123")
    attempts = ":tensorflow:cc:saved_model:load_attempt_count"
    assert samples(attempts, model_path=path, status="success") == 1


def test_strangers_cannot_fill_the_memory_with_names():
    metrics = Metrics()
    for number in range(1500):
        metrics.count_request(f"model {number}", "NOT_FOUND")
    page = metrics.page().decode().splitlines()
    counts = [line for line in page if line.startswith(":tensorflow:serving:request_count{")]
    assert len(counts) == 1001
    assert counts[-1].endswith('{model_name="",status="NOT_FOUND"} 500')


def test_strangers_names_do_not_hide_a_model():
    metrics = Metrics()
    for number in range(1500):
        metrics.count_request(f"model {number}", "NOT_FOUND")
    metrics.time_run("half", "Predict", 0.001)
    metrics.count_request("half", "OK")
    assert b':request_count{model_name="half",status="OK"} 1' in metrics.page()


def test_examples_are_counted(server, client, samples):
    total = ":tensorflow:serving:request_example_count_total"
    requests = ":tensorflow:serving:request_example_counts_count"
    before, many = samples(total, model="half"), samples(requests, model="half")
    for verb, signature, rows in (
        ("classify", "classify_x_to_y", [{"x": 1.0}] * 3),
        ("regress", "regress_x_to_y", [{"x": 1.0}] * 2),
        ("regress", "regress_x_to_y", [{"y": 1.0}]),  # its run fails
    ):
        client("POST", f"/v1/models/half:{verb}", {"signature_name": signature, "examples": rows})
    request = inference_pb2.MultiInferenceRequest()
    for name in ("classify", "regress"):
        task = request.tasks.add(method_name=f"tensorflow/serving/{name}")
        task.model_spec.name, task.model_spec.signature_name = "half", f"{name}_x_to_y"
    request.input.example_list.examples.add().features.feature["x"].float_list.value.append(1.0)
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).MultiInference(request)
    assert samples(total, model="half") == before + 3 + 2 + 1
    assert samples(requests, model="half") == many + 3
