"""What every model of the zoo shares: raw data in ``fit`` and ``evaluate``, signatures, assets."""

from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Signature:
    """One entry point of an exported model.

    Attributes:
        function: called with keyword tensors named as in ``inputs``; returns a dict of tensors
            whose first dimension is the batch.
        inputs: pinned input names and their specs, batch first.
        examples: one small real request: warm-up of a server, and verification of an export.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, tf.TensorSpec]
    examples: dict[str, np.ndarray] = field(repr=False)


class ZooModel(keras.Model):
    """A network that takes raw data.

    A subclass gives:

    - ``preprocess(*raw)``: raw string tensors ``[batch]`` to ``(inputs, targets, sample_weight)``,
      TensorFlow operations only. ``fit`` maps it over ``tf.data``, the task verb and the exported
      signatures call it too: there is no second way for the data.
    - ``raw_names``: the names of the raw columns, for error messages, such as ``("sources",
      "targets")``.
    - ``assets()`` and ``from_assets(config, assets)``: files beside the weights.
    - ``signatures()``: what is exported.
    """

    raw_names: tuple[str, ...] = ()

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # Recurrent loops over growing TensorLists are not for XLA on a CPU.
        self.supports_jit = False

    def fit(self, x=None, y=None, batch_size=32, validation_data=None, shuffle=True, **kwargs):
        """Train on raw strings.

        Args:
            x: list, array or string tensor of texts; or a ``tf.data.Dataset`` of ``(x, y)`` string
                pairs, batched or not; or, for those who preprocess themselves, anything
                ``keras.Model.fit`` takes.
            y: list, array or string tensor, one for each ``x``; None with a data set.
            batch_size: int, rows in a batch.
            validation_data: a pair ``(x, y)`` or a data set, as above.
            shuffle: shuffle lists and arrays at each epoch.
            **kwargs: what else ``keras.Model.fit`` takes (``epochs``, ``callbacks``, ...).

        Returns:
            ``keras.callbacks.History``.

        Raises:
            TypeError: not strings.
            ValueError: no rows, or ``x`` and ``y`` of different lengths.
        """
        if isinstance(validation_data, tuple) and len(validation_data) == 2:
            validation_data = self._dataset(*validation_data, batch_size=batch_size)
        elif validation_data is not None:
            validation_data = self._dataset(validation_data, None, batch_size=batch_size)
        data = self._dataset(x, y, batch_size=batch_size, shuffle=shuffle)
        return super().fit(data, validation_data=validation_data, shuffle=False, **kwargs)

    def evaluate(self, x=None, y=None, batch_size=32, **kwargs):
        """Loss and metrics on raw strings; arguments as in :meth:`fit`."""
        # Keras calls this from `fit` for validation, with a data set that is preprocessed already.
        return super().evaluate(self._dataset(x, y, batch_size=batch_size), **kwargs)

    def _dataset(self, x, y, batch_size, shuffle=False):
        if isinstance(x, tf.data.Dataset):
            spec = x.element_spec
            columns = spec if isinstance(spec, tuple) else (spec,)
            if any(getattr(column, "dtype", None) != tf.string for column in columns):
                return x
            data = x.batch(batch_size) if columns[0].shape.rank == 0 else x
        elif y is None:
            if isinstance(x, (list, tuple, np.ndarray, str, bytes)):
                raise ValueError(
                    f"`{self.raw_names[1]}` must be given beside `{self.raw_names[0]}`. "
                    f"Received: y=None and x={_short(x)}"
                )
            return x
        else:
            columns = [check_texts(n, c) for n, c in zip(self.raw_names, (x, y), strict=True)]
            if len(columns[0]) != len(columns[1]):
                names = " and ".join(f"`{name}`" for name in self.raw_names)
                raise ValueError(
                    f"{names} must have one entry for each other. "
                    f"Received: {len(columns[0])} and {len(columns[1])} entries"
                )
            data = tf.data.Dataset.from_tensor_slices(tuple(columns))
            if shuffle:
                data = data.shuffle(len(columns[0]))
            data = data.batch(batch_size)
        data = data.map(self.preprocess, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return data.prefetch(tf.data.AUTOTUNE)


def check_texts(name, texts):
    """Texts as a flat list of ``str`` or ``bytes``; raises an error that names what is wrong.

    Args:
        name: the argument's name, for the message.
        texts: a list, tuple, NumPy array or string tensor of texts, one-dimensional.

    Raises:
        TypeError: ``texts`` is one string or no sequence, or an entry is not a string.
        ValueError: ``texts`` is empty or has more than one dimension.
    """
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__len__"):
        raise TypeError(f"`{name}` must be a list of strings. Received: {_short(texts)}")
    if getattr(texts, "ndim", 1) != 1:
        raise ValueError(f"`{name}` must have one dimension. Received: shape {texts.shape}")
    texts = list(texts.numpy() if isinstance(texts, tf.Tensor) else texts)
    if not texts:
        raise ValueError(f"`{name}` must not be empty. Received: an empty list")
    for index, text in enumerate(texts):
        if not isinstance(text, (str, bytes)):
            raise TypeError(
                f"`{name}` must hold strings only. Received: {name}[{index}]={_short(text)}"
            )
    # Lone surrogates, as in "\ud800", have no UTF-8 form; they get the mark of a damaged character.
    return [t.encode("utf-8", "replace") if isinstance(t, str) else bytes(t) for t in texts]


def _short(value):
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
