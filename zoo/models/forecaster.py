"""How a series of numbers goes on: a forecaster's data, its verb, and what is exported of it.

The network stands in `zoo.models.seasonal_network`.
"""

from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.models.base import Signature
from zoo.models.checks import check_count
from zoo.models.labels import refuse_class_weight
from zoo.models.raw_rows import RawRows, ReadColumns, is_in_memory
from zoo.models.seasonal_network import SeasonalNetwork, finite_values
from zoo.models.series_column import (
    SERIES,
    check_lengths,
    last_windows,
    series_of,
    split_in_time,
    windows_of,
)
from zoo.registry import register

DEFAULT_INTERVAL = 0.9
LARGEST_INTERVAL = 0.99
_LEVEL = tf.TensorSpec([], tf.float32)


class Forecast(NamedTuple):
    """How a series goes on.

    Attributes:
        mean: float32 `[steps]`: what is expected, in the units of the series.
        lower: float32 `[steps]`: where the interval begins. None of a model whose errors were not
            measured, see `Forecaster.calibrate`.
        upper: float32 `[steps]`: where it ends; or None.
        interval: The probability with which each step is meant to lie in between.
    """

    mean: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    interval: float


@register
class Forecaster(SeasonalNetwork):
    """The next steps of a series of numbers.

    Args:
        period: As of `SeasonalNetwork`, as are those below.
        seasons: Likewise.
        horizon: Likewise.
        units: Likewise.
        dropout: Likewise.

    Call arguments:
        inputs: Dict of `steps` float32 `[batch, time, 2]`, see `make_inputs`.
        training: Whether units are dropped.

    Returns:
        float32 `[batch, horizon]`: what to add to the seasonal-naive forecast, in units of the
        window's scale.

    Raises:
        ValueError: A number that is too small.

    Example:
        >>> model = zoo.load("forecast")
        >>> model.forecast(monthly_temperatures).mean
    """

    task = "forecast"
    columns = (SERIES,)
    head_arguments = ("horizon", "period")
    head_layers = ("readout", "autoregression", "intervals")

    # Data.

    def raw_columns(self, *given: object) -> tuple[tf.Tensor, ...]:
        """As `ZooModel.raw_columns`: every window of the series, each a row.

        Returns:
            float32 `[windows, window + horizon]`.

        Raises:
            ValueError: A series that is shorter than that, besides what `ZooModel.raw_columns`
                raises.
        """
        (series,) = super().raw_columns(*given)
        return (self._cut(series),)

    def _cut(self, series: tf.RaggedTensor) -> tf.Tensor:
        why = f"{self.window} to look at and {self.horizon} to foretell"
        check_lengths("series", series, self.window + self.horizon, why)
        return windows_of(series, self.window + self.horizon)

    def _prepare(self, *columns: tf.Tensor) -> tuple:
        _refuse_weights(columns[1] if len(columns) > 1 else None)  # of a data set
        return super()._prepare(*columns)

    def fit(
        self,
        x: object = None,
        y: None = None,
        batch_size: int = 32,
        validation_split: float = 0.0,
        validation_data: object = None,
        shuffle: bool = True,
        sample_weight: None = None,
        class_weight: None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains on series, and takes prediction intervals from the errors on those held out.

        Args:
            x: A list of series, or one; or whatever else `ZooModel.fit` takes. Each window of a
                series is a row.
            y: Must be left out.
            batch_size: Windows in a batch; of a data set, series.
            validation_split: The share of each series, the latest numbers, that is kept to
                validate on.
            validation_data: Series to validate on, each with the window before what is foretold.
            shuffle: Shuffle the windows at each epoch.
            sample_weight: Must be left out: windows count alike.
            class_weight: Must be left out.
            **kwargs: As of `ZooModel.fit`.

        Returns:
            The history of losses; a loss is of errors in units of each window's scale.

        Raises:
            TypeError: Something is no series of numbers.
            ValueError: A series that is too short, or a number that is missing or not finite.
        """
        refuse_class_weight(class_weight, "numbers have no classes", "Leave it out")
        _refuse_weights(sample_weight)
        if is_in_memory(x):
            series = self._whole(x, y)
            if validation_split and validation_data is None:
                series, validation_data = split_in_time(
                    series, validation_split, self.window, self.horizon
                )
            x, y, validation_split = ReadColumns([self._cut(series)]), None, 0.0
        held_out = None
        if validation_data is not None and is_in_memory(validation_data):
            held_out = self._cut(self._whole(validation_data, None))
            validation_data = ReadColumns([held_out])
        before = getattr(self, "history", None)
        try:
            history = super().fit(
                x, y, batch_size, validation_split, validation_data, shuffle, **kwargs
            )
        finally:
            if getattr(self, "history", None) is not before:
                self.intervals.forget()  # another model's errors
        if held_out is not None:
            self._calibrate(held_out)
        return history

    def _whole(self, x: object, y: object) -> tf.RaggedTensor:
        """Series in memory, in any form, before they are cut."""
        if isinstance(x, tuple) and len(x) == 1:
            (x,) = x
        (series,) = RawRows(self.columns, super().raw_columns).in_memory(x, y, None)
        return series

    def evaluate(
        self,
        x: object = None,
        y: None = None,
        *args: Any,
        sample_weight: None = None,
        **kwargs: Any,
    ) -> Any:
        """The loss on series; arguments as of `fit`."""
        _refuse_weights(sample_weight)
        return super().evaluate(x, y, *args, **kwargs)

    def calibrate(self, series: object) -> None:
        """Takes prediction intervals from the errors on series that the model has not learnt from.

        `fit` does it with what is held out. The intervals are saved with the weights.

        Args:
            series: A list of series, or one, each with the window before what is foretold.

        Raises:
            TypeError: Something is no series of numbers.
            ValueError: Series that are too short, or have fewer than 10 windows together.
        """
        self._calibrate(self._cut(self._whole(series, None)))

    def _calibrate(self, windows: tf.Tensor) -> None:
        self.intervals.measure(self.scaled_errors(windows))

    def scaled_errors(self, windows: tf.Tensor, batch_size: int = 256) -> np.ndarray:
        """What is missed, in units of each window's scale.

        Args:
            windows: float32 `[windows, window + horizon]`.
            batch_size: Windows read together.

        Returns:
            float32 `[windows, horizon]`.
        """
        spec = tf.TensorSpec([None, self.window + self.horizon], tf.float32)
        starts = range(0, windows.shape[0], batch_size)
        parts = (windows[start : start + batch_size] for start in starts)
        return np.concatenate([self.run_graph(self._errors, of, spec)["errors"] for of in parts])

    def _errors(self, windows: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs, targets = self.preprocess(windows)
        return {"errors": targets - self(inputs, training=False)}

    # The verb.

    def forecast(
        self,
        series: Any,
        steps: int | None = None,
        interval: float = DEFAULT_INTERVAL,
        batch_size: int = 256,
        progress: bool = True,
    ) -> Any:
        """Says how series go on.

        Args:
            series: A list of series, or one: a list, an array or a pandas Series of numbers in
                equal steps of time, the oldest first. The last `window` of them count.
            steps: How many steps to say, at most `horizon`; by default all.
            interval: The probability with which each step shall lie between `lower` and `upper`,
                above 0 and at most 0.99.
            batch_size: Series read together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            A list of `Forecast`, or one.

        Raises:
            TypeError: Something is no series of numbers.
            ValueError: An empty list, a series shorter than the window, a number that is missing
                or not finite, `steps` or `interval` out of their range.

        Example:
            >>> answer = model.forecast(series, interval=0.8)
            >>> answer.mean, answer.lower, answer.upper
        """
        steps = self.horizon if steps is None else steps
        self._check_options(steps, interval)
        known = self.intervals.known
        specs = (self.verb_column.batch_spec, _LEVEL)

        def lengths(rows: tf.RaggedTensor) -> np.ndarray:
            why = f"{self.window // self.period} seasons of {self.period} to look at"
            check_lengths("series", rows, self.window, why)
            return np.zeros(rows.nrows())  # only the window is read

        def run(batch: tf.RaggedTensor, places: np.ndarray) -> list[Forecast]:
            found = self.run_graph(self._of_series, (batch, tf.constant(interval)), specs)
            means, lower, upper = (found[name][:, :steps] for name in ("forecast", *_BOUNDS))
            return [
                Forecast(mean, *((low, high) if known else (None, None)), interval)
                for mean, low, high in zip(means, lower, upper, strict=True)
            ]

        return self.answers(series, run, batch_size, progress, lengths)

    def _check_options(self, steps: int, interval: float) -> None:
        check_count("steps", steps)
        if steps > self.horizon:
            raise ValueError(
                f"`steps` must be at most {self.horizon}, the model's horizon. For more load it "
                f'with another, `zoo.load("forecast", horizon={steps})`, and train that. '
                f"Received: steps={steps}"
            )
        number = isinstance(interval, int | float | np.number) and not isinstance(interval, bool)
        if not number or not 0 < interval <= LARGEST_INTERVAL:
            raise ValueError(
                f"`interval` must be above 0 and at most {LARGEST_INTERVAL}. "
                f"Received: interval={interval!r}"
            )

    def _of_series(self, series: tf.RaggedTensor, interval: tf.Tensor) -> dict[str, tf.Tensor]:
        past = last_windows(series, self.window)
        return self._of_windows(past, tf.fill([tf.shape(past)[0]], interval))

    def _of_windows(self, past: tf.Tensor, interval: tf.Tensor) -> dict[str, tf.Tensor]:
        past = finite_values(past)
        naive, scale = self.seasonal_naive(past)
        mean = naive + scale * self(self.make_inputs(past), training=False)
        reach = scale * self.intervals.half_widths(interval)
        return {"forecast": mean, "lower": mean - reach, "upper": mean + reach}

    def console_answers(
        self,
        entries: list,
        steps: int | None = None,
        interval: float | None = None,
        plot: Path | None = None,
    ) -> list:
        """As `ZooModel.console_answers`, of files with a series, or numbers as text."""
        from zoo.drawing.answers import forecast_answers

        interval = DEFAULT_INTERVAL if interval is None else interval
        series = [series_of(entry) for entry in entries]
        return forecast_answers(self, entries, series, steps, interval, plot)

    # Serving.

    def signatures(self) -> dict[str, Signature]:
        """What goes over the wire: the last `window` values of each series.

        - `serving_default`: `values` `[batch, window]` to `forecast` `[batch, horizon]`; where the
          errors were measured, also to `lower` and `upper`, between which a step lies with a
          probability of 90 %.
        - `interval`: `values`, and `interval` `[batch]`, that probability, to the same; only where
          the errors were measured.
        """
        values = tf.TensorSpec([None, self.window], tf.float32, name="values")
        examples = {"values": self._example()[np.newaxis]}
        known = self.intervals.known

        def default(values: tf.Tensor) -> dict[str, tf.Tensor]:
            found = self._of_windows(values, tf.fill([tf.shape(values)[0]], DEFAULT_INTERVAL))
            return found if known else {"forecast": found["forecast"]}

        signatures = {"serving_default": Signature(default, {"values": values}, examples)}
        if known:
            level = tf.TensorSpec([None], tf.float32, name="interval")
            signatures["interval"] = Signature(
                lambda values, interval: self._of_windows(values, interval),
                {"values": values, "interval": level},
                {**examples, "interval": np.array([0.8], np.float32)},
            )
        return signatures

    def _example(self) -> np.ndarray:
        """A season of its own, and a rise: float32 `[window]`."""
        time = np.arange(self.window)
        wave = np.sin(2 * np.pi * time / max(self.period, 2))
        return np.round(20 + 3 * wave + 0.05 * time, 2).astype(np.float32)

    # Files.

    def assets(self) -> dict[str, bytes]:
        """There are none beside the weights."""
        return {}

    @classmethod
    def from_assets(cls, config: dict[str, Any], assets: dict[str, bytes]) -> "Forecaster":
        """The model of `get_config`, with fresh weights."""
        return cls(**config)


_BOUNDS = ("lower", "upper")


def _refuse_weights(sample_weight: object) -> None:
    if sample_weight is not None:
        raise ValueError(
            "`sample_weight` must be left out: the windows of a series count alike. To let a "
            "series count more, give it more than once"
        )
