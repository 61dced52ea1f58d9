"""The recipe of `forecast`: how warm will the sea be in the next twelve months?

Read from top to bottom: what is trained, on what, how, and which epoch is kept. Forty years of
months are 349 windows, so the network is small and half of its units are dropped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.models.forecaster import Forecaster
from zoo.training.corpora.catalogue import corpus
from zoo.training.evaluation.base import Card
from zoo.training.evaluation.forecasting import EVALUATION, rolled_windows
from zoo.training.loop.batches import raw_batches
from zoo.training.loop.runs import averaging_adam, prepared, train_model
from zoo.training.loop.schedule import Schedule

__all__ = ["EVALUATION", "RECIPES", "card", "train"]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    name: str
    schedule: Schedule
    model: str = "forecaster"
    seed: int = 1
    # Data
    corpus: str = "elnino"
    # Network: arguments of the model's class
    network: dict[str, Any] = field(default_factory=dict)


RECIPES = {
    "forecast": Recipe(
        "forecast",
        Schedule(
            epochs=80,
            batch_size=32,
            learning_rate=5e-3,
            warmup_steps=20,
            average_momentum=0.98,
            weight_decay=0.1,
        ),
        network={"period": 12, "seasons": 10, "horizon": 12, "units": 16, "dropout": 0.5},
    ),
}


def train(
    recipe: Recipe,
    out: str | Path,
    data_dir: str | Path | None = None,
    verify: bool = True,
    command: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Path:
    """Trains, or goes on with a run that was stopped; keeps the epoch of the least error on dev.

    The preset's prediction intervals are made of the errors on dev.

    Args:
        recipe: One of `RECIPES`, or a changed one.
        out: The run's folder: `checkpoint*` to go on from, `preset/` for the best epoch so far,
            `logs/` for TensorBoard.
        data_dir: A folder with the series; None takes that of statsmodels.
        verify: Whether data that is not the published series is refused.
        command: The command line, for the model card.
        callbacks: Further Keras callbacks.

    Returns:
        The folder of the best epoch, which `zoo.load` takes.

    Raises:
        ValueError: `out` holds a run of another recipe.
    """
    with prepared(recipe):
        source, schedule = corpus(recipe.corpus), recipe.schedule
        months = source.load(data_dir, "train", verify)
        dev = source.load(data_dir, "validation", verify)
        model = Forecaster(**recipe.network)
        windows = windows_of_training(model, months.values)
        rows = tf.constant(rolled_windows(dev.values, dev.first, model.window, model.horizon))

        def dev_error(model: Forecaster) -> float:
            # The intervals are saved with the weights whose errors they are made of.
            errors = model.scaled_errors(rows)
            model.intervals.measure(errors)
            _, scale = model.seasonal_naive(rows[:, : model.window])
            return float(np.mean(np.abs(errors * scale.numpy())))

        steps = -(-len(windows) // schedule.batch_size)
        model.compile(averaging_adam(schedule, steps), loss="mse")
        return train_model(
            model,
            recipe,
            raw_batches(model, (windows,), schedule.batch_size, recipe.seed),
            steps,
            out,
            dev_error,
            "mae",
            command,
            callbacks,
            lower_is_better=True,
        )


def windows_of_training(model: Forecaster, values: Sequence[float]) -> np.ndarray:
    """Every window of a series, float32 `[windows, window + horizon]`: what an epoch is made of."""
    return rolled_windows(values, model.window, model.window, model.horizon)


def card(recipe: Mapping[str, Any]) -> Card:
    """The prose of the card."""
    return Card(
        what="How does a series of months go on? An LSTM looks at the last ten years, says the "
        "next twelve months at once, and how sure it is of each. Regression with the mean squared "
        "error; the lecture's *financial sequences*, on the temperature of the sea off Peru.",
        data=corpus(recipe.get("corpus", "elnino")).about,
        limits="""- It has read one series, the temperature of the sea off Peru, where El Niño comes
  every few years. Of other series it says little more than that a year is like the last: train it
  on yours with `fit`, which takes seconds.
- The intervals hold as long as the model errs as it did before. What they covered on test stands
  above.
- Steps must be equal and none may be missing: fill gaps first.
- Not for decisions about money, water or people.""",
    )
