"""A traced function as functions of TensorFlow's runtime: no Python graph, no code of the model.

A call runs what a call of the `tf.function` runs, with the same variables and tables bound to it.
"""

import base64
import functools
import hashlib
import json
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import function_pb2, tensor_pb2
from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
from tensorflow.python.eager import context, execute

# These hold a number that stands for a function of one Python process.
_OF_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
# A capture that is neither a variable nor a resource but a value, such as a table's default.
_LARGEST_VALUE = 65_536
# Here a rewritten graph is a faster one.
_FUSED = frozenset({"Conv2D", "DepthwiseConv2dNative"})
# All of Grappler's passes but the one that prunes.
_PASSES = (
    *("arithmetic_optimization", "common_subgraph_elimination", "constant_folding"),
    *("dependency_optimization", "function_optimization", "implementation_selector"),
    *("layout_optimizer", "loop_optimization", "remapping", "scoped_allocator_optimization"),
    "shape_optimization",
)


class NotPortable(Exception):
    """A traced function holds what has no name outside of its process."""


def pack(traced: tf.types.experimental.ConcreteFunction, names: Mapping[int, str]) -> bytes:
    """A traced function as bytes.

    Args:
        traced: Of a function that returns a dict of tensors.
        names: What it may capture: names of variables and resources by the `id` of their handles.

    Returns:
        The bytes, which `PortableFunction` takes.

    Raises:
        NotPortable: It captures something else, or calls Python.
    """
    library = traced.graph.as_graph_def().library
    functions = [*library.function, traced.function_def]
    _check(functions, library)
    _rename(functions)
    header = {
        "outputs": _outputs(traced),
        "captures": [_capture(tensor, names) for tensor in traced.captured_inputs],
    }
    body = function_pb2.FunctionDefLibrary(function=functions).SerializeToString(deterministic=True)
    return json.dumps(header).encode() + b"\n" + body


def _outputs(traced: tf.types.experimental.ConcreteFunction) -> list[str]:
    """Names of the outputs in the order of the runtime, which is that of the names."""
    outputs = traced.structured_outputs
    if not isinstance(outputs, dict) or not all(map(tf.is_tensor, outputs.values())):
        raise NotPortable("it returns something else than a dict of tensors")
    if any(isinstance(value, tf.RaggedTensor | tf.SparseTensor) for value in outputs.values()):
        raise NotPortable("it returns ragged or sparse tensors")
    return sorted(outputs)


def _capture(tensor: tf.Tensor, names: Mapping[int, str]) -> dict[str, str]:
    if name := names.get(id(tensor)):
        return {"name": name}
    if tensor.dtype in (tf.resource, tf.variant) or not hasattr(tensor, "numpy"):
        raise NotPortable(f"it captures {tensor}")
    value = tf.make_tensor_proto(tensor.numpy(), tensor.dtype, tensor.shape).SerializeToString()
    if len(value) > _LARGEST_VALUE:
        raise NotPortable(f"it captures a value of {len(value)} bytes")
    return {"value": base64.b64encode(value).decode()}


def _check(
    functions: Sequence[function_pb2.FunctionDef], library: function_pb2.FunctionDefLibrary
) -> None:
    if library.gradient or library.registered_gradients:
        raise NotPortable("it has gradients of its own")
    known = {function.signature.name for function in functions}
    for function in functions:
        for node in function.node_def:
            if node.op in _OF_PYTHON:
                raise NotPortable(f"it calls Python: {node.op}")
            if "seed2" in node.attr:
                raise NotPortable(
                    f"it draws by the seed that was set when it was traced: {node.op}"
                )
        for called in _called(function):
            if called.name not in known:
                raise NotPortable(f"it calls {called.name}, which is not there")


def _called(function: function_pb2.FunctionDef) -> Iterable[Any]:
    """The attributes that name other functions."""
    for node in function.node_def:
        for value in node.attr.values():
            if value.HasField("func"):
                yield value.func
            yield from value.list.func


