"""Half-widths of prediction intervals: their ranks, what lies between, what they cover."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.models.prediction_intervals import PredictionIntervals


def half_widths(intervals, *levels):
    return intervals.half_widths(tf.constant(levels, tf.float32)).numpy()


def test_they_are_the_errors_of_their_rank():
    intervals = PredictionIntervals(2)
    assert not intervals.known
    errors = np.random.default_rng(0).permutation(np.arange(1.0, 100.0))  # 99 of them
    intervals.measure(np.stack([errors, -10 * errors], axis=1))
    assert intervals.known
    # ceil(100 p) of 1 to 99.
    found = half_widths(intervals, 0.5, 0.9, 0.905, 0.99, 0.001, 1.0)
    np.testing.assert_allclose(found[:, 0], [50, 90, 90.5, 99, 1, 99], rtol=1e-5)
    np.testing.assert_allclose(found[:, 1], 10 * found[:, 0], rtol=1e-5)
    intervals.forget()
    assert not intervals.known


@pytest.mark.parametrize("draw", ["normal", "standard_cauchy", "exponential"])
def test_they_cover_as_often_as_they_say_whatever_the_distribution(draw):
    random = getattr(np.random.default_rng(3), draw)
    intervals = PredictionIntervals(20)
    covered = []
    for _ in range(100):
        intervals.measure(random(size=(19, 20)))  # of 20 steps, each with errors of its own
        covered.append(np.abs(random(size=(50, 20))) <= intervals.table.numpy()[79])
    # 16 of 20 by theory; the deviation of 2,000 such is below 0.3 percent.
    assert np.mean(covered) == pytest.approx(0.8, abs=0.01)


def test_too_few_errors_are_refused():
    with pytest.raises(ValueError, match=r"at least 10 windows.*Received: 9 windows"):
        PredictionIntervals(3).measure(np.ones([9, 3]))
