"""Arrays by name out of PyTorch's and Keras's files, without running what they say.

A `.pth` file is a pickle, which may call any function of Python. Here only what a dict of tensors
needs is known, and everything else is refused.
"""

import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C  # of the files that PyTorch wrote before 1.6
STORAGES = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ByteStorage": np.uint8,
}


class _Storage(NamedTuple):
    """A run of numbers in the file that tensors are views of."""

    key: str
    dtype: np.dtype
    size: int


class _Tensor(NamedTuple):
    """A view of a storage, not yet read: sizes and strides are in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads a dict of tensors, as `torch.save(model.state_dict(), path)` writes it.

    Args:
        path: A `.pth` or `.pt` file, of today's form (a zip archive) or of that before PyTorch
            1.6, a `.safetensors` file, or an `.h5` file of Keras with the layers' names in it: a
            whole model, or weights as Keras 2 saved them.

    Returns:
        The arrays by name, in C order whatever their strides in the file; Keras's as
        `layer.kernel`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is none of these, is damaged, or holds more than tensors.

    Example:
        >>> arrays = read_state_dict("googlenet.pth")  # doctest: +SKIP
    """
    path = Path(path)
    data = path.read_bytes()
    try:
        if path.suffix == ".safetensors":
            return _read_safetensors(data)
        if path.suffix in (".h5", ".hdf5"):
            return _read_keras(data)
        return _read_archive(data) if data[:2] == b"PK" else _read_legacy(data)
    except (
        OSError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        EOFError,
        KeyError,
        IndexError,
        AttributeError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(
            f"{path} must be a dict of tensors, as torch.save(model.state_dict(), path), "
            f"safetensors or Keras (.h5) writes it. Received: {len(data)} bytes ({error})"
        ) from error


class _TensorUnpickler(pickle.Unpickler):
    """Knows dicts and tensors; `persistent_load` gives the storages that tensors are views of."""

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(
                storage, offset, shape, strides
            )
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        if module == "torch" and name in STORAGES:
            return np.dtype(STORAGES[name]).newbyteorder("<").type
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no tensor needs")

    def persistent_load(self, name: tuple) -> _Storage:
        kind, dtype, key, _, size, *view = name
        if kind != "storage" or any(view):
            raise pickle.UnpicklingError(f"it holds a {kind}, not a plain storage")
        return _Storage(str(key), np.dtype(dtype), int(size))


def _read_archive(data: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pickled = next((n for n in archive.namelist() if n.endswith("/data.pkl")), None)
        if pickled is None:
            raise ValueError("the archive has no data.pkl")
        folder = pickled.removesuffix("data.pkl")
        if folder + "byteorder" in archive.namelist():
            order = archive.read(folder + "byteorder")
            if order != b"little":
                raise ValueError(f"its numbers are {order.decode()}-endian")
        tensors = _TensorUnpickler(io.BytesIO(archive.read(pickled))).load()
        return _arrays(tensors, lambda storage: archive.read(f"{folder}data/{storage.key}"))


def _read_legacy(data: bytes) -> dict[str, np.ndarray]:
    """Five pickles (magic number, version, system, tensors, keys), then each storage's numbers."""
    file = io.BytesIO(data)
    if _TensorUnpickler(file).load() != MAGIC_NUMBER:
        raise ValueError("it does not begin as PyTorch's files do")
    _TensorUnpickler(file).load()  # the version
    if not _TensorUnpickler(file).load().get("little_endian", True):
        raise ValueError("its numbers are big-endian")
    tensors = _TensorUnpickler(file).load()
    sizes = {tensor.storage.key: tensor.storage for tensor in _tensors(tensors).values()}
    places = {}
    for key in _TensorUnpickler(file).load():
        count = int.from_bytes(file.read(8), "little")
        size = count * sizes[key].dtype.itemsize
        places[key] = (file.tell(), size)
        file.seek(size, io.SEEK_CUR)
    return _arrays(tensors, lambda s: data[places[s.key][0] : places[s.key][0] + places[s.key][1]])


def _tensors(found: object) -> dict[str, _Tensor]:
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise ValueError(f"it holds a {type(found).__name__}")
    for name, value in found.items():
        if not isinstance(value, _Tensor):
            raise ValueError(f"{name} is a {type(value).__name__}, not a tensor")
    return found


def _arrays(found: object, read: Callable[[_Storage], bytes]) -> dict[str, np.ndarray]:
    return {name: _array(name, of, read(of.storage)) for name, of in _tensors(found).items()}


def _array(name: str, tensor: _Tensor, data: bytes) -> np.ndarray:
    storage, offset, shape, strides = tensor
    numbers = np.frombuffer(data, storage.dtype)
    # Views are not always contiguous: files converted from TensorFlow have transposed kernels.
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides), default=0) < 0 or (0 not in shape and last >= len(numbers)):
        raise ValueError(f"{name} reaches beyond its {len(numbers)} numbers")
    steps = [step * numbers.itemsize for step in strides]
    view = np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps, writeable=False)
    return np.array(view, order="C")


def _read_safetensors(data: bytes) -> dict[str, np.ndarray]:
    """Size of the header, the header (JSON), the numbers."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        numbers = np.frombuffer(
            data[8 + size + begin : 8 + size + end], SAFETENSORS[entry["dtype"]]
        )
        arrays[name] = numbers.reshape(entry["shape"]).copy()
    return arrays


SAFETENSORS = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "U8": np.uint8,
}


def _read_keras(data: bytes) -> dict[str, np.ndarray]:
    """A group for each layer, by its name, with the names of its weights in an attribute."""
    with h5py.File(io.BytesIO(data)) as file:
        layers = file.get("model_weights", file)
        if "layer_names" not in layers.attrs:
            raise ValueError("the file has no layers by name")
        arrays = {}
        for layer in (_text(name) for name in layers.attrs["layer_names"]):
            for weight in (_text(name) for name in layers[layer].attrs["weight_names"]):
                kind = weight.rpartition("/")[2].partition(":")[0]  # of `conv1/kernel:0`
                arrays[f"{layer}.{kind}"] = np.array(layers[layer][weight])
        return arrays


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
