"""The signatures traced and saved, with the state they use and with nothing else.

`tf.saved_model.save(model)` would take along all that hangs on the model: optimizer slots, seeds,
metrics, and every function Keras traced for training. So a bare `tf.Module` is saved that carries
what the traced signatures capture: their variables, and their tables and SentencePiece models
(`TrackableResource`), which the model must hold as attributes to be found.
"""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from zoo.export import signatures as offered
from zoo.export.errors import ExportError
from zoo.graphs.collector import relaxed_collector
from zoo.graphs.verbs import TRACING
from zoo.layers.embedding import tables_in_bytes
from zoo.text.vocabulary import WordVocabulary
from zoo.weights import int8_tables

if TYPE_CHECKING:
    from zoo.models.base import Signature

# A server does not train: gradients written by hand would be a good part of the graph.
_NO_GRADIENTS = tf.saved_model.SaveOptions(experimental_custom_gradients=False)


def write(model: keras.Model | tf.Module, signatures: dict[str, "Signature"], folder: Path) -> None:
    """Writes a SavedModel (tag `serve`) with the given signatures.

    Signature, input and output names are those of `signatures`; input tensors are named
    `<signature>_<input>:0`.

    Args:
        model: Holds the variables and resources the signatures use, as tracked attributes.
        signatures: `Signature` by name.
        folder: Existing directory to write into.

    Raises:
        ExportError: A signature is no graph, an output has a fixed first dimension, or a resource
            is not tracked.
        OSError: The files cannot be written.
    """
    try:
        with _small(model):
            traced = {name: _trace(name, signature) for name, signature in signatures.items()}
            tf.saved_model.save(
                _carrier(model, traced), str(folder), signatures=traced, options=_NO_GRADIENTS
            )
    except AssertionError as error:  # how TensorFlow tells of an untracked resource
        raise ExportError(
            "a signature uses a table or tokenizer that is no attribute of the model, so it cannot "
            f"be saved with it. {_short(error)}"
        ) from error
    except tf.errors.OpError as error:
        raise os_error(error, folder) from error


@contextlib.contextmanager
def _small(model: keras.Model | tf.Module) -> Iterator[None]:
    """Within the block, a model is traced as one that takes little memory in a server.

    Its words are an asset, and tables that were stored in bytes stay in bytes.
    """
    tables = []
    for weight in model.weights if isinstance(model, keras.Model) else ():
        if weight.dtype == "float32" and int8_tables.is_table(weight.shape, np.float32):
            parts = int8_tables.exactly(weight.numpy())
            tables += [(weight, *parts)] if parts else []
    with contextlib.ExitStack() as stack:
        # Nobody may trace a verb of the model meanwhile.
        stack.enter_context(TRACING)
        stack.enter_context(tables_in_bytes(tables))
        for part in tf.train.TrackableView(model).descendants():
            if isinstance(part, WordVocabulary):
                stack.enter_context(part.in_a_file())
        yield


def os_error(error: tf.errors.OpError, path: Path) -> OSError:
    """TensorFlow's file system error as the `OSError` it stands for."""
    if isinstance(error, tf.errors.ResourceExhaustedError):
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    return OSError(errno.EIO, _short(error), str(path))


def _trace(name: str, signature: "Signature") -> tf.types.experimental.ConcreteFunction:
    specs = {
        key: tf.TensorSpec(spec.shape, spec.dtype, name=key)
        for key, spec in signature.inputs.items()
    }
    # Autograph would read the source of all that is called: 3 s for a large model, and nothing
    # changes if it is TensorFlow operations from end to end.
    function = tf.function(_with_checks(signature), autograph=False)
    try:
        with relaxed_collector():
            traced = function.get_concrete_function(**specs)
    except tf.errors.OperatorNotAllowedInGraphError as error:
        raise ExportError(
            f"signature {name!r} must be TensorFlow operations from end to end: use tf.cond, "
            "tf.while_loop and tf.map_fn, or decorate what has `if` and `for` over tensors with "
            f"@tf.function. {_short(error)}"
        ) from error
    for key, output in offered.check_outputs(name, traced.structured_outputs).items():
        if output.shape.rank is not None and output.shape[0] is not None:
            raise ExportError(
                f"signature {name!r}: the first dimension of output {key!r} must be the batch, but "
                f"it is always {output.shape[0]}. Received: shape={output.shape}"
            )
    return traced


def _with_checks(signature: "Signature") -> Callable[..., dict[str, tf.Tensor]]:
    """The signature's function, but a request of another shape than its inputs have is refused.

    A server feeds whatever it was sent, and the graph takes it for what was traced.
    """

    def checked(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return signature.function(
            **{
                name: _of_shape(name, signature.inputs[name].shape, value)
                for name, value in inputs.items()
            }
        )

    return checked


def _of_shape(name: str, shape: tf.TensorShape, value: tf.Tensor) -> tf.Tensor:
    """The value, after a look at the shape that it really has."""
    # The shape that was traced would be taken for true, and the check left out, but for this.
    fed = tf.shape(tf.compat.v1.placeholder_with_default(value, None))
    received = tf.strings.reduce_join(tf.as_string(fed), separator=", ")
    allowed = ", ".join("[0-9]+" if size is None else str(size) for size in shape)
    check = tf.debugging.Assert(
        tf.strings.regex_full_match(received, allowed),
        [
            tf.strings.join(
                [
                    f"`{name}` must have the shape {shape.as_list()}, where None is any number. "
                    "Received: shape=[",
                    received,
                    "]",
                ]
            )
        ],
    )
    with tf.control_dependencies([check]):
        return tf.identity(value)


def _carrier(
    model: keras.Model | tf.Module, traced: dict[str, tf.types.experimental.ConcreteFunction]
) -> tf.Module:
    captured = {id(handle) for function in traced.values() for handle in _handles(function)}
    carrier = tf.Module()
    carrier.weights = list(
        {id(v): v for function in traced.values() for v in function.graph.variables}.values()
    )
    carrier.resources = [
        node
        for node in tf.train.TrackableView(model).descendants()
        if isinstance(node, tf.saved_model.experimental.TrackableResource)
        and id(node.resource_handle) in captured
    ]
    return carrier


def _handles(function: tf.types.experimental.ConcreteFunction) -> list[tf.Tensor]:
    return [tensor for tensor in function.captured_inputs if tensor.dtype == tf.resource]


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
