"""Runs a SavedModel in a process of its own, the way TensorFlow Serving does.

    python session_run.py SAVED_MODEL REQUESTS ANSWERS

Both files are pickles, written and read by the same export. REQUESTS holds pairs ``(signature name,
{input name: array})``; ANSWERS gets ``{output name: array}`` for each. This is a script, not a part
of the package: it imports TensorFlow and TF Text only, so nothing of the zoo can help the graph.
"""

import pickle
import sys

import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers its operations; TensorFlow Serving has them linked in)


def main(saved_model: str, requests: str, answers: str) -> None:
    with open(requests, "rb") as file:
        asked = pickle.load(file)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], saved_model)
        results = [run(session, loaded.signature_def[name], inputs) for name, inputs in asked]
    with open(answers, "wb") as file:
        pickle.dump(results, file)


def run(session: tf.compat.v1.Session, signature, inputs: dict) -> dict:
    if set(signature.inputs) != set(inputs):
        raise ValueError(f"inputs saved: {set(signature.inputs)}, inputs offered: {set(inputs)}")
    feeds = {signature.inputs[name].name: value for name, value in inputs.items()}
    fetches = {name: info.name for name, info in signature.outputs.items()}
    return session.run(fetches, feeds)


if __name__ == "__main__":
    main(*sys.argv[1:])
