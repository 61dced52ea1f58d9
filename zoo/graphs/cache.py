"""Graphs in the user's cache: a verb's first call costs tracing once, not in each process.

A graph that was kept is used only where tracing would give the same one: for the same model, verb,
arguments, code and versions. It holds no weights. A cache that cannot be read or written is passed
over, and a graph that is damaged is traced anew.
"""

import contextlib
import functools
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow.python.eager import context

from zoo.files import user_cache, write_atomically
from zoo.graphs.portable import NotPortable, PortableFunction, pack
from zoo.graphs.state import State, UnknownPart

if TYPE_CHECKING:
    from zoo.models.base import ZooModel

#: A folder to keep graphs in, or `off`.
VARIABLE = "RNN_ZOO_GRAPH_CACHE"
_OFF = ("off", "0", "no", "false")
#: Bytes that all graphs may take together. Those that were not used for longest go.
MOST_BYTES = 32_000_000
_SUFFIX = ".graph"
_MARK = b"rnn-zoo graph 1\n"


def cache_folder() -> Path | None:
    """Where graphs are kept; None if the user wants none to be."""
    told = os.environ.get(VARIABLE, "").strip()
    if told.lower() in _OFF:
        return None
    try:
        return Path(told).expanduser() if told else user_cache("graphs")
    except RuntimeError:  # this user has no home
        return None


def kept_graph(
    model: "ZooModel",
    function: Callable[..., dict[str, tf.Tensor]],
    specs: Sequence[Any],
    options: dict[str, Any],
    trace: Callable[[], tf.types.experimental.ConcreteFunction],
) -> PortableFunction | None:
    """The graph of a model's function, out of the cache or traced and put there.

    Args:
        model: The model.
        function: A method of it.
        specs: What it takes, as of a `tf.function`.
        options: Its further arguments, plain values.
        trace: Called if the cache has no such graph.

    Returns:
        The graph; None if it cannot be kept, or the user wants none to be.
    """
    folder = cache_folder()
    if folder is None or not _is_plain_tensorflow():
        return None
    try:
        state = State(model)
        path = folder / f"{_key(state, model, function, specs, options)}{_SUFFIX}"
    except (UnknownPart, OSError):
        return None
    # Whatever is wrong with a file, tracing sets it right.
    with contextlib.suppress(Exception):
        found = PortableFunction(_read(path), specs, state.handle)
        os.utime(path)
        return found
    try:
        packed = pack(trace(), state.captured)
    except NotPortable:
        return None
    with contextlib.suppress(OSError):
        _write(path, packed)
    return PortableFunction(packed, specs, state.handle)


def _is_plain_tensorflow() -> bool:
    """Whether nothing is set that changes how functions are traced or run."""
    return not (
        tf.config.functions_run_eagerly()
        or tf.distribute.has_strategy()
        or context.context().op_callbacks
        or context.context().device_name
    )


def _key(
    state: State,
    model: "ZooModel",
    function: Callable,
    specs: Sequence[Any],
    options: dict[str, Any],
) -> str:
    method = getattr(function, "__func__", None)
    if getattr(function, "__self__", None) is not model or _package(method) != "zoo":
        raise UnknownPart(f"{function} is no method of a model of the zoo")
    digest = hashlib.sha256(state.digest)
    for part in (
        *(_sources(), tf.version.GIT_VERSION, *(of.__version__ for of in (tf, tf_text, keras, np))),
        *(keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format()),
        sorted(device.device_type for device in tf.config.list_physical_devices()),
        *(method.__module__, method.__qualname__, tuple(specs), sorted(options.items())),
    ):
        digest.update(repr(part).encode() + b"\0")
    return digest.hexdigest()[:40]


def _package(function: object) -> str:
    return (getattr(function, "__module__", None) or "").partition(".")[0]


@functools.cache
def _sources() -> str:
    """Of all the code of the zoo: who works on it has the version of the last release."""
    digest = hashlib.sha256()
    folder = Path(__file__).parents[1]
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> bytes:
    """What `_write` wrote; ValueError if it is damaged."""
    data = path.read_bytes()
    mark, digest, packed = data[: len(_MARK)], data[len(_MARK) :][:32], data[len(_MARK) + 32 :]
    if mark != _MARK or hashlib.sha256(packed).digest() != digest:
        raise ValueError(f"{path} is damaged")
    return zlib.decompress(packed)


def _write(path: Path, content: bytes) -> None:
    packed = zlib.compress(content, 1)
    if len(packed) > MOST_BYTES // 4:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, _MARK + hashlib.sha256(packed).digest() + packed)
    _forget_the_oldest(path.parent)


def _forget_the_oldest(folder: Path) -> None:
    sizes = {}
    for path in _files(folder):
        with contextlib.suppress(OSError):  # another process may have taken it away
            sizes[path] = path.stat()
    total = sum(stat.st_size for stat in sizes.values())
    for path in sorted(sizes, key=lambda path: sizes[path].st_mtime):
        if total <= MOST_BYTES:
            break
        path.unlink(missing_ok=True)
        total -= sizes[path].st_size


def _files(folder: Path) -> Iterator[Path]:
    """The graphs, and what was left of one when a process was killed."""
    yield from folder.glob(f"*{_SUFFIX}")
    yield from folder.glob(f".*{_SUFFIX}.*")
