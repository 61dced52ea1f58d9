"""Warm-up requests, replayed before a version is made available."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tests.serving.fixture_models import save_half
from zoo.serving.errors import ServingError
from zoo.serving.inference.servable import Servable
from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.lifecycle.loader import Loader
from zoo.serving.lifecycle.manager import Lifecycle
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.lifecycle.warmup import WARMUP_FILE, warm_up
from zoo.serving.metrics import Metrics
from zoo.serving.options import Options


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    directory = tmp_path_factory.mktemp("saved") / "1"
    save_half(directory)
    return directory


@pytest.fixture
def half(saved, tmp_path):
    """The directory of a version without warm-up requests."""
    return shutil.copytree(saved, tmp_path / "1")


def log_of(x, signature="", dtype=np.float32) -> bytes:
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.signature_name = signature
    log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.array(x, dtype)))
    return log.SerializeToString()


def write_records(directory, *records: bytes):
    path = directory / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def warm(directory, iterations=1) -> int:
    servable = Servable(directory)
    try:
        return warm_up(servable, directory, iterations)
    finally:
        servable.close()


def test_every_warm_up_request_runs(half, caplog):
    caplog.set_level("INFO")
    assert warm(half) == 0
    assert "No warmup data file found at" in caplog.text
    write_records(half)
    assert warm(half) == 0
    write_records(half, log_of([1.0]), log_of([[2.0]], "serving_default"), b"")
    assert warm(half) == 3


def test_every_kind_of_warm_up_request_runs(models):
    classify, regress, several = (prediction_log_pb2.PredictionLog() for _ in range(3))
    example = tf.train.Example()
    example.features.feature["x"].float_list.value.append(1.0)
    for request, signature in [
        (classify.classify_log.request, "classify"),
        (regress.regress_log.request, "regress"),
    ]:
        request.model_spec.signature_name = signature
        request.input.example_list.examples.append(example)
    several.multi_inference_log.request.input.example_list.examples.append(example)
    for signature in ("classify", "regress"):
        task = several.multi_inference_log.request.tasks.add(
            method_name=f"tensorflow/serving/{signature}"
        )
        task.model_spec.name, task.model_spec.signature_name = "any name", signature
    directory = models / "judge" / "1"
    write_records(directory, *(log.SerializeToString() for log in (classify, regress, several)))
    assert warm(directory) == 3

    classify.classify_log.request.model_spec.signature_name = "regress"
    write_records(directory, classify.SerializeToString())
    with pytest.raises(ServingError):
        warm(directory)
    shutil.rmtree(directory / WARMUP_FILE.parent)


def test_requests_can_run_several_times(half):
    write_records(half, log_of([1.0]), log_of([2.0]))
    servable = Servable(half)
    run, runs = servable.run, []
    servable.run = lambda *args, **options: runs.append(args) or run(*args, **options)
    assert warm_up(servable, half, iterations=5) == 2
    assert len(runs) == 10
    servable.close()


@pytest.mark.parametrize(
    ("records", "code", "message"),
    [
        ([log_of([1.0], dtype=np.float64)], "INVALID_ARGUMENT", "to be float but double"),
        ([log_of([1.0], "nope")], "FAILED_PRECONDITION", '"nope" not found'),
        ([b"\xff\xff"], "INVALID_ARGUMENT", "Failed to parse warmup record"),
        (
            [prediction_log_pb2.PredictionLog(session_run_log={}).SerializeToString()],
            "UNIMPLEMENTED",
            "Unsupported log_type for warmup: session_run_log",
        ),
        (
            [prediction_log_pb2.PredictionLog(predict_streamed_log={}).SerializeToString()],
            "UNIMPLEMENTED",
            "Unsupported log_type for warmup: predict_streamed_log",
        ),
        ([b""] * 1001, "INVALID_ARGUMENT", "exceeds the maximum (1000)"),
    ],
    ids=["dtype", "signature", "garbage", "kind", "streamed", "too many"],
)
def test_bad_requests(half, records, code, message):
    write_records(half, *records)
    with pytest.raises(ServingError) as caught:
        warm(half)
    assert caught.value.code == code
    assert message in caught.value.message


def test_a_warm_up_file_of_another_format(half):
    write_records(half)
    (half / WARMUP_FILE).write_bytes(b"not a TFRecord at all")
    with pytest.raises(ServingError, match="Please verify your warmup data is in TFRecord format"):
        warm(half)
    (half / WARMUP_FILE).write_bytes(b"short")
    assert warm(half) == 0


def test_a_version_whose_warm_up_fails_never_takes_over(half):
    """And the one before it stays; without warm-up the new one is served."""
    base_path, new = half.parent, half.with_name("2")
    shutil.copytree(half, new)
    write_records(new, log_of([1.0], "nope"))
    for enabled, served in ((True, {1: 30, 2: 50}), (False, {2: 30})):
        registry = Registry()
        loader = Loader(Options(enable_model_warmup=enabled), Metrics(), None)
        lifecycle = Lifecycle(registry, loader)
        registry.configure({"m": ModelConfig("m", base_path, latest=2 if enabled else 1)})
        lifecycle.start()
        registry.wait_until_served(["m"])
        states = {number: int(state) for number, state, _ in registry.statuses("m")}
        lifecycle.stop()
        assert states == served
