"""Small SavedModels of every dtype and shape the contract speaks of."""

from pathlib import Path

import keras
import tensorflow as tf


def save_half(directory: Path, offset: float = 2.0) -> None:
    """`x` float of any shape -> `y` = x / 2 + offset."""

    class Half(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
        def halve(self, x):
            return {"y": x / 2 + offset}

    module = Half()
    tf.saved_model.save(module, str(directory), signatures={"serving_default": module.halve})


def _save(directory: Path, **signatures) -> None:
    """Saves functions of tensors; each is given as (function, its input specs)."""
    module = tf.Module()
    functions = {
        name: tf.function(function, input_signature=specs)
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


def _save_tf1_style(directory: Path) -> None:
    """As TensorFlow 1 programs did, with a variable."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None], name="x")
        weight = tf.compat.v1.get_variable("weight", initializer=3.0)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.saved_model.simple_save(
            session, str(directory), inputs={"x": x}, outputs={"y": x * weight}
        )


def _save_with_keras(directory: Path) -> None:
    """A stock Keras export, with its own names: signatures `serve` and `serving_default`."""
    model = keras.Sequential(
        [keras.Input([4, 2], name="steps"), keras.layers.LSTM(3), keras.layers.Dense(1)]
    )
    model.export(str(directory), verbose=False)


def save_all(root: Path, scratch: Path) -> None:
    """Saves all of them as `root/NAME/VERSION`; `scratch` is for files they are made from."""
    strings = [tf.TensorSpec([None], tf.string, name="t")]
    save_half(root / "half" / "123")
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
    _save_tf1_style(root / "tf1" / "1")


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
