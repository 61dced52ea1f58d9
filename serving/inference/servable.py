"""One loaded SavedModel: its signatures, and running them.

The model goes the way TensorFlow Serving takes it: meta graph with the tag `serve`, a TF1
`Session`, feeds and fetches by the tensor names in the signature. What runs here runs there.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, saved_model_pb2
from tensorflow.python.client import pywrap_tf_session

from zoo.serving.batching.session import Batching
from zoo.serving.errors import ServingError, from_tensorflow, invalid_argument
from zoo.serving.inference.limits import TextLimits
from zoo.serving.inference.text_operations import load_text_operations

#: What a request that names no signature runs.
DEFAULT_SIGNATURE = "serving_default"
_NO_LIMITS = TextLimits()
load_text_operations()
_DTYPES = {number: name[3:].lower() for name, number in types_pb2.DataType.items()}


class Servable:
    """A SavedModel in memory, ready to run from any thread.

    Args:
        directory: The directory that holds `saved_model.pb` (or `.pbtxt`) and `variables/`.
        tags: The tags of the meta graph to load.
        config: The session's threads and memory.
        batching: Runs requests that come together as one; without it each runs by itself.
        check_method_names: Whether the kind of a request must be the signature's `method_name`.
            TF2 programs give every signature that of predict, so that it is off by default.
        limits: How much text one run may be fed with.
        observe_run: Called with the API and the seconds of every run that succeeds.
        observe_examples: Called with the number of examples of every run on examples that succeeds.

    Raises:
        ServingError: NOT_FOUND, DATA_LOSS, ... if the model cannot be loaded.
    """

    def __init__(
        self,
        directory: Path,
        tags: Sequence[str] = ("serve",),
        *,
        config: config_pb2.ConfigProto | None = None,
        batching: Batching | None = None,
        check_method_names: bool = False,
        limits: TextLimits = _NO_LIMITS,
        observe_run: Callable[[str, float], None] = lambda api, seconds: None,
        observe_examples: Callable[[int], None] = lambda number: None,
    ) -> None:
        _check_meta_graph(directory, tags)
        graph = tf.Graph()
        self.check_method_names = check_method_names
        self.observe_examples = observe_examples
        self._limits = limits
        self._observe_run = observe_run
        self._session = tf.compat.v1.Session(graph=graph, config=_for_serving(config))
        try:
            with graph.as_default():
                meta_graph = tf.compat.v1.saved_model.loader.load(
                    self._session, list(tags), str(directory)
                )
        except Exception as error:  # whatever a broken model makes the loader raise
            self._session.close()
            raise from_tensorflow(error) from error
        _forget_functions(graph)
        # Copies: a part of a message keeps all of it, the graph too, in memory.
        self.signatures = {
            name: meta_graph_pb2.SignatureDef.FromString(signature.SerializeToString())
            for name, signature in meta_graph.signature_def.items()
        }
        # By tensor name, of which signatures have a few.
        self._endpoint = cache(partial(_endpoint, graph))
        self._batched = batching and batching.session(self._run, self.signatures.values())

    def close(self) -> None:
        """Frees the session; nothing may run in it any more."""
        if self._batched:
            self._batched.close()
        self._session.close()

    def input_dtypes(self, signature_name: str) -> dict[str, str]:
        """Input name -> TensorFlow's name of the dtype ("float", "string", ...), sorted by name."""
        inputs = self.signatures[signature_name].inputs
        return {name: _DTYPES[inputs[name].dtype] for name in sorted(inputs)}

    def run(
        self,
        signature_name: str,
        inputs: Mapping[str, np.ndarray],
        *,
        output_names: Sequence[str] = (),
        timeout_ms: int = 0,
        api: str = "Predict",
    ) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            signature_name: A key of `signatures`.
            inputs: Input name -> array of exactly the signature's dtype.
            output_names: What to fetch; all outputs, sorted by name, if empty.
            timeout_ms: Milliseconds after which the run is given up; 0 waits for ever.
            api: What the run is for: "Predict", "Classify" or "Regress".

        Returns:
            Output name -> array; strings as object arrays of `bytes`.

        Raises:
            ServingError: The inputs or outputs are not those of the signature, or the run failed.
        """
        signature = self.signatures[signature_name]
        feeds = _feeds(signature, inputs)
        names = _requested_outputs(signature, output_names)
        if not names:
            return {}
        tensors = [signature.outputs[name].name for name in names]
        return dict(zip(names, self.run_tensors(feeds, tensors, timeout_ms, api), strict=True))

    def run_tensors(
        self, feeds: Mapping[str, np.ndarray], fetches: Sequence[str], timeout_ms: int, api: str
    ) -> list[np.ndarray]:
        """Runs the graph whatever the signatures say; feeds and fetches go by tensor name.

        Args:
            feeds: Tensor name -> array of exactly the tensor's dtype.
            fetches: The names of the tensors to compute.
            timeout_ms: Milliseconds after which the run is given up; 0 waits for ever.
            api: What the run is for; see `run`.

        Raises:
            ServingError: There is more text in it than is allowed, or the run failed.
        """
        self._limits.check(feeds)
        run = self._batched.run if self._batched else self._run
        started = time.perf_counter()
        try:
            arrays = run(feeds, fetches, timeout_ms)
        except (tf.errors.OpError, KeyError, TypeError, ValueError) as error:
            raise from_tensorflow(error) from error
        self._observe_run(api, time.perf_counter() - started)
        return arrays

    def _run(
        self, feeds: Mapping[str, np.ndarray], fetches: Sequence[str], timeout_ms: int
    ) -> list[np.ndarray]:
        """Calls what `Session.run` ends in; feeds and fetches go by tensor name.

        `Session.run` itself is four times slower for a small model, casts inputs silently, and its
        errors describe the Python side. A callable of `Session.make_callable` is quick but has its
        timeout built in: every timeout would optimise the graph anew, which takes a translator
        seconds, and the warm-up would warm nothing but its own. Here they all share one executor.
        """
        options = config_pb2.RunOptions(timeout_in_ms=timeout_ms).SerializeToString()
        buffer = pywrap_tf_session.TF_NewBufferFromString(options)
        try:
            values = pywrap_tf_session.TF_SessionRun_wrapper(
                self._session._session,
                buffer,
                {self._endpoint(name): value for name, value in feeds.items()},
                [self._endpoint(name) for name in fetches],
                [],
                None,
            )
        finally:
            pywrap_tf_session.TF_DeleteBuffer(buffer)
        return [_as_array(value) for value in values]


def _for_serving(config: config_pb2.ConfigProto | None) -> config_pb2.ConfigProto:
    """The configuration of a session whose graph is all there from the start.

    TensorFlow Serving sets the same two; without them the session keeps copies of the graph.
    """
    serving = config_pb2.ConfigProto()
    if config:
        serving.CopyFrom(config)
    serving.experimental.optimize_for_static_graph = True
    serving.experimental.disable_output_partition_graphs = True
    return serving


def _forget_functions(graph: tf.Graph) -> None:
    """Drops the graph's functions, of which the session that has loaded it keeps its own copy.

    For a tagger that is as much memory as its weights take.
    """
    for name in list(graph._functions):
        graph._remove_function(name)


def _endpoint(graph: tf.Graph, tensor_name: str) -> pywrap_tf_session.TF_Output:
    """Finds what the runtime feeds or fetches; a name without an index is that of output 0."""
    name, _, index = tensor_name.partition(":")
    try:
        outputs = graph.get_operation_by_name(name).outputs
    except KeyError:
        raise ServingError("NOT_FOUND", f"FetchOutputs node {tensor_name}: not found") from None
    if int(index or 0) >= len(outputs):
        raise invalid_argument(
            f"FetchOutputs {name}:{index or 0}: output index too large, must be < {len(outputs)}"
        )
    return outputs[int(index or 0)]._as_tf_output()


def _as_array(value: np.ndarray | np.generic | bytes) -> np.ndarray:
    """Makes arrays of scalars, which come as NumPy scalars, and if strings as plain `bytes`."""
    return np.array(value, object) if isinstance(value, bytes) else np.asarray(value)


def _feeds(
    signature: meta_graph_pb2.SignatureDef, inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Tensor name -> value for every input of the signature, defaults filled in."""
    expected = signature.inputs
    if len(inputs) > len(expected) or (len(inputs) < len(expected) and not signature.defaults):
        sent, wanted = set(inputs), set(expected)
        raise invalid_argument(
            f"input size does not match signature: {len(inputs)}!={len(expected)} "
            f"len({{{_names(sent)}}}) != len({{{_names(wanted)}}}). "
            f"Sent extra: {{{_names(sent - wanted)}}}. "
            f"Missing but required: {{{_names(wanted - sent)}}}."
        )
    feeds = {}
    for name in sorted(expected):
        if name in inputs:
            value = inputs[name]
        elif name in signature.defaults:
            value = tf.make_ndarray(signature.defaults[name])
        else:
            raise invalid_argument(
                f"Signature input alias: {name}(feed name: {expected[name].name}) not found in "
                "request and no default value provided. Inputs expected to be in the request "
                f"{{{_names(inputs)}}}, or default input alias set: {_names(signature.defaults)}"
            )
        feeds[expected[name].name] = value
    return feeds


