"""Which operations a graph may use: those that a stock TensorFlow Serving can run on a CPU.

That is TensorFlow's own and TF Text's, less the ones below. `jit_compile=True` is refused as
well: XLA is off in TensorFlow Serving unless it is asked for.
"""

import re
import types
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf
import tensorflow_text
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from zoo.export.errors import ExportError

# Registered with TensorFlow in Python, yet no use to a server: what it calls is not there.
_REFUSED = {
    "(Eager)?PyFunc.*": "it calls Python, which the server has not",
    "Cudnn.*": "it runs on a GPU only; build recurrent layers without cuDNN",
    "(Xla|TPU).*": "it needs XLA or a TPU",
    "(Nccl|Collective).*": "it belongs to training on several devices",
}


def used(folder: Path) -> dict[str, str]:
    """The operations of a SavedModel.

    Args:
        folder: The SavedModel's directory.

    Returns:
        Where it is used first, by operation: `graph` or the name of a library function.
    """
    places = {}
    for place, node in _nodes(folder):
        places.setdefault(node.op, place)
    return places


def check(folder: Path) -> None:
    """Refuses a SavedModel that a stock TensorFlow Serving could not run.

    Args:
        folder: The SavedModel's directory.

    Raises:
        ExportError: A list of the operations, where each is and why it is refused.
    """
    faults = []
    functions = set()
    for graph in _graphs(folder):
        functions |= {function.signature.name for function in graph.library.function}
        faults += [
            f"function {function.signature.name}: compiled by XLA (jit_compile=True)"
            for function in graph.library.function
            if _compiled(function)
        ]
    known = _tensorflow() | _text() | functions  # a node may call a function by its name
    for place, node in _nodes(folder):
        if _compiled(node):
            faults.append(f"{node.name} in {place}: compiled by XLA (jit_compile=True)")
        if reason := _reason(node.op, known):
            faults.append(f"{node.op} in {place}: {reason}")
    if faults:
        listed = "\n".join(f"  {fault}" for fault in dict.fromkeys(faults))
        raise ExportError(f"a stock TensorFlow Serving cannot run this graph:\n{listed}")


def text_libraries() -> list[Path]:
    """The files of TF Text's operations, which `tf.load_library` reads."""
    return sorted((Path(tensorflow_text.__file__).parent / "python" / "ops").glob("_*.so"))


def _reason(operation: str, known: set[str]) -> str | None:
    if operation not in known:
        return "it belongs neither to TensorFlow nor to TF Text"
    for pattern, reason in _REFUSED.items():
        if re.fullmatch(pattern, operation):
            return reason
    return None


def _compiled(definition: NodeDef | FunctionDef) -> bool:
    return definition.attr["_XlaMustCompile"].b if "_XlaMustCompile" in definition.attr else False


def _tensorflow() -> set[str]:
    return set(dir(tf.raw_ops))


def _text() -> set[str]:
    """The operations in TF Text's libraries. Loading one again costs nothing."""
    operations = set()
    for library in text_libraries():
        wrappers = tf.load_op_library(str(library))
        operations |= {
            name.replace("TFText_", "TFText>")
            for name, value in vars(wrappers).items()
            if isinstance(value, types.FunctionType) and name[0].isupper()
        }
    return operations


def _graphs(folder: Path) -> list[GraphDef]:
    saved = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    return [meta_graph.graph_def for meta_graph in saved.meta_graphs]


def _nodes(folder: Path) -> Iterable[tuple[str, NodeDef]]:
    for graph in _graphs(folder):
        yield from (("graph", node) for node in graph.node)
        for function in graph.library.function:
            yield from ((f"function {function.signature.name}", node) for node in function.node_def)
