"""The operations of TF Text, which the stock TensorFlow Serving has linked in."""

import importlib.util
from pathlib import Path

import tensorflow as tf


def load_text_operations() -> None:
    """Registers them with TensorFlow; a second call costs nothing.

    The libraries alone, as `export/session_run.py` loads them: TF Text's Python package would
    import Keras, which makes the process larger and slower to start, and no graph needs it.
    """
    package = Path(importlib.util.find_spec("tensorflow_text").origin).parent
    for library in sorted((package / "python" / "ops").glob("_*.so")):
        tf.load_library(str(library))
