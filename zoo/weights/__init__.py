"""Weights in a `.weights.h5` file, without the optimizer, in little room if wished."""

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterator, Sequence

import h5py
import keras
import numpy as np

from zoo.weights.weight_file import WeightFile, write_small


@contextlib.contextmanager
def _without_optimizer(model: keras.Model) -> Iterator[None]:
    """Keras stores a compiled model's optimizer with its weights; a preset has no use for it."""
    optimizer, model.optimizer = model.optimizer, None
    try:
        yield
    finally:
        model.optimizer = optimizer


def save_weights(model: keras.Model, path: str | os.PathLike, half: bool = False) -> None:
    """Write the weights, exact or in little room.

    Args:
        model: A built model. It is not touched.
        path: A path that ends in `.weights.h5`.
        half: Whether to store float32 weights as float16, and large tables of vectors as int8 with
            a step for each row (see `zoo/weights/int8_tables.py`).

    Raises:
        ValueError: If weights are not finite, or too large for the precision.
    """
    largest = float(np.finfo(np.float16 if half else np.float32).max)
    for variable in model.weights:
        value = keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32"))
        if not (np.abs(value) <= largest).all():
            raise ValueError(
                f"`model` has weights that are not finite or above {largest:g}: {variable.path}"
            )
    if not half:
        with _without_optimizer(model):
            model.save_weights(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        full = os.path.join(folder, "full.weights.h5")
        save_weights(model, full)
        with h5py.File(full) as source, h5py.File(path, "w") as target:
            write_small(source, target)


def load_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Read what `save_weights` wrote, exact or not.

    The class of the model may have an attribute `former_weights`, a dict from old to new paths of
    layers in the file, such as `{"layers/encoder/speller": "layers/encoder/character_encoder"}`:
    weights that were saved before these layers were renamed are found under their old names.

    Args:
        model: A built model.
        path: Of a `.weights.h5` file.

    Raises:
        ValueError: If the file is no weight file, is one of another architecture, or holds weights
            that are not finite.
    """
    former = getattr(model, "former_weights", {})
    try:
        with (
            _without_optimizer(model),
            contextlib.closing(WeightFile(path, former)) as file,
        ):
            file.load_into(model)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path} does not hold the weights of this model: {error}") from error
    for variable in model.variables:
        # Not by `convert_to_numpy`: NumPy 2 warns of each of Keras's variables.
        if not np.isfinite(variable.numpy()).all():
            raise ValueError(f"{path} holds weights that are not finite: {variable.path}")


def copy_weights(source: keras.Model, target: keras.Model, but: Sequence[str] = ()) -> None:
    """Copy the weights of a model to another one, which may have another head.

    Args:
        source: A built model.
        target: Another one of the same class.
        but: Names of attributes of `target`, layers that keep their own weights.

    Raises:
        ValueError: If the other weights differ in number or shape; `target` is untouched.
    """
    have, want = _weights_without(source, but), _weights_without(target, but)
    for old, new in itertools.zip_longest(have, want):
        if old is None or new is None or old.shape != new.shape:
            raise ValueError(
                "the weights do not fit the arguments that were changed: of these models one has "
                f"{_described(old)}, the other {_described(new)}"
            )
    for old, new in zip(have, want, strict=True):
        new.assign(old)


def _weights_without(model: keras.Model, layers: Sequence[str]) -> list[keras.Variable]:
    left_out = {id(weight) for name in layers for weight in getattr(model, name).weights}
    return [weight for weight in model.weights if id(weight) not in left_out]


def _described(weight: keras.Variable | None) -> str:
    return "nothing" if weight is None else f"{weight.path} of shape {tuple(weight.shape)}"
