"""An export runs with no Python around: a small C program over TensorFlow's C API."""

import shutil
import subprocess
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_text
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

SOURCE = Path(__file__).with_name("run_saved_model.c")
TF_TEXT = Path(tensorflow_text.__file__).parent / "python" / "ops"
# Libraries of TF Text that a translator's graph needs.
OF_TRANSLATORS = ("normalize_ops", "regex_split_ops", "sentencepiece_tokenizer")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The compiled program, linked to the libraries in TensorFlow's wheel."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    libraries, program = tf.sysconfig.get_lib(), tmp_path_factory.mktemp("c") / "run_saved_model"
    command = [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", SOURCE, "-o", program]
    command += [f"-I{tf.sysconfig.get_include()}", f"-L{libraries}", f"-Wl,-rpath,{libraries}"]
    command += ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    if shutil.which("ld.gold"):  # 2 s instead of 10 s for libtensorflow_cc's symbols
        command += ["-fuse-ld=gold"]
    subprocess.run(command, check=True)
    return program


def run(program, folder, libraries, texts, output="echo"):
    saved = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    served = saved.meta_graphs[0].signature_def["serving_default"]
    names = [served.inputs["text"].name, served.outputs[output].name]
    return subprocess.run(
        [program, folder, *names, *libraries, "--", *texts], capture_output=True, text=True
    )


def test_strings_in_and_strings_out(program, base, scorer):
    texts = ["a dog reads", "in the park, a bärk 🐕", ""]
    done = run(program, base / "1", [TF_TEXT / "_sentencepiece_tokenizer.so"], texts)
    assert done.returncode == 0, done.stderr
    own = scorer.answer(tf.constant(texts))["echo"].numpy()
    assert done.stdout.split("\n")[:-1] == [row.decode() for row in own]


def test_a_translator(program, translator, exported_translator):
    texts = ["A dog runs in the snow.", "", "two men"]
    libraries = [TF_TEXT / f"_{name}.so" for name in OF_TRANSLATORS]
    done = run(program, exported_translator, libraries, texts, output="translation")
    assert done.returncode == 0, done.stderr
    # Untrained, it may write any character; `run` reads every kind of line end as one.
    own = "".join(f"{text}\n" for text in translator.translate(texts))
    assert done.stdout == own.replace("\r\n", "\n").replace("\r", "\n")


def test_a_batch_without_rows(program, base):
    done = run(program, base / "1", [TF_TEXT / "_sentencepiece_tokenizer.so"], [])
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_every_library_of_tf_text_loads_without_python(program, base):
    libraries = sorted(TF_TEXT.glob("_*.so"))
    assert len(libraries) >= 20
    done = run(program, base / "1", libraries, ["one two", ""], output="words")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "two\nnone\n"


def test_without_tf_text_the_operation_is_missing(program, base):
    done = run(program, base / "1", [], ["a dog"])
    assert done.returncode == 1
    assert "Op type not registered 'SentencepieceOp'" in done.stderr
