"""Warm-up requests: TensorFlow Serving replays them before it serves a version.

The first run of a graph is slow (its optimisation, its memory), so each signature's example is
replayed from `assets.extra/tf_serving_warmup_requests`, a TFRecord file of serialized
`tensorflow.serving.PredictionLog`. Tensors must have the signature's dtype exactly; nothing
converts them on the way.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf

from zoo.export import signatures as offered
from zoo.export.graph import os_error

if TYPE_CHECKING:
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    from zoo.models.base import Signature

FILE = Path("assets.extra", "tf_serving_warmup_requests")


def logs(signatures: dict[str, "Signature"]) -> list["PredictionLog"]:
    """The `PredictionLog` of each signature, from its example.

    Args:
        signatures: `Signature` by name.

    Raises:
        ImportError: The protos of TensorFlow Serving are not installed.
    """
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ImportError as error:
        raise ImportError(
            "warm-up requests need TensorFlow Serving's protos: pip install 'rnn-zoo[serving]'"
        ) from error
    records = []
    for name, signature in signatures.items():
        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = name
        for key, tensor in offered.example(signature).items():
            request.inputs[key].CopyFrom(tf.make_tensor_proto(tensor))
        log = prediction_log_pb2.PredictLog(request=request)
        records.append(prediction_log_pb2.PredictionLog(predict_log=log))
    return records


def write(records: list["PredictionLog"], folder: Path) -> None:
    """Writes the warm-up file of a SavedModel.

    Args:
        records: What `logs` returned.
        folder: The SavedModel's directory.

    Raises:
        OSError: The file cannot be written.
    """
    path = folder / FILE
    path.parent.mkdir()
    try:
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record.SerializeToString())
    except tf.errors.OpError as error:
        raise os_error(error, path) from error
