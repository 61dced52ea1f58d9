"""The models a server has: request threads borrow versions here while they come and go.

Requests only read, and count themselves as users of a version. What there shall be is told with
`configure`; the life cycle of `zoo.serving.lifecycle.manager`, and it alone, moves versions from
state to state. Whoever writes holds the lock.
"""

import contextlib
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from zoo.serving.errors import ServingError, invalid_argument
from zoo.serving.inference.servable import Servable
from zoo.serving.lifecycle.config import ModelConfig, check_platforms
from zoo.serving.lifecycle.versions import Model, State, Version

_log = logging.getLogger(__name__)


class Registry:
    """Models by name, and their versions, safe to use from any thread.

    Args:
        labels_before_available: Whether to allow labels on versions that are not loaded, unless
            the label is in use for another version.
        move_labels_before_available: Whether to allow it for labels in use, too.
    """

    def __init__(
        self, *, labels_before_available: bool = False, move_labels_before_available: bool = False
    ) -> None:
        self._labels_before_available = labels_before_available
        self._move_labels_before_available = move_labels_before_available
        self._models: dict[str, Model] = {}
        self._changed = threading.Condition()
        self._closed = False
        #: Set when there may be something to do for the life cycle.
        self.wake = threading.Event()

    # What is to be served.

    def reload(self, configs: Mapping[str, ModelConfig], timeout: float | None = None) -> None:
        """Serves what a configuration names and nothing else; returns when it is there.

        Unless it is refused, the configuration stays in force, whether or not all of it comes up. A
        later call does not wait for this one, but ends its waiting for models that the later one
        does not name.

        Args:
            configs: Model name -> configuration.
            timeout: The seconds after which the waiting is given up; None waits for ever.

        Raises:
            ServingError: From `configure` or `wait_until_served`.
        """
        self.configure(configs)
        self.wait_until_served(configs, timeout)

    def configure(self, configs: Mapping[str, ModelConfig]) -> None:
        """Sets what is to be served; models that are not named any more are unloaded.

        Labels move at once, so the versions they stand for must be available by now, or be allowed
        not to be.

        Raises:
            ServingError: INVALID_ARGUMENT for a platform that cannot be served,
                FAILED_PRECONDITION for a label on a version that is not available; nothing changes.
        """
        with self._changed:
            before = self.configs()
            check_platforms(configs, before)
            self._check_labels(configs)
            for name, config in configs.items():
                known = self._models.setdefault(name, Model(config))
                if known.removed or known.config != config:
                    known.config, known.removed, known.looked_at = config, False, False
                _log_moves(name, known.labels, config.labels)
                known.labels = dict(config.labels)
            for name, model in self._models.items():
                if name not in configs:
                    model.removed, model.labels = True, {}
            self._changed.notify_all()
        self.wake.set()
        _log_changes(before, configs)

    def configs(self) -> dict[str, ModelConfig]:
        """What is to be served: model name -> configuration."""
        with self._changed:
            return {name: each.config for name, each in self._models.items() if not each.removed}

    def wait_until_served(self, names: Iterable[str], timeout: float | None = None) -> None:
        """Blocks until every wanted version is loaded or has failed.

        A model whose base path holds no version is waited for.

        Raises:
            ServingError: UNKNOWN, if there are models without any available version;
                DEADLINE_EXCEEDED after `timeout` seconds.
        """
        with self._changed:
            models = [self._models[name] for name in names]
            if not self._changed.wait_for(
                lambda: self._closed or all(model.settled() for model in models), timeout
            ):
                missing = ", ".join(m.config.name for m in models if not m.settled())
                raise ServingError(
                    "DEADLINE_EXCEEDED",
                    f"Timed out waiting for a version of these models to load: {missing}",
                )
            failures = [
                f"{{name: {model.config.name} version: {version.number}}} {version.error}"
                for model in models
                if not model.in_state(State.AVAILABLE)
                for version in model.in_state(State.END)
                if version.failed
            ]
        if failures:
            raise ServingError(
                "UNKNOWN",
                f"{len(failures)} servable(s) did not become available: " + "; ".join(failures),
            )

    def _check_labels(self, configs: Mapping[str, ModelConfig]) -> None:
        for name, config in configs.items():
            model = self._models.get(name) or Model(config)
            available = {version.number for version in model.in_state(State.AVAILABLE)}
            for label, number in config.labels.items():
                if number not in available and not self._may_run_ahead(model, label, number):
                    raise ServingError(
                        "FAILED_PRECONDITION",
                        f"Request to assign label to version {number} of model {name}, which is "
                        "not currently available for inference",
                    )

    def _may_run_ahead(self, model: Model, label: str, number: int) -> bool:
        """Whether a label may be put on a version that is not available."""
        if self._move_labels_before_available:
            return True
        return self._labels_before_available and model.labels.get(label, number) == number

    # For requests.

    @contextlib.contextmanager
    def acquire(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> Iterator[tuple[Servable, int]]:
        """Lends a version; it stays loaded until the `with` block ends.

        Args:
            name: The name of the model.
            version: The version's number, or None for the highest available one.
            label: A label, instead of a number.

        Yields:
            The servable and its version number.

        Raises:
            ServingError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        with self._changed:
            found = self._find(name, version, label)
            found.users += 1
        try:
            yield found.servable, found.number
        finally:
            with self._changed:
                found.users -= 1
                if found.state is State.UNLOADING and found.users == 0:
                    self._changed.notify_all()
                    self.wake.set()

    def statuses(
        self, name: str, version: int | None = None
    ) -> list[tuple[int, State, ServingError | None]]:
        """Number, state and error of each version that was ever seen, highest number first.

        Raises:
            ServingError: NOT_FOUND if there is none.
        """
        with self._changed:
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
        return list(self.configs())

    def directory(self, name: str) -> Path | None:
        """The directory of the version that answers; None while none does."""
        with self._changed:
            try:
                return self._find(name, None, None).directory
            except ServingError:
                return None

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

    # For the life cycle.

    def models(self) -> list[tuple[str, Model]]:
        """Every model that was ever configured, with its name."""
        with self._changed:
            return list(self._models.items())

    def aspire(self, model: Model, config: ModelConfig, wanted: Mapping[int, Path] | None) -> None:
        """Notes which versions a look at the base path found wanted.

        Args:
            model: The model whose base path it is.
            config: The configuration that was looked up; if the model has another one by now, the
                result is of no use any more.
            wanted: Version -> directory; None if the base path cannot be read, which changes
                nothing.
        """
        with self._changed:
            if model.removed:
                model.aspired = {}
            elif model.config is config:
                model.looked_at = True
                if wanted is not None:
                    model.aspired = dict(wanted)
            for version in model.in_state(State.START):
                if version.number not in model.aspired:
                    self.move(version, State.END)
            for number, directory in model.aspired.items():
                model.versions.setdefault(number, Version(number, directory))
            self._changed.notify_all()

    def begin_loading(self, model: Model, number: int) -> Version:
        """Lists a version, as one that is being loaded from the directory it is wanted from."""
        with self._changed:
            directory = model.aspired[number]
            version = model.versions[number]
            version.directory = directory
            self.move(version, State.LOADING)
        return version

    def move(
        self,
        version: Version,
        state: State,
        *,
        servable: Servable | None = None,
        error: ServingError | None = None,
    ) -> None:
        """Puts a version into another state."""
        with self._changed:
            version.state = state
            version.error = error
            if state in (State.AVAILABLE, State.END):
                version.servable = servable
            self._changed.notify_all()

    def wait_until_unused(self, version: Version) -> None:
        """Blocks until no request uses a version."""
        with self._changed:
            self._changed.wait_for(lambda: version.users == 0)

    def close(self) -> None:
        """Ends every `wait_until_served`, and wakes the life cycle."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.wake.set()


def _log_changes(before: Mapping[str, ModelConfig], after: Mapping[str, ModelConfig]) -> None:
    changes = {
        "new": [name for name in after if name not in before],
        "changed": [name for name in after if name in before and after[name] != before[name]],
        "removed": [name for name in before if name not in after],
    }
    if said := "; ".join(f"{kind}: {', '.join(names)}" for kind, names in changes.items() if names):
        _log.info("Models to serve, %s", said)


def _log_moves(model: str, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    for label in sorted({*before, *after}):
        old, new = before.get(label), after.get(label)
        if old != new:
            _log.info(
                "Label %s of servable %s: version %s, was %s",
                label,
                model,
                "none" if new is None else new,
                "none" if old is None else old,
            )
