"""Gradients by hand that die with their graph.

`tf.custom_gradient` puts the gradient function of every traced call into TensorFlow's registry of
gradients, for ever. The function holds tensors, tensors hold their graph, and the graph holds all
that it captured: each traced graph would stay, with the weights of its model.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator

import tensorflow as tf
from tensorflow.python.eager import record
from tensorflow.python.framework import ops


def custom_gradient(function: Callable) -> Callable:
    """Gives `function` a gradient by hand, as `tf.custom_gradient` does, but without a registry.

    The gradient function belongs to an operation of the graph, just as that of a call of a
    `tf.function` does. An exported graph carries none of it: there, gradients come from autodiff.

    Args:
        function: It takes tensors and returns `(results, gradient)`. `results` is a tensor or a
            nest of them; `gradient` takes the gradients of all results and returns those of the
            arguments. Both may close over tensors, but the function must not read a variable: what
            needs a gradient is an argument.

    Returns:
        The function of the same tensors that returns `results`.

    Example:
        >>> @custom_gradient
        ... def softplus(x):
        ...     exponential = tf.exp(x)
        ...     return tf.math.log1p(exponential), lambda up: up * (1 - 1 / (1 + exponential))
    """
    in_eager_mode = tf.custom_gradient(function)  # only a traced call is registered

    @functools.wraps(function)
    def call(*arguments: tf.Tensor) -> object:
        if tf.executing_eagerly():
            return in_eager_mode(*arguments)
        return _in_graph(function, arguments)

    return call


def _in_graph(function: Callable, arguments: tuple[tf.Tensor, ...]) -> object:
    arguments = [tf.convert_to_tensor(argument) for argument in arguments]
    results, gradient = function(*arguments)
    flat = tf.nest.flatten(results)

    def backward(*upstream: tf.Tensor) -> list[tf.Tensor | None]:
        # Results come from the arguments by this gradient alone, not by the operations inside.
        return [None] * len(flat) + tf.nest.flatten(gradient(*upstream[: len(flat)]))

    # One operation with all results and arguments, that has this gradient for a graph's ...
    originals = [*flat, *arguments]
    graph = tf.compat.v1.get_default_graph()
    override = {"IdentityN": lambda operation, *upstream: backward(*upstream)}
    with graph._override_gradient_function(override):
        copies = tf.identity_n(originals)
    # ... and, recorded last, for a tape's gradient.
    record.record_operation(function.__name__, copies, originals, backward)
    return tf.nest.pack_sequence_as(results, copies[: len(flat)])


@contextlib.contextmanager
def unregistered_gradients() -> Iterator[None]:
    """Takes out of TensorFlow's registry what calls of `tf.custom_gradient` inside put there.

    For code of others that is traced and then never differentiated: a training step, in which the
    optimizer's sum over replicas has such a gradient. A tape inside does not need the registry.

    Example:
        >>> with unregistered_gradients():
        ...     optimizer.apply(gradients, weights)
    """
    registered = ops.gradient_registry._registry
    before = set(registered)
    try:
        yield
    finally:
        for name in set(registered) - before:
            if name.startswith("CustomGradient-"):
                registered.pop(name, None)
