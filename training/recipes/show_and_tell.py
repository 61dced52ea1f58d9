"""The recipes of `show_and_tell` and `show_attend_tell`: Flickr8k, pictures to captions.

Read from top to bottom: what is trained, on what, how, and which epoch is kept. Both models get the
same features, captions, vocabulary and kind of schedule; they differ in how often they look.

There are up to three parts, each a recipe that begins with the best epoch of another one:

* `..._frozen`: the decoder learns alone. Each picture goes through the encoder twice in all, as it
  is and flipped, and the epochs read what came out (`zoo.training.vision.features`). An epoch has
  every caption once, with one of the two.
* `..._tuned`: the encoder's last blocks learn together with the decoder, slowly, from what enters
  them. An epoch has every picture once, with some of its captions.
* `show_attend_tell`, `show_and_tell`: the decoder learns from captions that it draws itself, to
  agree more with all five references (`zoo.training.recipes.show_and_tell_rewards`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo.models.losses import TokenCrossEntropy
from zoo.presets import WEIGHTS, read_config
from zoo.provenance import Provenance
from zoo.registry import model_class
from zoo.text.subwords import SubwordTokenizer
from zoo.training.corpora.catalogue import corpus
from zoo.training.corpora.flickr8k import Captioned
from zoo.training.corpora.subwords import train_words
from zoo.training.evaluation.captioning import EVALUATION
from zoo.training.loop.runs import averaging_adam, finished_preset, prepared, train_model
from zoo.training.loop.schedule import Schedule
from zoo.training.metrics.captions import bleu_4, words_of
from zoo.training.recipes.show_and_tell_batches import (
    mean_of_places,
    pair_batches,
    picture_batches,
)
from zoo.training.recipes.show_and_tell_card import card
from zoo.training.recipes.show_and_tell_rewards import policy_loss, rewarded_batches
from zoo.training.vision.encoders import pretrained_encoder
from zoo.training.vision.features import picture_features

__all__ = ["EVALUATION", "OPTIONS", "RECIPES", "card", "train"]

FIRST_TUNED = 11  # of the encoder's 16 blocks: from it on they have four fifths of its weights
FROZEN = Schedule(epochs=8, batch_size=64, learning_rate=1e-3, warmup_steps=400)
# Batches are of pictures here.
TUNED = Schedule(
    epochs=6, batch_size=32, learning_rate=4e-4, warmup_steps=100, average_momentum=0.99
)
REWARDED = Schedule(
    epochs=3, batch_size=16, learning_rate=1e-4, warmup_steps=50, average_momentum=0.99
)


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
    captions_each: int = 1  # of a picture in a batch, where the encoder learns
    # Network: arguments of the model's class, its defaults where not named; of what it begins with
    network: dict[str, Any] = field(default_factory=dict)
    label_smoothing: float = 0.1
    begins_with: str = ""  # the recipe whose best epoch it goes on from
    # Fine-tuning of the encoder
    trained_from: int | None = None  # its first block that learns, or may have learnt
    encoder_rate: float = 1.0  # of the learning rate
    # Self-critical training
    drawn_each: int = 0  # captions that the model draws for a picture
    schedule: Schedule = FROZEN


RECIPES = {
    "show_and_tell_frozen": Recipe(
        "show_and_tell_frozen",
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
        schedule=replace(FROZEN, epochs=14),
    ),
    "show_attend_tell_frozen": Recipe(
        "show_attend_tell_frozen",
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
    "show_and_tell_tuned": Recipe(
        "show_and_tell_tuned",
        model="show_and_tell",
        begins_with="show_and_tell_frozen",
        trained_from=FIRST_TUNED,
        captions_each=2,
        encoder_rate=0.25,
        schedule=TUNED,
    ),
    "show_attend_tell_tuned": Recipe(
        "show_attend_tell_tuned",
        model="show_attend_tell",
        begins_with="show_attend_tell_frozen",
        trained_from=FIRST_TUNED,
        captions_each=2,
        encoder_rate=0.25,
        schedule=TUNED,
    ),
    "show_and_tell": Recipe(
        "show_and_tell",
        model="show_and_tell",
        begins_with="show_and_tell_frozen",
        whole_picture=True,
        trained_from=FIRST_TUNED,
        drawn_each=5,
        network={
            "embedding_dropout": 0.0,
            "vector_dropout": 0.0,
            "layer_dropout": 0.0,
            "readout_dropout": 0.0,
        },
        schedule=REWARDED,
    ),
    "show_attend_tell": Recipe(
        "show_attend_tell",
        model="show_attend_tell",
        begins_with="show_attend_tell_tuned",
        trained_from=FIRST_TUNED,
        drawn_each=5,
        network={"embedding_dropout": 0.0, "annotation_dropout": 0.0, "readout_dropout": 0.0},
        schedule=REWARDED,
    ),
}

OPTIONS = (
    click.Option(
        ["--features"],
        type=click.Path(path_type=Path),
        help="Folder for the encoder's features, which several runs can share. [default: OUT's]",
    ),
    click.Option(
        ["--start-from"],
        type=click.Path(path_type=Path),
        help="Preset to go on from, such as runs/show_attend_tell_tuned/preset, for a recipe that "
        "begins with another one's. [default: that one is trained first, in a folder in OUT]",
    ),
)


def train(
    recipe: Recipe,
    out: str | Path,
    data_dir: str | Path | None = None,
    verify: bool = True,
    command: str | None = None,
    features: str | Path | None = None,
    start_from: str | Path | None = None,
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
        start_from: The preset to go on from, for a recipe that `begins_with` another; None trains
            that one first, in the folder of its name in `out`.
        callbacks: Further Keras callbacks.

    Returns:
        The folder of the best epoch, which `zoo.load` takes.

    Raises:
        FileNotFoundError: Files of the corpus are missing.
        ValueError: `out` holds a run of another recipe; `start_from` is of another model, or the
            recipe begins with none.
    """
    folder = Path(features or Path(out) / "features")
    if not recipe.begins_with:
        if start_from is not None:
            raise ValueError(f"--start-from means nothing to {recipe.name}: it begins anew")
        data = _Data.load(data_dir, verify, folder)
        with prepared(recipe):
            return _train_frozen(recipe, out, data, command, callbacks)
    if start_from is None:
        first, there = RECIPES[recipe.begins_with], Path(out) / recipe.begins_with
        start_from = finished_preset(first, there) or train(
            first, there, data_dir, verify, command, folder, callbacks=callbacks
        )
    _check_start(recipe, start_from)
    train_on = _train_rewarded if recipe.drawn_each else _train_tuned
    data = _Data.load(data_dir, verify, folder)
    with prepared(recipe):
        return train_on(recipe, out, data, start_from, command, callbacks)


