"""A captioner through the whole export: pictures come in as the bytes of their files."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tests.zoo.models.tiny_captioners import captioner, scenes
from zoo.models import ShowAttendTell

PICTURES, _ = scenes()


@pytest.fixture(scope="module")
def attentive():
    keras.utils.set_random_seed(5)
    return captioner(ShowAttendTell)


@pytest.fixture(scope="module")
def folder(attentive, exported):
    """Its SavedModel, which the command line wrote and verified in a fresh process."""
    return exported(attentive)


@pytest.fixture(scope="module")
def served(folder):
    return tf.saved_model.load(str(folder)).signatures


def test_signatures_have_their_names_and_shapes(served):
    assert set(served) == {"serving_default", "attention", "beam", "features"}
    for name in ("serving_default", "attention", "beam"):
        _, inputs = served[name].structured_input_signature
        assert {key: spec.shape.as_list() for key, spec in inputs.items()} == {
            "image_bytes": [None]
        }
    _, inputs = served["features"].structured_input_signature
    assert inputs["features"].shape.as_list() == [None, 4, 1280]


def test_any_format_gives_what_the_verb_gives(served, attentive):
    encoders = (tf.io.encode_png, tf.io.encode_jpeg)
    contents = [encode(picture).numpy() for encode in encoders for picture in PICTURES[:2]]
    answer = served["attention"](image_bytes=tf.constant(contents))
    expected = attentive.caption(contents, return_attention=True)
    for row, caption in enumerate(expected):
        length = answer["lengths"][row].numpy()
        assert answer["caption"][row].numpy().decode() == caption.text
        assert answer["score"][row].numpy() == pytest.approx(caption.score, abs=1e-5)
        assert [word.decode() for word in answer["words"][row, :length].numpy()] == caption.words
        np.testing.assert_allclose(answer["maps"][row, :length], caption.maps, atol=1e-5)
    features = tf.constant(attentive.features(contents))
    of_features = served["features"](features=features)["caption"].numpy()
    assert [text.decode() for text in of_features] == [caption.text for caption in expected]


def test_a_wrong_picture_is_named_by_its_place(served):
    whole = tf.io.encode_jpeg(PICTURES[0]).numpy()
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"instances\[1\] is a JPEG"):
        served["serving_default"](image_bytes=tf.constant([whole, whole[:200], whole]))


def test_the_warm_up_has_a_picture(folder, served):
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    logs = [PredictionLog.FromString(record.numpy()) for record in tf.data.TFRecordDataset([path])]
    requests = {log.predict_log.request.model_spec.signature_name: log for log in logs}
    assert set(requests) == set(served)
    (content,) = tf.make_ndarray(
        requests["serving_default"].predict_log.request.inputs["image_bytes"]
    )
    assert tf.io.decode_jpeg(content).shape == (64, 64, 3)
