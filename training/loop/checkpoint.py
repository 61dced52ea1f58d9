"""A run's state on disk, written whole or not at all: a kill loses what came after the last one.

One is written at the end of each epoch, and within them where a recipe asks for it.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.files import check_can_be_folder, remove_partial, write_atomically
from zoo.training.loop.schedule import comparable

WEIGHTS = "checkpoint-{place}.weights.h5"
STATE = "checkpoint.json"


class Checkpoint:
    """The newest state of a run in a folder.

    Args:
        folder: The run's folder.
        recipe: Plain values that the run was started with, as `zoo.training.loop.schedule.recorded`
            gives them. A checkpoint of another recipe is refused rather than continued; `epochs`
            alone may change, and the learning rate then follows the new plan from the next epoch
            on.

    Attributes:
        plans: Pairs `[first epoch, epochs]`: how many epochs were planned from which epoch on.
        step: Batches that are done of the epoch that comes next, once `restore` has been called.
    """

    def __init__(self, folder: str | Path, recipe: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        self.recipe = json.loads(json.dumps(comparable(recipe)))
        self.plans = [[1, self.recipe.get("epochs")]]
        self.step = 0

    def read(self) -> dict[str, Any] | None:
        """The newest state; None if there is none.

        Asked before the data is read, it refuses early what could not be trained here.

        Raises:
            OSError: The folder cannot be written to.
            ValueError: The folder holds a run of another configuration, or a damaged file.
        """
        check_can_be_folder("out", self.folder)
        path = self.folder / STATE
        if not path.exists():
            return None
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            recipe = comparable(dict(state["recipe"]))
            state = {
                "epoch": int(state["epoch"]),
                # Absent from runs begun when states were of whole epochs.
                "step": int(state.get("step", 0)),
                "best": None if state["best"] is None else float(state["best"]),
                # Absent from runs begun before the seeds were kept: those go on with fresh ones.
                "seeds": state.get("seeds"),
                "plans": list(state.get("plans", [[1, recipe.get("epochs")]])),
            }
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} is damaged ({error}): delete the folder to start anew"
            ) from error
        other = {
            name: (recipe.get(name), self.recipe.get(name))
            for name in {*recipe, *self.recipe}
            if name != "epochs" and recipe.get(name) != self.recipe.get(name)
        }
        if other:
            differences = ", ".join(
                f"{name}={was!r} there and {now!r} here"
                for name, (was, now) in sorted(other.items())
            )
            raise ValueError(
                f"`out` holds a run of another configuration: {differences}. Choose another "
                f"folder, or delete this one. Received: out={str(self.folder)!r}"
            )
        return state

    def restore(self, model: keras.Model) -> tuple[int, float | None]:
        """Loads weights, optimizer and seeds of the newest state, if there is one.

        Args:
            model: A compiled model of the same network.

        Returns:
            `(epochs done, best score or None)`.

        Raises:
            OSError: The folder cannot be written to.
            ValueError: As for `read`, or damaged weights or seeds.
        """
        # Before a step is traced: it would be traced twice if it made variables.
        model.optimizer.build(model.trainable_variables)
        state = self.read()
        if state is None:
            return 0, None
        weights = self._weights(state["epoch"], state["step"])
        try:
            model.load_weights(weights)
            if state["seeds"] is not None:
                seeds = np.array(state["seeds"], np.uint32)
                for variable, value in zip(_seeds(model), seeds, strict=True):
                    variable.assign(value)
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise ValueError(
                f"{weights} or {STATE} is missing or damaged ({error}): delete the folder to "
                "start anew"
            ) from error
        plans, planned = state["plans"], [state["epoch"] + 1, self.recipe.get("epochs")]
        self.plans = plans if plans[-1][1] == planned[1] else [*plans, planned]
        self.step = state["step"]
        return state["epoch"], state["best"]

    def save(self, model: keras.Model, epoch: int, best: float | None, step: int = 0) -> None:
        """Writes the state after some epochs and batches; the one before goes only afterwards.

        Args:
            model: The model as it is there.
            epoch: How many epochs are done.
            best: The best score so far.
            step: How many batches are done of the next epoch.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        weights = self._weights(epoch, step)
        partial = weights.with_name(f"partial-{weights.name}")
        try:
            model.save_weights(partial, overwrite=True)
            with open(partial, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(partial, weights)
        finally:
            partial.unlink(missing_ok=True)
        seeds = [keras.ops.convert_to_numpy(seed).tolist() for seed in _seeds(model)]
        state = {
            "epoch": epoch,
            "step": step,
            "best": best,
            "seeds": seeds,
            "recipe": self.recipe,
            "plans": self.plans,
        }
        write_atomically(self.folder / STATE, json.dumps(state, indent=1).encode())
        # Earlier ones, and what a kill left.
        for old in self.folder.glob("*" + WEIGHTS.format(place="*")):
            if old != weights:
                old.unlink()
        remove_partial(self.folder / STATE)

    def _weights(self, epoch: int, step: int) -> Path:
        return self.folder / WEIGHTS.format(place=f"{epoch}-{step}" if step else epoch)


def _seeds(model: keras.Model) -> list[keras.Variable]:
    """States of the dropout's random generators, which Keras leaves out of a weight file."""
    return [variable for variable in model.variables if variable.name == "seed_generator_state"]


@contextlib.contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Within the block the model has the moving average of its weights (checkpoint averaging).

    Polyak and Juditsky (1992).

    Args:
        model: Compiled with an optimizer that keeps the average (`use_ema=True`).
    """
    raw = [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, raw, strict=True):
            variable.assign(value)
