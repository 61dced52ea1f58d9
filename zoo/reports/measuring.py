"""The rows through the model's verb, and the counting that is for its kind of model."""

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from zoo.reports.base import Report
from zoo.reports.classification import classification_report, multi_label_report
from zoo.reports.forecasting import forecast_report
from zoo.reports.language_modelling import LanguageModelReport, perplexity
from zoo.reports.tagging import tagging_report
from zoo.reports.writing import writing_report
from zoo.text.tags import to_bio

if TYPE_CHECKING:
    from zoo.models.base import ZooModel
    from zoo.models.raw_data import RawData

COMMON = {"model", "columns", "batch_size", "progress"}
SCORES_AT_ONCE = 8  # texts: a batch has scores of each of its words over the whole vocabulary


def measure(
    model: "ZooModel",
    raw: "RawData",
    x: object,
    y: object,
    batch_size: int,
    progress: bool,
    **options: Any,
) -> Report:
    """Runs the rows through the model and counts; see `ZooModel.evaluate_report`.

    Args:
        model: The model.
        raw: What reads its raw data.
        x: As of `ZooModel.fit`.
        y: As of `ZooModel.fit`.
        batch_size: Rows read together.
        progress: Whether a bar may be shown.
        **options: What the model's kind of report takes.
    """
    way = _way(model)
    known = inspect.signature(way).parameters.keys() - COMMON
    for name in options:
        if name not in known:
            raise TypeError(
                f"`evaluate_report` of a model that can {model.task} has no argument `{name}`, "
                f"only {', '.join(['x', 'y', 'batch_size', 'progress', *sorted(known)])}. "
                f"Received: {name}={options[name]!r}"
            )
    return way(model, read_rows(raw, x, y), batch_size, progress, **options)


def _way(model: "ZooModel") -> Callable[..., Report]:
    """How a model of this kind is measured."""
    if model.task == "classify" and hasattr(model, "labels"):
        return measure_classifier
    if hasattr(model, "tag_tokens"):
        return measure_tagger
    if hasattr(model, "token_losses"):
        return measure_language_model
    if hasattr(model, "write"):
        return measure_writer
    if hasattr(model, "seasonal_naive"):
        return measure_forecaster
    raise NotImplementedError(
        f"There is no report for models that {model.task}: give {type(model).__name__} a method "
        "`evaluate_report` that returns a zoo.reports.base.Report"
    )


def read_rows(raw: "RawData", x: object, y: object) -> tuple:
    """All rows as checked tensors or `RaggedTensor`s, one for each of the model's columns.

    Args:
        raw: What reads the model's raw data.
        x: As of `ZooModel.fit`, raw.
        y: As of `ZooModel.fit`.

    Raises:
        TypeError: Entries of a wrong type, or what is preprocessed already.
        ValueError: No rows, or weights of rows, which a report has no use for.
    """
    streamed = isinstance(x, tf.data.Dataset | keras.utils.PyDataset | Iterator)
    if not streamed:
        columns = raw.in_memory(x, y, None)
    else:
        if y is not None:
            raise ValueError("`y` must come in the data set. Received: both")
        columns = _collected(raw, x)
    if len(columns) > len(raw.rows.columns):
        raise ValueError(
            "A report counts each row once: leave the column `sample_weight` out. "
            f"Received: {len(columns)} columns"
        )
    return columns


def _collected(raw: "RawData", x: Any) -> tuple:
    """All rows of a data set, generator or `PyDataset`."""
    if isinstance(x, tf.data.Dataset):
        data = x if raw.is_prepared(x.element_spec) else raw.streams.from_dataset(x, 64)
    elif isinstance(x, keras.utils.PyDataset):
        data = raw.streams.from_py_dataset(x, 64)
    else:
        data = raw.streams.from_generator(x, 64)
    if not isinstance(data, tf.data.Dataset) or raw.is_prepared(data.element_spec):
        raise TypeError(
            "`evaluate_report` needs raw data, which the model reads as its verb does. "
            "Received: preprocessed batches"
        )
    with raw.errors():
        batches = list(data)
    if not batches:
        raise ValueError("`x` must not be empty. Received: a data set without rows")
    columns = [tf.concat(parts, axis=0) for parts in zip(*batches, strict=True)]
    kept, more = columns[: len(raw.rows.columns)], columns[len(raw.rows.columns) :]
    # Read once more: entries of a data set are checked by nobody but the graph.
    return (*raw.rows.read(*kept), *more)


