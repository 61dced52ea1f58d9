"""Versions come and go without a moment in which none is available.

The models are fakes, files with a word in them; loading "bad" fails, "slow" waits for the test.
"""

import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.serving.errors import ServingError
from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.lifecycle.manager import Lifecycle
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.lifecycle.versions import State


class FakeServable:
    def __init__(self, directory: Path):
        self.content = (directory / "model.txt").read_text()
        self.closed = False

    def close(self):
        self.closed = True


class Loader:
    """Loads fakes, and lets a test hold the loading of "slow" ones."""

    def __init__(self):
        self.may_finish = threading.Event()
        self.loads = 0

    def __call__(self, model_name: str, directory: Path) -> FakeServable:
        self.loads += 1
        try:
            servable = FakeServable(directory)
        except FileNotFoundError:
            raise ServingError("NOT_FOUND", f"no model in {directory}") from None
        if servable.content == "bad":
            raise ServingError("DATA_LOSS", "bad model")
        if servable.content == "bug":
            raise ZeroDivisionError("loader bug")
        if servable.content == "slow":
            assert self.may_finish.wait(20)
        return servable


def publish(base_path: Path, version: str, content: str = "good") -> Path:
    incoming = base_path / f".{version}"  # or a poll could read the file while it is empty
    incoming.mkdir(parents=True)
    (incoming / "model.txt").write_text(content)
    return incoming.rename(base_path / version)


def eventually(condition, seconds: float = 20.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if result := condition():
                return result
        except ServingError:
            pass
        time.sleep(0.01)
    raise AssertionError(f"still not so after {seconds} s")


def states(registry, name="m") -> dict[int, State]:
    return {number: state for number, state, _ in registry.statuses(name)}


def latest(registry, name="m") -> int:
    with registry.acquire(name) as (_, number):
        return number


@pytest.fixture
def base_path(tmp_path) -> Path:
    path = tmp_path / "m"
    path.mkdir()
    return path


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def registry(loader):
    """The models of a running life cycle."""
    models = Registry()
    running = Lifecycle(models, loader, poll_seconds=0.03, retry_seconds=0.1, max_retries=2)
    running.start()
    yield models
    loader.may_finish.set()
    running.stop()


@pytest.fixture
def serve(registry, base_path):
    """Configures the one model and waits for it."""

    def configure(**policy):
        configs = {"m": ModelConfig("m", base_path, **policy)}
        registry.configure(configs)
        registry.wait_until_served(configs)

    return configure


def test_the_highest_version_is_served(registry, serve, base_path):
    for version in ("1", "00000123", "20"):
        publish(base_path, version)
    for other in ("1000.tmp", ".tmp-500", "_2", "v300"):
        publish(base_path, other)
    serve()
    assert states(registry) == {123: State.AVAILABLE}
    assert latest(registry) == 123


def test_two_directories_of_one_number(registry, serve, base_path, caplog):
    publish(base_path, "1")
    publish(base_path, "001")
    serve()
    assert states(registry) == {1: State.AVAILABLE}
    assert "Duplicate version directories of 1" in caplog.text


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"latest": 2}, {2, 3}),
        ({"latest": 0}, {1, 2, 3}),
        ({"specific": (1, 3, 9)}, {1, 3}),
    ],
)
def test_the_versions_that_a_policy_chooses(registry, serve, base_path, policy, expected):
    for version in "123":
        publish(base_path, version)
    serve(**policy)
    assert states(registry) == dict.fromkeys(expected, State.AVAILABLE)


def test_a_new_version_takes_over_only_when_it_is_loaded(registry, serve, base_path, loader):
    publish(base_path, "1")
    serve()
    publish(base_path, "2", "slow")
    eventually(lambda: states(registry) == {2: State.LOADING, 1: State.AVAILABLE})
    assert latest(registry) == 1
    loader.may_finish.set()
    eventually(lambda: states(registry) == {2: State.AVAILABLE, 1: State.END})
    assert latest(registry) == 2


def test_there_is_always_an_available_version(registry, serve, base_path):
    publish(base_path, "1")
    serve()
    stop, misses = threading.Event(), []

    def ask():
        while not stop.is_set():
            try:
                latest(registry)
            except ServingError as error:
                misses.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    for version in range(2, 8):
        publish(base_path, str(version))
        eventually(lambda expected=version: latest(registry) == expected)
    stop.set()
    asking.join()
    assert not misses


def test_a_version_in_use_is_not_closed(registry, serve, base_path):
    publish(base_path, "1")
    serve()
    with registry.acquire("m") as (servable, _):
        publish(base_path, "2")
        eventually(lambda: states(registry) == {2: State.AVAILABLE, 1: State.UNLOADING})
        shutil.rmtree(base_path / "1")
        time.sleep(0.1)
        assert not servable.closed
    eventually(lambda: servable.closed)
    assert states(registry)[1] is State.END


@pytest.mark.parametrize(
    ("content", "error"), [("bad", "DATA_LOSS: bad model"), ("bug", "UNKNOWN: ZeroDivisionError")]
)
def test_a_broken_version_leaves_the_old_one(registry, serve, base_path, loader, content, error):
    publish(base_path, "1")
    serve()
    publish(base_path, "2", content)
    eventually(lambda: loader.loads == 4)  # version 1, then three tries at version 2
    time.sleep(0.3)
    assert loader.loads == 4
    assert latest(registry) == 1
    ((_, state, failure),) = registry.statuses("m", 2)
    assert state is State.END
    assert str(failure).startswith(error)


