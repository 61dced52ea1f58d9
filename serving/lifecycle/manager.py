"""When versions of models come and go.

One background thread polls the base paths and decides; it alone changes the states of versions.
Loading takes long, so a few threads do that side by side, and hand over what they have loaded.
Requests borrow versions from the `Registry`.

The policy is TensorFlow Serving's default, availability preserving: a new version is loaded and
warmed up before the old one is unloaded, and when no wanted version can be loaded, what was
there stays.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from zoo.serving.errors import ServingError
from zoo.serving.inference.servable import Servable
from zoo.serving.lifecycle.base_path import fingerprint, scan_versions
from zoo.serving.lifecycle.memory import release_memory
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.lifecycle.versions import Model, State, Version

_log = logging.getLogger(__name__)


@dataclass
class _Attempts:
    """The tries to load a version since it was last available or not wanted."""

    count: int = 0
    started_from: frozenset = frozenset()  # the fingerprint of its files
    failed_at: float = 0.0


class Lifecycle:
    """Keeps in memory what the registry's models want there.

    Args:
        registry: The models.
        load: Loads and warms up the version of a model, by name, that is in a directory. It is
            called from several threads.
        poll_seconds: The time between two looks at the base paths; 0 looks once, at the start.
        max_retries: How often a version that failed to load is tried again.
        retry_seconds: The time until the next try. A version whose files have changed since (a
            copy that was not complete) is tried again at the next poll.
        load_threads: How many versions are loaded at a time.
    """

    def __init__(
        self,
        registry: Registry,
        load: Callable[[str, Path], Servable],
        *,
        poll_seconds: float = 1.0,
        max_retries: int = 5,
        retry_seconds: float = 60.0,
        load_threads: int = 2,
    ) -> None:
        self._registry = registry
        self._load = load
        self._poll_seconds = poll_seconds
        self._max_retries = max_retries
        self._retry_seconds = retry_seconds
        self._load_threads = load_threads
        self._pool = ThreadPoolExecutor(load_threads, "model-load")
        # Both belong to the background thread; a version is named by its model and its number.
        self._loading: dict[Future[Servable], tuple[str, Version]] = {}
        self._attempts: dict[tuple[str, int], _Attempts] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="model-lifecycle", daemon=True)

    def start(self) -> None:
        """Starts the background thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stops the background thread and unloads everything; running requests end first."""
        self._stopping = True
        self._registry.close()
        if self._thread.ident is not None:  # it was started
            self._thread.join()
        # From here on this thread stands in for it.
        self._pool.shutdown()
        self._collect()
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
        moved = self._collect()
        for name, model in self._registry.models():
            if poll or model.removed or not model.looked_at:
                self._look(name, model)
            moved |= self._converge(name, model)
        if moved:
            release_memory()

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

    def _converge(self, name: str, model: Model) -> bool:
        """Has what is wanted loaded, highest version first, and only then unloads what is not.

        Returns:
            Whether a version was unloaded.
        """
        unloaded = False
        for number in sorted(model.aspired, reverse=True):
            if len(self._loading) < self._load_threads and self._should_load(name, model, number):
                self._begin_loading(name, model, number)
        if self._may_unload(model):
            for version in model.in_state(State.AVAILABLE):
                if version.number not in model.aspired:
                    self._registry.move(version, State.UNLOADING)
        for version in model.in_state(State.UNLOADING):
            if version.users == 0:
                self._unload(version)
                unloaded = True
                _log.info("Unloaded servable {name: %s version: %d}", name, version.number)
        for version in model.in_state(State.END):
            if version.number not in model.aspired:
                self._attempts.pop((name, version.number), None)  # it would start afresh
        return unloaded

    def _may_unload(self, model: Model) -> bool:
        """Whether versions that are not wanted may go: the wanted ones have come, or failed."""
        wanted = [model.versions[number] for number in model.aspired]
        coming = any(version.state in (State.START, State.LOADING) for version in wanted)
        available = any(version.state is State.AVAILABLE for version in wanted)
        return not wanted or (available and not coming)

    def _should_load(self, name: str, model: Model, number: int) -> bool:
        version = model.versions[number]
        if version.state is State.START:
            return True
        if version.state is not State.END:
            return False
        attempts = self._attempts.get((name, number))
        if version.error is None or attempts is None:
            return True
        if fingerprint(model.aspired[number]) != attempts.started_from:
            return True
        waited = time.monotonic() - attempts.failed_at >= self._retry_seconds
        return waited and attempts.count <= self._max_retries

    def _begin_loading(self, name: str, model: Model, number: int) -> None:
        version = self._registry.begin_loading(model, number)
        attempts = self._attempts.setdefault((name, number), _Attempts())
        attempts.count += 1
        attempts.started_from = fingerprint(version.directory)
        _log.info("Loading servable {name: %s version: %d}", name, number)
        future = self._pool.submit(self._load, name, version.directory)
        self._loading[future] = name, version
        future.add_done_callback(lambda _: self._registry.wake.set())

    def _collect(self) -> bool:
        """Takes over what has been loaded since, and notes what could not be.

        Returns:
            Whether there was any.
        """
        done = [future for future in self._loading if future.done()]
        for future in done:
            name, version = self._loading.pop(future)
            if (error := future.exception()) is None:
                del self._attempts[name, version.number]
                self._registry.move(version, State.AVAILABLE, servable=future.result())
                _log.info(
                    "Successfully loaded servable version {name: %s version: %d}",
                    name,
                    version.number,
                )
            else:
                self._note_failure(name, version, error)
        return bool(done)

    def _note_failure(self, name: str, version: Version, error: BaseException) -> None:
        if not isinstance(error, ServingError):
            _log.error("Loading %s raised an unexpected error", version.directory, exc_info=error)
            error = ServingError("UNKNOWN", f"{type(error).__name__}: {error}")
        # One of its own: the traceback of what was raised holds all that was loaded by then.
        error = ServingError(error.code, error.message)
        _log.error(
            "Loading servable {name: %s version: %d} failed: %s", name, version.number, error
        )
        self._attempts[name, version.number].failed_at = time.monotonic()
        self._registry.move(version, State.END, error=error)

    def _unload(self, version: Version) -> None:
        servable = version.servable
        self._registry.move(version, State.END)
        servable.close()
