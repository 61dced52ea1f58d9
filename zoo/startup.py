"""TensorFlow's import without its start-up lines, which are not about the models."""

import logging
import os
import sys
import tempfile

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ERRORS = "2"


def import_tensorflow() -> None:
    """Imports TensorFlow and shows nothing that it has to say, unless its import fails.

    Errors of its C++ are shown from then on, notes and warnings are not. Who sets
    `TF_CPP_MIN_LOG_LEVEL` sees what they ask for, from the start.
    """
    if "tensorflow" in sys.modules or LEVEL in os.environ:
        return
    os.environ[LEVEL] = _ERRORS
    for library in ("absl", "tensorflow"):
        logging.getLogger(library).setLevel(logging.ERROR)
    # Some lines come from C++ before any level counts: they have no other way but the descriptor.
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
        shown = os.dup(2)
    except OSError:  # there is none, as in a service without a console
        return
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            hidden.seek(0)
            os.write(shown, hidden.read())
            raise
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)
