"""The last look before publishing: what was written, run in a fresh process against the model.

The fresh process takes the way of TensorFlow Serving (`session_run.py`) and knows nothing of the
model but its files. Each signature answers its example, which must be what the model answers, and
a request without rows.
"""

import os
import pickle
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from zoo.export import operations
from zoo.export import signatures as offered
from zoo.export.errors import ExportError

if TYPE_CHECKING:
    from zoo.models.base import Signature

_SCRIPT = Path(__file__).with_name("session_run.py")
# The optimised graph fuses and reorders float32 sums that the model makes one by one. What is lost
# of a sum goes by its largest terms: hence the second is of the largest value, or of 1 if that is
# less.
_RELATIVE, _OF_THE_LARGEST = 1e-4, 1e-5


def verify(signatures: dict[str, "Signature"], folder: Path) -> None:
    """Compares a SavedModel, run in a fresh process, with the model it was made from.

    Args:
        signatures: `Signature` by name; their functions are the model's own answers.
        folder: The SavedModel's directory.

    Raises:
        ExportError: It does not load or run, or answers otherwise than the model.
    """
    requests = [(name, _arrays(offered.example(s))) for name, s in signatures.items()]
    requests += [(name, _arrays(offered.empty(s))) for name, s in signatures.items()]
    with ThreadPoolExecutor(1) as beside:
        future = beside.submit(_fresh_process, requests, folder)
        own = {name: s.function(**offered.example(s)) for name, s in signatures.items()}
        answers = future.result()
    for (name, inputs), answer in zip(requests, answers, strict=True):
        rows = len(next(iter(inputs.values())))
        offered.check_rows(f"signature {name!r}, run on {rows} rows", answer, rows)
    for (name, outputs), answer in zip(own.items(), answers, strict=False):
        compare(name, _arrays(offered.check_outputs(name, outputs)), answer)


def _arrays(tensors: dict[str, tf.Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _fresh_process(
    requests: list[tuple[str, dict[str, np.ndarray]]], folder: Path
) -> list[dict[str, np.ndarray]]:
    with tempfile.TemporaryDirectory(prefix="zoo-export-") as exchange:
        asked, answered = Path(exchange, "requests"), Path(exchange, "answers")
        asked.write_bytes(pickle.dumps(requests))
        process = subprocess.run(
            [sys.executable, _SCRIPT, folder, asked, answered, *operations.text_libraries()],
            # On the CPU, where a stock TensorFlow Serving runs.
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        if process.returncode != 0:
            raise ExportError(
                "the exported model does not load or run in a fresh process; its last words "
                f"(exit status {process.returncode}):\n{process.stderr[-2000:]}"
            )
        return pickle.loads(answered.read_bytes())


def compare(name: str, own: dict[str, np.ndarray], served: dict[str, np.ndarray]) -> None:
    """Refuses answers of an export that are not the model's.

    Strings, integers and booleans must be equal; floats to a relative 1e-4, or to 1e-5 of the
    output's largest value. Dtypes and shapes must be equal too.

    Args:
        name: Name of the signature, for the message.
        own: The model's answer, by output name.
        served: The export's answer.

    Raises:
        ExportError: An output is missing, new or other than the model's.
    """
    if set(own) != set(served):
        raise ExportError(
            f"signature {name!r}: the model returns {sorted(own)}, the export {sorted(served)}"
        )
    for key, expected in own.items():
        try:
            _assert_alike(served[key], expected)
        except AssertionError as difference:
            raise ExportError(
                f"signature {name!r}: output {key!r} of the exported model is not the model's own."
                f"{difference}"
            ) from None


def _assert_alike(served: np.ndarray, expected: np.ndarray) -> None:
    if served.dtype != expected.dtype:
        raise AssertionError(f" Its dtype is {served.dtype}, not {expected.dtype}")
    if not np.issubdtype(expected.dtype, np.floating):
        np.testing.assert_array_equal(served, expected)
        return
    largest = np.max(np.abs(expected), initial=1, where=np.isfinite(expected))
    np.testing.assert_allclose(served, expected, _RELATIVE, _OF_THE_LARGEST * largest)
