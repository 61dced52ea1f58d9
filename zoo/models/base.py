"""What every model of the zoo shares: raw data in ``fit`` and ``evaluate``, signatures, config."""

import functools
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

    - ``task``: the name of its verb, a method: ``"translate"``, ``"classify"`` or ``"tag"``.
    - ``raw_names``: the names of its two raw columns, as they stand in error messages, such as
      ``("sources", "targets")``; and ``raw_rank``, the rank of one entry of the first: 0 for a
      text, 1 for a list of tokens.
    - ``raw_columns(x, y)``: how those columns are checked and made tensors, if they are not texts.
    - ``preprocess(x, y)``: raw tensors ``[batch, ...]`` to ``(inputs, targets)`` or ``(inputs,
      targets, sample_weight)``, TensorFlow operations only. ``fit`` maps it over ``tf.data``; the
      task verb and the exported signatures use its parts: there is no second way for the data.
    - ``configuration``: the arguments of its network, plain values.
    - ``head_arguments`` and ``head_layers``: the arguments that name the user's own classes, and
      the attributes of the layers that are learnt anew when one of them changes (``zoo.load``).
    - ``assets()`` and ``from_assets(config, assets)``: files beside the weights.
    - ``signatures()``: what is exported.
    """

    task: str
    raw_names: tuple[str, str]
    raw_rank = 0
    head_arguments: tuple[str, ...] = ()
    head_layers: tuple[str, ...] = ()

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # Recurrent loops over growing TensorLists are not for XLA on a CPU.
        self.supports_jit = False
        self._graphs = {}

    def fit(self, x=None, y=None, batch_size=32, validation_data=None, shuffle=True, **kwargs):
        """Train on raw data.

        Args:
            x: list, array or string tensor of raw entries (texts; lists of tokens); or a
                ``tf.data.Dataset`` of raw pairs ``(x, y)``, batched or not, whose ``x`` are
                strings; or, for those who preprocess themselves, anything ``keras.Model.fit``
                takes.
            y: list, array or tensor, one entry for each of ``x``; None with a data set.
            batch_size: int, rows in a batch.
            validation_data: a pair ``(x, y)`` or a data set, as above.
            shuffle: shuffle lists and arrays at each epoch.
            **kwargs: what else ``keras.Model.fit`` takes (``epochs``, ``callbacks``, ...).

        Returns:
            ``keras.callbacks.History``.

        Raises:
            TypeError: entries of a wrong type.
            ValueError: no rows, ``x`` and ``y`` of different lengths, or what the model refuses.
        """
        if isinstance(validation_data, tuple) and len(validation_data) == 2:
            validation_data = self._dataset(*validation_data, batch_size=batch_size)
        elif validation_data is not None:
            validation_data = self._dataset(validation_data, None, batch_size=batch_size)
        data = self._dataset(x, y, batch_size=batch_size, shuffle=shuffle)
        if self.optimizer and not self.optimizer.built:
            # Keras would do it while it traces a step, which TensorFlow then traces once more.
            self.optimizer.build(self.trainable_variables)
        return super().fit(data, validation_data=validation_data, shuffle=False, **kwargs)

    def evaluate(self, x=None, y=None, batch_size=32, **kwargs):
        """Loss and metrics on raw data; arguments as in :meth:`fit`."""
        # Keras calls this from `fit` for validation, with a data set that is preprocessed already.
        return super().evaluate(self._dataset(x, y, batch_size=batch_size), **kwargs)

    def raw_columns(self, x, y):
        """The raw columns that ``fit`` and ``evaluate`` were given, checked.

        Args:
            x, y: what the user gave; here lists of texts, see :func:`check_texts`.

        Returns:
            A pair of tensors or ``RaggedTensor``, one row for each entry.

        Raises:
            TypeError, ValueError: what is wrong, naming the column and the entry.
        """
        columns = zip(self.raw_names, (x, y), strict=True)
        return tuple(tf.constant(check_texts(name, column)) for name, column in columns)

    def _dataset(self, x, y, batch_size, shuffle=False):
        if isinstance(x, tf.data.Dataset):
            if y is not None:
                raise ValueError(
                    f"`{self.raw_names[1]}` must come in the data set. Received: y={_short(y)}"
                )
            spec = x.element_spec
            columns = spec if isinstance(spec, tuple) else (spec,)
            if getattr(columns[0], "dtype", None) != tf.string:
                return x
            if len(columns) != 2:
                raise ValueError(
                    f"A data set of raw data must have two columns, `{self.raw_names[0]}` and "
                    f"`{self.raw_names[1]}`. Received: {spec}"
                )
            data = x.ragged_batch(batch_size) if columns[0].shape.rank == self.raw_rank else x
        elif y is None:
            if isinstance(x, (list, tuple, np.ndarray, str, bytes)):
                raise ValueError(
                    f"`{self.raw_names[1]}` must be given beside `{self.raw_names[0]}`. "
                    f"Received: y=None and x={_short(x)}"
                )
            return x
        else:
            columns = self.raw_columns(x, y)
            rows = [column.shape[0] for column in columns]
            if rows[0] != rows[1]:
                names = " and ".join(f"`{name}`" for name in self.raw_names)
                raise ValueError(
                    f"{names} must have one entry for each other. "
                    f"Received: {rows[0]} and {rows[1]} entries"
                )
            data = tf.data.Dataset.from_tensor_slices(columns)
            if shuffle:
                data = data.shuffle(rows[0])
            data = data.ragged_batch(batch_size)
        # A graph of its own, which is not traced again at each call.
        preprocess = self._graphs.setdefault(
            "preprocess", tf.function(self.preprocess, autograph=False)
        )
        data = data.map(preprocess, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return data.prefetch(tf.data.AUTOTUNE)

    def run_graph(self, function, texts, **options):
        """Runs ``function(texts, **options)``, traced once for all texts.

        Args:
            function: a method of this model that takes a string ``[batch]`` and gives a dict of
                tensors.
            texts: string ``[batch]``.
            **options: plain values; each combination has a graph of its own.

        Returns:
            The dict, of NumPy arrays.
        """
        key = (function.__name__, *sorted(options.items()))
        if key not in self._graphs:
            self._graphs[key] = tf.function(
                functools.partial(function, **options),
                input_signature=[tf.TensorSpec([None], tf.string)],
                autograph=False,  # the loops are tf.while_loop; converting takes seconds
            )
        return {name: value.numpy() for name, value in self._graphs[key](texts).items()}

    def get_config(self):
        """The network's arguments, plain values."""
        return dict(self.configuration)


