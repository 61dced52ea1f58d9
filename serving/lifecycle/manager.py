"""When versions of models come and go.

One background thread polls the base paths, and loads and unloads one version at a time; it alone
changes versions. Requests borrow them from the `Registry`.

The policy is TensorFlow Serving's default, availability preserving: a new version is loaded and
warmed up before the old one is unloaded, and when no wanted version can be loaded, what was
there stays.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from serving.errors import ServingError
from serving.inference.servable import Servable
from serving.lifecycle.base_path import fingerprint, scan_versions
from serving.lifecycle.registry import Registry
from serving.lifecycle.versions import Model, State, Version

_log = logging.getLogger(__name__)


class Lifecycle:
    """Keeps in memory what the registry's models want there.

    Args:
        registry: The models.
        load: Loads and warms up the version of a model, by name, that is in a directory.
        poll_seconds: Between two looks at the base paths; 0 looks once, at the start.
        max_retries: How often a version that failed to load is tried again.
        retry_seconds: Until the next try. A version whose files have changed since (a copy that
            was not complete) is tried again at the next poll.
    """

    def __init__(
        self,
        registry: Registry,
        load: Callable[[str, Path], Servable],
        *,
        poll_seconds: float = 1.0,
        max_retries: int = 5,
        retry_seconds: float = 60.0,
    ):
        self._registry = registry
        self._load = load
        self._poll_seconds = poll_seconds
        self._max_retries = max_retries
        self._retry_seconds = retry_seconds
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="model-lifecycle", daemon=True)

    def start(self) -> None:
        """Starts the background thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stops the background thread and unloads everything; running requests end first."""
        self._stopping = True
        self._registry.close()
        self._thread.join()
        for _, model in self._registry.models():
            for version in model.in_state(State.AVAILABLE, State.UNLOADING):
                self._registry.move(version, State.UNLOADING)
                self._registry.wait_until_unused(version)
                self._unload(version)

    def _run(self) -> None:
        next_poll = 0.0
        while True:
            # Cleared before anything is looked at, so that no call to wake up is lost.
            self._registry.wake.clear()
            if self._stopping:
                return
            now = time.monotonic()
            due = self._poll_seconds > 0 and now >= next_poll
            if due:
                next_poll = now + self._poll_seconds
            try:
                self._step(poll=due)
            except Exception:
                _log.exception("Looking after the models failed; it goes on")
            wait = next_poll - time.monotonic() if self._poll_seconds > 0 else None
            self._registry.wake.wait(wait if wait is None else max(wait, 0))

    def _step(self, poll: bool) -> None:
        for name, model in self._registry.models():
            if poll or model.removed or not model.looked_at:
                self._look(name, model)
            self._converge(name, model)

    def _look(self, name: str, model: Model) -> None:
        """Finds out which versions are wanted; an unreadable base path changes nothing."""
        config = model.config
        if model.removed:
            self._registry.aspire(model, config, {})
            return
        try:
            present = scan_versions(config.base_path)
        except OSError as error:
            _log.error(
                "Could not find base path %s for servable %s: %s", config.base_path, name, error
            )
            self._registry.aspire(model, config, None)
            return
        chosen = config.choose(set(present))
        if not present:
            _log.warning(
                "No versions of servable %s found under base path %s. Did you forget to name your "
                "leaf directory as a number (eg. '/1/')?",
                name,
                config.base_path,
            )
        for number in set(config.specific) - chosen:
            _log.warning("Version %d of servable %s is not in %s", number, name, config.base_path)
        self._registry.aspire(model, config, {number: present[number] for number in chosen})

    def _converge(self, name: str, model: Model) -> None:
        """Loads what is wanted, highest version first, and only then unloads what is not."""
        for number in sorted(model.aspired, reverse=True):
            if self._stopping:
                return
            if self._should_load(model, number):
                self._load_version(name, model, number)
        wanted_available = any(
            version.number in model.aspired for version in model.in_state(State.AVAILABLE)
        )
        if wanted_available or not model.aspired:
            for version in model.in_state(State.AVAILABLE):
                if version.number not in model.aspired:
                    self._registry.move(version, State.UNLOADING)
        for version in model.in_state(State.UNLOADING):
            if version.users == 0:
                self._unload(version)
                _log.info("Unloaded servable {name: %s version: %d}", name, version.number)
        for version in model.in_state(State.END):
            if version.number not in model.aspired:
                version.loads = 0  # should it come back, it starts afresh

    def _should_load(self, model: Model, number: int) -> bool:
        version = model.versions[number]
        if version.state is State.START:
            return True
        if version.state is not State.END:
            return False
        if version.error is None or version.loads == 0:
            return True
        if fingerprint(model.aspired[number]) != version.failed_fingerprint:
            return True
        waited = time.monotonic() - version.failed_at >= self._retry_seconds
        return waited and version.loads <= self._max_retries

    def _load_version(self, name: str, model: Model, number: int) -> None:
        version = self._registry.begin_loading(model, number)
        version.loads += 1
        before = fingerprint(version.directory)
        _log.info("Loading servable {name: %s version: %d}", name, number)
        try:
            servable = self._load(name, version.directory)
        except Exception as error:
            if not isinstance(error, ServingError):
                _log.exception("Loading %s raised an unexpected error", version.directory)
                error = ServingError("UNKNOWN", f"{type(error).__name__}: {error}")
            _log.error("Loading servable {name: %s version: %d} failed: %s", name, number, error)
            version.failed_at, version.failed_fingerprint = time.monotonic(), before
            self._registry.move(version, State.END, error=error)
            return
        version.loads = 0
        self._registry.move(version, State.AVAILABLE, servable=servable)
        _log.info("Successfully loaded servable version {name: %s version: %d}", name, number)

    def _unload(self, version: Version) -> None:
        servable = version.servable
        self._registry.move(version, State.END)
        servable.close()
