"""Keras, checked: it computes with TensorFlow. It is imported before any layer or model."""

import os
import sys

from zoo.startup import import_tensorflow

REFUSAL = (
    "The zoo is for Keras with TensorFlow's backend. Received: the backend {!r}, from the variable "
    "KERAS_BACKEND or the file keras.json. Set KERAS_BACKEND=tensorflow in the environment before "
    "Python starts."
)


def _chosen(error: Exception) -> str | None:
    """The backend that Keras could not take; None if it was kept from none."""
    if (config := sys.modules.get("keras.src.backend.config")) is not None:
        return config.backend()
    missing = (getattr(error, "name", None) or "").partition(".")[0]
    return missing if missing in ("jax", "openvino", "torch") else None


# At once, where Keras would do as the variable says: TensorFlow takes seconds to import.
if "keras" not in sys.modules and os.environ.get("KERAS_BACKEND") not in (None, "", "tensorflow"):
    raise ImportError(REFUSAL.format(os.environ["KERAS_BACKEND"]))
try:
    # Keras would bring it, with all that it says at its start.
    import_tensorflow()
    import keras
except (ImportError, ValueError) as error:  # the other library is missing, or there is none such
    if (chosen := _chosen(error)) in (None, "tensorflow"):
        raise
    raise ImportError(REFUSAL.format(chosen)) from error
if keras.backend.backend() != "tensorflow":
    raise ImportError(REFUSAL.format(keras.backend.backend()))
