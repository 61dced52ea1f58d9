"""What a verb runs: a graph that was kept, or one traced now."""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from zoo.graphs.cache import kept_graph
from zoo.graphs.collector import relaxed_collector

if TYPE_CHECKING:
    from zoo.models.base import ZooModel

# Held by who traces, of whatever model: Python traces one graph at a time anyway.
TRACING = threading.RLock()


class VerbGraph:
    """A model's function, traced once for batches of all sizes.

    Args:
        model: The model; its graphs are kept in the user's cache if its `keeps_graphs` is true.
        function: A method of it that takes tensors and gives a dict of tensors.
        specs: What it takes, as of a `tf.function`.
        options: Its further arguments, plain values.
    """

    def __init__(
        self,
        model: "ZooModel",
        function: Callable[..., dict[str, tf.Tensor]],
        specs: Sequence[Any],
        options: dict[str, Any],
    ) -> None:
        # The loops are `tf.while_loop`: converting Python's takes seconds.
        make = functools.partial(
            tf.function,
            functools.partial(function, **options),
            input_signature=specs,
            autograph=False,
        )
        self._traced, self._kept = make(), None
        if tf.config.functions_run_eagerly():
            return
        if model.keeps_graphs:
            self._kept = kept_graph(model, function, specs, options, self._trace)
        if self._kept:
            # What was traced for the cache, thousands of Python objects, goes.
            self._traced = make()
        else:
            self._trace()

    def _trace(self) -> tf.types.experimental.ConcreteFunction:
        with relaxed_collector():
            return self._traced.get_concrete_function()

    def __call__(self, *batch: Any) -> dict[str, tf.Tensor]:
        """What the function gives of tensors; TensorFlow refuses those that are not of `specs`."""
        if self._kept and self._kept.takes(*batch) and not tf.config.functions_run_eagerly():
            return self._kept(*batch)
        return self._traced(*batch)
