"""The network of a forecaster: an LSTM regression on what a seasonal-naive forecast misses.

The lecture names series of numbers, prices and sound, among what a recurrent network is for. This
one looks at the last seasons of a series and says the next steps all at once::

    n_h = y of the season before            the seasonal-naive forecast
    q   = mean |y_t - y_{t-m}|              the scale, of the window, as in MASE (Hyndman and
                                            Koehler 2006); m is the period
    x_t = [(y_t - y_{t-m}) / q,  (y_t - mean of its season) / q]
    y_h = n_h + q (W LSTM(x) + A [x of the last season])_h

The network is asked only for what the seasonal-naive forecast misses, in units of the window: what
it learns of one series it can say of another of any size. The path `A` past the LSTM is the
autoregression of LSTNet (Lai et al. 2018, arXiv:1703.07015). Both paths begin as zeros, so an
untrained model gives the seasonal-naive forecast.
"""

from typing import ClassVar

import keras
import tensorflow as tf

from zoo.layers import BasicLSTMCell, DynamicRNN
from zoo.models.base import ZooModel
from zoo.models.checks import check_count
from zoo.models.prediction_intervals import PredictionIntervals
from zoo.models.series_column import FILL, windows_of


class SeasonalNetwork(ZooModel):
    """LSTM, autoregression beside it, and prediction intervals.

    Args:
        period: Steps in a season: 12 of monthly data with a yearly one; 1 for a series without.
        seasons: How many of them the network looks at, at least 2: its window is
            `seasons * period` steps.
        horizon: Steps that it says.
        units: Units of the LSTM.
        dropout: Share of the LSTM's last outputs dropped in training.

    Raises:
        ValueError: A number that is too small.
    """

    network_inputs: ClassVar = {"steps": tf.TensorSpec([None, None, 2], tf.float32)}

    def __init__(
        self,
        period: int = 12,
        seasons: int = 5,
        horizon: int = 12,
        units: int = 32,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        for name, value in (("period", period), ("horizon", horizon), ("units", units)):
            check_count(name, value)
        if isinstance(seasons, bool) or not isinstance(seasons, int) or seasons < 2:
            raise ValueError(f"`seasons` must be an int of at least 2. Received: {seasons!r}")
        # Layers.
        self.encoder = DynamicRNN(BasicLSTMCell(units))
        self.dropout = keras.layers.Dropout(dropout)
        self.readout = keras.layers.Dense(horizon, kernel_initializer="zeros")
        self.autoregression = keras.layers.Dense(
            horizon, kernel_initializer="zeros", use_bias=False
        )
        self.intervals = PredictionIntervals(horizon)
        # Configuration.
        self.configuration = {
            "period": period,
            "seasons": seasons,
            "horizon": horizon,
            "units": units,
            "dropout": dropout,
        }
        # Preprocessing.
        self.period, self.horizon, self.window = period, horizon, seasons * period
        self.finish(1e-3, loss="mse")

    def build(self, input_shape: object = None) -> None:
        """As `ZooModel.build`, on a window without change."""
        self.call({"steps": tf.zeros([1, self.window - self.period, 2])})

    def call(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """What to add to the seasonal-naive forecast, in units of each window's scale.

        Args:
            inputs: Dict of `steps` float32 `[batch, time, 2]`.
            training: Whether units are dropped.

        Returns:
            float32 `[batch, horizon]`.
        """
        steps = inputs["steps"]
        outputs, _ = self.encoder(steps, training=training)
        last = self.dropout(outputs[:, -1], training=training)
        season = tf.reshape(steps[:, -self.period :], [-1, 2 * self.period])
        return tf.cast(self.readout(last) + self.autoregression(season), tf.float32)

    def preprocess(self, series: tf.Tensor | tf.RaggedTensor) -> tuple[dict, tf.Tensor]:
        """Series, `[batch, (time)]`, to what `call` and the loss take of their windows."""
        if not isinstance(series, tf.RaggedTensor):
            series = tf.RaggedTensor.from_tensor(series)
        windows = windows_of(tf.cast(series, tf.float32), self.window + self.horizon)
        windows = finite_values(windows, series.row_lengths(), self.window + self.horizon)
        past, future = windows[:, : self.window], windows[:, self.window :]
        naive, scale = self.seasonal_naive(past)
        return self.make_inputs(past), (future - naive) / scale

    def seasonal_naive(self, past: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The forecast that repeats the last season, and the scale that errors are told in.

        Args:
            past: float32 `[batch, window]`.

        Returns:
            float32 `[batch, horizon]` and `[batch, 1]`; of a window without any change the scale
            is 1.
        """
        again = tf.range(self.horizon) % self.period + self.window - self.period
        scale = tf.reduce_mean(tf.abs(self._changes(past)), axis=1, keepdims=True)
        return tf.gather(past, again, axis=1), tf.where(scale > 0, scale, 1.0)

    def _changes(self, past: tf.Tensor) -> tf.Tensor:
        return past[:, self.period :] - past[:, : -self.period]

    def make_inputs(self, past: tf.Tensor) -> dict[str, tf.Tensor]:
        """What `call` takes of windows, float32 `[batch, window]`."""
        _, scale = self.seasonal_naive(past)
        by_season = tf.reshape(past, [-1, self.window // self.period, self.period])
        usual = tf.reduce_mean(by_season, axis=1, keepdims=True)
        apart = tf.reshape(by_season - usual, [-1, self.window])[:, self.period :]
        return {"steps": tf.stack([self._changes(past), apart], axis=2) / scale[:, :, tf.newaxis]}


def finite_values(values: tf.Tensor, lengths: tf.Tensor | None = None, least: int = 0) -> tf.Tensor:
    """The values; a graph fails where one is not finite, or a series too short."""
    message = f"`values` must be finite numbers. {FILL}."
    checks = [tf.debugging.Assert(tf.reduce_all(tf.math.is_finite(values)), [message])]
    if lengths is not None:
        message = f"`series` must have at least {least} numbers each. Received lengths:"
        checks.append(tf.debugging.Assert(tf.reduce_all(lengths >= least), [message, lengths]))
    with tf.control_dependencies([check for check in checks if check is not None]):
        return tf.identity(values)
