"""Data of any kind through the whole export: images, and a step whose state goes in and out."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tests.export.tiny_models import Offers, Pictures, Stepper
from zoo import export
from zoo.export import ExportError, verification


@pytest.fixture(scope="module")
def pictures():
    keras.utils.set_random_seed(2)
    return Pictures()


@pytest.fixture(scope="module")
def stepper():
    keras.utils.set_random_seed(2)
    return Stepper()


@pytest.fixture(scope="module")
def folder(pictures, stepper, tmp_path_factory):
    """Both as one model, verified: one start of TensorFlow for the two."""
    offered = {"step": stepper.signatures()["serving_default"], **pictures.signatures()}
    return export.saved_model(Offers(**offered), tmp_path_factory.mktemp("modalities"))


@pytest.fixture(scope="module")
def served(folder):
    return tf.saved_model.load(str(folder)).signatures


def test_dtypes_and_ranks_are_kept(served):
    def specs(tensors):
        return {name: (tensor.dtype, tensor.shape.as_list()) for name, tensor in tensors.items()}

    def both(function):
        return specs(function.structured_input_signature[1]), specs(function.structured_outputs)

    assert both(served["serving_default"]) == (
        {"image": (tf.uint8, [None, 32, 32, 3])},
        {
            "label": (tf.string, [None]),
            "logits": (tf.float32, [None, 3]),
            "features": (tf.float32, [None, 8, 8, 4]),
            "corners": (tf.uint8, [None, 2, 2, 3]),
            "order": (tf.int32, [None, 32]),
            "dark": (tf.bool, [None, 3]),
        },
    )
    states = {"state": (tf.float32, [None, 5]), "seen": (tf.int32, [None, 7])}
    assert both(served["step"]) == (
        {"ids": (tf.int32, [None]), **states},
        {"logits": (tf.float32, [None, 7]), **states},
    )


def test_a_batch_of_another_size_and_of_none(served, pictures):
    images = np.random.default_rng(3).integers(0, 256, [5, 32, 32, 3], np.uint8)
    own = pictures.answer(tf.constant(images))
    got = served["serving_default"](image=tf.constant(images))
    verification.compare("any", *({k: v.numpy() for k, v in row.items()} for row in (own, got)))
    assert {len(v) for v in served["serving_default"](image=tf.constant(images[:0])).values()} == {
        0
    }


def test_steps_go_on_from_the_states_of_the_last(served, stepper):
    """The oracle is Keras's own layer over the whole sequence."""
    ids = np.random.default_rng(4).integers(0, 7, [3, 6], np.int32)
    whole = keras.layers.RNN(stepper.cell, return_sequences=True)(stepper.embedding(ids))
    answer = {"state": tf.zeros([3, 5]), "seen": tf.zeros([3, 7], tf.int32)}
    for time in range(6):
        answer.pop("logits", None)
        answer = served["step"](ids=tf.constant(ids[:, time]), **answer)
        np.testing.assert_allclose(answer["state"], whole[:, time], atol=1e-6)
        np.testing.assert_allclose(answer["logits"], stepper.dense(whole[:, time]), atol=1e-6)
    counts = [np.bincount(row, minlength=7).tolist() for row in ids]
    assert answer["seen"].numpy().tolist() == counts


def test_warm_up_requests_have_the_examples_dtypes_and_values(folder, served, pictures, stepper):
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    examples = {
        "serving_default": pictures.signatures()["serving_default"].examples,
        "step": stepper.signatures()["serving_default"].examples,
    }
    logs = [PredictionLog.FromString(record.numpy()) for record in tf.data.TFRecordDataset([path])]
    requests = {log.predict_log.request.model_spec.signature_name: log for log in logs}
    assert set(requests) == set(examples)
    for name, log in requests.items():
        inputs = {key: tf.make_ndarray(t) for key, t in log.predict_log.request.inputs.items()}
        assert set(inputs) == set(examples[name])
        for key, example in examples[name].items():
            assert inputs[key].dtype == example.dtype
            np.testing.assert_array_equal(inputs[key], example)
        served[name](**{key: tf.constant(value) for key, value in inputs.items()})


SAME = [
    np.array([b"a", b"\x00"], object),
    np.array([[1], [2]], np.int32),
    np.array([[[1, 255]]], np.uint8),
    np.array([True, False]),
    np.array([0.5, np.inf, np.nan], np.float32),
    np.zeros([0, 3], np.float64),
]


@pytest.mark.parametrize("value", SAME, ids=lambda value: value.dtype.name)
def test_the_same_is_alike(value):
    verification.compare("any", {"out": value}, {"out": value.copy()})


def test_what_rounding_makes_of_large_sums_is_alike():
    own = np.array([[3e4, 0.01, -2.0]], np.float32)
    verification.compare("any", {"out": own}, {"out": own + np.float32(0.1)})
    with pytest.raises(ExportError, match="not the model's own"):
        verification.compare("any", {"out": own}, {"out": own + np.float32(10)})


@pytest.mark.parametrize(
    ("own", "served"),
    [
        (np.array([b"a"], object), np.array([b"b"], object)),
        (np.array([7], np.int32), np.array([8], np.int32)),
        (np.array([7], np.int32), np.array([7], np.int64)),
        (np.array([100000], np.int64), np.array([100001], np.int64)),
        (np.array([[0]], np.uint8), np.array([[255]], np.uint8)),
        (np.array([True]), np.array([False])),
        (np.array([0.5], np.float32), np.array([0.501], np.float32)),
        (np.array([0.0], np.float32), np.array([0.001], np.float32)),
        (np.array([0.5], np.float32), np.array([np.nan], np.float32)),
        (np.array([[0.5]], np.float32), np.array([0.5], np.float32)),
    ],
)
def test_a_difference_is_told(own, served):
    with pytest.raises(ExportError, match="signature 'step': output 'out' of the exported model"):
        verification.compare("step", {"out": own}, {"out": served})


def test_an_output_that_is_missing_is_told():
    with pytest.raises(ExportError, match=r"the model returns \['a', 'b'\], the export \['a'\]"):
        verification.compare("step", {"a": SAME[0], "b": SAME[1]}, {"a": SAME[0]})
