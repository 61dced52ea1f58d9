"""Copying and saving a model in the ways of Python, Keras and TensorFlow.

The files beside the weights (vocabularies) are known to the zoo only. So copying goes through them,
and what would leave them out is refused, with the way to go.
"""

import copy
import json
import os
from typing import Any, NoReturn, Self

import keras
import numpy as np
from keras.src.backend.common import global_state

from zoo.provenance import Provenance

KEEP = (
    "To keep a model, use `zoo.save(model, folder)` and `zoo.load(folder)`; for its weights alone, "
    "`model.save_weights(path)`, which ModelCheckpoint(..., save_weights_only=True) calls"
)
COPY = "To copy a model, use `copy.deepcopy(model)`"
SERVE = (
    "To serve a model, export it: `zoo-export NAME_OR_FOLDER` in a shell, or "
    "`zoo.export.saved_model(model, path)`"
)


class CopiedWhole:
    """What a model of the zoo has in place of Keras's ways to save and to copy; a mixin.

    `pickle` and `copy.deepcopy` give a model of the same arguments, files and weights. As one of
    `zoo.load`, it is compiled anew: what `compile` was given, the optimizer's state and which
    layers are frozen are not copied.
    """

    def __reduce__(self) -> tuple:
        """For `pickle` and `copy`: how to make the model again."""
        # Lists that a model has as attributes are Keras's own, and hold on to it: plain ones go.
        config = json.loads(json.dumps(self.get_config()))
        weights = self.get_weights()
        return _made_again, (type(self), config, self.assets(), weights, self.provenance)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: object = None) -> Self:
        """Refused: the arguments alone, without the files, make no model."""
        raise NotImplementedError(
            f"{cls.__name__} is not made of its config alone, which has no vocabulary. "
            f"{COPY}. {KEEP}."
        )

    def get_build_config(self) -> NoReturn:
        """Refused. It is what Keras asks first when it saves or clones a model."""
        raise NotImplementedError(
            "Keras can neither save nor clone a model of the zoo: its vocabulary would be lost. "
            f"{KEEP}. {COPY}."
        )

    def get_config(self) -> dict[str, Any]:
        """The network's arguments, plain values."""
        if global_state.get_global_attribute("use_legacy_config"):
            self.get_build_config()  # Keras writes a whole model as HDF5, and will not ask
        return dict(self.configuration)

    def load_weights(self, filepath: str | os.PathLike, *args: Any, **kwargs: Any) -> None:
        """As Keras, and the optimizer's state too, so that training goes on as if never stopped.

        Args:
            filepath: What `save_weights` or `ModelCheckpoint(..., save_weights_only=True)` wrote.
                Its learning rate is part of the state; a file that `zoo.save` wrote has none.
            *args: What else `keras.Model.load_weights` takes.
            **kwargs: Likewise.
        """
        if self.optimizer and not self.optimizer.built:
            # One without variables for it would lose its state: Keras passes over what it saved.
            self.optimizer.build(self.trainable_variables)
        super().load_weights(filepath, *args, **kwargs)

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: a `.keras` file would lack the vocabularies, and could not be loaded."""
        raise NotImplementedError(f"Keras cannot save a model of the zoo. {KEEP}.")

    def to_json(self, **kwargs: Any) -> NoReturn:
        """Refused: the text would lack the vocabularies."""
        raise NotImplementedError(f"A model of the zoo is not made of JSON. {KEEP}.")

    def export(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: Keras would export the network without its preprocessing."""
        raise NotImplementedError(f"Keras cannot export a model of the zoo. {SERVE}.")

    def quantize(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: Keras quantizes its own layers alone, and `zoo.load` would not know them."""
        raise NotImplementedError(
            "Keras cannot quantize a model of the zoo. `zoo.save` writes its weights small: as "
            "float16, and long tables of vectors as int8."
        )

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict:
        # TensorFlow asks before it writes: for a checkpoint, or for `tf.saved_model.save`.
        if save_type == "savedmodel":
            raise NotImplementedError(
                f"`tf.saved_model.save` cannot save a model of the zoo. {SERVE}."
            )
        return super()._trackable_children(save_type, **kwargs)


def check_checkpoints(callbacks: object) -> None:
    """Refuses at the start of `fit` what would fail after its first epoch: `.keras` files."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    for callback in keras.tree.flatten(callbacks):
        checkpoint = isinstance(callback, keras.callbacks.ModelCheckpoint)
        if checkpoint and not callback.save_weights_only:
            raise NotImplementedError(
                "A ModelCheckpoint of a model of the zoo must have `save_weights_only=True` and a "
                f"path that ends in .weights.h5. {KEEP}. Received: filepath={callback.filepath!r}"
            )


def _made_again(
    cls: type[CopiedWhole],
    config: dict[str, Any],
    assets: dict[str, bytes],
    weights: list[np.ndarray],
    provenance: Provenance,
) -> CopiedWhole:
    model = cls.from_assets(config, assets)
    model.set_weights(weights)
    model.provenance = copy.deepcopy(provenance)  # that of `copy.copy` is the original's own
    return model
