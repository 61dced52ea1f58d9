"""PyTorch's files without PyTorch: its two forms, strides, and nothing that is run."""

import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from zoo.weights.state_dicts import MAGIC_NUMBER, read_state_dict

KERNEL = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
# As it lies in the file, and the strides that make KERNEL of it: a view that is not contiguous.
STORED, STRIDES = np.ascontiguousarray(KERNEL.transpose(2, 0, 1)), (3, 1, 6)


class Storage:
    def __init__(self, key, array, kind="FloatStorage"):
        self.key, self.array, self.kind = key, array, kind


class Global:
    """Pickles as the name of something in another module, and as a call of it."""

    def __init__(self, module, name, *arguments):
        self.module, self.name, self.arguments = module, name, arguments


class TorchPickler(pickle._Pickler):
    """Writes what `torch.save` writes, without the modules that the pickle names."""

    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            kind = Global("torch", obj.kind)
            return ("storage", kind, obj.key, "cpu", obj.array.size, *self.view)
        return None

    def save_global_by_name(self, obj):
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        if obj.arguments:
            self.save(obj.arguments)
            self.write(pickle.REDUCE)

    dispatch = {**pickle._Pickler.dispatch, Global: save_global_by_name}  # noqa: RUF012
    view = ()


def pickled(obj, view=()):
    file = io.BytesIO()
    pickler = TorchPickler(file, 2)
    pickler.view = view
    pickler.dump(obj)
    return file.getvalue()


def tensor(storage, offset, shape, strides):
    return Global(
        "torch._utils", "_rebuild_tensor_v2", storage, offset, shape, strides, False, OrderedDict()
    )


@pytest.fixture
def storages():
    return [
        Storage("10", np.concatenate([np.float32([99]), STORED.ravel()])),
        Storage("11", np.array([7], np.int64), "LongStorage"),
    ]


@pytest.fixture
def tensors(storages):
    return OrderedDict(
        kernel=tensor(storages[0], 1, (2, 3, 4), STRIDES),
        count=tensor(storages[1], 0, (), ()),
        empty=tensor(storages[0], 0, (0, 3), (3, 1)),
        parameter=Global(
            "torch._utils",
            "_rebuild_parameter",
            tensor(storages[0], 1, (24,), (1,)),
            True,
            OrderedDict(),
        ),
    )


def legacy(obj, storages):
    """The form before PyTorch 1.6."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    parts = [pickled(MAGIC_NUMBER), pickled(1001), pickled(system), pickled(obj, (None,))]
    parts.append(pickled([storage.key for storage in storages]))
    for storage in storages:
        parts += [storage.array.size.to_bytes(8, "little"), storage.array.tobytes()]
    return b"".join(parts)


def archive(obj, storages, **more):
    """Today's form."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("model/data.pkl", pickled(obj))
        for storage in storages:
            written.writestr(f"model/data/{storage.key}", storage.array.tobytes())
        for name, content in more.items():
            written.writestr(f"model/{name}", content)
    return file.getvalue()


@pytest.fixture(params=[legacy, archive])
def write(request, tmp_path):
    def write(obj, storages, **more):
        path = tmp_path / "weights.pth"
        path.write_bytes(request.param(obj, storages, **more))
        return path

    return write


def test_arrays_come_out_whatever_their_strides(write, tensors, storages):
    arrays = read_state_dict(write(tensors, storages))
    assert list(arrays) == ["kernel", "count", "empty", "parameter"]
    np.testing.assert_array_equal(arrays["kernel"], KERNEL)
    assert arrays["kernel"].flags.c_contiguous
    assert arrays["kernel"].dtype == np.float32
    np.testing.assert_array_equal(arrays["parameter"], STORED.ravel())
    assert arrays["count"] == 7
    assert arrays["count"].dtype == np.int64
    assert arrays["empty"].shape == (0, 3)


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "eval"), ("torch", "load")]
)
def test_nothing_in_a_file_is_run(write, tmp_path, module, name):
    obj = {"kernel": Global(module, name, f"touch {tmp_path / 'run'}")}
    with pytest.raises(ValueError, match=f"it asks for {module}.{name}, which no tensor needs"):
        read_state_dict(write(obj, []))
    assert not os.path.exists(tmp_path / "run")


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [((100,), (1,), 0), ((2,), (30,), 0), ((2,), (1,), 24), ((2,), (-1,), 3)],
)
def test_a_view_beyond_its_storage_is_refused(write, storages, shape, strides, offset):
    obj = {"kernel": tensor(storages[0], offset, shape, strides)}
    with pytest.raises(ValueError, match="kernel reaches beyond its 25 numbers"):
        read_state_dict(write(obj, storages[:1]))


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ([1, 2], "it holds a list"),
        ({"epoch": 3}, "epoch is a int, not a tensor"),
        ({"state_dict": {}}, "state_dict is a dict, not a tensor"),
    ],
)
def test_what_is_no_dict_of_tensors_is_told(write, obj, message):
    with pytest.raises(ValueError, match=rf"weights.pth must be a dict of tensors.*{message}"):
        read_state_dict(write(obj, []))


def test_files_that_are_cut_off_are_told(write, tensors, storages):
    path = write(tensors, storages)
    whole = path.read_bytes()
    for size in (0, 1, 20, len(whole) // 2, len(whole) - 20):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=f"must be a dict of tensors.*Received: {size} bytes"):
            read_state_dict(path)


def test_the_other_byte_order_is_told(tmp_path, tensors, storages):
    path = tmp_path / "weights.pth"
    path.write_bytes(archive(tensors, storages, byteorder="big"))
    with pytest.raises(ValueError, match="its numbers are big-endian"):
        read_state_dict(path)


def safetensors(arrays):
    header, numbers = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        end = len(numbers) + array.nbytes
        kind = {"float32": "F32", "int64": "I64"}[array.dtype.name]
        header[name] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [len(numbers), end],
        }
        numbers += array.tobytes()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


def test_safetensors_are_read(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(safetensors({"kernel": KERNEL, "count": np.array(7)}))
    arrays = read_state_dict(path)
    np.testing.assert_array_equal(arrays["kernel"], KERNEL)
    assert arrays["count"] == 7
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"weights\.safetensors must be a dict of tensors"):
        read_state_dict(path)


def test_what_pytorch_writes_is_read(tmp_path):
    torch = pytest.importorskip("torch")
    dense = torch.arange(24.0).reshape(4, 6)
    for new in (False, True):
        path = tmp_path / f"{new}.pth"
        torch.save({"a": dense.T, "b": dense[1:, ::2]}, path, _use_new_zipfile_serialization=new)
        arrays = read_state_dict(path)
        np.testing.assert_array_equal(arrays["a"], dense.T.numpy())
        np.testing.assert_array_equal(arrays["b"], dense[1:, ::2].numpy())


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_state_dict(tmp_path / "nowhere.pth")