def test_a_half_copied_version_is_loaded_when_it_is_complete(registry, serve, base_path):
    publish(base_path, "1")
    serve()
    (base_path / "2").mkdir()
    eventually(lambda: states(registry) == {2: State.END, 1: State.AVAILABLE})
    time.sleep(0.5)  # past the last retry
    (base_path / "2" / "model.txt").write_text("good")
    eventually(lambda: states(registry) == {2: State.AVAILABLE, 1: State.END})
    assert registry.statuses("m", 2)[0][2] is None


def test_deleting_the_newest_version_falls_back(registry, serve, base_path):
    publish(base_path, "1")
    publish(base_path, "2")
    serve()
    shutil.rmtree(base_path / "2")
    eventually(lambda: states(registry) == {2: State.END, 1: State.AVAILABLE})
    publish(base_path, "2")
    eventually(lambda: states(registry) == {2: State.AVAILABLE, 1: State.END})


def test_deleting_all_versions_unloads_them(registry, serve, base_path):
    publish(base_path, "1")
    serve()
    shutil.rmtree(base_path / "1")
    eventually(lambda: states(registry) == {1: State.END})
    with pytest.raises(ServingError, match=r"Servable not found for request: Latest\(m\)"):
        latest(registry)


def test_a_vanished_base_path_unloads_nothing(registry, serve, base_path, caplog):
    publish(base_path, "1")
    serve()
    os.rename(base_path, base_path.with_name("elsewhere"))
    eventually(lambda: "Could not find base path" in caplog.text)
    assert latest(registry) == 1


def test_an_empty_base_path_is_waited_for(registry, serve, base_path, caplog):
    waiting = threading.Thread(target=serve)
    waiting.start()
    eventually(lambda: "Did you forget to name your leaf directory" in caplog.text)
    assert waiting.is_alive()
    publish(base_path, "1")
    waiting.join(20)
    assert latest(registry) == 1


def test_a_model_that_cannot_be_loaded_is_reported(serve, base_path):
    publish(base_path, "1", "bad")
    with pytest.raises(ServingError, match=r"1 servable\(s\) did not become available: .*bad"):
        serve()


def test_labels_stand_for_versions_that_are_available(registry, serve, base_path):
    for version in "12":
        publish(base_path, version)
    serve(latest=0)
    serve(latest=0, labels={"stable": 1, "canary": 2, "also": 2})
    with registry.acquire("m", label="stable") as (_, number):
        assert number == 1
    with pytest.raises(ServingError, match="Unrecognized servable version label: nope") as caught:
        registry.acquire("m", label="nope").__enter__()
    assert caught.value.http_status == 400
    with pytest.raises(ServingError, match="assign label to version 7 of model m") as caught:
        serve(latest=0, labels={"next": 7})
    assert caught.value.code == "FAILED_PRECONDITION"


@pytest.mark.parametrize("option", ["labels_before_available", "move_labels_before_available"])
def test_labels_before_their_version_is_there(loader, base_path, option):
    publish(base_path, "1")
    registry = Registry(**{option: True})
    lifecycle = Lifecycle(registry, loader)

    def configure(**labels):
        registry.reload({"m": ModelConfig("m", base_path, labels=labels)})

    lifecycle.start()
    configure(stable=1, next=7)
    with pytest.raises(ServingError, match=r"Specific\(m, 7\)"):
        registry.acquire("m", label="next").__enter__()
    if option == "labels_before_available":  # not for a label that is in use for another version
        with pytest.raises(ServingError, match="assign label to version 7 of model m, "):
            configure(stable=7)
        with registry.acquire("m", label="stable") as (_, number):
            assert number == 1
    else:
        configure(stable=7)
        with pytest.raises(ServingError, match=r"Specific\(m, 7\)"):
            registry.acquire("m", label="stable").__enter__()
    lifecycle.stop()


def test_a_new_configuration_replaces_the_old_one(registry, serve, base_path, tmp_path):
    publish(base_path, "1")
    serve()
    publish(tmp_path / "other", "5")
    configs = {"n": ModelConfig("n", tmp_path / "other")}
    registry.configure(configs)
    registry.wait_until_served(configs)
    assert latest(registry, "n") == 5
    eventually(lambda: states(registry) == {1: State.END})
    serve()
    assert latest(registry) == 1


def test_the_labels_of_a_removed_model_go_with_it(registry, serve, base_path, tmp_path):
    publish(base_path, "1")
    serve()
    serve(labels={"stable": 1})
    publish(tmp_path / "other", "5")
    config = ModelConfig("n", tmp_path / "other")
    registry.reload({"n": config})
    registry.reload({"n": replace(config, labels={"stable": 5})})
    eventually(lambda: states(registry) == {1: State.END})
    with registry.acquire("n", label="stable") as (_, number):
        assert number == 5
    with pytest.raises(ServingError, match="Unrecognized servable version label: stable"):
        registry.acquire("m", label="stable").__enter__()


def test_polling_can_be_switched_off(loader, base_path):
    publish(base_path, "1")
    registry = Registry()
    lifecycle = Lifecycle(registry, loader, poll_seconds=0)
    registry.configure({"m": ModelConfig("m", base_path)})
    lifecycle.start()
    registry.wait_until_served(["m"])
    publish(base_path, "2")
    time.sleep(0.2)
    assert states(registry) == {1: State.AVAILABLE}
    lifecycle.stop()
    assert states(registry) == {1: State.END}
