"""A classifier of recordings, tiny, and recordings of two kinds: low notes and high ones."""

import keras
import numpy as np

from tests.zoo.audio.recordings import notes, pcm
from zoo.models import AudioClassifier

LABELS = ["low", "high"]


def tiny_classifier(**arguments):
    """One of random weights, ten times as large as they come: its answers differ."""
    keras.utils.set_random_seed(3)
    sizes = {"labels": LABELS, "bands": 8, "units": 4, "attention_units": 3}
    model = AudioClassifier(**{**sizes, **arguments})
    model.set_weights([3 * weight for weight in model.get_weights()])
    return model


def some(count=12, seed=0):
    """Contents of WAV files of different lengths, and their labels."""
    random = np.random.default_rng(seed)
    labels = [LABELS[at % 2] for at in range(count)]
    pitches = [random.uniform(*((150, 400) if label == "low" else (900, 2000))) for label in labels]
    return [pcm(notes(seconds=random.uniform(0.1, 0.3), pitch=of)) for of in pitches], labels
