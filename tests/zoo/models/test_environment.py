"""Where the zoo cannot run it says so: another backend of Keras, a fork without threads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
FORK = """
import os, signal, sys
from tests import corpus
import zoo

model = corpus.tiny_sentiment()
model.classify("good")
zoo.save(model, sys.argv[1])
if not os.fork():
    signal.alarm(30)  # what hangs is killed
    for refused in (
        lambda: model.classify("good"),
        lambda: model.fit(["good"], ["positive"]),
        lambda: model.evaluate(["good"], ["positive"]),
        lambda: zoo.load(sys.argv[1]),
        corpus.tiny_sentiment,
    ):
        try:
            refused()
        except RuntimeError as error:
            assert "spawn" in str(error), error
        else:
            os._exit(1)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
model.classify("good")
"""


def run(code, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=180,
    )


@pytest.mark.parametrize(
    "module", ["zoo.layers", "zoo.models.base", "zoo.layers.cells", "zoo.models"]
)
def test_another_backend_is_refused(module):
    result = run(f"import {module}", KERAS_BACKEND="torch")
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: The zoo is for Keras with TensorFlow's backend."), last
    assert "'torch'" in last
    assert "KERAS_BACKEND=tensorflow" in last


def test_another_backend_in_kerass_file_is_refused(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "mxnet"}')
    environment = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": ""}
    result = run("import zoo; zoo.load('sentiment')", **environment)
    assert "ImportError: The zoo is for Keras with TensorFlow's backend." in result.stderr
    assert "'mxnet'" in result.stderr
    assert "keras.json" in result.stderr


def test_the_list_of_presets_needs_no_backend():
    result = run("import zoo; print(zoo.list_models())", KERAS_BACKEND="torch")
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_fork_of_a_started_tensorflow_is_refused(tmp_path):
    result = run(FORK, tmp_path / "model")
    assert result.returncode == 0, result.stderr
