"""Keras, checked: it computes with TensorFlow. It is imported before any layer or model."""

import sys

from zoo.startup import import_tensorflow, other_backend

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


if other := other_backend():  # told at once: TensorFlow takes seconds to import
    raise ImportError(REFUSAL.format(other))
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
