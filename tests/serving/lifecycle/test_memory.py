"""What was unloaded is gone, and a server that reloads again and again does not grow."""

import shutil
import weakref
from pathlib import Path

import pytest
import tensorflow as tf

from tests.serving.lifecycle.test_manager import eventually, latest, states
from zoo.serving.errors import ServingError
from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.lifecycle.loader import Loader
from zoo.serving.lifecycle.manager import Lifecycle
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.lifecycle.versions import State
from zoo.serving.metrics import Metrics
from zoo.serving.options import Options

MEGABYTES = 8
RELOADS = 30


@pytest.fixture(scope="module")
def weighty(tmp_path_factory):
    """A SavedModel with 8 MB of weights: `x` float -> their sum and `x`."""
    module = tf.Module()
    module.weights = tf.Variable(tf.ones([MEGABYTES * 2**18]))
    specs = [tf.TensorSpec([None], tf.float32, name="x")]
    module.serve = tf.function(lambda x: {"y": x + tf.reduce_sum(module.weights)}, specs)
    folder = tmp_path_factory.mktemp("weighty") / "model"
    tf.saved_model.save(module, str(folder), signatures=module.serve)
    return folder


@pytest.fixture
def loaded():
    """Weak references to the servables and the graphs that were loaded, in their order."""
    return []


@pytest.fixture
def registry(loaded):
    load = Loader(Options(), Metrics(), None)

    def load_and_note(name, directory):
        servable = load(name, directory)
        loaded.append((weakref.ref(servable), weakref.ref(servable._session.graph)))
        return servable

    registry = Registry()
    lifecycle = Lifecycle(registry, load_and_note, poll_seconds=0.02)
    lifecycle.start()
    yield registry
    lifecycle.stop()


def publish(model: Path, base_path: Path, number: int) -> None:
    shutil.copytree(model, base_path / f"incoming-{number}")
    (base_path / f"incoming-{number}").rename(base_path / str(number))


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def test_reloading_again_and_again_takes_no_more_memory(weighty, registry, loaded, tmp_path):
    registry.configure({"m": ModelConfig("m", tmp_path)})
    for number in range(1, RELOADS + 4):
        publish(weighty, tmp_path, number)
        eventually(lambda number=number: latest(registry) == number)
        if number > 1:
            shutil.rmtree(tmp_path / str(number - 1))
            eventually(lambda number=number: states(registry)[number - 1] is State.END)
        if number == 3:  # by now whatever is set up only once is there
            before = resident_megabytes()
    eventually(lambda: not any(ref() for refs in loaded[:-1] for ref in refs))
    assert all(ref() for ref in loaded[-1])
    # Kept, they would have taken 240 MB for their weights alone.
    assert resident_megabytes() - before < MEGABYTES * RELOADS / 3


def test_what_failed_to_load_is_not_kept_by_its_error(tmp_path):
    class Loaded:
        """Stands for all that there was when loading failed."""

    seen = []

    def load(name, directory):
        half_loaded = Loaded()
        seen.append(weakref.ref(half_loaded))
        raise ServingError("DATA_LOSS", "bad model")

    (tmp_path / "1").mkdir()
    lifecycle = Lifecycle(own := Registry(), load)
    own.configure({"m": ModelConfig("m", tmp_path)})
    lifecycle.start()
    error = eventually(lambda: own.statuses("m")[0][2])
    assert str(error) == "DATA_LOSS: bad model"
    eventually(lambda: seen[0]() is None)
    lifecycle.stop()
