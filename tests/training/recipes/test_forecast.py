"""The recipe of `forecast` on a made-up sea: trained, kept, measured beside an ARIMA."""

import warnings

import numpy as np
import pytest

import zoo
from zoo.training import recipes
from zoo.training.evaluation import arima, forecasting
from zoo.training.evaluation.report import evaluate, write_report
from zoo.training.loop.schedule import changed

FIRST, LAST = 1982, 2002


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twenty-one years, three of them of the test split."""
    folder = tmp_path_factory.mktemp("sea")
    random = np.random.default_rng(2)
    lines = ["YEAR,months"]
    for year in range(FIRST, LAST + 1):
        months = 23 + 3 * np.sin(np.arange(12) / 2) + random.normal(size=12) * 0.5
        lines.append(",".join([str(year), *(f"{value:.3f}" for value in months)]))
    (folder / "elnino.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def preset(folder, tmp_path_factory):
    recipe = changed(
        recipes.recipe("forecast"),
        epochs=2,
        network={"period": 12, "seasons": 3, "horizon": 12, "units": 3},
    )
    return recipes.train(recipe, tmp_path_factory.mktemp("run"), folder, verify=False)


def test_what_is_kept_has_intervals_of_the_dev_errors(preset, folder):
    model = zoo.load(preset)
    dev = recipes.recipe("forecast").corpus
    months = forecasting.catalogue.corpus(dev).load(folder, "validation", False)
    rows = forecasting.rolled_windows(months.values, months.first, 36, 12)
    assert len(rows) == 120 - 12 + 1
    np.testing.assert_allclose(rows[0], months.values[months.first - 36 :][:48], rtol=1e-6)
    errors = np.abs(model.scaled_errors(rows))
    widest = np.sort(errors, axis=0)[int(np.ceil(0.8 * 110)) - 1]
    np.testing.assert_allclose(model.intervals.table[79], widest, rtol=0.02)  # float16


def test_it_is_measured_from_every_month_beside_the_others(preset, folder, monkeypatch):
    # Each origin of an ARIMA takes a pass of the filter: here from some of them.
    few = arima.Rolled(np.full([25, 12], 23.0), {0.8: (np.zeros([25, 12]), np.ones([25, 12]))})
    monkeypatch.setattr(forecasting, "rolled_forecasts", lambda *arguments: few)
    metrics = evaluate(preset, folder, ["elnino_test"], verify=False)
    figures = metrics["splits"]["elnino_test"]
    assert figures["origins"] == 3 * 12 - 11
    assert figures["published_data"] is False
    model, rows = zoo.load(preset), np.loadtxt(folder / "elnino.csv", delimiter=",", skiprows=1)
    values = rows[:, 1:].ravel()
    starts = range(len(values) - 36, len(values) - 11)
    truth = np.array([values[at : at + 12] for at in starts])
    naive = np.abs([values[at - 12 : at] for at in starts] - truth).mean()
    mean = [model.forecast(values[:at]).mean for at in starts]
    assert figures["mae"] == pytest.approx(np.abs(mean - truth).mean(), abs=1e-3)
    assert figures["methods"]["naive"]["mae"] == pytest.approx(naive, abs=1e-3)
    assert figures["methods"]["arima"]["mae"] == pytest.approx(np.abs(23 - truth).mean(), abs=1e-3)
    assert figures["methods"]["arima"]["intervals"]["80"] == {"coverage": 0.0, "width": 1.0}
    assert 0 <= figures["methods"]["model"]["intervals"]["95"]["coverage"] <= 100
    write_report(preset, metrics, "zoo-train evaluate")
    card = zoo.card(preset)
    assert f"| elnino_test | LSTM | {figures['mae']:.3f} |" in card
    assert "errs least." in card
    assert "one forecast alone" in card


def test_the_arima_is_that_of_statsmodels_and_sees_nothing_of_what_comes():
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    random = np.random.default_rng(0)
    values = 5 + np.sin(np.pi * np.arange(48) / 2) + random.normal(size=48) * 0.2
    order = arima.Order((1, 0, 0), (0, 1, 0))
    rolled = arima.rolled_forecasts(values, 40, 3, 4, order, [0.8])
    assert str(order) == "(1,0,0)(0,1,0)"
    assert rolled.mean.shape == (6, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = SARIMAX(values[:40], order=(1, 0, 0), seasonal_order=(0, 1, 0, 4)).fit(disp=False)
    np.testing.assert_allclose(rolled.mean[0], fitted.forecast(3), rtol=1e-6)
    ends = fitted.get_forecast(3).conf_int(alpha=0.2)
    np.testing.assert_allclose(np.stack(rolled.bounds[0.8])[:, 0].T, ends, rtol=1e-6)
    other = values.copy()
    other[45:] = 99
    np.testing.assert_array_equal(
        arima.rolled_forecasts(other, 40, 3, 4, order).mean[:6], rolled.mean
    )
