"""From a model to a SavedModel that TensorFlow Serving loads: the room's door.

    import zoo
    zoo.export.saved_model(zoo.load("my_model"), "models/my_model")  # models/my_model/1

The stages, one file each, in the order in which an export goes through them:

- `signatures`: What a model offers, checked: names, dtypes, batch first, an example request.
- `publication`: The version directory, written beside the others and published by one rename.
- `graph`: The signatures traced and saved with the state they use, and with nothing else.
- `operations`: The graph's operations, TensorFlow's and TF Text's only.
- `warmup`: The requests that TensorFlow Serving replays before it serves the version.
- `card`: The model card, if there is one, for the playground.
- `verification`: The result, run in a fresh process and compared with the model.

None of them knows a model of the zoo: what has signatures can be exported, whatever its data are.

An export needs no Python to run. TensorFlow's C API loads it (`TF_LoadSessionFromSavedModel` in
the wheel's `libtensorflow_cc.so.2`) once `TF_LoadLibrary` has loaded the operations of TF Text
that it uses, such as `tensorflow_text/python/ops/_sentencepiece_tokenizer.so`. None of TF Text's
libraries there is linked to Python; `tests/export/run_saved_model.c` is the whole program.

TensorFlow is imported at first use only, so that `zoo-export --help` answers at once.
"""

if __name__ == "export":  # at the top of a checkout: each class would be there twice
    raise ImportError("`export` is imported as `zoo.export`, and run as `zoo-export`")


from collections.abc import Callable

from zoo.export.errors import ExportError

__all__ = ["ExportError", "saved_model"]


def __getattr__(name: str) -> Callable:
    if name == "saved_model":
        from zoo.export.writer import saved_model

        return saved_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
