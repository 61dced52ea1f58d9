"""What every model of the zoo shares: raw data in `fit` and `evaluate`, the verb, signatures."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from zoo.graphs.collector import relaxed_collector
from zoo.graphs.verbs import TRACING, VerbGraph
from zoo.layers.custom_gradient import unregistered_gradients
from zoo.models.answers import Answers, first_texts
from zoo.models.checks import check_count
from zoo.models.columns import Column, read_columns
from zoo.models.copies import CopiedWhole, check_checkpoints
from zoo.models.forking import check_process
from zoo.models.fused_adam import FusedAdam
from zoo.models.one_batch import OneBatch
from zoo.models.progress import progress_bar
from zoo.models.raw_data import RawData, check_epochs, in_epochs
from zoo.models.raw_rows import is_in_memory
from zoo.provenance import Provenance

if TYPE_CHECKING:
    from zoo.reports.base import Report


@dataclass(frozen=True)
class Signature:
    """One entry point of an exported model.

    Attributes:
        function: Called with keyword tensors named as in `inputs`; returns a dict of tensors
            whose first dimension is the batch.
        inputs: Pinned input names and their specs, batch first.
        examples: One small real request: warm-up of a server, and verification of an export.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, tf.TensorSpec]
    examples: dict[str, np.ndarray] = field(repr=False)