def _requested_outputs(
    signature: meta_graph_pb2.SignatureDef, names: Sequence[str]
) -> tuple[str, ...]:
    for index, name in enumerate(names):
        if name not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {{{_names(signature.outputs)}}}."
            )
        if name in names[:index]:
            raise invalid_argument(f"duplicate output tensor alias: {name}")
    return tuple(names) or tuple(sorted(signature.outputs))


def _names(names: Iterable[str]) -> str:
    return ",".join(sorted(names))


def _check_meta_graph(directory: Path, tags: Sequence[str]) -> None:
    """Tells apart what the loader would report as one `OSError` or `RuntimeError`."""
    binary = directory / "saved_model.pb"
    if not binary.exists():
        if not (directory / "saved_model.pbtxt").exists():
            raise ServingError(
                "NOT_FOUND",
                "Could not find SavedModel .pb or .pbtxt at supplied export directory path: "
                f"{directory}. Check that the directory exists and that you have the right "
                "permissions for accessing it.",
            )
        return
    try:
        model = saved_model_pb2.SavedModel.FromString(binary.read_bytes())
    except (DecodeError, OSError) as error:
        raise ServingError("DATA_LOSS", f"Can't parse {binary} as binary proto") from error
    tag_sets = [set(graph.meta_info_def.tags) for graph in model.meta_graphs]
    if set(tags) not in tag_sets:
        available = " ".join("{ " + ", ".join(sorted(each)) + " }" for each in tag_sets)
        raise ServingError(
            "NOT_FOUND",
            f"Could not find meta graph def matching supplied tags: {{ {' '.join(tags)} }}. "
            f"Available tag-sets: {available or 'none'}",
        )
