"""From a model to a SavedModel that TensorFlow Serving loads: the room's door.

    import export, zoo
    export.saved_model(zoo.load("nmt_attention"), "models/nmt_attention")  # models/nmt_attention/1

The stages, one file each, in the order in which an export goes through them:

- ``signatures``  what a model offers, checked: names, dtypes, batch first, an example request
- ``publication`` the version directory: written beside the others, published by one rename
- ``graph``       the signatures traced and saved with the state they use, and with nothing else
- ``operations``  the graph's operations: TensorFlow's and TF Text's only
- ``warmup``      the requests that TensorFlow Serving replays before it serves the version
- ``verification`` the result, run in a fresh process and compared with the model

An export needs no Python to run. TensorFlow's C API loads it (``TF_LoadSessionFromSavedModel`` in
the wheel's ``libtensorflow_cc.so.2``) once ``TF_LoadLibrary`` has loaded TF Text's operations; for
the translators ``tensorflow_text/python/ops/_sentencepiece_tokenizer.so``. None of TF Text's
libraries there is linked to Python; ``tests/export/run_saved_model.c`` is the whole program.

TensorFlow is imported at first use only, so that ``zoo-export --help`` answers at once.
"""

from export.errors import ExportError

__all__ = ["ExportError", "saved_model"]


def __getattr__(name: str):
    if name == "saved_model":
        from export.writer import saved_model

        return saved_model
    raise AttributeError(f"module 'export' has no attribute {name!r}")
