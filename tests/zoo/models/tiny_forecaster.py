"""A forecaster of quarters, tiny, and series of them."""

import keras
import numpy as np

from zoo.models import Forecaster

PERIOD, WINDOW, HORIZON = 4, 12, 5


def quarters(count=60, seed=0):
    """A season, a rise and luck: float32 `[count]`."""
    time = np.arange(count)
    luck = np.random.default_rng(seed).normal(size=count)
    return (50 + 8 * np.sin(2 * np.pi * time / PERIOD) + 0.3 * time + luck).astype(np.float32)


def tiny_forecaster(drawn=True, **arguments):
    """One of random weights in the heads too; `drawn=False` is as it comes, seasonal-naive."""
    keras.utils.set_random_seed(4)
    model = Forecaster(PERIOD, WINDOW // PERIOD, HORIZON, **{"units": 3, **arguments})
    if drawn:
        random = np.random.default_rng(1)
        for variable in model.trainable_variables:
            variable.assign(random.normal(size=variable.shape, scale=0.4))
    return model


def measured_forecaster():
    """One that gives intervals."""
    model = tiny_forecaster()
    model.calibrate(quarters(40, seed=7))
    return model
