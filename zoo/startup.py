"""TensorFlow's import without its start-up lines, and what is known before it."""

import logging
import os
import re
import sys
import tempfile

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ERRORS = "2"
# What C++ logs before any level counts: on a machine without a GPU, that there is none.
_NOTE = re.compile(
    rb"[IWE]\d{4} [\d:.]+ |\d{4}-\d\d-\d\d [\d:.]+: [IWE] "
    rb"|WARNING: All log messages before absl::|To enable the following instructions: "
)


def other_backend() -> str | None:
    """The backend that Keras will take for the environment's sake; None if it is TensorFlow's."""
    chosen = os.environ.get("KERAS_BACKEND")
    return chosen if "keras" not in sys.modules and chosen not in ("", "tensorflow") else None


def import_tensorflow() -> None:
    """Imports TensorFlow and shows nothing that its C++ has to say, unless the import fails.

    From then on its errors are shown, notes and warnings are not. Who sets `TF_CPP_MIN_LOG_LEVEL`
    sees what they ask for, from the start.
    """
    if "tensorflow" in sys.modules:
        return
    if LEVEL in os.environ:
        import tensorflow

        return
    os.environ[LEVEL] = _ERRORS
    for library in ("absl", "tensorflow"):
        logging.getLogger(library).setLevel(logging.ERROR)
    try:
        # The lines have no other way but the descriptor.
        shown = os.dup(2)
    except OSError:  # there is none, as in a service without a console
        return
    with tempfile.TemporaryFile() as hidden:
        _flush()
        os.dup2(hidden.fileno(), 2)
        failed = True
        try:
            import tensorflow

            # It looks for GPUs when first asked: on a machine without one, that is an error to it.
            tensorflow.config.list_physical_devices()
            failed = False
        finally:
            _flush()
            os.dup2(shown, 2)
            os.close(shown)
            hidden.seek(0)
            os.write(2, b"".join(line for line in hidden if failed or not _NOTE.match(line)))


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
