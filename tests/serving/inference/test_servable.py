"""Loading what is broken, and running what is not."""

import time

import numpy as np
import pytest
import tensorflow as tf

from tests.serving.fixture_models import save_half
from zoo.serving.errors import ServingError
from zoo.serving.inference.servable import Servable


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


def test_tags_that_no_meta_graph_has(half):
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
