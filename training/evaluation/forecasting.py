"""Measures a forecaster with a rolling origin, beside seasonal-naive and a seasonal ARIMA."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.models.series_column import windows_of
from zoo.reports.forecasting import ForecastReport, forecast_report
from zoo.training.corpora import catalogue
from zoo.training.evaluation.arima import Order, rolled_forecasts
from zoo.training.evaluation.base import Evaluation, Table, check_splits, markdown_table
from zoo.training.metrics.speed import latency, throughput

SPLITS = ("elnino_validation", "elnino_test")
INTERVALS = (0.8, 0.95)
# Of (2,0,0), (1,0,1), (0,1,1) and (1,1,1), each with (0,1,1) of the season, the best on validation
# and by Akaike's criterion on what comes before.
ORDER = Order((2, 0, 0), (0, 1, 1))
BATCH_SIZE = 256
METHODS = {"model": "LSTM", "arima": "seasonal ARIMA", "naive": "seasonal-naive"}


def evaluate(
    model: Any,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS,
    verify: bool = True,
    recipe: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Measures a forecaster on splits of El Niño's series.

    Args:
        model: A `zoo.models.Forecaster` of monthly data.
        data_dir: A folder with the series; None takes that of statsmodels.
        splits: Splits to measure, of `SPLITS`.
        verify: Whether the data must be the published series.
        recipe: What the model was trained by; not used.

    Returns:
        Plain values, ready for JSON. For each split: the number of origins, and of each of
        `METHODS` the mean absolute error, the root mean squared error, the skill in percent, and
        of each of `INTERVALS` the share of the numbers that it covered and its mean width, where
        the method gives intervals; the model's mean absolute error and skill stand beside them.

    Raises:
        ValueError: No split, an unknown one, or data that is not the published series.
        FileNotFoundError: The series is not in `data_dir`.

    Example:
        >>> metrics = evaluate(zoo.load("forecast"))  # doctest: +SKIP
        >>> metrics["splits"]["elnino_test"]["skill"]  # doctest: +SKIP
    """
    check_splits(splits, SPLITS)
    measured = {}
    for name in splits:
        split = catalogue.split(name)
        months = split.load(data_dir, verify)
        figures, speed, windows = _split_figures(model, months)
        measured[name] = {**figures, **speed, **split.provenance(months)}
    return {
        "batch_size": BATCH_SIZE,
        "arima": str(ORDER),
        "splits": measured,
        "latency": latency(model.forecast, windows, "forecasts"),
    }


def rolled_windows(values: Sequence[float], first: int, window: int, horizon: int) -> np.ndarray:
    """What a model sees and what came, from each origin from `first` on.

    Args:
        values: The series.
        first: The place of the first number that is foretold.
        window: Numbers before it that the model sees.
        horizon: Numbers that it foretells.

    Returns:
        float32 `[origins, window + horizon]`.
    """
    series = tf.constant(values[first - window :], tf.float32)
    return windows_of(tf.RaggedTensor.from_tensor(series[tf.newaxis]), window + horizon).numpy()


def _split_figures(model: Any, months: Any) -> tuple[dict[str, Any], dict[str, float], np.ndarray]:
    """The figures of all methods, the model's speed, and what it saw."""
    rows = rolled_windows(months.values, months.first, model.window, model.horizon)
    past, truth = rows[:, : model.window], rows[:, model.window :]
    naive = model.seasonal_naive(tf.constant(past))[0].numpy()
    model.forecast(past[:1])  # traces it
    answers, speed = throughput(model.forecast, past, "forecasts")
    mean = np.array([answer.mean for answer in answers])
    bounds = {of: _bounds(model, past, of) for of in INTERVALS} if model.intervals.known else {}
    arima = rolled_forecasts(
        months.values, months.first, model.horizon, model.period, ORDER, INTERVALS
    )
    reports = {
        "model": _figures(truth, mean, naive, bounds),
        "arima": _figures(truth, arima.mean, naive, arima.bounds),
        "naive": _figures(truth, naive, naive, {}),
    }
    best = {key: reports["model"][key] for key in ("mae", "skill")}
    return {"origins": len(truth), **best, "methods": reports}, speed, past


