"""Texts that are too long or too many are refused with the limit's name, before anything runs."""

import numpy as np
import pytest

from tests.serving.rest_client import Client
from zoo.serving.errors import ServingError
from zoo.serving.inference.limits import TextLimits
from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.options import Options
from zoo.serving.server import Server

LIMITS = {"max_text_bytes": 10, "max_batch_texts": 3, "max_batch_bytes": 20}


@pytest.fixture(scope="module")
def bounded(models):
    configs = {name: ModelConfig(name, models / name) for name in ("echo", "i64")}
    with Server(configs, Options(port=None, rest_api_port=0, **LIMITS)) as server:
        yield Client(server.rest_api_port)


@pytest.mark.parametrize(
    ("texts", "size", "flag"),
    [
        (["x" * 11], "11 bytes in its longest text", "max_text_bytes"),
        (["ä" * 6], "12 bytes in its longest text", "max_text_bytes"),
        (["x"] * 4, "4 texts in it", "max_batch_texts"),
        (["x" * 7] * 3, "21 bytes in its texts", "max_batch_bytes"),
    ],
)
def test_more_than_is_allowed_is_400(bounded, texts, size, flag):
    reply = bounded.predict("echo", {"signature_name": "plain", "instances": texts})
    allowed = f"{size}, and at most {LIMITS[flag]} are allowed (--{flag})"
    assert (reply.status, allowed in reply.error) == (400, True), reply.error


def test_what_is_just_allowed_runs(bounded):
    texts = ["x" * 10, "y" * 9, "z"]
    body = {"signature_name": "plain", "instances": texts}
    assert bounded.predict("echo", body).json == {"predictions": texts}
    numbers = list(range(100))  # the bounds are for texts
    assert bounded.predict("i64", {"instances": numbers}).json == {"predictions": numbers}


def test_the_inputs_of_a_run_count_together():
    feeds = {"a": np.array([b"12", b"3"], object), "b": np.array(b"4", object)}
    TextLimits(max_batch_texts=3, max_batch_bytes=4).check(feeds)
    with pytest.raises(ServingError, match="3 texts in it, and at most 2"):
        TextLimits(max_batch_texts=2).check(feeds)


def test_bounds_by_default():
    limits = Options().text_limits()
    with pytest.raises(ServingError, match="max_batch_bytes"):
        limits.check({"text": np.array([b"x" * 500_000] * 64, object)})
    with pytest.raises(ServingError, match="max_text_bytes"):
        limits.check({"text": np.array([b"x" * 20_000_000], object)})
    with pytest.raises(ServingError, match="max_batch_texts"):
        limits.check({"text": np.array([b"x"] * 100_000, object)})
    limits = Options(max_text_bytes=0, max_batch_texts=0, max_batch_bytes=0).text_limits()
    limits.check({"text": np.array([b"x" * 20_000_000], object)})
