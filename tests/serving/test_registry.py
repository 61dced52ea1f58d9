"""What requests and a reload of the configuration see, the life cycle's moves made by hand."""

import threading
from pathlib import Path

from serving.config import ModelConfig
from serving.registry import Registry
from serving.versions import State


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

    second = ModelConfig("m", Path("/m"), specific=(1, 2), labels={"old": 1})
    registry.configure({"m": second})
    waiting = waits(registry)
    assert waiting.is_alive()
    registry.aspire(model, first, {2: Path("/m/2")})  # a look that began before the change
    registry.aspire(model, second, {1: Path("/m/1"), 2: Path("/m/2")})
    waiting.join(0.1)
    assert waiting.is_alive()
    load(registry, model, 1)
    waiting.join(20)
    registry.assign_labels()
    with registry.acquire("m", label="old") as (_, number):
        assert number == 1


def test_closing_ends_every_wait():
    registry = Registry()
    registry.configure({"m": ModelConfig("m", Path("/m"))})
    waiting = waits(registry)
    assert waiting.is_alive()
    registry.close()
    waiting.join(20)
    assert not waiting.is_alive()
