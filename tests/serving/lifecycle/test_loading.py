"""Versions of several models are loaded side by side, by a bounded number of threads."""

import threading

import pytest

from tests.serving.lifecycle.test_manager import Loader, eventually, latest, publish, states
from zoo.serving.errors import ServingError
from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.lifecycle.manager import Lifecycle
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.lifecycle.versions import State, Version


@pytest.fixture
def loader():
    return Loader()


@pytest.fixture
def lifecycle(loader):
    """One with two threads to load with, not started yet."""
    made = Lifecycle(Registry(), loader, poll_seconds=0.03, load_threads=2)
    yield made
    loader.may_finish.set()
    made.stop()


@pytest.fixture
def registry(lifecycle):
    return lifecycle._registry


def configs(root, *names, content="slow", **policy):
    for name in names:
        publish(root / name, "1", content)
    return {name: ModelConfig(name, root / name, **policy) for name in names}


def test_as_many_are_loaded_at_a_time_as_there_are_threads(lifecycle, registry, loader, tmp_path):
    registry.configure(configs(tmp_path, "a", "b", "c"))
    lifecycle.start()
    eventually(lambda: loader.loads == 2)
    eventually(lambda: states(registry, "c") == {1: State.START})
    assert states(registry, "a") == states(registry, "b") == {1: State.LOADING}
    for name in "abc":
        with pytest.raises(ServingError, match="Servable not found for request: Latest") as caught:
            latest(registry, name)
        assert caught.value.code == "NOT_FOUND"
    loader.may_finish.set()
    registry.wait_until_served("abc")
    assert [latest(registry, name) for name in "abc"] == [1, 1, 1]


def test_a_model_that_is_slow_to_load_does_not_hold_up_the_others(
    lifecycle, registry, loader, tmp_path
):
    registry.configure(configs(tmp_path, "slow") | configs(tmp_path, "good", content="good"))
    lifecycle.start()
    registry.wait_until_served(["good"])
    publish(tmp_path / "good", "2")
    eventually(lambda: states(registry, "good") == {2: State.AVAILABLE, 1: State.END})
    assert states(registry, "slow") == {1: State.LOADING}


def test_what_is_not_wanted_any_more_waits_for_all_that_is(lifecycle, registry, loader, tmp_path):
    models = configs(tmp_path, "m", content="good", latest=2)
    publish(tmp_path / "m", "2")
    registry.configure(models)
    lifecycle.start()
    registry.wait_until_served(models)
    publish(tmp_path / "m", "3", "slow")
    eventually(lambda: loader.loads == 3)
    lifecycle._registry.wake.set()  # another look changes nothing
    assert states(registry, "m") == {3: State.LOADING, 2: State.AVAILABLE, 1: State.AVAILABLE}
    loader.may_finish.set()
    eventually(
        lambda: states(registry, "m") == {3: State.AVAILABLE, 2: State.AVAILABLE, 1: State.END}
    )


def test_a_version_that_is_deleted_while_it_loads_does_not_stay(
    lifecycle, registry, loader, tmp_path
):
    models = configs(tmp_path, "m", content="good")
    registry.configure(models)
    lifecycle.start()
    registry.wait_until_served(models)
    directory = publish(tmp_path / "m", "2", "slow")
    eventually(lambda: states(registry, "m").get(2) is State.LOADING)
    directory.rename(tmp_path / "elsewhere")
    loader.may_finish.set()
    eventually(lambda: states(registry, "m") == {2: State.END, 1: State.AVAILABLE})


def test_what_was_loading_at_the_end_is_closed(loader, tmp_path):
    made = []

    def load(name, directory):
        made.append(loader(name, directory))
        return made[0]

    registry = Registry()
    lifecycle = Lifecycle(registry, load)
    registry.configure(configs(tmp_path, "m"))
    lifecycle.start()
    eventually(lambda: loader.loads == 1)
    stopping = threading.Thread(target=lifecycle.stop)
    stopping.start()
    loader.may_finish.set()
    stopping.join(20)
    assert made[0].closed
    assert states(registry, "m") == {1: State.END}


def test_a_life_cycle_that_was_never_started_can_be_stopped():
    Lifecycle(Registry(), Loader()).stop()


def test_who_writes_to_a_version(lifecycle, registry, loader, tmp_path, monkeypatch):
    """The life cycle's thread alone, but for the users, and everybody under the lock."""
    writers = {}

    def write(self, name, value):
        assert registry._changed._is_owned(), f"{name} is written without the lock"
        writers.setdefault(name, set()).add(threading.current_thread().name)
        object.__setattr__(self, name, value)

    monkeypatch.setattr(Version, "__setattr__", write)
    models = configs(tmp_path, "m", content="good")
    registry.configure(models)
    lifecycle.start()
    registry.wait_until_served(models)
    publish(tmp_path / "m", "2", "bad")
    eventually(lambda: registry.statuses("m", 2)[0][2])
    assert latest(registry, "m") == 1
    (tmp_path / "m" / "2" / "model.txt").write_text("good")
    eventually(lambda: latest(registry, "m") == 2)
    eventually(lambda: states(registry, "m")[1] is State.END)
    users = writers.pop("users")
    assert threading.current_thread().name in users
    assert set(writers) == {"number", "directory", "state", "error", "servable"}
    assert set().union(*writers.values()) == {"model-lifecycle"}
