"""Reports on forecasters: errors against the seasonal-naive forecast, and what intervals cover."""

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.reports.base import Report
from zoo.reports.tables import Table, share

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ForecastReport(Report):
    """How well a forecaster foretells series, from each point of them that it can start at."""

    kind = "forecasting"

    @property
    def mae(self) -> float:
        """Mean absolute error, in the units of the series."""
        return self.figures["mae"]

    @property
    def rmse(self) -> float:
        """Root of the mean squared error, in the units of the series."""
        return self.figures["rmse"]

    @property
    def naive_mae(self) -> float:
        """What repeating the last season would have."""
        return self.figures["naive_mae"]

    @property
    def skill(self) -> float:
        """How much smaller the error is than the seasonal-naive one, in percent of that."""
        return self.figures["skill"]

    @property
    def coverage(self) -> float | None:
        """The share of the numbers that lay in the intervals, from 0 to 1; None without them."""
        return self.figures.get("coverage")

    def headline(self) -> str:
        """Error and skill."""
        return (
            f"{self.rows:,} forecasts of {self.figures['horizon']} steps, mean absolute error "
            f"{self.mae:.4g}, {self.skill:.1f} % less than seasonal-naive"
        )

    def tables(self) -> list[Table]:
        """The figures, and the error by step."""
        rows = [
            ["mean absolute error", f"{self.mae:.4g}"],
            ["the same, seasonal-naive", f"{self.naive_mae:.4g}"],
            ["root mean squared error", f"{self.rmse:.4g}"],
        ]
        if self.coverage is not None:
            told = f"covered by {share(self.figures['interval'])} intervals"
            rows.append([told, share(self.coverage)])
            rows.append(["mean width of the intervals", f"{self.figures['width']:.4g}"])
        steps = zip(self.figures["mae_by_step"], self.figures["naive_mae_by_step"], strict=True)
        by_step = [[str(n), f"{a:.4g}", f"{b:.4g}"] for n, (a, b) in enumerate(steps, 1)]
        return [
            Table(["figure", "value"], rows),
            Table(["step", "mean absolute error", "seasonal-naive"], by_step),
        ]

    def draw(self) -> "Figure":
        """The error by step, against the seasonal-naive forecast."""
        from zoo.drawing.forecast_figure import NEXT
        from zoo.drawing.notebook_figure import NotebookFigure

        figure = NotebookFigure(figsize=(6.0, 3.4), dpi=100, layout="constrained")
        axes = figure.add_subplot()
        steps = range(1, self.figures["horizon"] + 1)
        axes.plot(steps, self.figures["naive_mae_by_step"], color="0.55", label="seasonal-naive")
        axes.plot(steps, self.figures["mae_by_step"], color=NEXT, label="model")
        axes.set(xlabel="steps ahead", ylabel="mean absolute error", ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
        return figure


def forecast_report(
    truth: np.ndarray,
    mean: np.ndarray,
    naive: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray] | None = None,
    interval: float | None = None,
) -> ForecastReport:
    """Counts.

    Args:
        truth: Float `[forecasts, horizon]`: what came.
        mean: The same of what was foretold.
        naive: The same of the seasonal-naive forecast.
        bounds: The same of where intervals begin and end, or None.
        interval: The probability that they are meant to have.
    """
    error, naive_error = np.abs(mean - truth), np.abs(naive - truth)
    figures: dict[str, Any] = {
        "rows": len(truth),
        "horizon": int(truth.shape[1]),
        "mae": float(error.mean()),
        "rmse": float(np.sqrt(np.square(error).mean())),
        "naive_mae": float(naive_error.mean()),
        "skill": skill(error.mean(), naive_error.mean()),
        "mae_by_step": error.mean(axis=0).tolist(),
        "naive_mae_by_step": naive_error.mean(axis=0).tolist(),
    }
    if bounds is not None:
        lower, upper = bounds
        figures["interval"] = interval
        figures["coverage"] = float(np.mean((lower <= truth) & (truth <= upper)))
        figures["width"] = float(np.mean(upper - lower))
    return ForecastReport(figures)


def skill(error: float, reference: float) -> float:
    """How much smaller an error is than that of a reference, in percent; 0 where both are 0."""
    return float(100 * (1 - error / reference)) if reference else 0.0
