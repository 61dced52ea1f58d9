"""A run's state on disk, written whole or not at all: a kill at any moment loses one epoch."""

import contextlib
import json
import os
from pathlib import Path

import keras

from zoo.files import write_atomically

WEIGHTS = "checkpoint-{epoch}.weights.h5"
STATE = "checkpoint.json"


class Checkpoint:
    """The newest finished epoch of a run in a folder.

    Args:
        folder: the run's folder, a path.
        recipe: dict of plain values that the run was started with. A checkpoint of another recipe
            is refused rather than continued.
    """

    def __init__(self, folder, recipe):
        self.folder = Path(folder)
        self.recipe = json.loads(json.dumps(recipe))

    def restore(self, model):
        """Load weights, optimizer and seeds of the newest finished epoch, if there is one.

        Returns:
            ``(epochs done, best score or None)``.

        Raises:
            ValueError: the folder holds a run of another configuration, or damaged files.
        """
        path = self.folder / STATE
        if not path.exists():
            return 0, None
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            recipe, epoch, best = state["recipe"], state["epoch"], state["best"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} is damaged ({error}): delete the folder to start anew"
            ) from error
        other = {
            name: (recipe.get(name), self.recipe.get(name))
            for name in {*recipe, *self.recipe}
            if recipe.get(name) != self.recipe.get(name)
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
        weights = self.folder / WEIGHTS.format(epoch=epoch)
        model.optimizer.build(model.trainable_variables)
        try:
            model.load_weights(weights)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(
                f"{weights} is missing or damaged ({error}): delete the folder to start anew"
            ) from error
        return epoch, best

    def save(self, model, epoch, best):
        """Write the state after ``epoch`` finished epochs; the one before goes only afterwards."""
        self.folder.mkdir(parents=True, exist_ok=True)
        weights = self.folder / WEIGHTS.format(epoch=epoch)
        partial = weights.with_name(f"partial-{weights.name}")
        model.save_weights(partial, overwrite=True)
        os.replace(partial, weights)
        state = {"epoch": epoch, "best": best, "recipe": self.recipe}
        write_atomically(self.folder / STATE, json.dumps(state, indent=1).encode())
        for old in self.folder.glob(WEIGHTS.format(epoch="*")):
            if old != weights:
                old.unlink()


@contextlib.contextmanager
def averaged_weights(model):
    """Within the block the model has the moving average of its weights (checkpoint averaging).

    The optimizer must keep one (``use_ema=True``); Polyak and Juditsky (1992).
    """
    raw = [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, raw, strict=True):
            variable.assign(value)