def _bounds(model: Any, past: np.ndarray, interval: float) -> tuple[np.ndarray, np.ndarray]:
    answers = model.forecast(past, interval=interval)
    return np.array([a.lower for a in answers]), np.array([a.upper for a in answers])


def _figures(
    truth: np.ndarray,
    mean: np.ndarray,
    naive: np.ndarray,
    bounds: Mapping[float, tuple[np.ndarray, np.ndarray]],
) -> dict[str, Any]:
    report = forecast_report(truth, mean, naive)
    figures: dict[str, Any] = {
        "mae": round(report.mae, 4),
        "rmse": round(report.rmse, 4),
        "skill": round(report.skill, 2),
        "mae_by_step": [round(value, 4) for value in report.figures["mae_by_step"]],
    }
    if bounds:
        reports = {of: forecast_report(truth, mean, naive, ends, of) for of, ends in bounds.items()}
        figures["intervals"] = {f"{100 * of:g}": _covered(found) for of, found in reports.items()}
    return figures


def _covered(report: ForecastReport) -> dict[str, float]:
    return {
        "coverage": round(100 * report.figures["coverage"], 1),
        "width": round(report.figures["width"], 3),
    }


def table(metrics: Mapping[str, Any]) -> Table:
    """Header and rows of the figures for a terminal: a row for each method on each split."""
    levels = [f"{100 * of:g}" for of in INTERVALS]
    covers = [f"{what} of {level} %" for level in levels for what in ("covered", "width")]
    header = ["split", "method", "MAE", "RMSE", "skill, %", *covers]
    rows = []
    for split, of in metrics["splits"].items():
        for key, method in METHODS.items():
            found = of["methods"][key]
            ends = [found.get("intervals", {}).get(level) for level in levels]
            cells = [
                cell
                for end in ends
                for cell in (
                    (f"{end['coverage']:.1f} %", f"{end['width']:.2f}") if end else ("-", "-")
                )
            ]
            scores = [f"{found['mae']:.3f}", f"{found['rmse']:.3f}", f"{found['skill']:.1f}"]
            rows.append([split, method, *scores, *cells])
    return header, rows


def quality_section(metrics: Mapping[str, Any]) -> str:
    """The figures, and how they are counted."""
    origins = ", ".join(f"{of['origins']} on {name}" for name, of in metrics["splits"].items())
    return f"""From every month of a split that has 12 more behind it, the next 12 months are foretold ({origins}).
Errors in degrees Celsius. Skill is how much smaller the mean absolute error is than that of
seasonal-naive, which says of each month what it was a year before. The ARIMA is
{metrics["arima"]} with a period of 12, by statsmodels; it was fitted on everything before the split,
so for the test also on the ten years that the network has never learnt from.
`elnino_validation` chose the epoch, and the network's intervals are made of the errors on it: what they cover there is no
measurement.
{_best(metrics)}

{markdown_table(*table(metrics))}"""  # noqa: E501 - the card's own lines


def _best(metrics: Mapping[str, Any]) -> str:
    """Which method errs least on each split."""
    errors = {
        split: {METHODS[key]: found["mae"] for key, found in of["methods"].items()}
        for split, of in metrics["splits"].items()
    }
    return " ".join(
        f"On `{split}` {min(of, key=of.get)} errs least." for split, of in errors.items()
    )


EVALUATION = Evaluation(
    splits=SPLITS,
    measure=evaluate,
    table=table,
    quality=quality_section,
    verb="forecast",
    example="model.forecast(series)  # 120 months or more, the oldest first",
    chosen_by="mean absolute error on validation",
    way="From numbers to numbers",
    unit="forecasts",
    libraries=("statsmodels",),
)
