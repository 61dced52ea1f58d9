"""Replays a version's warm-up requests before it is made available.

The file is a TFRecord of `tensorflow.serving.PredictionLog` messages that the exporter puts beside
the model. The first run of a graph is slow; after the replay no client pays for it.
"""

import logging
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from zoo.serving.errors import ServingError, invalid_argument
from zoo.serving.inference.classify import run_classification_request, run_regression_request
from zoo.serving.inference.multi_inference import run_multi_inference_request
from zoo.serving.inference.predict import run_predict_request
from zoo.serving.inference.servable import Servable

WARMUP_FILE = Path("assets.extra", "tf_serving_warmup_requests")
_MAX_RECORDS = 1000
_RUN = {
    "predict_log": run_predict_request,
    "classify_log": run_classification_request,
    "regress_log": run_regression_request,
    "multi_inference_log": run_multi_inference_request,
}
_RECORD_HEADER_BYTES = 12

_log = logging.getLogger(__name__)


def warm_up(servable: Servable, directory: Path, iterations: int = 1) -> int:
    """Runs every request of the version's warm-up file.

    Args:
        servable: The loaded version.
        directory: The version's directory.
        iterations: How often each request runs.

    Returns:
        How many requests there were; 0 if there is no file.

    Raises:
        ServingError: The file is not what it should be, or one of its requests fails. The
            version must then not be served.
    """
    path = directory / WARMUP_FILE
    if not path.exists():
        _log.info("No warmup data file found at %s", path)
        return 0
    # TensorFlow reads a file too short for one record header as empty.
    if path.stat().st_size < _RECORD_HEADER_BYTES:
        return 0
    count = 0
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            if count == _MAX_RECORDS:
                raise invalid_argument(
                    f"Number of warmup records exceeds the maximum ({_MAX_RECORDS}) at {path}"
                )
            _run(servable, record, path, iterations)
            count += 1
    except tf.errors.DataLossError as error:
        raise ServingError(
            "DATA_LOSS",
            f"{error.message}. Please verify your warmup data is in TFRecord format: {path}",
        ) from error
    _log.info("Finished reading warmup data at %s: %d requests", path, count)
    return count


def _run(servable: Servable, record: bytes, path: Path, iterations: int) -> None:
    try:
        log = prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError as error:
        raise invalid_argument(f"Failed to parse warmup record: {error} from {path}") from error
    kind = log.WhichOneof("log_type")
    if kind is None:
        return
    if kind not in _RUN:
        raise ServingError("UNIMPLEMENTED", f"Unsupported log_type for warmup: {kind}")
    for _ in range(iterations):
        _RUN[kind](servable, getattr(log, kind).request)
