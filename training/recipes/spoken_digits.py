"""The recipe of `spoken_digits`: which digit was said?

Read from top to bottom: what is trained, on what, how, and which epoch is kept. Six people are
few, and their recordings begin and end with the word. So each recording is drawn anew at each
epoch: played faster or slower (which also moves the voice's pitch, as of another person), between
silences, under some noise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
import tensorflow as tf

from zoo.models.audio_classifier import AudioClassifier
from zoo.training.corpora.catalogue import corpus
from zoo.training.corpora.fsdd import Spoken
from zoo.training.evaluation.base import Card
from zoo.training.evaluation.recordings import EVALUATION
from zoo.training.loop.runs import averaging_adam, prepared, train_model
from zoo.training.loop.schedule import Schedule

__all__ = ["EVALUATION", "OPTIONS", "RECIPES", "card", "train"]

OPTIONS = (
    click.Option(
        ["--without-speaker"],
        help="Spoken digits: leave the recordings of this person out, to measure on them: how well "
        "is a stranger understood?",
    ),
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    name: str
    schedule: Schedule
    model: str = "audio_classifier"
    seed: int = 1
    # Data
    corpus: str = "fsdd"
    without_speaker: str = ""
    speed: float = 0.15  # played faster or slower by up to this share
    silence: float = 0.3  # seconds before and behind, each up to this
    noise: tuple[float, float] = (15.0, 50.0)  # decibels below the recording, at least and at most
    # Network: arguments of the model's class
    network: dict[str, Any] = field(default_factory=dict)


RECIPES = {
    "spoken_digits": Recipe(
        "spoken_digits",
        Schedule(
            epochs=20,
            batch_size=32,
            learning_rate=3e-3,
            warmup_steps=100,
            average_momentum=0.99,
            weight_decay=0.01,
        ),
        network={
            "labels": list("0123456789"),
            "units": 64,
            "input_dropout": 0.1,
            "readout_dropout": 0.3,
        },
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
    """Trains, or goes on with a run that was stopped; keeps the epoch of the highest dev accuracy.

    Args:
        recipe: One of `RECIPES`, or a changed one.
        out: The run's folder: `checkpoint*` to go on from, `preset/` for the best epoch so far,
            `logs/` for TensorBoard.
        data_dir: A folder with the corpus; None downloads it.
        verify: Whether data that is not the published corpus is refused.
        command: The command line, for the model card.
        callbacks: Further Keras callbacks.

    Returns:
        The folder of the best epoch, which `zoo.load` takes.

    Raises:
        ValueError: `out` holds a run of another recipe, or the corpus has no such speaker.
    """
    with prepared(recipe):
        source, schedule = corpus(recipe.corpus), recipe.schedule
        spoken, dev = (
            _without(source.load(data_dir, split, verify), recipe.without_speaker)
            for split in ("train", "dev")
        )
        model = AudioClassifier(**recipe.network)

        def dev_score(model: AudioClassifier) -> float:
            """Accuracy, and where that is equal, how sure the model was."""
            answers = model.classify(dev.audio, progress=False)
            sure = [of.probabilities[label] for of, label in zip(answers, dev.labels, strict=True)]
            right = [of.label == label for of, label in zip(answers, dev.labels, strict=True)]
            return float(100 * np.mean(right) + np.mean(sure))

        steps = -(-len(spoken.audio) // schedule.batch_size)
        optimizer = averaging_adam(schedule, steps)
        model.compile(optimizer, **model.head.compile_arguments())
        return train_model(
            model,
            recipe,
            drawn_batches(model, spoken, recipe),
            steps,
            out,
            dev_score,
            "score",
            command,
            callbacks,
        )


def _without(spoken: Spoken, speaker: str) -> Spoken:
    if not speaker:
        return spoken
    if speaker not in spoken.speakers:
        raise ValueError(
            f"`without_speaker` must be one of {', '.join(sorted({*spoken.speakers}))}. "
            f"Received: without_speaker={speaker!r}"
        )
    rows = [row for row in zip(*spoken, strict=True) if row[3] != speaker]
    return Spoken(*map(list, zip(*rows, strict=True)))


def drawn_batches(
    model: AudioClassifier, spoken: Spoken, recipe: Recipe
) -> Callable[[range], tf.data.Dataset]:
    """Batches of recordings that are drawn anew at each epoch, by seed and epoch alone.

    Args:
        model: What they are for.
        spoken: The recordings.
        recipe: What is drawn, see `drawn`.

    Returns:
        A function of a range of epochs to their batches, for `zoo.training.loop.runs.train_model`.
    """
    decoded = model.run_graph(model.decode, tf.constant(spoken.audio))
    waves = [row[:length] for row, length in zip(*decoded.values(), strict=True)]
    numbers = np.array([model.labels.index(label) for label in spoken.labels], np.int32)

    def batches(epochs: range) -> tf.data.Dataset:
        def rows() -> Iterator[tuple[np.ndarray, ...]]:
            for epoch in epochs:
                random = np.random.default_rng([recipe.seed, epoch])
                order = random.permutation(len(waves))
                for start in range(0, len(order), recipe.schedule.batch_size):
                    chosen = order[start : start + recipe.schedule.batch_size]
                    found = [drawn(waves[at], random, recipe, model.sample_rate) for at in chosen]
                    counts = np.array([len(wave) for wave in found], np.int32)
                    padded = np.zeros([len(found), counts.max()], np.float32)
                    for row, wave in zip(padded, found, strict=True):
                        row[: len(wave)] = wave
                    yield padded, counts, numbers[chosen]

        one_each = tf.TensorSpec([None], tf.int32)
        signature = (tf.TensorSpec([None, None], tf.float32), one_each, one_each)
        data = tf.data.Dataset.from_generator(rows, output_signature=signature)

        def finish(waves: tf.Tensor, counts: tf.Tensor, numbers: tf.Tensor) -> tuple:
            return model.frames_of(waves, counts), numbers

        return data.map(tf.autograph.experimental.do_not_convert(finish)).prefetch(tf.data.AUTOTUNE)

    return batches


def drawn(
    wave: np.ndarray, random: np.random.Generator, recipe: Recipe, sample_rate: int
) -> np.ndarray:
    """One recording as another might have been.

    Args:
        wave: float32 `[samples]`.
        random: What is drawn from.
        recipe: Its `speed`, `silence` and `noise`.
        sample_rate: Samples a second.

    Returns:
        float32 `[other samples]`.
    """
    rate = 1 + random.uniform(-recipe.speed, recipe.speed)
    places = np.arange(0, len(wave) - 1, rate)
    faster = np.interp(places, np.arange(len(wave)), wave)
    before, behind = random.uniform(0, recipe.silence * sample_rate, 2).astype(int)
    longer = np.pad(faster, (before, behind))
    loudness = np.sqrt(np.mean(faster**2) + 1e-12)
    noise = loudness * 10 ** (-random.uniform(*recipe.noise) / 20)
    return (longer + noise * random.normal(size=len(longer))).astype(np.float32)


def card(recipe: Mapping[str, Any]) -> Card:
    """The prose of the card."""
    without = recipe.get("without_speaker")
    left_out = f" Nothing of {without} was trained on." if without else ""
    return Card(
        what="Which digit is said in a recording? A bidirectional LSTM reads log-mel frames of a "
        "hundredth of a second; attention makes one vector of them. The lecture's *audio "
        "sequences*, WAV bytes in and a label out." + left_out,
        data=corpus(recipe.get("corpus", "fsdd")).about,
        limits="""- Six men have said all that it has heard, most with a foreign accent. The figures above are of the
  same six. **A stranger is understood far worse**: docs/hearing.md has the accuracy on one of them of a
  network that was trained without him. Of women and children nothing was measured. `fit` it on the
  voices that it will hear.
- It knows the ten digits in English and nothing else, and takes any sound for one of them.
- Frequencies above 4 kHz are not heard. Only the first 10 seconds of a recording are.
- Not to identify people, and not where a mistake costs something.""",  # noqa: E501 - the card's own lines
    )
