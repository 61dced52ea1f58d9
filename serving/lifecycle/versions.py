"""What the server knows of a model and of each of its versions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from zoo.serving.errors import ServingError
from zoo.serving.inference.servable import Servable
from zoo.serving.lifecycle.config import ModelConfig


class State(IntEnum):
    """The states of a version, numbered as in `GetModelStatusResponse`."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass
class Version:
    """One version of a model.

    The life cycle alone writes to it, always under the registry's lock, so it reads what it wrote
    without. Only `users` is written by the threads of requests, under that lock as well; once a
    version is `UNLOADING` it gets no new ones, and the number only falls.
    """

    number: int
    directory: Path
    state: State = State.START
    error: ServingError | None = None
    servable: Servable | None = None
    users: int = 0

    @property
    def failed(self) -> bool:
        """Whether the last try to load it failed."""
        return self.state is State.END and self.error is not None


@dataclass
class Model:
    """A configured model and every version of it that was ever seen, the ended ones too.

    The life cycle alone writes `versions` and `aspired`; whoever configures the server writes
    `config`, `labels` and `removed`; both write `looked_at`. All of it happens under the
    registry's lock.
    """

    config: ModelConfig
    versions: dict[int, Version] = field(default_factory=dict)
    aspired: dict[int, Path] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    removed: bool = False
    looked_at: bool = False

    def settled(self) -> bool:
        """Whether there are wanted versions and each is available or has failed.

        Which are wanted is known once the base path was looked at under this very configuration.
        A model that is not wanted any more is settled.
        """
        if self.removed:
            return True
        wanted = [self.versions.get(number) for number in self.aspired]
        return (
            self.looked_at
            and bool(wanted)
            and all(
                version is not None and (version.state is State.AVAILABLE or version.failed)
                for version in wanted
            )
        )

    def in_state(self, *states: State) -> list[Version]:
        """Versions in one of the states, highest number first."""
        found = [version for version in self.versions.values() if version.state in states]
        return sorted(found, key=lambda version: -version.number)
