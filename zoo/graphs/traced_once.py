"""Parts of graphs that are traced once in a process and called wherever they are needed.

Making an operation of a graph costs a millisecond or so, and a kernel has hundreds of them, the
splitting of texts as well. The two directions of a layer, its layers, its models and their graphs
for training and for answers need the same ones. TensorFlow writes a call out again when it prepares
a graph to run, so that running costs what it did.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def traced_once(function: Callable) -> Callable:
    """Makes a function of tensors a part of graphs that is traced once for each kind of arguments.

    Eagerly it runs as it stands. In a graph its tensors have unknown dimensions, but for the last
    one of those of two dimensions or more.

    Args:
        function: It takes tensors, nests of them and, by name, hashable options, and returns a
            nest of tensors; they may be ragged. It reads no variable and closes over no tensor: its
            graph stays for the life of the process, whatever models come and go.

    Returns:
        The function, with the same arguments.

    Example:
        >>> @traced_once
        ... def scaled(x, *, by):
        ...     return by * x
    """
    traced, lock = {}, threading.Lock()

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        if tf.executing_eagerly():
            return function(*arguments, **options)
        arguments = tf.nest.map_structure(_tensor, arguments)
        specs = tf.nest.map_structure(_any_size, arguments)
        key = (_hashable(specs), *sorted(options.items()))
        with lock:
            if key not in traced:
                traced[key] = tf.function(
                    functools.partial(function, **options), input_signature=specs, autograph=False
                )
        return traced[key](*arguments)

    return call


def _tensor(value: Any) -> tf.Tensor | tf.RaggedTensor:
    return value if isinstance(value, tf.RaggedTensor) else tf.convert_to_tensor(value)


def _any_size(tensor: tf.Tensor | tf.RaggedTensor) -> tf.TypeSpec:
    shape = tensor.shape
    if isinstance(tensor, tf.RaggedTensor):
        shape = [None] * (1 + tensor.ragged_rank) + shape[1 + tensor.ragged_rank :]
        splits = tensor.row_splits.dtype
        return tf.RaggedTensorSpec(shape, tensor.dtype, tensor.ragged_rank, splits)
    if shape.rank is None:
        return tf.TensorSpec(None, tensor.dtype)
    last = shape[-1:] if shape.rank > 1 else [None] * shape.rank
    return tf.TensorSpec([*[None] * (shape.rank - 1), *last] if shape.rank else [], tensor.dtype)


def _hashable(nest: Any) -> Any:
    if isinstance(nest, dict):
        return tuple((name, _hashable(value)) for name, value in sorted(nest.items()))
    if isinstance(nest, list | tuple):
        return tuple(map(_hashable, nest))
    return nest