def _rename(functions: Sequence[function_pb2.FunctionDef]) -> None:
    """Gives names that say what is in them: a trace's are numbers, anew in each process."""
    digest = hashlib.sha256()
    for function in functions:
        digest.update(function.SerializeToString(deterministic=True))
    prefix = f"zoo_{digest.hexdigest()[:24]}_"
    names = {function.signature.name: prefix + function.signature.name for function in functions}
    for function in functions:
        function.signature.name = names[function.signature.name]
        for called in _called(function):
            called.name = names[called.name]
        for node in function.node_def:
            node.op = names.get(node.op, node.op)


class PortableFunction:
    """A traced function, ready to run, which lives in TensorFlow's runtime as long as this object.

    Args:
        packed: What `pack` gave.
        specs: What the function takes: specs as of a `tf.function`.
        handle: `(name) -> the handle` that the name given to `pack` stands for here.

    Raises:
        KeyError: There is nothing of a name here.
        ValueError: `packed` is damaged.
        tf.errors.OpError: TensorFlow does not take the functions.
    """

    def __init__(
        self, packed: bytes, specs: Sequence[Any], handle: Callable[[str], tf.Tensor]
    ) -> None:
        header, _, body = packed.partition(b"\n")
        header = json.loads(header)
        functions = function_pb2.FunctionDefLibrary.FromString(body).function
        self._specs = tf.nest.flatten(tuple(specs), expand_composites=True)
        self._names = header["outputs"]
        self._captures = [_bound(capture, handle) for capture in header["captures"]]
        self._function = functions[-1].signature.name
        nodes = (node for function in functions for node in function.node_def)
        self._is_recurrent = not any(node.op in _FUSED for node in nodes)
        added = []
        weakref.finalize(self, _remove, added)
        for function in functions:
            context.context().add_function_def(function)
            added.append(function.signature.name)

    def takes(self, *batch: Any) -> bool:
        """Whether these tensors are what it was traced for."""
        tensors = tf.nest.flatten(batch, expand_composites=True)
        return len(tensors) == len(self._specs) and all(
            tf.is_tensor(tensor) and spec.is_compatible_with(tensor)
            for tensor, spec in zip(tensors, self._specs, strict=True)
        )

    def __call__(self, *batch: Any) -> dict[str, tf.Tensor]:
        """What the `tf.function` gives of such tensors."""
        inputs = tf.nest.flatten(batch, expand_composites=True)
        options = context.context().function_call_options.as_attrs()
        if self._is_recurrent:
            options["config_proto"] = _quickly_rewritten(options["config_proto"])
        values = execute.execute(
            self._function,
            len(self._names),
            [*inputs, *self._captures],
            tuple(part for option in options.items() for part in option),
            context.context(),
        )
        return dict(zip(self._names, values, strict=True))


def _bound(capture: dict[str, str], handle: Callable[[str], tf.Tensor]) -> tf.Tensor:
    if "name" in capture:
        return handle(capture["name"])
    proto = tensor_pb2.TensorProto.FromString(base64.b64decode(capture["value"]))
    return tf.constant(tf.make_ndarray(proto), tf.dtypes.as_dtype(proto.dtype))


def _remove(functions: list[str]) -> None:
    for name in functions:
        context.context().remove_function(name)


@functools.cache
def _quickly_rewritten(config: bytes) -> bytes:
    """The configuration of a call before which TensorFlow prunes the graph, and rewrites no more.

    Pruning makes all the difference to a recurrent network: the other passes cost a second of the
    first call, and find nothing that the later ones would notice. What the user has set stays.
    """
    proto = config_pb2.ConfigProto.FromString(config)
    rewriting = proto.graph_options.rewrite_options
    own = (getattr(rewriting, name) for name in (*_PASSES, "disable_meta_optimizer"))
    if any(own) or proto.graph_options.optimizer_options.global_jit_level:
        return config
    for name in _PASSES:
        setattr(rewriting, name, rewriter_config_pb2.RewriterConfig.OFF)
    rewriting.memory_optimization = rewriter_config_pb2.RewriterConfig.NO_MEM_OPT
    rewriting.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.ONE
    return proto.SerializeToString(deterministic=True)