class _Data(NamedTuple):
    """Both splits, and where what an encoder gives of them is kept."""

    train: Captioned
    dev: Captioned
    features: Path

    @classmethod
    def load(cls, data_dir: str | Path | None, verify: bool, features: Path) -> "_Data":
        flickr8k = corpus("flickr8k")
        parts = (flickr8k.load(data_dir, split, verify) for split in ("train", "validation"))
        return cls(*parts, features)

    def seen(self, encoder: Any, block: int | None = None) -> list[np.ndarray]:
        """What `picture_features` gives, of each split."""
        return [
            picture_features(encoder, part.pictures, self.features, name, block)
            for name, part in (("train", self.train), ("validation", self.dev))
        ]

    def dev_bleu(self, seen: np.ndarray) -> Callable[[Any], float]:
        """A model's BLEU-4 on the validation split, whose features are `seen`."""
        return lambda model: bleu_4(
            model.caption_features(seen[:, 0], beam_size=3), self.dev.captions
        )


def _train_frozen(
    recipe: Recipe,
    out: str | Path,
    data: _Data,
    command: str | None,
    callbacks: Sequence[keras.callbacks.Callback],
) -> Path:
    """The decoder alone, on features that are computed once."""
    captions = [caption for five in data.train.captions for caption in five]
    tokenizer = SubwordTokenizer(train_words(words_of(captions), recipe.least_count))
    model = model_class(recipe.model)(tokenizer, **recipe.network)
    model.encoder.set_weights(pretrained_encoder(model.configuration["encoder"]).get_weights())
    seen, seen_dev = data.seen(model.encoder)
    if recipe.whole_picture:
        seen, seen_dev = mean_of_places(seen), mean_of_places(seen_dev)

    steps = -(-len(captions) // recipe.schedule.batch_size)
    _compile(model, recipe, averaging_adam(recipe.schedule, steps))
    batches = pair_batches(model, recipe, data.train.captions, seen)
    return train_model(
        model, recipe, batches, steps, out, data.dev_bleu(seen_dev), "bleu_4", command, callbacks
    )


def _train_tuned(
    recipe: Recipe,
    out: str | Path,
    data: _Data,
    start_from: str | Path,
    command: str | None,
    callbacks: Sequence[keras.callbacks.Callback],
) -> Path:
    """Decoder and last blocks of the encoder, on what enters these."""
    model = zoo.load(start_from, trained_from=recipe.trained_from, **recipe.network)
    # What is kept leaves the encoder alone in `fit`, as all presets do; its record is the recipe's.
    model.configuration["trained_from"] = None
    model.provenance = Provenance()
    seen, seen_dev = data.seen(model.encoder, recipe.trained_from)

    def dev_bleu(model: Any) -> float:
        features = grids(model, seen_dev[:, :1])[:, 0]
        return bleu_4(model.caption_features(features, beam_size=3), data.dev.captions)

    steps = -(-len(seen) // recipe.schedule.batch_size)
    slower = model.encoder.trainable_variables
    optimizer = averaging_adam(recipe.schedule, steps, slower, recipe.encoder_rate)
    _compile(model, recipe, optimizer)
    batches = picture_batches(model, recipe, data.train.captions, seen)
    return train_model(
        model,
        recipe,
        batches,
        steps,
        out,
        dev_bleu,
        "bleu_4",
        command,
        callbacks,
        began_with=_record(start_from),
    )


def _train_rewarded(
    recipe: Recipe,
    out: str | Path,
    data: _Data,
    start_from: str | Path,
    command: str | None,
    callbacks: Sequence[keras.callbacks.Callback],
) -> Path:
    """The decoder alone, on captions that it draws."""
    model = zoo.load(start_from, trained_from=recipe.trained_from, **recipe.network)
    # Whether or not the last blocks have learnt, what enters them is kept.
    seen, seen_dev = (grids(model, part) for part in data.seen(model.encoder, recipe.trained_from))
    model = zoo.load(start_from, **recipe.network)
    # Who fine-tunes what is kept wants the dropout back that is of no use here.
    model.configuration |= read_config(start_from)["config"]
    model.provenance = Provenance()
    if recipe.whole_picture:
        seen, seen_dev = mean_of_places(seen), mean_of_places(seen_dev)

    steps = -(-len(seen) // recipe.schedule.batch_size)
    optimizer = averaging_adam(recipe.schedule, steps)
    model.compile(optimizer=optimizer, loss=policy_loss(), weighted_metrics=[])
    return train_model(
        model,
        recipe,
        rewarded_batches(model, recipe, data.train.captions, seen),
        steps,
        out,
        data.dev_bleu(seen_dev),
        "bleu_4",
        command,
        callbacks,
        began_with=_record(start_from),
    )


def _compile(model: Any, recipe: Recipe, optimizer: keras.optimizers.Optimizer) -> None:
    model.compile(
        optimizer=optimizer,
        loss=TokenCrossEntropy(recipe.label_smoothing),
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="token_accuracy")],
    )


def _check_start(recipe: Recipe, start_from: str | Path) -> None:
    model = read_config(start_from)["model"]
    if model != recipe.model:
        raise ValueError(
            f"`start_from` must be a preset of {recipe.model}. "
            f"Received: {str(start_from)!r}, one of {model}"
        )


def _record(preset: str | Path) -> dict[str, Any]:
    """What the card says of the preset that a run began with."""
    config = read_config(preset)
    return {"weights_sha256": config["files"][WEIGHTS], "training": config.get("training")}


def grids(model: Any, activations: np.ndarray, batch_size: int = 32) -> np.ndarray:
    """Features of what enters the blocks that learn.

    Args:
        model: A captioner with `trained_from`.
        activations: float16 `[pictures, views, height, width, channels]`.
        batch_size: Pictures at a time.

    Returns:
        float16 `[pictures, views, places, channels]`, in memory.
    """
    spec = tf.TensorSpec([None, *activations.shape[2:]], tf.float32)

    @tf.function(input_signature=[spec], autograph=False)
    def features(activations: tf.Tensor) -> tf.Tensor:
        return tf.cast(model.features_of({"activations": activations}), tf.float16)

    parts, views = [], activations.shape[1]
    for start in range(0, len(activations), batch_size):
        batch = activations[start : start + batch_size].astype(np.float32)
        seen = features(tf.constant(batch.reshape(-1, *batch.shape[2:]))).numpy()
        parts.append(seen.reshape(-1, views, *seen.shape[1:]))
    return np.concatenate(parts)
