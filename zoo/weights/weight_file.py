"""A `.weights.h5` file as Keras lays it out, with tables in bytes and the names of older layers.

Layer `a/b` of a model has its variables in `a/b/vars/0`, `1` and so on. A table in bytes is not
among them, so that Keras alone refuses the file rather than take steps for weights: variable 1
is then `a/b/int8_tables/1/vars/values` and `.../steps`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

# Keras has no public way to read a model's weights from anything but a file of its own layout.
from keras.src.saving import saving_lib

from zoo.weights import int8_tables

TABLES = "int8_tables"
LEAST_PACKED_BYTES = 64_000


def write_small(source: h5py.File, target: h5py.File) -> None:
    """Copy weights in the form that takes least room: large tables in bytes, the rest float16.

    Args:
        source: Weights as Keras or this function wrote them.
        target: An empty file.

    Raises:
        ValueError: If weights are not finite, or above what float16 holds.
    """

    def copy(path: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Group):
            target.require_group(path).attrs.update(item.attrs)
            return
        value = item[()]
        if int8_tables.is_table(item.shape, item.dtype):
            layer, _, key = f"/{path}".rpartition("/vars/")
            group = target.require_group(f"{layer}/{TABLES}/{key}/vars")
            values, group["steps"] = int8_tables.encode(value)
            group.create_dataset("values", data=values, **_packed(values))
            return
        if item.dtype == np.float32:
            if not (np.abs(value) <= np.finfo(np.float16).max).all():
                raise ValueError(f"{path} is not finite or above what float16 holds")
            value = value.astype(np.float16)
        target.create_dataset(path, data=value, **_packed(value))
        target[path].attrs.update(item.attrs)

    target.attrs.update(source.attrs)
    source.visititems(copy)


def _packed(value: np.ndarray) -> dict[str, Any]:
    """How HDF5 packs an array without loss; nothing for a small one, which would not gain."""
    if value.nbytes < LEAST_PACKED_BYTES:
        return {}
    return {"compression": "gzip", "shuffle": value.itemsize > 1}


class WeightFile(saving_lib.H5IOStore):
    """A file to load weights from.

    Args:
        path: Of the file.
        former: Prefixes of layers' paths that were renamed since, from old to new.
    """

    def __init__(self, path: str | os.PathLike, former: Mapping[str, str]) -> None:
        super().__init__(Path(path), mode="r")
        self._renamed = self._in_use(former)

    def _in_use(self, former: Mapping[str, str]) -> dict[str, str]:
        """The renamings that this file is older than, from new to old.

        A file that has weights under all new names is of today, also if some old name got a
        new meaning. Groups without weights, such as those of dropout, tell nothing.
        """
        if not former:
            return {}
        weights = []
        self.h5_file.visititems(
            lambda path, item: weights.append(path) if isinstance(item, h5py.Dataset) else None
        )

        def has(prefix: str) -> bool:
            return any(path.startswith(f"{prefix}/") for path in weights)

        renamed = {new: old for old, new in former.items() if has(old)}
        return {} if all(map(has, renamed)) else renamed

    def _stored_path(self, path: str) -> str | None:
        """Where the file has the layer that is at `path` today; None if it had no such layer."""
        for new in sorted(self._renamed, key=len, reverse=True):
            if path == new or path.startswith(f"{new}/"):
                return self._renamed[new] + path[len(new) :]
        gone = self._renamed.values()
        return None if any(f"{path}/".startswith(f"{old}/") for old in gone) else path

    def has_path(self, path: str) -> bool:
        """Whether the file has anything of the layer."""
        stored = self._stored_path(path)
        return stored is not None and super().has_path(stored)

    def get(self, path: str) -> dict[str, Any]:
        """The values of the variables of the layer at `path`; none if the file lacks it."""
        stored = self._stored_path(path)
        if stored is None:
            return {}
        found = {key: _float32(value) for key, value in self._arrays(stored).items()}
        tables = f"{stored}/{TABLES}".lstrip("/")
        for key in self.h5_file.get(tables, ()):
            parts = self._arrays(f"{tables}/{key}")
            found[key] = int8_tables.decode(parts["values"], parts["steps"])
        return found

    def _arrays(self, path: str) -> dict[str, np.ndarray]:
        entry = super().get(path)
        return {key: entry[key] for key in list(entry.keys())}

    def load_into(self, model: keras.Model) -> None:
        """Assign all weights of the model.

        Raises:
            ValueError: If those in the file are of another architecture.
        """
        errors = {}
        failed = set()
        saving_lib._load_state(
            model,
            weights_store=self,
            assets_store=None,
            inner_path="",
            visited_saveables=set(),
            failed_saveables=failed,
            error_msgs=errors,
        )
        if failed:
            layer, error = next(iter(errors.values()))
            raise ValueError(f"{len(failed)} layers do not fit, first {layer.name!r}: {error}")


def _float32(value: np.ndarray) -> Any:
    """Half precision as float32, a tensor: the backend is ten times as fast at it as NumPy."""
    return keras.ops.cast(value, "float32") if value.dtype == np.float16 else value
