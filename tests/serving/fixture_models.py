"""Small SavedModels of every dtype and shape that TensorFlow Serving tells apart."""

from pathlib import Path

import keras
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

from tests.serving.tf1_models import save_judge, save_odd_signatures, save_simply


def save_half(directory: Path, offset: float = 2.0) -> None:
    """`x` float of any shape -> `y` = x / 2 + offset."""
    _save(directory, serving_default=(lambda x: {"y": x / 2 + offset}, _HALF_INPUT))


_HALF_INPUT = [tf.TensorSpec(None, tf.float32, name="x")]


def _save_half_of_examples(directory: Path) -> None:
    """As `save_half`, and the same of `tf.Example`s with a feature `x`, to classify and regress."""
    serialized = [tf.TensorSpec([None], tf.string, name="inputs")]

    def halve(inputs):
        x = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]
        return x / 2 + 2.0

    _save(
        directory,
        serving_default=(lambda x: {"y": x / 2 + 2.0}, _HALF_INPUT),
        regress_x_to_y=(lambda inputs: {"outputs": halve(inputs)}, serialized),
        classify_x_to_y=(lambda inputs: {"scores": halve(inputs)}, serialized),
    )


def _save(directory: Path, **signatures) -> None:
    """Saves functions of tensors; each is given as (function, its input specs)."""
    module = tf.Module()
    functions = {
        name: tf.function(function, input_signature=specs, autograph=False)
        for name, (function, specs) in signatures.items()
    }
    module.functions = functions  # keeps them alive until they are saved
    tf.saved_model.save(module, str(directory), signatures=functions)


def _save_identity(directory: Path, dtype: tf.DType) -> None:
    specs = [tf.TensorSpec(None, dtype, name="x")]
    _save(directory, serving_default=(lambda x: {"y": tf.identity(x)}, specs))


def _encode(tokens):
    batch, time = tf.shape(tokens)[0], tf.shape(tokens)[1]
    return {
        "seq": tf.ones([batch, time, 2]),
        "state": tf.zeros([3, batch, 2]),
        "n": tf.size(tokens),
    }


def _save_with_vocabulary(directory: Path, scratch: Path) -> None:
    """String -> row of a vocabulary kept as an asset: tables, assets, init op."""
    vocabulary = scratch / "words.txt"
    vocabulary.write_text("one\ntwo\nthree\n")

    class Lookup(tf.Module):
        def __init__(self):
            self.table = tf.lookup.StaticVocabularyTable(
                tf.lookup.TextFileInitializer(
                    tf.saved_model.Asset(str(vocabulary)),
                    tf.string,
                    tf.lookup.TextFileIndex.WHOLE_LINE,
                    tf.int64,
                    tf.lookup.TextFileIndex.LINE_NUMBER,
                ),
                num_oov_buckets=1,
            )
            self.asset = self.table._initializer._filename

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="word")])
        def look_up(self, word):
            return {"row": self.table.lookup(word)}

    module = Lookup()
    tf.saved_model.save(module, str(directory), signatures={"serving_default": module.look_up})


def _save_with_keras(directory: Path) -> None:
    """A stock Keras export, with its own names: signatures `serve` and `serving_default`."""
    model = keras.Sequential(
        [keras.Input([4, 2], name="steps"), keras.layers.LSTM(3), keras.layers.Dense(1)]
    )
    model.export(str(directory), verbose=False)


def _save_keras_text_model(directory: Path) -> None:
    """Raw text in: the vocabulary is a table in the graph."""
    words = keras.layers.TextVectorization(vocabulary=["good", "bad"], output_sequence_length=3)
    model = keras.Sequential(
        [
            keras.Input([], dtype="string", name="text"),
            words,
            keras.layers.Embedding(4, 2, embeddings_initializer="ones"),
            keras.layers.GlobalAveragePooling1D(),
        ]
    )
    model.export(str(directory), verbose=False)


def save_all(root: Path, scratch: Path) -> None:
    """Saves all of them as `root/NAME/VERSION`; `scratch` is for files they are made from."""
    strings = [tf.TensorSpec([None], tf.string, name="t")]
    _save_half_of_examples(root / "half" / "123")
    save_half(root / "two" / "1")
    save_half(root / "two" / "2", offset=3.0)
    _save(
        root / "multi" / "1",
        serving_default=(
            lambda a, s: {"ids": tf.identity(a), "txt": tf.identity(s), "raw_bytes": s + ""},
            [tf.TensorSpec([None, 2], tf.int32, name="a"), tf.TensorSpec([None], tf.string, "s")],
        ),
    )
    _save(
        root / "enc" / "1",
        serving_default=(_encode, [tf.TensorSpec([None, None], tf.int32, name="tokens")]),
    )
    _save(
        root / "echo" / "1",
        serving_default=(lambda t: {"t_bytes": tf.identity(t)}, strings),
        plain=(lambda t: {"t_out": tf.identity(t)}, strings),
    )
    _save(
        root / "slow" / "1",
        serving_default=(
            # Counts to x[0] million, about a microsecond a step.
            lambda x: {
                "y": tf.while_loop(
                    lambda i: i < x[0] * 1_000_000, lambda i: (i + 1,), (tf.constant(0.0),)
                )[0][tf.newaxis]
            },
            [tf.TensorSpec([None], tf.float32, name="x")],
        ),
    )
    dtypes = {
        "i64": tf.int64,
        "i32": tf.int32,
        "u8": tf.uint8,
        "u32": tf.uint32,
        "u64": tf.uint64,
        "b": tf.bool,
        "f16": tf.float16,
        "f64": tf.float64,
        "u16": tf.uint16,
    }
    for name, dtype in dtypes.items():
        _save_identity(root / name / "1", dtype)
    _save_with_vocabulary(root / "words" / "1", scratch)
    _save_with_keras(root / "keras" / "1")
    save_simply(root / "tf1" / "1")
    save_judge(root / "judge" / "1")
    save_odd_signatures(root / "odd" / "1")
    _save_keras_text_model(root / "keras_text" / "1")
    _save(
        root / "number" / "1",
        serving_default=(lambda t: {"y": tf.strings.to_number(t)}, strings),
    )
    _as_text(root / "number" / "1")


def _as_text(directory: Path) -> None:
    """Turns `saved_model.pb` into `saved_model.pbtxt`, which some exporters write instead."""
    binary = directory / "saved_model.pb"
    message = saved_model_pb2.SavedModel.FromString(binary.read_bytes())
    (directory / "saved_model.pbtxt").write_text(text_format.MessageToString(message))
    binary.unlink()


def write_config(path: Path, models: Path) -> Path:
    """A model config file for all of `models`, with labels for `two`."""
    entries = []
    for base_path in sorted(models.iterdir()):
        policy = ""
        if base_path.name == "two":
            policy = (
                "model_version_policy { specific { versions: 1 versions: 2 } } "
                "version_labels { key: 'stable' value: 1 } "
                "version_labels { key: 'canary' value: 2 }"
            )
        entries.append(
            f"config {{ name: '{base_path.name}' base_path: '{base_path}' "
            f"model_platform: 'tensorflow' {policy} }}"
        )
    entries.append(
        f"config {{ name: 'a/b:c' base_path: '{models / 'half'}' model_platform: 'tensorflow' }}"
    )
    path.write_text("model_config_list {\n" + "\n".join(entries) + "\n}\n")
    return path
