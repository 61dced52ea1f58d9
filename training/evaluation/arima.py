"""Forecasts of a seasonal ARIMA by statsmodels, which a forecaster is compared with.

Box and Jenkins (1970); statsmodels' state space form of it, after Durbin and Koopman (2012).
"""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from zoo.extras import needed


class Order(NamedTuple):
    """What kind of ARIMA.

    Attributes:
        own: Order of the autoregression, of differences and of the moving average.
        seasonal: The same from season to season.
    """

    own: tuple[int, int, int]
    seasonal: tuple[int, int, int]

    def __str__(self) -> str:
        """As it is written: `(2,0,0)(0,1,1)`."""
        return "".join(f"({','.join(map(str, of))})" for of in self)


class Rolled(NamedTuple):
    """Forecasts from one origin after the other.

    Attributes:
        mean: Float `[origins, horizon]`.
        bounds: For each probability where the intervals begin and end, each likewise.
    """

    mean: np.ndarray
    bounds: dict[float, tuple[np.ndarray, np.ndarray]]


def rolled_forecasts(
    values: Sequence[float],
    first: int,
    horizon: int,
    period: int,
    order: Order,
    intervals: Sequence[float] = (),
) -> Rolled:
    """Forecasts from each origin from `first` on that has `horizon` numbers behind it.

    The parameters are fitted once, on all that comes before `first`; each origin has the state of
    all that comes before it.

    Args:
        values: The series.
        first: The place of the first number that is foretold.
        horizon: Steps that are foretold.
        period: Steps in a season.
        order: What kind of ARIMA.
        intervals: Probabilities of intervals.

    Raises:
        MissingExtraError: Statsmodels is not installed.
    """
    sarimax = needed("statsmodels.tsa.statespace.sarimax")
    values = np.asarray(values, float)
    model = sarimax.SARIMAX(
        values[:first], order=order.own, seasonal_order=(*order.seasonal, period)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on where the search for parameters starts
        fitted = model.fit(disp=False)
        means, bounds = [], {interval: [] for interval in intervals}
        for origin in range(first, len(values) - horizon + 1):
            found = fitted.apply(values[:origin]).get_forecast(horizon)
            means.append(found.predicted_mean)
            for interval in intervals:
                bounds[interval].append(found.conf_int(alpha=1 - interval))
    ends = {of: np.moveaxis(np.array(rows), 2, 0) for of, rows in bounds.items()}
    return Rolled(np.array(means), {of: (lower, upper) for of, (lower, upper) in ends.items()})
