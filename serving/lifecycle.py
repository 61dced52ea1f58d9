"""Which versions of which models are in memory, and when they come and go.

One background thread polls the base paths, and loads and unloads one version at a time; it alone
changes versions. Request threads only `acquire` a version for as long as they use it.

The policy is TensorFlow Serving's default, availability preserving: a new version is loaded and
warmed up before the old one is unloaded, and when no wanted version can be loaded, what was
there stays.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from serving.base_path import fingerprint, scan_versions
from serving.config import ModelConfig
from serving.errors import ServingError, invalid_argument
from serving.servable import Servable
from serving.versions import Model, State, Version

_log = logging.getLogger(__name__)


class Lifecycle:
    """Keeps the configured models' versions in memory.

    Args:
        load: Loads and warms up the version in a directory.
        poll_seconds: Between two looks at the base paths; 0 looks once, at the start.
        max_retries: How often a version that failed to load is tried again.
        retry_seconds: Until the next try. A version whose files have changed since (a copy that
            was not complete) is tried again at the next poll.
        labels_before_available: Allow labels on versions that are not loaded.
    """

    def __init__(
        self,
        load: Callable[[Path], Servable],
        *,
        poll_seconds: float = 1.0,
        max_retries: int = 5,
        retry_seconds: float = 60.0,
        labels_before_available: bool = False,
    ):
        self._load = load
        self._poll_seconds = poll_seconds
        self._max_retries = max_retries
        self._retry_seconds = retry_seconds
        self._labels_before_available = labels_before_available
        self._models: dict[str, Model] = {}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="model-lifecycle", daemon=True)

    def start(self) -> None:
        """Starts the background thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stops the background thread and unloads everything; running requests end first."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._wake.set()
        self._thread.join()
        with self._lock:
            versions = [v for model in self._models.values() for v in model.versions.values()]
        for version in versions:
            if version.servable is not None:
                self._set(version, State.UNLOADING)
                with self._changed:
                    self._changed.wait_for(lambda v=version: v.users == 0)
                self._unload(version)

    def configure(self, configs: Mapping[str, ModelConfig]) -> None:
        """Sets what is to be served; models that are not named any more are unloaded.

        Labels take effect with `assign_labels`, when their versions are available.
        """
        with self._lock:
            for name, config in configs.items():
                known = self._models.setdefault(name, Model(config))
                if known.removed or known.config != config:
                    known.config, known.removed, known.looked_at = config, False, False
            for name, model in self._models.items():
                model.removed = name not in configs
        self._wake.set()

    def wait_until_served(self, names: Iterable[str]) -> None:
        """Blocks until every wanted version is loaded or has failed.

        A model whose base path holds no version is waited for.

        Raises:
            ServingError: UNKNOWN, if there are models without any available version.
        """
        with self._changed:
            models = [self._models[name] for name in names]
            self._changed.wait_for(
                lambda: self._stopping or all(model.settled() for model in models)
            )
            failures = [
                f"{{name: {model.config.name} version: {version.number}}} {version.error}"
                for model in models
                if not model.in_state(State.AVAILABLE)
                for version in model.in_state(State.END)
            ]
        if failures:
            raise ServingError(
                "UNKNOWN",
                f"{len(failures)} servable(s) did not become available: " + "; ".join(failures),
            )

    def assign_labels(self) -> None:
        """Puts the configured labels on their versions.

        Raises:
            ServingError: FAILED_PRECONDITION for a version that is not available.
        """
        with self._lock:
            for name, model in self._models.items():
                for label, number in model.config.labels.items():
                    version = model.versions.get(number)
                    available = version is not None and version.state is State.AVAILABLE
                    if not available and not self._labels_before_available:
                        raise ServingError(
                            "FAILED_PRECONDITION",
                            f"Request to assign label {label} to version {number} of model "
                            f"{name}, which is not currently available for inference",
                        )
                model.labels = dict(model.config.labels)

    @contextlib.contextmanager
    def acquire(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> Iterator[tuple[Servable, int]]:
        """Lends a version; it stays loaded until the `with` block ends.

        Args:
            name: Of the model.
            version: A number, or None for the highest available one.
            label: Instead of a number.

        Yields:
            The servable and its version number.

        Raises:
            ServingError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        with self._lock:
            found = self._find(name, version, label)
            found.users += 1
        try:
            yield found.servable, found.number
        finally:
            with self._changed:
                found.users -= 1
                if found.state is State.UNLOADING and found.users == 0:
                    self._wake.set()
                    self._changed.notify_all()

    def statuses(
        self, name: str, version: int | None = None
    ) -> list[tuple[int, State, ServingError | None]]:
        """Number, state and error of each version that was ever seen, highest number first.

        Raises:
            ServingError: NOT_FOUND if there is none.
        """
        with self._lock:
            versions = self._models[name].versions if name in self._models else {}
            found = [
                (each.number, each.state, each.error)
                for each in sorted(versions.values(), key=lambda each: -each.number)
                if version is None or each.number == version
            ]
        if not found:
            missing = "any versions" if version is None else f"version {version}"
            raise ServingError("NOT_FOUND", f"Could not find {missing} of model {name}")
        return found

    def names(self) -> list[str]:
        """The configured models."""
        with self._lock:
            return [name for name, model in self._models.items() if not model.removed]

    def _find(self, name: str, number: int | None, label: str | None) -> Version:
        model = self._models.get(name)
        if label is not None:
            if model is None or label not in model.labels:
                raise invalid_argument(f"Unrecognized servable version label: {label}")
            number = model.labels[label]
        available = model.in_state(State.AVAILABLE) if model else []
        if number is not None:
            available = [version for version in available if version.number == number]
        if not available:
            wanted = f"Latest({name})" if number is None else f"Specific({name}, {number})"
            raise ServingError("NOT_FOUND", f"Servable not found for request: {wanted}")
        return available[0]

    def _run(self) -> None:
        next_poll = 0.0
        while not self._stopping:
            self._wake.clear()
            now = time.monotonic()
            due = self._poll_seconds > 0 and now >= next_poll
            if due:
                next_poll = now + self._poll_seconds
            try:
                self._step(poll=due)
            except Exception:
                _log.exception("Looking after the models failed; it goes on")
            wait = next_poll - time.monotonic() if self._poll_seconds > 0 else None
            self._wake.wait(wait if wait is None else max(wait, 0))

    def _step(self, poll: bool) -> None:
        with self._lock:
            models = list(self._models.items())
        for name, model in models:
            if model.removed:
                model.aspired = {}
            elif poll or not model.looked_at:
                model.looked_at = True
                self._look(name, model)
            self._converge(name, model)

    def _look(self, name: str, model: Model) -> None:
        """Reads the base path; an unreadable one changes nothing."""
        config = model.config
        try:
            present = scan_versions(config.base_path)
        except OSError as error:
            _log.error(
                "Could not find base path %s for servable %s: %s", config.base_path, name, error
            )
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
        with self._changed:
            model.aspired = {number: present[number] for number in chosen}

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
                    self._set(version, State.UNLOADING)
        for version in model.in_state(State.UNLOADING):
            if version.users == 0:
                self._unload(version)
                _log.info("Unloaded servable {name: %s version: %d}", name, version.number)
        for version in model.in_state(State.END):
            if version.number not in model.aspired:
                version.loads = 0  # should it come back, it starts afresh

    def _should_load(self, model: Model, number: int) -> bool:
        version = model.versions.get(number)
        if version is None:
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
        directory = model.aspired[number]
        with self._lock:
            version = model.versions.setdefault(number, Version(number, directory))
            version.directory = directory
            version.error = None
        self._set(version, State.LOADING)
        version.loads += 1
        before = fingerprint(directory)
        _log.info("Loading servable {name: %s version: %d}", name, number)
        try:
            servable = self._load(directory)
        except Exception as error:
            if not isinstance(error, ServingError):
                _log.exception("Loading %s raised an unexpected error", directory)
                error = ServingError("UNKNOWN", f"{type(error).__name__}: {error}")
            _log.error("Loading servable {name: %s version: %d} failed: %s", name, number, error)
            version.failed_at, version.failed_fingerprint = time.monotonic(), before
            self._set(version, State.END, error=error)
            return
        version.loads = 0
        self._set(version, State.AVAILABLE, servable=servable)
        _log.info("Successfully loaded servable version {name: %s version: %d}", name, number)

    def _unload(self, version: Version) -> None:
        servable = version.servable
        self._set(version, State.END)
        servable.close()

    def _set(
        self,
        version: Version,
        state: State,
        *,
        servable: Servable | None = None,
        error: ServingError | None = None,
    ) -> None:
        with self._changed:
            version.state = state
            version.error = error
            if state in (State.AVAILABLE, State.END):
                version.servable = servable
            self._changed.notify_all()
