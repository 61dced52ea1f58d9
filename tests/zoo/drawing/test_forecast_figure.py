"""The picture of a forecast: what is in it, and where it goes."""

import numpy as np
import pytest

from zoo.drawing.forecast_figure import forecast_figure
from zoo.models.forecaster import Forecast

SERIES = [float(of) for of in range(30)]
MEAN = np.array([31.0, 32.0, 30.0], np.float32)


def lines(figure):
    return [line.get_xydata().tolist() for line in figure.axes[0].lines]


def test_the_line_goes_on_from_the_last_number_inside_its_band(tmp_path):
    answer = Forecast(MEAN, MEAN - 2, MEAN + 3, 0.8)
    figure = forecast_figure(SERIES, answer, tmp_path / "f.png", period=12, title="Sales")
    past, ahead = lines(figure)
    assert past == [[at, 29.0 + at] for at in range(-14, 1)]  # five times the forecast
    assert ahead == [[0, 29.0], [1, 31.0], [2, 32.0], [3, 30.0]]
    (band,) = figure.axes[0].collections
    corners = band.get_paths()[0].vertices.tolist()
    assert [2.0, 30.0] in corners
    assert [2.0, 35.0] in corners
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts == ["series", "80 % interval", "forecast"]
    assert figure.axes[0].get_title(loc="left") == "Sales"
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


def test_without_intervals_and_of_a_short_series():
    figure = forecast_figure(SERIES[:2], Forecast(MEAN, None, None, 0.9))
    assert not figure.axes[0].collections
    assert lines(figure)[0] == [[-1, 0.0], [0, 1.0]]


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end with .png"):
        forecast_figure(SERIES, Forecast(MEAN, None, None, 0.9), tmp_path / "f.txt")
