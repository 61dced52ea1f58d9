"""Runs a SavedModel in a process of its own, the way TensorFlow Serving does.

    python session_run.py SAVED_MODEL REQUESTS ANSWERS LIBRARY...

REQUESTS and ANSWERS are pickles, written and read by the same export. REQUESTS holds pairs
`(signature name, {input name: array})`; ANSWERS gets `{output name: array}` for each. Each LIBRARY
has operations that TensorFlow Serving has linked in. This is a script, not a part of the package:
of Python's packages it imports TensorFlow only, so nothing else can help the graph.
"""

import pickle
import sys

import numpy as np

sys.modules["keras"] = None  # or TensorFlow would load it, which takes longer than all the rest
import tensorflow as tf  # noqa: E402
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef  # noqa: E402


def main(saved_model: str, requests: str, answers: str, *libraries: str) -> None:
    """Answers the requests of one file in another."""
    for library in libraries:
        tf.load_library(library)
    with open(requests, "rb") as file:
        asked = pickle.load(file)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], saved_model)
        results = [run(session, name, loaded.signature_def[name], inputs) for name, inputs in asked]
    with open(answers, "wb") as file:
        pickle.dump(results, file)


def run(
    session: tf.compat.v1.Session,
    name: str,
    signature: SignatureDef,
    inputs: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """The outputs of a signature, by name, for inputs by name."""
    if set(signature.inputs) != set(inputs):
        raise ValueError(f"inputs saved: {set(signature.inputs)}, inputs offered: {set(inputs)}")
    feeds = {signature.inputs[name].name: value for name, value in inputs.items()}
    fetches = {name: info.name for name, info in signature.outputs.items()}
    try:
        return session.run(fetches, feeds)
    except tf.errors.OpError as error:
        rows = len(next(iter(inputs.values())))
        sys.exit(f"signature {name!r} failed on {rows} rows: {error.message}")


if __name__ == "__main__":
    main(*sys.argv[1:])
