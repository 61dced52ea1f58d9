"""Commands and notebooks start without TensorFlow's notes, and tell what is wrong before them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.startup import LEVEL

REPOSITORY = Path(__file__).parents[2]
# Stands for TensorFlow: it says what that says at its import, in C++, and what others say then.
LIBRARY = """
import os, warnings
os.write(2, b'''WARNING: All log messages before absl::InitializeLog() is called are written
I0000 00:00:1796050793.018795   15678 cudart_stub.cc:31] Could not find cuda drivers.
2026-01-01 10:00:00.000001: I tensorflow/core/cpu_feature_guard.cc:227] Optimized.
To enable the following instructions: AVX2 FMA, rebuild TensorFlow.
''')
os.write(2, b"a line of somebody else\\n")

class config:
    def list_physical_devices():
        os.write(2, b"E0000 00:00:1796052851.5 28239 cuda_platform.cc:52] failed call to cuInit\\n")

if "BROKEN" in os.environ:
    raise ImportError("libcudart.so is missing")
"""
START = "from zoo.startup import import_tensorflow; import_tensorflow()"


@pytest.fixture
def start(tmp_path):
    (tmp_path / "tensorflow.py").write_text(LIBRARY)

    def run(**environment):
        inherited = {name: value for name, value in os.environ.items() if name[:3] != "TF_"}
        return subprocess.run(
            [sys.executable, "-c", START],
            env=inherited | {"PYTHONPATH": f"{tmp_path}:{REPOSITORY}"} | environment,
            capture_output=True,
            text=True,
        )

    return run


def test_notes_are_hidden_and_nothing_else(start):
    ended = start()
    assert (ended.returncode, ended.stderr) == (0, "a line of somebody else\n")


def test_an_import_that_fails_shows_all_there_was(start):
    ended = start(BROKEN="1")
    assert ended.returncode == 1
    assert "Could not find cuda drivers" in ended.stderr
    assert "libcudart.so is missing" in ended.stderr


def test_who_sets_the_level_sees_what_they_ask_for(start):
    ended = start(TF_CPP_MIN_LOG_LEVEL="0")
    assert "Could not find cuda drivers" in ended.stderr
    assert "Optimized" in ended.stderr


def test_a_process_without_stderr_starts():
    code = f"import os, sys; os.close(2); sys.stderr = None; {START}; print(os.environ['{LEVEL}'])"
    clean = {name: value for name, value in os.environ.items() if name != LEVEL}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=clean, cwd=REPOSITORY, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (0, "2\n")