class ZooModel(CopiedWhole, OneBatch, keras.Model):
    """A network that takes raw data of any kind: texts, lists of tokens, pictures, numbers.

    A subclass, registered by `@zoo.register`, gives:

    - `task`: The name of its verb, a method: `"translate"`, `"classify"`, `"tag"`. The verb calls
      `answers`, which holds the contract that all verbs share.
    - `columns`: The raw columns that it is trained on, a tuple of `Column`: one, two or more.
    - `verb_column`: The column that its verb and its signatures read; by default the first.
    - `network_inputs`: Specs of what `call` takes, by name, batch first.
    - `preprocess(*columns)`: Raw tensors `[batch, ...]` to `(inputs, targets)` or `(inputs,
      targets, sample_weight)`, TensorFlow operations only. `fit` maps it over `tf.data`; the
      verb and the exported signatures use its parts: there is no second way for the data.
    - `configuration`: The arguments of its network, plain values.
    - `head_arguments` and `head_layers`: The arguments that name the user's own classes, and
      the attributes of the layers that are learnt anew when one of them changes (`zoo.load`).
      `head_defaults` are arguments that speak of these classes, and what they are for other ones.
    - `assets()` and `from_assets(config, assets)`: Files beside the weights.
    - `signatures()`: What is exported.
    - `former_weights`: Paths in weight files of older presets, to those of today.

    `__init__` ends with `finish`, which makes the variables and compiles.
    """

    task: str
    columns: tuple[Column, ...]
    network_inputs: ClassVar[dict[str, tf.TensorSpec]]
    configuration: dict[str, Any]
    head_arguments: tuple[str, ...] = ()
    head_layers: tuple[str, ...] = ()
    head_defaults: ClassVar[dict[str, Any]] = {}
    former_weights: ClassVar[dict[str, str]] = {}
    # What `preprocess` goes by where it knows several ways, as a tagger's does.
    reading: str | None = None
    # Whether the graphs of its verb are kept in the user's cache; `zoo.load` says so.
    keeps_graphs = False

    def __init__(self, **kwargs: Any) -> None:
        check_process()
        super().__init__(**kwargs)
        # Recurrent loops over growing TensorLists are not for XLA on a CPU.
        self.supports_jit = False
        self._graphs = {}
        # What a card tells of how it came about.
        self.provenance = Provenance()

    def finish(self, learning_rate: float, **compile_arguments: Any) -> None:
        """Creates all variables, and compiles with defaults that suit fine-tuning.

        Args:
            learning_rate: Of Adam, with gradients clipped to a norm of 1.
            **compile_arguments: What else `keras.Model.compile` takes, such as `loss`.
        """
        self.build()
        optimizer = FusedAdam(learning_rate, global_clipnorm=1.0)
        self.compile(optimizer=optimizer, **compile_arguments)

    def build(self, input_shape: object = None) -> None:
        """Creates all variables, by running the network once; `finish` calls it.

        Args:
            input_shape: Not used: `network_inputs` tells the shapes.
        """
        inputs = {
            name: tf.zeros([1 if size is None else size for size in spec.shape], spec.dtype)
            for name, spec in self.network_inputs.items()
        }
        # Not `self(inputs)`, before which Keras would trace the network for the variables' shapes.
        self.call(inputs)

    @property
    def verb_column(self) -> Column:
        """What the verb reads: the first of the columns unless the model says otherwise."""
        return self.columns[0]

    # Raw data.

    def fit(
        self,
        x: object = None,
        y: object = None,
        batch_size: int = 32,
        validation_split: float = 0.0,
        validation_data: object = None,
        shuffle: bool = True,
        sample_weight: object = None,
        validation_batch_size: int | None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains on raw data, in whatever form it is.

        Args:
            x: The first raw column: a list, array, pandas Series or tensor of entries. Or all
                columns by name (see `columns`): a dict or a data frame. Or a `tf.data.Dataset` of
                raw rows or batches, tuples or dicts by name, a third column being weights; or a
                generator or `keras.utils.PyDataset` of such rows or batches. For those who
                preprocess themselves: any of these of what `preprocess` gives.
            y: The last raw column, one entry for each of `x`; None where `x` has it.
            batch_size: Rows in a batch.
            validation_split: Share of the rows, the last ones, that is kept for validation; only
                of lists and arrays, and without `validation_data`.
            validation_data: `(x, y)`, `(x, y, sample_weight)`, or what `x` may be.
            shuffle: Shuffle lists and arrays at each epoch.
            sample_weight: How much each row counts in the loss, a number for each of `x`; None
                where `x` has weights itself.
            validation_batch_size: Rows in a batch of validation; `batch_size` if it is None.
            **kwargs: What else `keras.Model.fit` takes (`epochs`, `callbacks`, ...). With
                `steps_per_epoch`, lists and arrays begin anew where they end, in the midst of an
                epoch too.

        Returns:
            The history of losses and metrics.

        Raises:
            TypeError: Entries of a wrong type.
            ValueError: No rows, columns of different lengths, or what the model refuses.
            NotImplementedError: A `ModelCheckpoint` that would save more than weights.
        """
        return self._fit(
            self._raw_data(),
            None,
            x,
            y,
            batch_size=batch_size,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            sample_weight=sample_weight,
            validation_batch_size=validation_batch_size,
            **kwargs,
        )

    def _fit(
        self,
        raw: RawData,
        weigh: Callable[[object], object] | None,
        x: object,
        y: object,
        *,
        batch_size: int,
        validation_split: float,
        validation_data: object,
        shuffle: bool,
        sample_weight: object,
        validation_batch_size: int | None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """As `fit`, with `raw` to read the data; `weigh` puts more weights on training batches."""
        check_checkpoints(kwargs.get("callbacks"))
        check_count("batch_size", batch_size)
        if validation_batch_size is None:
            validation_batch_size = batch_size
        check_count("validation_batch_size", validation_batch_size)
        held_out = validation_data
        if validation_split and validation_data is None:
            data, validation_data = raw.split(
                x,
                y,
                sample_weight,
                validation_split,
                batch_size,
                shuffle,
                validation_batch_size,
            )
        else:
            check_epochs(x, validation_data, **kwargs)
            data = raw.batches(x, y, sample_weight, batch_size, shuffle)
            validation_data = raw.validation(validation_data, validation_batch_size)
        if weigh:
            data = weigh(data)
        data, kwargs["steps_per_epoch"] = in_epochs(
            data, x, kwargs.get("steps_per_epoch"), endless=is_in_memory(x)
        )
        validation_data, kwargs["validation_steps"] = in_epochs(
            validation_data, held_out, kwargs.get("validation_steps")
        )
        if self.optimizer and not self.optimizer.built:
            # Keras would do it while it traces a step, which TensorFlow then traces once more.
            self.optimizer.build(self.trainable_variables)
        told = {"batch_size": batch_size, "callbacks": kwargs.get("callbacks")}
        told["validation_split"] = validation_split
        with raw.errors(), self.provenance.fitting(self, x, told):
            return super().fit(data, validation_data=validation_data, shuffle=False, **kwargs)

    def evaluate(
        self,
        x: object = None,
        y: object = None,
        batch_size: int = 32,
        sample_weight: object = None,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on raw data; arguments as of `fit`."""
        return self._evaluate(self._raw_data(), x, y, batch_size, sample_weight, **kwargs)

    def _evaluate(
        self,
        raw: RawData,
        x: object = None,
        y: object = None,
        batch_size: int = 32,
        sample_weight: object = None,
        **kwargs: Any,
    ) -> Any:
        """As `evaluate`, with `raw` to read the data."""
        if kwargs.get("_use_cached_eval_dataset"):
            # Keras, from `fit`: it has an iterator over this, which is preprocessed already.
            return super().evaluate(x, y, **kwargs)
        data = raw.batches(x, y, sample_weight, batch_size)
        data, kwargs["steps"] = in_epochs(data, x, kwargs.get("steps"))
        with raw.errors():
            return super().evaluate(data, **kwargs)

    def evaluate_report(
        self,
        x: object,
        y: object = None,
        batch_size: int = 64,
        progress: bool = True,
        **options: Any,
    ) -> "Report":
        """How good the model is on raw data: scores by class, what it confuses, BLEU, perplexity.

        The rows go through the verb, as a user's do. `zoo.save` puts the last report into the
        folder's card, unless the weights have changed since.

        Args:
            x: As of `fit`, raw: lists, arrays, data frames, dicts, data sets, generators.
            y: As of `fit`.
            batch_size: Rows read together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.
            **options: Of a model that writes text: `beam_size`, 5 unless told, and `tokenize`, how
                sacreBLEU splits words: `"13a"` unless told, `"zh"`, `"char"` and others. Of a
                classifier: `labels_are_numbers`, as of `fit`. Of a forecaster: `interval`.

        Returns:
            A `zoo.reports.base.Report` of the model's kind: `print` it, or take its `to_dict()` or
            `plot()`. Of a classifier a `ClassificationReport`, or `MultiLabelReport`; of a tagger
            a `TaggingReport`; of a translator and its like a `WritingReport`; of a language
            model a `LanguageModelReport`; of a forecaster a `ForecastReport`.

        Raises:
            TypeError: Entries of a wrong type, or an option that this kind has not.
            ValueError: No rows, columns of different lengths, or what the model refuses.
            NotImplementedError: There is no report for models of this kind.
            ImportError: The library that counts is not installed: `rnn-zoo[training]`.

        Example:
            >>> report = model.evaluate_report(test_texts, test_labels)
            >>> print(report)
            >>> report.classes["bug"].recall, report.plot("report.png")
        """
        return self._report(self._raw_data(), x, y, batch_size, progress, **options)

    def _report(
        self,
        raw: RawData,
        x: object,
        y: object = None,
        batch_size: int = 64,
        progress: bool = True,
        **options: Any,
    ) -> "Report":
        """As `evaluate_report`, with `raw` to read the data."""
        from zoo.reports.measuring import measure

        check_count("batch_size", batch_size)
        report = measure(self, raw, x, y, batch_size, progress, **options)
        self.provenance.measured(self.get_weights(), report.to_dict())
        return report

    def train_step(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a training step as Keras does, and leaves no gradient in TensorFlow's registry."""
        # Keras calls it when it traces, so that this is as long as Python is at it.
        with unregistered_gradients(), relaxed_collector():
            return super().train_step(*args, **kwargs)

    def compute_metrics(
        self,
        x: dict[str, tf.Tensor],
        y: tf.Tensor,
        y_pred: tf.Tensor,
        sample_weight: tf.Tensor | None = None,
    ) -> dict:
        """The loss and the metrics given to `compile`, of what is no padding.

        Where weights are of tokens, metrics get those of a weight above 0 alone: `[tokens]`.
        """
        if len(self.metrics) > 1 and _of_tokens(sample_weight, y_pred):
            real = sample_weight > 0
            y, y_pred, sample_weight = (
                tf.boolean_mask(of, real) for of in (y, y_pred, sample_weight)
            )
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def mean_loss(self, losses: tf.Tensor) -> tf.Tensor:
        """For a `compute_loss` of the model's own: the mean, and what is added to it.

        Args:
            losses: Of rows or tokens, float `[n]`, weighted.

        Returns:
            Their mean with what regularizers and `add_loss` give, a scalar.
        """
        return tf.add_n([tf.reduce_mean(losses), *map(tf.reduce_sum, self.losses)])

    def raw_columns(self, *given: object) -> tuple[tf.Tensor | tf.RaggedTensor, ...]:
        """The raw columns that `fit` and `evaluate` were given, checked.

        Args:
            *given: What the user gave for each of `columns`.

        Returns:
            A tensor or `RaggedTensor` of each, one row for each entry.

        Raises:
            TypeError: What is wrong, naming the column and the entry.
            ValueError: Likewise.
        """
        return read_columns(self.columns, *given)

    def _raw_data(self) -> RawData:
        check_process()
        # A graph of its own for each way to read, which is not traced again at each call.
        key, prepare = ("prepare", self.reading), tf.function(self._prepare, autograph=False)
        prepare = self._graphs.setdefault(key, prepare)
        return RawData(self.columns, self.raw_columns, self.network_inputs, prepare)

    def _prepare(self, *columns: tf.Tensor) -> tuple:
        """What `preprocess` gives; each row's weight is multiplied into weights of its tokens."""
        count = len(self.columns)
        inputs, targets, *weights = self.preprocess(*columns[:count])
        if len(columns) > count:
            sample_weight = tf.cast(columns[count], tf.float32)
            # The weights of a model may be of rows, of tokens, of pixels.
            weights = [
                tf.einsum("i,i...->i...", sample_weight, tf.cast(weight, tf.float32))
                for weight in weights
            ] or [sample_weight]
        return inputs, targets, *weights

    # The verb.

    def answers(
        self,
        entries: object,
        run: Callable[[tf.Tensor, np.ndarray], Iterable],
        batch_size: int = 64,
        progress: bool = True,
        lengths: Callable[[tf.Tensor], np.ndarray] | None = None,
    ) -> Any:
        """What all verbs promise: a list in, a list of answers in its order; one in, one out.

        Entries of like length are read together, so there is little padding and no row waits long
        for its batch. On a terminal a bar shows progress after two seconds. Whatever stops it,
        Ctrl-C too, nothing of the model has changed.

        Args:
            entries: A list, array or tensor of entries of `verb_column`, or a single one.
            run: `(batch of entries, their places in the list) -> an answer for each row`.
            batch_size: Entries read together. It changes speed and memory, never a result.
            progress: Whether a bar may be shown.
            lengths: `(entries as a tensor) -> numbers` that grow with their lengths, in which the
                model may refuse some; by default the bytes of strings.

        Returns:
            A list of what `run` gave, which a notebook shows as a table, or one of them.

        Raises:
            TypeError: An entry of a wrong type.
            ValueError: An empty list, or `batch_size` below 1.
        """
        check_process()
        check_count("batch_size", batch_size)
        column = self.verb_column
        one = column.is_entry(entries)
        rows = column.read(column.name, [entries] if one else entries)
        if lengths is None:
            lengths = tf.strings.length if column.dtype == tf.string else _counted
        order = np.argsort(lengths(rows), kind="stable")
        results = [None] * len(order)
        with progress_bar(self.task, len(order), progress) as advance:
            for start in range(0, len(order), batch_size):
                places = order[start : start + batch_size]
                for place, result in zip(places, run(tf.gather(rows, places), places), strict=True):
                    results[place] = result
                advance(len(places))
        texts = () if column.reads_files else first_texts(rows)
        return results[0] if one else Answers(results, texts)

    def run_graph(
        self,
        function: Callable[..., dict[str, tf.Tensor]],
        batch: Any,
        specs: Any = None,
        **options: Any,
    ) -> dict[str, np.ndarray]:
        """Runs `function(batch, **options)`, traced once for batches of all sizes.

        Args:
            function: A method of this model that takes a batch of entries and gives a dict of
                tensors.
            batch: A tensor or `RaggedTensor`, `[batch, ...]`, or a tuple of several.
            specs: What `batch` is, a spec or a tuple of them; by default a batch of `verb_column`.
            **options: Plain values; each combination has a graph of its own.

        Returns:
            The dict, of NumPy arrays.
        """
        specs = specs or self.verb_column.batch_spec
        specs = specs if isinstance(specs, tuple) else (specs,)
        batch = batch if isinstance(batch, tuple) else (batch,)
        key = (function, specs, *sorted(options.items()))
        if key not in self._graphs:
            with TRACING:
                if key not in self._graphs:  # another thread may have come first
                    self._graphs[key] = VerbGraph(self, function, specs, options)
        return {name: value.numpy() for name, value in self._graphs[key](*batch).items()}

    def console_answers(self, entries: list) -> list:
        """What `zoo run` shows: a `zoo.drawing.answers.Answer` for each entry.

        A subclass takes the options of the command line that mean something to it by name
        (`beam_size`, `attention`, `page`), and draws what they ask for.
        """
        from zoo.drawing.answers import plain_answers

        return plain_answers(self, entries)

    def summary(
        self,
        line_length: int | None = None,
        print_fn: Callable[[str], None] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
    ) -> None:
        """Prints the layers by the names that the code has for them, and how large they are.

        The parameters of the rows add up to the total: weights that several layers use are counted
        once.

        Args:
            line_length: Characters of a line; by default the terminal's.
            print_fn: What the text is given to instead of the terminal, in one piece.
            expand_nested: Also show what is inside the layers; these rows are part of the one
                above.
            show_trainable: Also show which are trained.
        """
        from zoo.models.summary import print_summary

        print_summary(self, line_length, print_fn, expand_nested, show_trainable)

    # Serving and files.

    def signature(
        self, function: Callable[..., dict[str, tf.Tensor]], examples: Iterable
    ) -> Signature:
        """A signature whose only input is `verb_column`, under the name of that argument.

        Args:
            function: Takes the batch by the column's `wire_name`.
            examples: A few real entries.
        """
        column = self.verb_column
        spec = tf.TensorSpec(column.batch_spec.shape, column.dtype, name=column.wire_name)
        dtype = object if column.dtype == tf.string else column.dtype.as_numpy_dtype
        return Signature(
            function, {column.wire_name: spec}, {column.wire_name: np.array(examples, dtype)}
        )


def _of_tokens(sample_weight: tf.Tensor | None, y_pred: tf.Tensor) -> bool:
    """Whether weights are of tokens, `[batch, time]`, of which the model says more than a number.

    Those of several labels of a text are `[batch, labels]` as well, but so is what is said of them.
    """
    if sample_weight is None or sample_weight.shape.rank is None:
        return False
    return 1 < sample_weight.shape.rank < y_pred.shape.rank


def _counted(entries: tf.Tensor | tf.RaggedTensor) -> np.ndarray:
    """The length of each entry along its first dimension; 0 where all are alike."""
    if isinstance(entries, tf.RaggedTensor):
        return entries.row_lengths().numpy()
    return np.zeros(entries.shape[0])
