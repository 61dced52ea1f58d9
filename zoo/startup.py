"""TensorFlow's import without its start-up lines, which are not about the models."""

import logging
import os
import sys
import tempfile

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow() -> None:
    """Imports TensorFlow and shows nothing that it has to say, unless its import fails.

    Who sets `TF_CPP_MIN_LOG_LEVEL` sees what they ask for.
    """
    if "tensorflow" in sys.modules or LEVEL in os.environ or sys.stderr is None:
        return
    os.environ[LEVEL] = "3"
    for library in ("absl", "tensorflow"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    # Some lines come from C++ before any level counts: they have no other way but the descriptor.
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            hidden.seek(0)
            os.write(shown, hidden.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)
