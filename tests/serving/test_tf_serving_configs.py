"""The files for the real TensorFlow Serving, parsed as it parses them; and that they agree.

``tensorflow-serving-api`` ships the proto of ``models.config`` only. Those of the other two are put
together here from the fields that TensorFlow Serving documents.
"""

import subprocess
from pathlib import Path

import pytest
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

import zoo
from tests.serving.rest_client import Client
from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.options import Options
from zoo.serving.server import Server

FOLDER = Path(__file__).parents[2] / "serving" / "tf_serving"
Field = descriptor_pb2.FieldDescriptorProto


@pytest.fixture(scope="module")
def messages():
    """``BatchingParameters`` and ``MonitoringConfig`` as message classes."""
    file = descriptor_pb2.FileDescriptorProto(
        name="tests/documented.proto",
        package="documented",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )

    def message(name, **fields):
        added = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), start=1):
            added.field.add(name=field, number=number, **({"label": 1} | kind))

    def nested(type_name):
        return {"type": Field.TYPE_MESSAGE, "type_name": type_name}

    wrapped = nested(".google.protobuf.Int64Value")
    message(
        "BatchingParameters",
        max_batch_size=wrapped,
        batch_timeout_micros=wrapped,
        max_enqueued_batches=wrapped,
        num_batch_threads=wrapped,
        thread_pool_name=nested(".google.protobuf.StringValue"),
        allowed_batch_sizes={"type": Field.TYPE_INT64, "label": Field.LABEL_REPEATED},
        pad_variable_length_inputs={"type": Field.TYPE_BOOL},
        enable_large_batch_splitting=nested(".google.protobuf.BoolValue"),
        max_execution_batch_size=wrapped,
    )
    message("PrometheusConfig", enable={"type": Field.TYPE_BOOL}, path={"type": Field.TYPE_STRING})
    message("MonitoringConfig", prometheus_config=nested(".documented.PrometheusConfig"))
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"documented.{name}"))
        for name in ("BatchingParameters", "MonitoringConfig")
    }


def read_models(name):
    text = (FOLDER / name).read_text()
    return list(text_format.Parse(text, ModelServerConfig()).model_config_list.config)


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]


@pytest.fixture(scope="module", params=["tf_serving", "tf_serving_gpu"])
def service(request, compose):
    return compose[request.param]


def flags(service):
    return dict(argument.removeprefix("--").split("=", 1) for argument in service["command"])


def mounts(service):
    """Host directory by container directory; the host's may hold a ``${VARIABLE:-default}``."""
    return {
        inside: outside
        for outside, inside, mode in (volume.rsplit(":", 2) for volume in service["volumes"])
        if mode == "ro"
    }


def test_the_models_are_those_of_the_zoo():
    models = read_models("models.config")
    assert [model.name for model in models] == ["nmt_attention", "sentiment", "ner"]
    assert {model.name for model in models} <= set(zoo.list_models())
    assert {model.model_platform for model in models} == {"tensorflow"}
    assert all(model.model_version_policy.latest.num_versions == 1 for model in models)


def test_the_canary_is_the_same_but_for_two_versions_of_one_model():
    canary, *others = read_models("models-canary.config")
    before, *same = read_models("models.config")
    assert others == same
    assert (canary.name, canary.base_path) == (before.name, before.base_path)
    assert dict(canary.version_labels) == {"stable": 1, "canary": 2}
    assert set(canary.model_version_policy.specific.versions) == {1, 2}


def test_every_model_is_read_from_its_directory_in_the_mounted_one(service):
    assert mounts(service)["/models"] == "${MODELS:-../../models}"
    models = read_models("models.config")
    assert [model.base_path for model in models] == [f"/models/{model.name}" for model in models]


def test_every_file_named_in_the_command_is_mounted(service):
    assert mounts(service)["/config"] == "."
    files = {name: path for name, path in flags(service).items() if path.startswith("/")}
    assert set(files) == {"model_config_file", "batching_parameters_file", "monitoring_config_file"}
    for path in files.values():
        assert Path(path).parent == Path("/config")
        assert (FOLDER / Path(path).name).is_file()


def test_ports_are_those_of_the_image_and_of_this_machine_only(service):
    assert service["ports"] == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]


def test_the_two_images_differ_in_the_gpu_only(compose):
    cpu, gpu = compose["tf_serving"], compose["tf_serving_gpu"]
    assert "profiles" not in cpu  # `docker compose up` starts it, and no other
    assert gpu["profiles"] == ["gpu"]
    assert gpu["image"] == cpu["image"] + "-gpu"
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert all(gpu[key] == value for key, value in cpu.items() if key != "image")


def test_batching_keeps_to_the_rules_of_tensorflow_serving(messages, service):
    text = (FOLDER / "batching.config").read_text()
    batching = text_format.Parse(text, messages["BatchingParameters"]())
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert batching.enable_large_batch_splitting.value
    assert sizes[-1] == batching.max_execution_batch_size.value
    assert batching.max_execution_batch_size.value <= batching.max_batch_size.value
    assert batching.num_batch_threads.value >= 1
    assert flags(service)["enable_batching"] == "true"  # else the file is an error at start-up


def test_a_request_of_many_rows_runs_in_several_batches(models):
    options = Options(
        port=None,
        rest_api_port=0,
        enable_batching=True,
        batching_parameters_file=FOLDER / "batching.config",
    )
    with Server({"echo": ModelConfig("echo", models / "echo")}, options) as server:
        client, texts = Client(server.rest_api_port), [f"text {number}" for number in range(400)]
        signed = {"signature_name": "plain", "instances": texts}
        assert client.predict("echo", signed).json == {"predictions": texts}
        reply = client.predict("echo", {"instances": texts * 3})
        assert reply.status == 400
        assert "1200 is larger than maximum input batch size 1024" in reply.error


@pytest.mark.parametrize(("model", "healthy"), [("half", True), ("absent", False)])
def test_the_health_check_tells_whether_a_version_can_take_requests(
    server, compose, model, healthy
):
    kind, *command = compose["tf_serving"]["healthcheck"]["test"]
    assert kind == "CMD"
    command[-1] = command[-1].replace("8501", str(server.rest_api_port))
    command[-1] = command[-1].replace("nmt_attention", model)
    assert (subprocess.run(command, timeout=30).returncode == 0) is healthy


def test_a_container_may_not_take_all_memory(service):
    assert service["mem_limit"] == "${MEMORY:-3g}"
    assert service["platform"] == "linux/amd64"


def test_monitoring_is_on_at_the_documented_path(messages):
    text = (FOLDER / "monitoring.config").read_text()
    prometheus = text_format.Parse(text, messages["MonitoringConfig"]()).prometheus_config
    assert prometheus.enable
    assert prometheus.path == "/monitoring/prometheus/metrics"
