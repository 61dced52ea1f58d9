"""The forecaster: what it starts from, what changes no answer, its data, its bad input."""

import copy

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import zoo
from tests.zoo.models.tiny_forecaster import (
    HORIZON,
    PERIOD,
    WINDOW,
    measured_forecaster,
    quarters,
    tiny_forecaster,
)
from zoo.models import Forecaster
from zoo.models.series_column import split_in_time, windows_of

LENGTH = WINDOW + HORIZON
SERIES = quarters()


@pytest.fixture(scope="module")
def model():
    """Random weights, and intervals; tests leave both alone."""
    return measured_forecaster()


@pytest.fixture(scope="module")
def naive():
    """As it comes."""
    return tiny_forecaster(drawn=False)


@pytest.fixture(scope="module")
def learner():
    """For tests that train: a graph of a step is traced once."""
    return tiny_forecaster(drawn=False)


def test_an_untrained_one_repeats_the_last_season(naive):
    answer = naive.forecast(SERIES)
    last = SERIES[-PERIOD:]
    np.testing.assert_allclose(answer.mean, [*last, last[0]], rtol=1e-6)
    assert (answer.lower, answer.upper) == (None, None)
    report = naive.evaluate_report(SERIES)
    assert report.skill == pytest.approx(0, abs=1e-4)
    assert report.coverage is None