def measure_classifier(
    model: "ZooModel", columns: tuple, batch_size: int, progress: bool
) -> Report:
    """Labels against labels."""
    entries, truth = columns
    answers = model.classify(entries, batch_size=batch_size, progress=progress)
    if getattr(model, "multi_label", False):
        given = _label_sets(truth, model.labels)
        return multi_label_report(given, [list(answer.chosen) for answer in answers], model.labels)
    return classification_report(
        _strings(truth), [answer.label for answer in answers], model.labels
    )


def measure_tagger(model: "ZooModel", columns: tuple, batch_size: int, progress: bool) -> Report:
    """Entities against entities, on the tokens that are given."""
    tokens, tags = columns
    gold = [to_bio(row) for row in _strings(tags)]
    return tagging_report(gold, model.tag_tokens(tokens), model.types)


def measure_writer(
    model: "ZooModel",
    columns: tuple,
    batch_size: int,
    progress: bool,
    beam_size: int | None = None,
    tokenize: str = "13a",
) -> Report:
    """Texts against texts."""
    from zoo.models.text_generator import DEFAULT_BEAM_SIZE

    entries, references = columns
    beam_size = DEFAULT_BEAM_SIZE if beam_size is None else beam_size
    verb = getattr(model, model.task)
    hypotheses = verb(entries, beam_size=beam_size, batch_size=batch_size, progress=progress)
    return writing_report(hypotheses, _strings(references), beam_size, tokenize)


def measure_language_model(
    model: "ZooModel", columns: tuple, batch_size: int, progress: bool
) -> Report:
    """How well each next word is foreseen."""
    (texts,) = columns
    order = np.argsort(tf.strings.length(texts), kind="stable")

    def batches() -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        for start in range(0, len(order), SCORES_AT_ONCE):
            rows = tf.gather(texts, order[start : start + SCORES_AT_ONCE])
            inputs, ids = model.preprocess(rows)
            yield ids, model.token_losses(inputs, ids)

    value, words, unknown = perplexity(batches())
    return LanguageModelReport(
        {"rows": len(order), "words": words, "unknown": unknown, "perplexity": value}
    )


def measure_forecaster(
    model: "ZooModel",
    columns: tuple,
    batch_size: int,
    progress: bool,
    interval: float | None = None,
) -> Report:
    """From each point of the series that has a window before it and numbers enough behind it."""
    from zoo.models.forecaster import DEFAULT_INTERVAL

    (windows,) = columns
    interval = DEFAULT_INTERVAL if interval is None else interval
    past, truth = windows[:, : model.window], windows[:, model.window :].numpy()
    answers = model.forecast(past, interval=interval, batch_size=batch_size, progress=progress)
    naive, _ = model.seasonal_naive(past)
    mean, lower, upper = (np.array(of) for of in list(zip(*answers, strict=True))[:3])
    bounds = (lower, upper) if model.intervals.known else None
    return forecast_report(truth, mean, naive.numpy(), bounds, bounds and interval)


def _label_sets(truth: tf.Tensor | tf.RaggedTensor, labels: list[str]) -> list[list[str]]:
    """The labels of each row: given by name, or as ones and zeros in the model's order."""
    if truth.dtype == tf.string:
        return [list(filter(None, row)) for row in _strings(truth)]
    return [[labels[i] for i in np.flatnonzero(row)] for row in truth.numpy() > 0.5]


def _strings(column: tf.Tensor | tf.RaggedTensor) -> list:
    """Strings of TensorFlow as Python's, in lists as they were."""
    ragged = isinstance(column, tf.RaggedTensor)
    return _decoded(column.to_list() if ragged else column.numpy().tolist())


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(entry) for entry in value]
    return value.decode("utf-8", "replace")