def check_column(name, values, what="strings"):
    """A column of raw data as a list; raises an error that names what is wrong.

    Args:
        name: the argument's name, for the message.
        values: a list, tuple, NumPy array or tensor, one-dimensional.
        what: what it must hold, for the message.

    Raises:
        TypeError: ``values`` is one string or no sequence.
        ValueError: ``values`` is empty or has more than one dimension.
    """
    if isinstance(values, (str, bytes, dict)) or not hasattr(values, "__len__"):
        raise TypeError(f"`{name}` must be a list of {what}. Received: {_short(values)}")
    if getattr(values, "ndim", 1) != 1:
        raise ValueError(f"`{name}` must have one dimension. Received: shape {values.shape}")
    values = list(values.numpy() if isinstance(values, tf.Tensor) else values)
    if not values:
        raise ValueError(f"`{name}` must not be empty. Received: an empty list")
    return values


def check_texts(name, texts):
    """Texts as a flat list of ``bytes``; raises an error that names what is wrong.

    Args:
        name: the argument's name, for the message.
        texts: a list, tuple, NumPy array or string tensor of texts, one-dimensional.

    Raises:
        TypeError: ``texts`` is one string or no sequence, or an entry is not a string.
        ValueError: ``texts`` is empty or has more than one dimension.
    """
    texts = check_column(name, texts)
    for index, text in enumerate(texts):
        if not isinstance(text, (str, bytes)):
            raise TypeError(
                f"`{name}` must hold strings only. Received: {name}[{index}]={_short(text)}"
            )
    # Lone surrogates, as in "\ud800", have no UTF-8 form; they get the mark of a damaged character.
    return [t.encode("utf-8", "replace") if isinstance(t, str) else bytes(t) for t in texts]


def check_count(name, value):
    """Raises ValueError unless ``value`` is an int of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"`{name}` must be an int of at least 1. Received: {name}={value!r}")


def batched_by_length(texts, lengths, batch_size, run):
    """Runs a verb over texts in batches of like length; the results in the order of the texts.

    Args:
        texts: list of ``bytes``.
        lengths: a number for each text that grows with its length.
        batch_size: int, texts in a batch.
        run: function of a string tensor ``[batch]`` to an iterable of a result for each row.

    Returns:
        A list of what ``run`` gave.
    """
    # Little padding, and no row waits long for its batch.
    order = np.argsort(lengths, kind="stable")
    results = [None] * len(texts)
    for start in range(0, len(texts), batch_size):
        rows = order[start : start + batch_size]
        batch = tf.constant([texts[row] for row in rows])
        for row, result in zip(rows, run(batch), strict=True):
            results[row] = result
    return results


def _short(value):
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
