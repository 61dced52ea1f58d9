"""Requests of another shape than a signature's, over the Session path and over REST."""

import numpy as np
import pytest
import tensorflow as tf

from tests.export.tiny_models import Offers, Signature
from tests.serving.rest_client import Client
from zoo import export
from zoo.serving.errors import ServingError
from zoo.serving.inference.servable import Servable
from zoo.serving.lifecycle.config import single_model
from zoo.serving.options import Options
from zoo.serving.server import Server

RANK = "`text` must have the shape [None], where None is any number. Received: shape="
SIZE = "`points` must have the shape [None, 2], where None is any number. Received: shape="


def answer(text, points):
    return {"length": tf.strings.length(text), "sum": tf.reduce_sum(points, -1)}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    inputs = {"text": tf.TensorSpec([None], tf.string), "points": tf.TensorSpec([None, 2])}
    examples = {"text": np.array([b"a"], object), "points": np.ones([1, 2], np.float32)}
    only_text = Signature(
        lambda text: {"length": tf.strings.length(text)},
        {"text": inputs["text"]},
        {"text": examples["text"]},
    )
    model = Offers(serving_default=only_text, both=Signature(answer, inputs, examples))
    base = tmp_path_factory.mktemp("models") / "lengths"
    export.saved_model(model, base, verify=False)
    return base


@pytest.fixture(scope="module")
def run(base):
    """Runs `both` as TensorFlow Serving does: feeds by tensor name, which Python does not check."""
    servable = Servable(base / "1")
    yield lambda text, points: servable.run(
        "both", {"text": np.array(text, object), "points": np.array(points, np.float32)}
    )
    servable.close()


def test_requests_of_the_signatures_shape_are_answered(run):
    outputs = run([b"a", b"bc"], [[1, 2], [3, 4]])
    assert outputs["length"].tolist() == [1, 2]
    assert outputs["sum"].tolist() == [3.0, 7.0]
    assert run([], np.empty([0, 2]))["sum"].shape == (0,)


@pytest.mark.parametrize(
    ("text", "points", "message"),
    [
        ([[b"a", b"b"], [b"c", b"d"]], [[1, 2]], f"{RANK}[2, 2]"),
        (b"a", [[1, 2]], f"{RANK}[]"),
        ([b"a"], [[1, 2, 3]], f"{SIZE}[1, 3]"),
        ([b"a"], [1, 2], f"{SIZE}[2]"),
        ([b"a"], [[[1, 2]]], f"{SIZE}[1, 1, 2]"),
    ],
)
def test_requests_of_another_shape_are_refused(run, text, points, message):
    with pytest.raises(ServingError) as caught:
        run(text, points)
    assert (caught.value.code, caught.value.message) == ("INVALID_ARGUMENT", message)


def test_over_rest(base):
    options = Options(port=None, rest_api_port=0)
    with Server(single_model("lengths", str(base)), options) as server:
        client = Client(server.rest_api_port)
        reply = client.predict("lengths", {"instances": ["a", "bc"]})
        assert reply.json == {"predictions": [1, 2]}
        for body in ({"instances": [["a", "b"], ["c", "d"]]}, {"inputs": [["a", "b"], ["c", "d"]]}):
            reply = client.predict("lengths", body)
            assert (reply.status, reply.error) == (400, f"{RANK}[2, 2]")
        reply = client.predict("lengths", {"inputs": "a"})
        assert (reply.status, reply.error) == (400, f"{RANK}[]")
