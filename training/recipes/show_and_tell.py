"""The recipes of `show_and_tell` and `show_attend_tell`: Flickr8k, pictures to captions.

Read from top to bottom: what is trained, on what, how, and which epoch is kept. Both models get the
same features, captions, vocabulary and kind of schedule; they differ in how often they look.

The encoder is frozen, so each picture goes through it twice in all, as it is and flipped, and the
epochs read what came out (`zoo.training.vision.features`). An epoch has every caption once, with
one of the two.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
import tensorflow as tf

from zoo.models.losses import TokenCrossEntropy
from zoo.registry import model_class
from zoo.text.subwords import SubwordTokenizer
from zoo.training.corpora.catalogue import corpus
from zoo.training.corpora.subwords import train_words
from zoo.training.evaluation.captioning import EVALUATION
from zoo.training.loop.batches import training_batches
from zoo.training.loop.runs import averaging_adam, prepared, train_model
from zoo.training.loop.schedule import Schedule
from zoo.training.metrics.captions import bleu_4, words_of
from zoo.training.recipes.show_and_tell_card import card
from zoo.training.vision.encoders import pretrained_encoder
from zoo.training.vision.features import flippable, picture_features

__all__ = ["EVALUATION", "OPTIONS", "RECIPES", "card", "train"]

SCHEDULE = Schedule(epochs=12, batch_size=64, learning_rate=1e-3, warmup_steps=400)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    name: str
    model: str
    seed: int = 1
    # Data
    least_count: int = 4  # of a word in the training captions, to be in the vocabulary
    flips: bool = True
    whole_picture: bool = False  # the mean of the features is all that the model reads
    # Network: arguments of the model's class, its defaults where not named
    network: dict[str, Any] = field(default_factory=dict)
    label_smoothing: float = 0.1
    schedule: Schedule = SCHEDULE


RECIPES = {
    "show_and_tell": Recipe(
        "show_and_tell",
        model="show_and_tell",
        whole_picture=True,
        network={
            "embedding_units": 256,
            "units": 512,
            "embedding_dropout": 0.3,
            "vector_dropout": 0.5,
            "layer_dropout": 0.5,
            "readout_dropout": 0.5,
        },
    ),
    "show_attend_tell": Recipe(
        "show_attend_tell",
        model="show_attend_tell",
        network={
            "embedding_units": 256,
            "annotation_units": 384,
            "units": 512,
            "attention_units": 192,
            "embedding_dropout": 0.3,
            "annotation_dropout": 0.5,
            "readout_dropout": 0.5,
        },
    ),
}

OPTIONS = (
    click.Option(
        ["--features"],
        type=click.Path(path_type=Path),
        help="Folder for the encoder's features, which several runs can share. [default: OUT's]",
    ),
)


def train(
    recipe: Recipe,
    out: str | Path,
    data_dir: str | Path | None = None,
    verify: bool = True,
    command: str | None = None,
    features: str | Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Path:
    """Trains, or goes on with a run that was stopped; keeps the epoch with the best dev BLEU-4.

    Args:
        recipe: One of `RECIPES`, or a changed one.
        out: The run's folder: `checkpoint*` to go on from, `preset/` for the best epoch so far,
            `logs/` for TensorBoard.
        data_dir: A folder with Flickr8k, which has no public home to be downloaded from.
        verify: Whether data that is not the published corpus is refused.
        command: The command line, for the model card.
        features: Folder of the encoder's features; None: `features` in `out`.
        callbacks: Further Keras callbacks.

    Returns:
        The folder of the best epoch, which `zoo.load` takes.

    Raises:
        FileNotFoundError: Files of the corpus are missing.
        ValueError: `out` holds a run of another recipe.
    """
    with prepared(recipe):
        flickr8k, schedule = corpus("flickr8k"), recipe.schedule
        data = flickr8k.load(data_dir, "train", verify)
        dev = flickr8k.load(data_dir, "validation", verify)
        captions = [caption for five in data.captions for caption in five]
        tokenizer = SubwordTokenizer(train_words(words_of(captions), recipe.least_count))
        model = model_class(recipe.model)(tokenizer, **recipe.network)
        model.encoder.set_weights(pretrained_encoder(model.encoder.variant).get_weights())

        folder = Path(features or Path(out) / "features")
        seen = picture_features(model.encoder, data.pictures, folder, "train")
        seen_dev = picture_features(model.encoder, dev.pictures, folder, "validation")
        if recipe.whole_picture:
            seen, seen_dev = mean_of_places(seen), mean_of_places(seen_dev)

        batches = pair_batches(model, recipe, data.captions, seen)

        def dev_bleu(model: Any) -> float:
            return bleu_4(model.caption_features(seen_dev[:, 0], beam_size=3), dev.captions)

        steps = -(-len(captions) // schedule.batch_size)
        model.compile(
            optimizer=averaging_adam(schedule, steps),
            loss=TokenCrossEntropy(recipe.label_smoothing),
            weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="token_accuracy")],
        )
        return train_model(
            model, recipe, batches, steps, out, dev_bleu, "bleu_4", command, callbacks
        )


def pair_batches(
    model: Any, recipe: Recipe, captions: Sequence[Sequence[str]], features: np.ndarray
) -> Callable[[range], tf.data.Dataset]:
    """Batches of captions of like length, each with its picture, half of them flipped.

    Args:
        model: A captioner.
        recipe: The recipe.
        captions: Those of each picture.
        features: float16 `[pictures, 2, places, channels]`: of the picture, and of it flipped.

    Returns:
        A function of a range of epochs to their batches, for `zoo.training.loop.runs.train_model`.
    """
    flat = [caption for of in captions for caption in of]
    pictures = np.repeat(np.arange(len(captions), dtype=np.int32), [len(of) for of in captions])
    may_flip = np.array([recipe.flips and flippable(caption) for caption in flat])
    ids, lengths = (part.numpy() for part in model.encode_captions(tf.constant(flat)))
    ids = [row[:length] for row, length in zip(ids, lengths, strict=True)]

    def draw(rng: np.random.Generator, epoch: int) -> tuple:
        flipped = may_flip & (rng.random(len(flat)) < 0.5)
        return ids, pictures, flipped.astype(np.int32)

    def look_up(pictures: np.ndarray, flipped: np.ndarray) -> np.ndarray:
        return features[pictures, flipped]

    def finish(
        ids: tf.Tensor, lengths: tf.Tensor, pictures: tf.Tensor, flipped: tf.Tensor
    ) -> tuple[Any, ...]:
        found = tf.numpy_function(look_up, [pictures, flipped], tf.float16)
        found.set_shape([None, *features.shape[2:]])
        return model.training_batch({"features": tf.cast(found, tf.float32)}, ids, lengths)

    def batches(epochs: range) -> tf.data.Dataset:
        size, seed = recipe.schedule.batch_size, recipe.seed
        return training_batches(draw, finish, size, seed, epochs, sequences=1, values=2)

    return batches


def mean_of_places(features: np.ndarray) -> np.ndarray:
    """float16 `[pictures, 2, places, channels]` as one place each, in memory."""
    means = [of.astype(np.float32).mean(axis=-2, keepdims=True) for of in features]
    return np.stack(means).astype(np.float16)
