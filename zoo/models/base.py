"""What every model of the zoo shares: raw data in ``fit`` and ``evaluate``, signatures, config."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from zoo.models.raw_data import check_column, check_texts, is_raw, short, split_rows, three_columns


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

    def fit(
        self,
        x=None,
        y=None,
        batch_size=32,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        sample_weight=None,
        **kwargs,
    ):
        """Train on raw data.

        Args:
            x: list, array or string tensor of raw entries (texts; lists of tokens); or a
                ``tf.data.Dataset`` of raw columns ``(x, y)`` or ``(x, y, sample_weight)``, batched
                or not, whose ``x`` are strings; or, for those who preprocess themselves, a data set
                or generator of what :meth:`preprocess` gives.
            y: list, array or tensor, one entry for each of ``x``; None with a data set.
            batch_size: int, rows in a batch.
            validation_split: share of the rows, the last ones, that is kept for validation; only
                of lists and arrays, and without ``validation_data``.
            validation_data: ``(x, y)``, ``(x, y, sample_weight)`` or a data set, as above.
            shuffle: shuffle lists and arrays at each epoch.
            sample_weight: how much each row counts in the loss, a number for each of ``x``; None
                with a data set, which has them as its third column.
            **kwargs: what else ``keras.Model.fit`` takes (``epochs``, ``callbacks``, ...).

        Returns:
            ``keras.callbacks.History``.

        Raises:
            TypeError: entries of a wrong type.
            ValueError: no rows, columns of different lengths, or what the model refuses.
        """
        if validation_split and validation_data is None:
            columns = self._columns(x, y, sample_weight)
            train, held_out = split_rows(columns, validation_split)
            data = self._batches(train, batch_size, shuffle)
            validation_data = self._batches(held_out, batch_size)
        else:
            data = self._dataset(x, y, sample_weight, batch_size, shuffle)
            if isinstance(validation_data, (tuple, list)):
                validation_data = self._dataset(*three_columns(validation_data), batch_size)
            elif validation_data is not None:
                validation_data = self._dataset(validation_data, None, None, batch_size)
        if self.optimizer and not self.optimizer.built:
            # Keras would do it while it traces a step, which TensorFlow then traces once more.
            self.optimizer.build(self.trainable_variables)
        return super().fit(data, validation_data=validation_data, shuffle=False, **kwargs)

    def evaluate(self, x=None, y=None, batch_size=32, sample_weight=None, **kwargs):
        """Loss and metrics on raw data; arguments as in :meth:`fit`."""
        # Keras calls this from `fit` for validation, with a data set that is preprocessed already.
        return super().evaluate(self._dataset(x, y, sample_weight, batch_size), **kwargs)

    def predict(self, x, *args, **kwargs):
        """What the network gives for preprocessed inputs; for raw data there is the verb.

        Args:
            x: a data set or generator of the inputs that :meth:`preprocess` gives.
            *args, **kwargs: what else ``keras.Model.predict`` takes.

        Raises:
            TypeError: raw data, or any lists.
        """
        if is_raw(x) or isinstance(x, (list, tuple)):
            raise TypeError(
                f"`predict` takes preprocessed inputs; for raw data use `model.{self.task}(...)`. "
                f"Received: x={short(x)}"
            )
        return super().predict(x, *args, **kwargs)

    def save(self, *args, **kwargs):
        """Refused: a ``.keras`` file would lack the vocabularies, and could not be loaded."""
        raise NotImplementedError(
            "A model of the zoo is saved with `zoo.save(model, folder)` and its weights alone with "
            "`model.save_weights(path)`, which ModelCheckpoint(..., save_weights_only=True) calls."
        )

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

    def _dataset(self, x, y, sample_weight, batch_size, shuffle=False):
        """Whatever was given as batches for Keras."""
        listed = isinstance(x, (list, tuple)) or is_raw(x) or y is not None
        if listed and not isinstance(x, tf.data.Dataset):
            return self._batches(self._columns(x, y, sample_weight), batch_size, shuffle)
        for name, column in ((self.raw_names[1], y), ("sample_weight", sample_weight)):
            if column is not None:
                raise ValueError(f"`{name}` must come in the data set. Received: {short(column)}")
        if not is_raw(x):
            return x
        spec = x.element_spec
        if not isinstance(spec, tuple) or len(spec) not in (2, 3):
            raise ValueError(
                f"A data set of raw data must have two columns, `{self.raw_names[0]}` and "
                f"`{self.raw_names[1]}`, or a third with weights. Received: {spec}"
            )
        ranks = [column.shape.rank for column in spec[:2]]
        one, batch = self.raw_rank, self.raw_rank + 1
        if None not in ranks and ranks not in ([one, one], [batch, batch]):
            raise ValueError(
                f"`{self.raw_names[0]}` and `{self.raw_names[1]}` of a data set must be rows of "
                f"rank {one} or batches of rank {batch}. Received: {spec}"
            )
        return self._preprocessed(x.ragged_batch(batch_size) if ranks[0] == one else x)

    def _columns(self, x, y, sample_weight):
        """Lists or arrays as tensors of equally many rows: two, or three with weights."""
        if isinstance(x, tf.data.Dataset):
            raise ValueError(
                "`validation_split` needs lists or arrays: of a data set give `validation_data`. "
                f"Received: x={short(x)}"
            )
        if y is None:
            raise ValueError(
                f"`{self.raw_names[1]}` must be given beside `{self.raw_names[0]}`. "
                f"Received: y=None and x={short(x)}"
            )
        names, columns = list(self.raw_names), list(self.raw_columns(x, y))
        if sample_weight is not None:
            names.append("sample_weight")
            columns.append(
                tf.constant(check_column(names[2], sample_weight, "numbers"), tf.float32)
            )
        rows = [column.shape[0] for column in columns]
        for name, count in zip(names[1:], rows[1:], strict=True):
            if count != rows[0]:
                raise ValueError(
                    f"`{names[0]}` and `{name}` must have one entry for each other. "
                    f"Received: {rows[0]} and {count} entries"
                )
        return tuple(columns)

    def _batches(self, columns, batch_size, shuffle=False):
        data = tf.data.Dataset.from_tensor_slices(columns)
        if shuffle:
            data = data.shuffle(columns[0].shape[0])
        return self._preprocessed(data.ragged_batch(batch_size))

    def _preprocessed(self, data):
        # A graph of its own, which is not traced again at each call.
        preprocess = self._graphs.setdefault(
            "preprocess", tf.function(self._weighted, autograph=False)
        )
        data = data.map(preprocess, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return data.prefetch(tf.data.AUTOTUNE)

    def _weighted(self, x, y, sample_weight=None):
        """What ``preprocess`` gives; each row's weight is multiplied into weights of its tokens."""
        inputs, targets, *weights = self.preprocess(x, y)
        if sample_weight is not None:
            sample_weight = tf.cast(sample_weight, tf.float32)
            weights = [weight * sample_weight[:, tf.newaxis] for weight in weights]
            weights = weights or [sample_weight]
        return inputs, targets, *weights

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
