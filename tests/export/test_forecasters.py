"""A forecaster through the whole export, tiny: numbers in and out, with and without intervals."""

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.models.tiny_forecaster import (
    HORIZON,
    WINDOW,
    measured_forecaster,
    quarters,
    tiny_forecaster,
)
from zoo import export

SERIES = np.stack([quarters(WINDOW, seed) for seed in range(3)])


@pytest.fixture(scope="module")
def model():
    return measured_forecaster()


@pytest.fixture(scope="module")
def served(model, tmp_path_factory):
    """Not verified in a process of its own: the preset is, when it is served."""
    base = tmp_path_factory.mktemp("models") / "tiny"
    export.saved_model(model, base, verify=False)
    return tf.saved_model.load(str(base / "1")).signatures


def test_the_exported_one_answers_as_the_verb_does(model, served):
    for name, level in (("serving_default", 0.9), ("interval", 0.5)):
        more = {"interval": tf.fill([3], level)} if name == "interval" else {}
        found = served[name](values=tf.constant(SERIES), **more)
        answers = model.forecast(SERIES, interval=level)
        for output, field in (("forecast", 0), ("lower", 1), ("upper", 2)):
            assert found[output].shape == (3, HORIZON)
            expected = [answer[field] for answer in answers]
            np.testing.assert_allclose(found[output], expected, rtol=1e-5)


def test_intervals_are_of_each_row(model, served):
    levels = tf.constant([0.2, 0.5, 0.95])
    found = served["interval"](values=tf.constant(SERIES[[0, 0, 0]]), interval=levels)
    widths = (found["upper"] - found["lower"]).numpy()
    assert (np.diff(widths, axis=0) >= 0).all()
    assert (widths[0] < widths[2]).all()


def test_a_number_that_is_none_fails(served):
    bad = SERIES.copy()
    bad[1, 3] = np.nan
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"finite numbers.*interpolate"):
        served["serving_default"](values=tf.constant(bad))


def test_one_whose_errors_nobody_measured_gives_no_intervals():
    model = tiny_forecaster()
    signatures = model.signatures()
    assert set(signatures) == {"serving_default"}
    found = signatures["serving_default"].function(values=tf.constant(SERIES))
    assert set(found) == {"forecast"}
