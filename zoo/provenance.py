"""How a model came about: what it was loaded from, what `fit` did, what was measured.

A model carries it as `model.provenance`; `zoo.save` writes it into `config.json`, and makes the
card of it. Nothing is in it that was not seen to happen. No TensorFlow is imported here.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

DIGITS = 6  # of a figure of `fit` that is kept


@dataclass
class Provenance:
    """What is known of how a model came about.

    Attributes:
        ancestors: The presets whose weights it began with, the nearest first: of each the `name`,
            the `weights_sha256`, and what its card says of `terms` and `limits`.
        changed: Arguments that are other than in the nearest of them, by name.
        fits: What each `fit` had and did, in order; see `fitting`.
        report: The figures of the last `evaluate_report`, plain values.
    """

    ancestors: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[str, Any] = field(default_factory=dict)
    fits: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Any] | None = None
    _report_digest: str = ""

    def measured(self, weights: Iterable[Any], figures: dict[str, Any]) -> None:
        """Keeps the figures of a report.

        Args:
            weights: The model's, arrays: the figures count as long as they stay the same.
            figures: Plain values, `to_dict()` of the report.
        """
        self.report, self._report_digest = figures, _digest(weights)

    def report_on(self, weights: Iterable[Any]) -> dict[str, Any] | None:
        """The figures of the last report if it was of these very weights, else None."""
        if self.report is None or _digest(weights) != self._report_digest:
            return None
        return self.report

    @contextlib.contextmanager
    def fitting(self, model: Any, x: object, settings: dict[str, Any]) -> Iterator[None]:
        """Within the block the model is trained; what comes of it is kept, however it ends.

        Args:
            model: A Keras model.
            x: What `fit` was given.
            settings: Of its arguments: `batch_size`, `callbacks`, `validation_split`.
        """
        before = getattr(model, "history", None)
        record = {"rows": _rows(x, settings.get("validation_split"), len(model.columns))}
        record["batch_size"] = settings["batch_size"]
        # At once: a callback may save the model.
        self.fits.append(record)
        stopped = None
        try:
            yield
        except BaseException as error:
            stopped = type(error).__name__
            raise
        finally:
            if getattr(model, "history", None) is before:
                self.fits.remove(record)  # refused before the first batch
            else:
                record |= _outcome(model.history, settings.get("callbacks"), stopped)

    def to_config(self, weights: Callable[[], Iterable[Any]]) -> dict[str, Any]:
        """What is known, for `config.json`; what is not is left out.

        Args:
            weights: Gives the model's, arrays.
        """
        known = {
            "ancestors": self.ancestors,
            "changed": self.changed,
            "fits": self.fits,
            "report": self.report and self.report_on(weights()),
        }
        return {name: value for name, value in known.items() if value}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], weights: Callable[[], Iterable[Any]]
    ) -> "Provenance":
        """What `to_config` gave, of a model that was loaded again.

        Args:
            config: As of `to_config`.
            weights: Gives the loaded model's, which may have been rounded when it was saved.
        """
        known = {name: config[name] for name in ("ancestors", "changed", "fits") if name in config}
        provenance = cls(**known)
        if "report" in config:
            provenance.measured(weights(), config["report"])
        return provenance


def _digest(weights: Iterable[Any]) -> str:
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(weight.tobytes())
    return digest.hexdigest()


def _rows(x: object, validation_split: float | None, columns: int) -> int | None:
    """How many rows `fit` trains on; None of what tells it only as it is read."""
    if hasattr(x, "columns") and hasattr(x, "index"):  # a data frame
        x = x.index
    elif isinstance(x, dict) and x:
        x = next(iter(x.values()))
    elif isinstance(x, tuple) and x and hasattr(x[0], "numpy"):  # columns, read already
        x = range(int(x[0].shape[0]))
    elif columns > 2 and isinstance(x, tuple | list):
        x = x[0]
    if hasattr(x, "element_spec") or hasattr(x, "num_batches"):  # a data set: its length is batches
        return None
    try:
        rows = len(x)
    except TypeError:
        return None
    # As Keras, and `zoo.models.raw_data.split_rows`, cut.
    return int(rows * (1 - validation_split)) if validation_split else rows


def _outcome(history: Any, callbacks: object, stopped: str | None) -> dict[str, Any]:
    """What a `History` tells, and which epoch's weights were kept."""
    figures = {
        name: [float(f"{value:.{DIGITS}g}") for value in values]
        for name, values in history.history.items()
        if all(isinstance(value, int | float) or hasattr(value, "__float__") for value in values)
    }
    outcome = {"epochs": len(history.epoch), "figures": figures}
    if history.params.get("steps") and stopped is None:
        outcome["batches"] = history.params["steps"]
    if stopped is not None:
        outcome["stopped"] = stopped
    for callback in _flat(callbacks):
        if getattr(callback, "restore_best_weights", False) and callback.best_weights is not None:
            outcome["kept_epoch"] = callback.best_epoch + 1
    return outcome


def _flat(callbacks: object) -> Sequence[Any]:
    callbacks = getattr(callbacks, "callbacks", callbacks)
    return callbacks if isinstance(callbacks, list | tuple) else [callbacks]
