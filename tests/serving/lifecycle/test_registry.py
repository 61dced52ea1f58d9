"""What requests and a reload of the configuration see, the life cycle's moves made by hand."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.serving.errors import ServingError
from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.lifecycle.versions import State


def load(registry, model, number):
    registry.move(registry.begin_loading(model, number), State.AVAILABLE, servable=object())


def waits(registry) -> threading.Thread:
    thread = threading.Thread(target=registry.wait_until_served, args=(["m"],), daemon=True)
    thread.start()
    thread.join(0.1)
    return thread


def test_a_changed_configuration_is_waited_for():
    """What was wanted before is all there; that says nothing of what is wanted now."""
    registry = Registry()
    first = ModelConfig("m", Path("/m"))
    registry.configure({"m": first})
    ((_, model),) = registry.models()
    registry.aspire(model, first, {2: Path("/m/2")})
    load(registry, model, 2)
    assert not waits(registry).is_alive()

    second = ModelConfig("m", Path("/m"), specific=(1, 2))
    registry.configure({"m": second})
    waiting = waits(registry)
    assert waiting.is_alive()
    registry.aspire(model, first, {2: Path("/m/2")})  # a look that began before the change
    registry.aspire(model, second, {1: Path("/m/1"), 2: Path("/m/2")})
    waiting.join(0.1)
    assert waiting.is_alive()
    load(registry, model, 1)
    waiting.join(20)
    registry.configure({"m": replace(second, labels={"old": 1})})
    with registry.acquire("m", label="old") as (_, number):
        assert number == 1


def test_a_refused_configuration_changes_nothing():
    registry = Registry()
    registry.configure({"m": ModelConfig("m", Path("/m"))})
    torch = {"n": ModelConfig("n", Path("/n"), platform="torch")}
    with pytest.raises(ServingError, match="unsupported platform torch"):
        registry.reload(torch)
    assert registry.names() == ["m"]


def test_labels_move_for_all_models_or_for_none():
    registry = Registry()

    def configure(**labels):
        configs = {
            name: ModelConfig(name, Path(f"/{name}"), latest=0, labels=labels.get(name, {}))
            for name in "ab"
        }
        registry.configure(configs)
        return configs

    configs = configure()
    for name, model in registry.models():
        wanted = {number: Path(f"/{name}/{number}") for number in (1, 2, 7)}
        registry.aspire(model, configs[name], wanted)
        for number in wanted:
            load(registry, model, number)
    configs = configure(a={"stable": 1}, b={"stable": 7})
    with pytest.raises(ServingError, match="assign label to version 8 of model b"):
        configure(a={"stable": 2}, b={"stable": 8})
    assert registry.configs() == configs
    for name, expected in (("a", 1), ("b", 7)):
        with registry.acquire(name, label="stable") as (_, number):
            assert number == expected


@pytest.mark.parametrize("version", [2, 9])
def test_a_label_of_a_version_that_is_not_loaded_refuses_the_configuration(version):
    """All of it, and whether or not the configuration itself would bring the version."""
    registry = Registry()
    configs = {
        "half": ModelConfig("half", Path("/half")),
        "two": ModelConfig("two", Path("/two"), specific=(1, 2), labels={"canary": version}),
    }
    with pytest.raises(ServingError) as caught:
        registry.configure(configs)
    assert (caught.value.code, caught.value.message) == (
        "FAILED_PRECONDITION",
        f"Request to assign label to version {version} of model two, which is not currently "
        "available for inference",
    )
    assert registry.names() == []


def test_a_label_may_run_ahead_of_its_version_where_that_is_allowed():
    registry = Registry(labels_before_available=True)
    config = ModelConfig("two", Path("/two"), labels={"next": 9})
    registry.configure({"two": config})
    with pytest.raises(ServingError) as caught:
        registry.acquire("two", label="next").__enter__()
    assert (caught.value.http_status, caught.value.message) == (
        404,
        "Servable not found for request: Specific(two, 9)",
    )
    ((_, model),) = registry.models()
    registry.aspire(model, config, {9: Path("/two/9")})
    load(registry, model, 9)
    with registry.acquire("two", label="next") as (_, number):
        assert number == 9


def test_a_wanted_version_is_listed_before_it_is_loaded():
    registry = Registry()
    config = ModelConfig("m", Path("/m"), latest=2)
    registry.configure({"m": config})
    ((_, model),) = registry.models()
    registry.aspire(model, config, {1: Path("/m/1"), 2: Path("/m/2")})
    assert [state for _, state, _ in registry.statuses("m")] == [State.START, State.START]
    registry.aspire(model, config, {2: Path("/m/2")})
    assert registry.statuses("m") == [(2, State.START, None), (1, State.END, None)]


def test_a_reload_can_be_given_up():
    registry = Registry()
    with pytest.raises(ServingError, match="models to load: m") as caught:
        registry.reload({"m": ModelConfig("m", Path("/m"))}, timeout=0.01)
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert registry.names() == ["m"]


def test_a_later_reload_ends_the_waiting_of_an_earlier_one():
    """A model without versions must not stand in the way for ever."""
    registry = Registry()
    registry.configure({"m": ModelConfig("m", Path("/m"))})
    waiting = waits(registry)
    assert waiting.is_alive()
    registry.reload({})
    waiting.join(20)
    assert not waiting.is_alive()


def test_closing_ends_every_wait():
    registry = Registry()
    registry.configure({"m": ModelConfig("m", Path("/m"))})
    waiting = waits(registry)
    assert waiting.is_alive()
    registry.close()
    waiting.join(20)
    assert not waiting.is_alive()
