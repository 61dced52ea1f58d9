"""What the graph of a model depends on, besides the code: its arguments and its parts.

A graph that was kept answers as a graph traced now only if all that tracing would read is the same:
not the arguments of `__init__` alone, but what has been set on the model since. So everything that
the model holds is looked at, and a model that holds what is not known here is traced each time.
"""

import functools
import hashlib
import marshal
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from zoo.models.base import ZooModel

# Packages whose code changes with their version only.
_LIBRARIES = ("keras", "tensorflow", "tensorflow_text", "numpy", "builtins", "_operator")
# What training leaves on a model, and what no graph of a verb reads.
_UNREAD = frozenset(
    (
        *("history", "loss", "metrics", "name", "optimizer", "path", "provenance"),
        *("seed_generator", "stop_training"),
        *("predict_function", "test_function", "train_function"),
    )
)


class UnknownPart(Exception):
    """A model holds something of which it is not known what a graph may read."""


class State:
    """All that tracing a function of a model may read, and names for what it may capture.

    Args:
        model: A `ZooModel`.

    Attributes:
        digest: SHA-256 of what is read: plain values, and the classes of all parts.
        captured: Names of the model's variables and resources by the `id` of their handles.

    Raises:
        UnknownPart: Something is not of the zoo, Keras or TensorFlow.
    """

    def __init__(self, model: "ZooModel") -> None:
        self._digest = hashlib.sha256()
        self._seen: dict[int, int] = {}
        self._handles: dict[str, tf.Tensor] = {}
        for place, weight in enumerate(model.weights):
            self._variable(f"weight {place}", weight.value)
        try:
            self._read("model", model)
        except ValueError as error:  # how `marshal` tells of what is no plain value
            raise UnknownPart(str(error)) from error
        for name, content in sorted(model.assets().items()):
            self._plain((name, hashlib.sha256(content).digest()))
        self.digest = self._digest.digest()
        self.captured = {id(handle): name for name, handle in self._handles.items()}

    def handle(self, name: str) -> tf.Tensor:
        """The variable's or resource's handle; KeyError if there is none of this name."""
        return self._handles[name]

    def _plain(self, value: object) -> None:
        # Without references, which depend on who else holds a string.
        self._digest.update(marshal.dumps(value, 2))

    def _variable(self, name: str, variable: tf.Variable) -> None:
        if not isinstance(getattr(variable, "handle", None), tf.__internal__.EagerTensor):
            raise UnknownPart(f"{name} is a {type(variable).__name__}")
        self._plain((name, variable.dtype.name, tuple(variable.shape)))
        self._handles.setdefault(name, variable.handle)

    def _read(self, name: str, value: object) -> None:
        if isinstance(value, (tuple, list)):
            try:
                self._plain((name, tuple(value)))
            except ValueError:
                self._entries(name, value, enumerate(value))
        elif isinstance(value, (bool, int, float, str, bytes, types.NoneType)):
            self._plain((name, value))
        elif isinstance(value, dict):
            self._entries(name, value, value.items())
        elif isinstance(value, (set, frozenset)):
            self._entries(name, value, enumerate(sorted(map(repr, value))))
        elif isinstance(value, (np.ndarray, np.generic)):
            array = np.asarray(value)
            self._plain((name, array.dtype.str, array.shape, array.tobytes()))
        elif isinstance(value, (tf.DType, tf.TensorShape, tf.TypeSpec)):
            self._plain((name, repr(value)))
        elif isinstance(value, keras.DTypePolicy):
            self._plain((name, value.name))
        elif isinstance(value, keras.Variable):
            self._plain((name, value.dtype, tuple(value.shape)))
        elif isinstance(value, tf.Variable):
            self._variable(name, value)
        elif tf.is_tensor(value) and value.dtype not in (tf.resource, tf.variant):
            self._read(name, value.numpy())
        else:
            self._part(name, value)

    def _entries(self, name: str, value: object, entries: Iterator) -> None:
        self._plain((name, type(value).__name__, len(value)))
        for key, entry in entries:
            self._read(f"{name}[{key!r}]", entry)

    def _part(self, name: str, value: object) -> None:
        if (place := self._seen.get(id(value))) is not None:
            self._plain((name, "part", place))
            return
        self._seen[id(value)] = len(self._seen)
        if isinstance(value, functools.partial):
            self._entries(name, value.keywords, value.keywords.items())
            self._read(f"{name}.args", (value.func, *value.args))
        elif isinstance(value, types.MethodType):
            self._known(name, value.__func__)
            self._read(f"{name}.self", value.__self__)
        elif isinstance(value, (types.FunctionType, types.BuiltinFunctionType, np.ufunc, type)):
            self._known(name, value)
            for place, cell in enumerate(getattr(value, "__closure__", None) or ()):
                self._read(f"{name}.closure[{place}]", cell.cell_contents)
        else:
            self._object(name, value)

    def _known(self, name: str, value: object) -> str:
        """The package that a function or class is of, which must be one whose code is known."""
        module, called = (
            getattr(value, "__module__", None) or "",
            getattr(value, "__qualname__", ""),
        )
        package = module.partition(".")[0]
        if package != "zoo" and package not in _LIBRARIES:
            raise UnknownPart(f"{name} is {module}.{called}")
        self._plain((name, module, called))
        return package

    def _object(self, name: str, value: object) -> None:
        package = self._known(name, type(value))
        if isinstance(value, tf.saved_model.experimental.TrackableResource):
            self._handles.setdefault(name, value.resource_handle)
            return  # what is in it was made of the model's files
        is_layer = isinstance(value, keras.layers.Layer)
        if is_layer:
            self._plain((name, value.dtype_policy.name))
        if package not in ("zoo", "tensorflow_text") and not is_layer:
            return  # an initializer, a metric
        if not hasattr(value, "__dict__"):
            raise UnknownPart(f"{name} is a {type(value).__name__}, which has no attributes")
        for key, entry in sorted(vars(value).items()):
            # What has such names is Keras's and TensorFlow's, not the network's.
            if key not in _UNREAD and not key.startswith("_" if is_layer else "_self_"):
                self._read(f"{name}.{key}", entry)
