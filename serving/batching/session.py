"""Runs requests that come at the same time as one batch, as TensorFlow Serving's batching does.

A `Batching` belongs to the server and has the threads; each loaded model version gets a
`BatchedSession` from it, a stand-in for the session's own run. Requests of one signature with all
its outputs share a queue; any other run goes past the queues.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from zoo.serving.batching.parameters import BatchingParameters
from zoo.serving.batching.scheduler import BatchScheduler
from zoo.serving.errors import ServingError, invalid_argument

Tensors = dict[str, np.ndarray]
#: Tensor name -> value, names of tensors to fetch, timeout in milliseconds -> their values.
Run = Callable[[Tensors, Sequence[str], int], list[np.ndarray]]
_MAX_PADDED_RANK = 6


class Batching:
    """What all models share: the parameters, and the threads that run batches.

    Args:
        parameters: Those of `--batching_parameters_file`.
        observe_wait: Called with the microseconds that each task spent in its queue.
    """

    def __init__(
        self,
        parameters: BatchingParameters,
        observe_wait: Callable[[float], None] = lambda micros: None,
    ) -> None:
        self._scheduler = BatchScheduler(parameters)
        self._observe_wait = observe_wait

    def session(
        self, run: Run, signatures: Iterable[meta_graph_pb2.SignatureDef]
    ) -> "BatchedSession":
        """Puts batching in front of a session's run.

        Args:
            run: What runs a batch.
            signatures: Those of the model; runs of any other inputs and outputs are not batched.
        """
        return BatchedSession(run, signatures, self._scheduler, self._observe_wait)

    def stop(self) -> None:
        """Ends the threads; all sessions must be closed."""
        self._scheduler.stop()


class BatchedSession:
    """The batched run of one model version; made by `Batching.session`."""

    def __init__(
        self,
        run: Run,
        signatures: Iterable[meta_graph_pb2.SignatureDef],
        scheduler: BatchScheduler,
        observe_wait: Callable[[float], None],
    ) -> None:
        self._run = run
        self._scheduler = scheduler
        self._observe_wait = observe_wait
        self._queues = {}
        self._dtypes = {}
        for signature in signatures:
            try:
                dtypes = {
                    info.name: np.dtype(tf.as_dtype(info.dtype).as_numpy_dtype)
                    for info in signature.inputs.values()
                }
            except (KeyError, TypeError):
                continue  # a resource, variant or composite, which no request can carry
            self._dtypes |= dtypes
            inputs = frozenset(dtypes)
            outputs = frozenset(info.name for info in signature.outputs.values())
            if inputs and outputs and (inputs, outputs) not in self._queues:
                process = partial(self._process, sorted(outputs))
                self._queues[inputs, outputs] = scheduler.add_queue(process)

    def run(self, feeds: Tensors, fetches: Sequence[str], timeout_ms: int) -> list[np.ndarray]:
        """Runs a request as part of a batch; blocks until that has run.

        Raises:
            ServingError: The request cannot be batched, the queue is full, or it waited too long.
            Exception: Whatever the run of the batch raised; it is raised for all its requests, but
                for `InvalidArgumentError`, which is of the requests that are wrong.
        """
        queue = self._queues.get((frozenset(feeds), frozenset(fetches)))
        # A wrong dtype fails in any case; alone it takes no other request with it.
        if queue is None or any(feeds[name].dtype != self._dtypes[name] for name in feeds):
            return self._run(feeds, fetches, timeout_ms)
        futures = queue.put(_Task(feeds, _common_rows(feeds), timeout_ms, time.monotonic()))
        parts = [future.result() for future in futures]
        return [
            parts[0][name] if len(parts) == 1 else np.concatenate([part[name] for part in parts])
            for name in fetches
        ]

    def close(self) -> None:
        """Lets queued tasks run, and takes the queues away."""
        for queue in self._queues.values():
            self._scheduler.remove_queue(queue)

    def _process(self, fetches: list[str], tasks: "list[_Task]") -> None:
        """Runs a batch on a thread of the scheduler."""
        now = time.monotonic()
        for task in tasks:
            self._observe_wait((now - task.enqueued) * 1e6)
        self._run_batch(fetches, tasks)

    def _run_batch(self, fetches: list[str], tasks: "list[_Task]") -> None:
        """Runs tasks together; they share the error, if any.

        What one client sends must not fail the others: a batch that is refused for what it holds is
        run again task by task. Then a place that the message names is one in the client's request.
        """
        try:
            timeout_ms = self._timeout_of(tasks)
            feeds = merge([task.feeds for task in tasks], self._scheduler.parameters)
            outputs = self._run(feeds, fetches, timeout_ms)
            for name, array in zip(fetches, outputs, strict=True):
                _check_output(array, len(next(iter(feeds.values()))))
                start = 0
                for task in tasks:
                    task.outputs[name] = array[start : start + task.rows]
                    start += task.rows
        except Exception as error:  # raised again where the clients wait
            if isinstance(error, tf.errors.InvalidArgumentError) and len(tasks) > 1:
                for task in tasks:
                    self._run_batch(fetches, [task])
                return
            for task in tasks:
                task.future.set_exception(error)
        else:
            for task in tasks:
                task.future.set_result(task.outputs)

    def _timeout_of(self, tasks: "list[_Task]") -> int:
        """Milliseconds that the batch may run: what the most patient of its tasks has left."""
        if not all(task.timeout_ms for task in tasks):
            return 0
        left = max(task.enqueued + task.timeout_ms / 1000 for task in tasks) - time.monotonic()
        if left <= 0:
            raise ServingError(
                "RESOURCE_EXHAUSTED", "Run() timeout exceeded while waiting in batching queue"
            )
        return max(1, int(left * 1000))


class _Task:
    """One request, or a part of it: `rows` rows of every fed tensor."""

    def __init__(self, feeds: Tensors, rows: int, timeout_ms: int, enqueued: float) -> None:
        self.feeds = feeds
        self.rows = rows
        self.timeout_ms = timeout_ms
        self.enqueued = enqueued
        self.future: Future = Future()
        self.outputs: Tensors = {}

    def split(self, sizes: Sequence[int]) -> "list[_Task]":
        ends = np.cumsum(sizes)
        return [
            _Task(
                {name: array[end - size : end] for name, array in self.feeds.items()},
                size,
                self.timeout_ms,
                self.enqueued,
            )
            for size, end in zip(sizes, ends, strict=True)
        ]


def merge(requests: Sequence[Mapping[str, np.ndarray]], parameters: BatchingParameters) -> Tensors:
    """Puts the inputs of several requests together.

    Args:
        requests: Tensor name -> array, for each of them; the same names everywhere.
        parameters: They say whether to pad, and which batch sizes are allowed. To fill a batch up,
            the first row of the last request is repeated, which is a valid row for the model.

    Returns:
        Tensor name -> array, with the rows of all requests in their order.

    Raises:
        ServingError: FAILED_PRECONDITION for different shapes without padding, INVALID_ARGUMENT
            if they cannot be padded.
    """
    merged = {}
    for name in requests[0]:
        arrays = [request[name] for request in requests]
        if parameters.pad_variable_length_inputs:
            arrays = _padded(arrays)
        elif len({array.shape[1:] for array in arrays}) > 1:
            raise ServingError(
                "FAILED_PRECONDITION",
                f"Tensors with name '{name}' from different tasks have different shapes and "
                "padding is turned off. Set pad_variable_length_inputs to true, or ensure that all "
                "tensors with the same name have equal dimensions starting with the first dim.",
            )
        rows = sum(len(array) for array in arrays)
        spare = parameters.rounded_up(rows) - rows
        if spare and rows:
            last = next(array for array in reversed(arrays) if len(array))
            arrays.append(np.repeat(last[:1], spare, axis=0))
        merged[name] = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    return merged


def _padded(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Pads at the end of every dimension but the first, up to the longest.

    With each array's own first element, as TensorFlow Serving does: not with zero. A model that
    must not notice takes the lengths as an input.
    """
    ranks = {array.ndim for array in arrays}
    if len(ranks) > 1 or max(ranks) > _MAX_PADDED_RANK:
        raise invalid_argument(
            f"Only tensors of one rank from 1 to {_MAX_PADDED_RANK} can be padded. Received: ranks "
            f"{', '.join(map(str, sorted(ranks)))}"
        )
    longest = np.max([array.shape[1:] for array in arrays], axis=0, initial=0).astype(int)
    padded = []
    for array in arrays:
        shape = (len(array), *longest)
        if array.shape != shape:
            if not array.size:
                raise invalid_argument("Got empty tensor in batch of non-empty tensors.")
            wider = np.full(shape, array.flat[0], array.dtype)
            wider[tuple(map(slice, array.shape))] = array
            array = wider
        padded.append(array)
    return padded


def _common_rows(feeds: Mapping[str, np.ndarray]) -> int:
    sizes = set()
    for array in feeds.values():
        if not np.ndim(array):
            raise invalid_argument("Batching Run() input tensors must have at least one dimension")
        sizes.add(len(array))
    if len(sizes) > 1:
        raise invalid_argument("Batching Run() input tensors must have equal 0th-dimension size")
    return sizes.pop()


def _check_output(array: np.ndarray, rows: int) -> None:
    if not np.ndim(array):
        raise ServingError("FAILED_PRECONDITION", "Batched output tensor has 0 dimensions")
    if len(array) != rows:
        raise ServingError(
            "FAILED_PRECONDITION",
            "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension "
            "sizes of the input tensors",
        )
