"""Weights in a ``.weights.h5`` file, without the optimizer, in half precision if wished."""

import contextlib
import itertools
import os
import tempfile

import h5py
import keras
import numpy as np


@contextlib.contextmanager
def _without_optimizer(model):
    """Keras stores a compiled model's optimizer with its weights; a preset has no use for it."""
    optimizer, model.optimizer = model.optimizer, None
    try:
        yield
    finally:
        model.optimizer = optimizer


def save_weights(model, path, half=False):
    """Write the weights; ``half`` stores float32 ones as float16.

    Args:
        model: a built ``keras.Model``.
        path: a path that ends in ``.weights.h5``.
        half: bool. The model in memory is not touched.

    Raises:
        ValueError: weights that are not finite, or too large for the precision.
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
            target.attrs.update(source.attrs)
            source.visititems(lambda name, item: _copy(name, item, target))


def _copy(name, item, target):
    if isinstance(item, h5py.Group):
        target.require_group(name).attrs.update(item.attrs)
        return
    value = item[()]
    half = getattr(item.dtype, "name", "") == "float32"
    copy = target.create_dataset(name, data=value.astype("float16") if half else value)
    copy.attrs.update(item.attrs)


def load_weights(model, path):
    """Read what :func:`save_weights` wrote, half precision or not.

    Raises:
        ValueError: the file is no weight file, or is one of another architecture.
    """
    try:
        with _without_optimizer(model):
            model.load_weights(path)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path} does not hold the weights of this model: {error}") from error
    for variable in model.variables:
        if not keras.ops.all(keras.ops.isfinite(keras.ops.cast(variable, "float32"))):
            raise ValueError(f"{path} holds weights that are not finite: {variable.path}")


def copy_weights(source, target, but=()):
    """Copy the weights of a model to another one, which may have another head.

    Args:
        source, target: two built models of one class.
        but: names of attributes of ``target``, layers that keep their own weights.

    Raises:
        ValueError: the other weights differ in number or shape; ``target`` is untouched.
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


def _weights_without(model, layers):
    left_out = {id(weight) for name in layers for weight in getattr(model, name).weights}
    return [weight for weight in model.weights if id(weight) not in left_out]


def _described(weight):
    return "nothing" if weight is None else f"{weight.path} of shape {tuple(weight.shape)}"
