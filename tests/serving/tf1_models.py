"""SavedModels as programs of TensorFlow 1 make them: from a graph and a session."""

from pathlib import Path

import tensorflow as tf


def save_simply(directory: Path) -> None:
    """As TensorFlow 1 programs did, with a variable."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None], name="x")
        weight = tf.compat.v1.get_variable("weight", initializer=3.0)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.saved_model.simple_save(
            session, str(directory), inputs={"x": x}, outputs={"y": x * weight}
        )


def save_judge(directory: Path) -> None:
    """Classifiers and regressors of TF1 that share their input, well made and badly made.

    Examples have features `x` (float) and, maybe, `word` (string, else "none").
    """
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        examples = v1.placeholder(tf.string, [None], name="examples")
        others = v1.placeholder(tf.string, [None], name="others")
        features = tf.io.parse_example(
            examples,
            {
                "x": tf.io.FixedLenFeature([], tf.float32),
                "word": tf.io.FixedLenFeature([], tf.string, default_value="none"),
            },
        )
        x, word = features["x"], features["word"]
        scores = tf.stack([x, -x], axis=1)
        classes = tf.stack([word, tf.repeat([b"\xff"], tf.size(x))], axis=1)
        signatures = {
            "classify": (examples, {"classes": classes, "scores": scores}),
            "classes": (examples, {"classes": classes}),
            "regress": (examples, {"outputs": x * 2}),
            "regress_column": (examples, {"outputs": x[:, tf.newaxis] * 3}),
            "of_others": (others, {"outputs": tf.zeros(tf.shape(others))}),
            "bad_rank": (examples, {"scores": x}),
            "bad_type": (examples, {"scores": tf.cast(scores, tf.float64)}),
            "bad_classes": (examples, {"classes": scores}),
            "bad_batch": (examples, {"scores": scores[1:]}),
            "bad_width": (examples, {"classes": classes, "scores": scores[:, :1]}),
            "bad_name": (examples, {"y": x}),
            "three": (examples, {"classes": classes, "scores": scores, "y": x}),
            "wide": (examples, {"outputs": scores}),
            "short": (examples, {"outputs": x[1:]}),
            "double": (examples, {"outputs": tf.cast(x, tf.float64)}),
        }
        _save_graph(
            session,
            directory,
            {
                name: _signature(
                    {"inputs": source},
                    outputs,
                    "regress" if {"outputs"} == set(outputs) else "classify",
                )
                for name, (source, outputs) in signatures.items()
            },
        )


def save_odd_signatures(directory: Path) -> None:
    """Of TF1: an input with a default value, no output at all, names of tensors that are odd."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        a, b = (tf.compat.v1.placeholder(tf.float32, [None], name=name) for name in "ab")
        add = _signature({"a": a, "b": b}, {"sum": a + b}, "predict")
        add.defaults["b"].CopyFrom(tf.make_tensor_proto([10.0]))
        nothing = _signature({"a": a}, {}, "predict")
        bare = _signature({"a": a}, {"double": a * 2}, "predict")
        bare.outputs["double"].name = bare.outputs["double"].name.removesuffix(":0")
        astray = _signature({"a": a}, {"gone": a}, "predict")
        astray.outputs["gone"].name = "gone:0"
        signatures = {"serving_default": add, "nothing": nothing, "bare": bare, "astray": astray}
        _save_graph(session, directory, signatures)


def _signature(inputs: dict, outputs: dict, method: str):
    """A `SignatureDef` of tensors of a graph."""
    utils, info = tf.compat.v1.saved_model.signature_def_utils, tf.compat.v1.saved_model.utils
    return utils.build_signature_def(
        {name: info.build_tensor_info(tensor) for name, tensor in inputs.items()},
        {name: info.build_tensor_info(tensor) for name, tensor in outputs.items()},
        f"tensorflow/serving/{method}",
    )


def _save_graph(session, directory: Path, signatures: dict) -> None:
    builder = tf.compat.v1.saved_model.builder.SavedModelBuilder(str(directory))
    builder.add_meta_graph_and_variables(session, ["serve"], signatures)
    builder.save()