def test_what_the_network_reads_and_learns_is_what_numpy_says(model):
    windows = np.lib.stride_tricks.sliding_window_view(SERIES, LENGTH)
    inputs, targets = model.preprocess(tf.constant([SERIES]))
    assert inputs["steps"].shape == (len(windows), WINDOW - PERIOD, 2)
    for row in (0, 17):
        past, future = np.split(windows[row].astype(float), [WINDOW])
        changes = past[PERIOD:] - past[:-PERIOD]
        scale = np.abs(changes).mean()
        apart = past - np.tile(past.reshape(-1, PERIOD).mean(0), WINDOW // PERIOD)
        steps = np.stack([changes, apart[PERIOD:]], axis=1) / scale
        np.testing.assert_allclose(inputs["steps"][row], steps, atol=1e-5)
        naive = np.resize(past[-PERIOD:], HORIZON)
        np.testing.assert_allclose(targets[row], (future - naive) / scale, atol=1e-5)


def test_another_unit_gives_the_same_forecast_in_it(model):
    """Of Celsius and Fahrenheit, euros and cents: to the last digit that float32 has."""
    one, other = model.forecast([SERIES, 1.8 * SERIES + 32])
    for name in ("mean", "lower", "upper"):
        converted = 1.8 * getattr(one, name) + 32
        np.testing.assert_allclose(getattr(other, name), converted, rtol=1e-5)
    assert np.abs(one.mean - np.resize(SERIES[-PERIOD:], HORIZON)).max() > 0.1


def test_neither_batch_mates_nor_what_is_older_than_the_window_count(model):
    series = [quarters(n, seed) for seed, n in enumerate((WINDOW, 33, 60, 20))]
    together = model.forecast(series, batch_size=3)
    for answer, row in zip(together, series, strict=True):
        alone = model.forecast(row[-WINDOW:])
        np.testing.assert_allclose(answer.mean, alone.mean, rtol=1e-6)
        np.testing.assert_allclose(answer.upper, alone.upper, rtol=1e-6)


def test_a_series_without_change_stays(model, naive):
    answer = model.forecast([7.0] * WINDOW)
    bias = model.forecast([0.0] * WINDOW).mean
    np.testing.assert_allclose(answer.mean - 7, bias, atol=1e-6)  # of scale 1
    still = naive.forecast([7.0] * WINDOW)
    assert still.mean.tolist() == [7.0] * HORIZON


def test_one_in_one_out_fewer_steps_wider_intervals(model):
    whole = model.forecast(SERIES, interval=0.5)
    assert whole.mean.shape == (HORIZON,)
    few = model.forecast(pd.Series(SERIES, index=pd.RangeIndex(5, 65)), steps=2, interval=0.5)
    np.testing.assert_array_equal(few.mean, whole.mean[:2])
    assert model.forecast([list(SERIES)], steps=1)[0].mean.shape == (1,)
    wide = model.forecast(SERIES, interval=0.95)
    assert (wide.lower <= whole.lower).all()
    assert (wide.upper >= whole.upper).all()
    assert (wide.lower < wide.mean).all()
    np.testing.assert_array_equal(wide.mean, whole.mean)


NAN = [*SERIES[:20], float("nan"), *SERIES[:5]]


@pytest.mark.parametrize(
    ("series", "error", "message"),
    [
        (NAN, ValueError, r"finite numbers.*interpolate.*series\[0\]\[20\]=nan, 1 of them"),
        ([SERIES, [*SERIES[:30], np.inf]], ValueError, r"series\[1\]\[30\]=inf"),
        (SERIES[: WINDOW - 1], ValueError, r"at least 12 numbers.*3 seasons.*of 11 numbers"),
        ([SERIES, []], ValueError, r"series\[1\] of 0 numbers"),
        ([], ValueError, r"series\[0\] of 0 numbers"),
        ("12 13 14", TypeError, "list of float32"),
        (["a", "b"], TypeError, r"series\[0\] of shape \[2\] and type <U1"),
        ([[1, None, 3]], TypeError, "type object"),
        ([[[1.0, 2.0]]], ValueError, r"shape \[1, 2\]"),
        (pd.DataFrame({"units": SERIES}), TypeError, r"frame\['units'\]"),
        (3.5, TypeError, "must be a list"),
    ],
)
def test_bad_series_are_told(model, series, error, message):
    with pytest.raises(error, match=message):
        model.forecast(series)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "`steps` must be an int of at least 1"),
        ({"steps": HORIZON + 1}, r"at most 5, the model's horizon.*horizon=6"),
        ({"interval": 1.0}, r"`interval` must be above 0 and at most 0.99.*interval=1.0"),
        ({"interval": 0}, "interval=0"),
        ({"interval": float("nan")}, "interval=nan"),
        ({"interval": "90%"}, "interval='90%'"),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_bad_options_are_told(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.forecast(SERIES, **options)


@pytest.mark.parametrize(
    "arguments", [{"period": 0}, {"seasons": 1}, {"seasons": 2.5}, {"horizon": -1}, {"units": 0}]
)
def test_sizes_that_are_too_small_are_told(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}` must be an int of at least"):
        Forecaster(**arguments)


def test_training_keeps_the_intervals_of_what_was_held_out(learner):
    assert not learner.intervals.known
    history = learner.fit([SERIES, quarters(50, 3)], validation_split=0.4, epochs=2, verbose=0)
    assert history.history["loss"][1] < history.history["loss"][0]
    assert "val_loss" in history.history
    assert learner.intervals.known
    windows = [windows_of(tf.RaggedTensor.from_tensor([s[-n:]]), LENGTH) for s, n in
               ((SERIES, 24 + WINDOW), (quarters(50, 3), 20 + WINDOW))]  # fmt: skip
    held_out = tf.concat(windows, 0)
    loss = learner.evaluate(held_out, verbose=0)
    assert loss == pytest.approx(history.history["val_loss"][1], rel=1e-4)
    assert loss == pytest.approx(np.mean(learner.scaled_errors(held_out) ** 2), rel=1e-4)
    with pytest.raises(ValueError, match="at least 17 numbers each, 12 to look at and 5"):
        learner.fit(SERIES[:16])
    assert learner.intervals.known  # nothing was learnt
    learner.fit(SERIES, verbose=0)
    assert not learner.intervals.known  # the errors were another model's
    with pytest.raises(ValueError, match=r"at least 10 windows.*Received: 3 windows"):
        learner.calibrate(SERIES[: LENGTH + 2])


@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # of the generator
def test_all_forms_of_data_are_the_same_windows(model):
    loss = model.evaluate(SERIES, verbose=0)
    rows = tf.data.Dataset.from_tensors(SERIES.astype(np.float64))
    for form in (
        [SERIES.tolist()],
        pd.Series(SERIES),
        {"series": [SERIES]},
        pd.DataFrame({"series": SERIES}),
        windows_of(tf.RaggedTensor.from_tensor([SERIES]), LENGTH),
        rows,
        rows.batch(1),
        (row for row in [SERIES]),
    ):
        assert model.evaluate(form, verbose=0) == pytest.approx(loss, rel=1e-5), type(form)


def test_bad_training_data_is_told(learner):
    with pytest.raises(ValueError, match="`sample_weight` must be left out"):
        learner.fit(SERIES, sample_weight=[1.0])
    with pytest.raises(ValueError, match="`class_weight` must be left out: numbers have no"):
        learner.fit(SERIES, class_weight={0: 1.0})
    with pytest.raises(ValueError, match="`y` must be left out"):
        learner.fit(SERIES, SERIES)
    with pytest.raises(ValueError, match=r"`series` must hold finite numbers.*\[20\]=nan"):
        learner.fit(NAN)
    with pytest.raises(ValueError, match=r"at least 17 numbers of each.*series\[0\] with 20"):
        learner.fit(SERIES[:20], validation_split=0.5)
    with pytest.raises(ValueError, match=r"between 0 and 1\. Received: validation_split=1"):
        learner.fit(SERIES, validation_split=1.0)
    for bad, message in (NAN, "finite numbers"), (SERIES[:16], "at least 17 numbers"):
        rows = tf.data.Dataset.from_tensors(np.float32(bad))
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            learner.evaluate(rows, verbose=0)


def test_what_is_held_out_is_later_and_not_trained_on():
    series = tf.ragged.constant([list(range(40)), list(range(100, 130))], tf.float32)
    earlier, later = split_in_time(series, 0.25, WINDOW, HORIZON)
    assert earlier.to_list() == [list(range(30)), list(range(100, 122))]
    assert later.to_list() == [list(range(18, 40)), list(range(110, 130))]
    foretold = windows_of(later, LENGTH).numpy()[:, WINDOW:]
    assert not set(foretold.ravel()) & {value for row in earlier.to_list() for value in row}


def test_a_saved_one_and_a_copy_answer_alike(model, tmp_path):
    before = model.forecast(SERIES)
    loaded = zoo.load(zoo.save(model, tmp_path / "preset", half=False))
    for one, two in zip(before, loaded.forecast(SERIES), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(copy.deepcopy(model).intervals.table, model.intervals.table)
    assert "Says how a series of numbers goes on." in zoo.card(tmp_path / "preset")
    longer = zoo.load(tmp_path / "preset", horizon=9)
    assert longer.forecast(SERIES).mean.shape == (9,)
    assert not longer.intervals.known
    kernel, other = (of.encoder.cell.trainable_variables[0].numpy() for of in (model, longer))
    np.testing.assert_array_equal(kernel, other)


def test_the_report_counts_what_numpy_counts(model):
    windows = np.lib.stride_tricks.sliding_window_view(SERIES, LENGTH)
    past, truth = windows[:, :WINDOW], windows[:, WINDOW:]
    report = model.evaluate_report(SERIES, interval=0.8)
    answers = model.forecast(past, interval=0.8)
    error = np.array([answer.mean for answer in answers]) - truth
    naive = np.abs(past[:, [8, 9, 10, 11, 8]] - truth).mean()
    covered = [(a.lower <= t) & (t <= a.upper) for a, t in zip(answers, truth, strict=True)]
    assert report.rows == len(windows)
    assert report.mae == pytest.approx(np.abs(error).mean(), rel=1e-5)
    assert report.rmse == pytest.approx(np.sqrt((error**2).mean()), rel=1e-5)
    assert report.naive_mae == pytest.approx(naive, rel=1e-5)
    assert report.skill == pytest.approx(100 * (1 - report.mae / naive), rel=1e-4)
    assert report.coverage == pytest.approx(np.mean(covered))
    with pytest.raises(TypeError, match=r"no argument `beam_size`, only.*interval"):
        model.evaluate_report(SERIES, beam_size=2)
