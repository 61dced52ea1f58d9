"""Loading what is broken, and warming up what is not."""

import time

import numpy as np
import pytest
import tensorflow as tf
from fixture_models import save_half
from tensorflow_serving.apis import prediction_log_pb2

from serving.errors import ServingError
from serving.servable import Servable
from serving.warmup import WARMUP_FILE, warm_up


@pytest.fixture
def half(tmp_path):
    save_half(tmp_path / "1")
    return tmp_path / "1"


def test_a_directory_without_a_model(tmp_path):
    with pytest.raises(ServingError, match="Could not find SavedModel") as caught:
        Servable(tmp_path)
    assert caught.value.code == "NOT_FOUND"


def test_a_model_that_is_not_a_proto(half):
    (half / "saved_model.pb").write_bytes(b"\xff\xff\xff")
    with pytest.raises(ServingError, match="as binary proto") as caught:
        Servable(half)
    assert caught.value.code == "DATA_LOSS"


def test_other_tags(half):
    with pytest.raises(ServingError, match=r"supplied tags: \{ gpu \}") as caught:
        Servable(half, ["gpu"])
    assert caught.value.code == "NOT_FOUND"


def test_missing_and_corrupt_variables(models, tmp_path):
    directory = tmp_path / "1"
    tf.io.gfile.makedirs(str(directory))
    (directory / "saved_model.pb").write_bytes(
        (models / "tf1" / "1" / "saved_model.pb").read_bytes()
    )
    with pytest.raises(ServingError):
        Servable(directory)
    (directory / "variables").mkdir()
    for file in (models / "tf1" / "1" / "variables").iterdir():
        (directory / "variables" / file.name).write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ServingError):
        Servable(directory)


def test_a_model_with_ops_nobody_has(half):
    text = (half / "saved_model.pb").read_bytes()
    (half / "saved_model.pb").write_bytes(text.replace(b"RealDiv", b"RealDIV"))
    with pytest.raises(ServingError, match="RealDIV"):
        Servable(half)


def test_run_gives_arrays(models):
    servable = Servable(models / "enc" / "1")
    outputs = servable.run("serving_default", {"tokens": np.zeros((2, 5), np.int32)})
    assert {name: array.shape for name, array in outputs.items()} == {
        "n": (),
        "seq": (2, 5, 2),
        "state": (3, 2, 2),
    }
    servable.close()


def test_what_one_timeout_warmed_is_warm_for_all(models):
    """The graph is optimised at its first run, and not again for a client in more of a hurry."""
    servable = Servable(models / "keras" / "1")

    def seconds(timeout_ms):
        started = time.perf_counter()
        steps = np.zeros((1, 4, 2), np.float32)
        servable.run("serving_default", {"steps": steps}, timeout_ms=timeout_ms)
        return time.perf_counter() - started

    cold = seconds(timeout_ms=0)
    assert min(seconds(timeout_ms) for timeout_ms in (10_000, 20_000, 30_000)) < cold / 3
    servable.close()


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


def warm(directory) -> int:
    servable = Servable(directory)
    try:
        return warm_up(servable, directory)
    finally:
        servable.close()


def test_warm_up_runs_every_request(half):
    assert warm(half) == 0
    write_records(half)
    assert warm(half) == 0
    write_records(half, log_of([1.0]), log_of([[2.0]], "serving_default"), b"")
    assert warm(half) == 3


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
        ([b""] * 1001, "INVALID_ARGUMENT", "exceeds the maximum (1000)"),
    ],
    ids=["dtype", "signature", "garbage", "kind", "too many"],
)
def test_bad_warm_up_requests(half, records, code, message):
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
