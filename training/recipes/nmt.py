"""The recipes of `nmt_attention` and `nmt_vanilla`: Multi30k, English to German.

Read from top to bottom: what is trained, on what, how, and which epoch is kept. Both models get the
same data, vocabulary and kind of schedule; the network differs, and for how many epochs it learns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
import tensorflow as tf

from zoo.models.losses import TokenCrossEntropy
from zoo.models.translation import source_form
from zoo.registry import model_class
from zoo.text.subwords import SubwordTokenizer
from zoo.training.corpora.catalogue import corpus
from zoo.training.corpora.subwords import train_subwords
from zoo.training.evaluation.translation import EVALUATION
from zoo.training.loop.batches import training_batches
from zoo.training.loop.runs import averaging_adam, prepared, train_model
from zoo.training.loop.schedule import Schedule
from zoo.training.metrics.bleu import lowercased_tokenised_bleu
from zoo.training.recipes.nmt_card import card

__all__ = ["EVALUATION", "OPTIONS", "RECIPES", "card", "train"]


SCHEDULE = Schedule(epochs=12, learning_rate=1.2e-3, warmup_steps=300)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    name: str
    model: str
    seed: int = 1
    # Data
    vocabulary_size: int = 8000
    # Network: arguments of the model's class, its defaults where not named
    network: dict[str, Any] = field(default_factory=dict)
    label_smoothing: float = 0.1
    schedule: Schedule = SCHEDULE


RECIPES = {
    "nmt_attention": Recipe(
        "nmt_attention",
        model="nmt_attention",
        network={
            "embedding_units": 128,
            "encoder_units": 256,
            "decoder_units": 256,
            "attention_units": 256,
            "embedding_dropout": 0.3,
            "encoder_dropout": 0.5,
            "readout_dropout": 0.5,
        },
        schedule=replace(SCHEDULE, epochs=40),
    ),
    "nmt_vanilla": Recipe(
        "nmt_vanilla",
        model="nmt_vanilla",
        network={
            "embedding_units": 128,
            "units": 512,
            "layers": 1,
            "embedding_dropout": 0.3,
            "layer_dropout": 0.3,
            "readout_dropout": 0.5,
        },
        schedule=replace(SCHEDULE, epochs=18),
    ),
}

OPTIONS = (
    click.Option(
        ["--vocabulary-size"],
        type=click.IntRange(min=300),
        help="Sub-words, instead of the recipe's.",
    ),
)


def train(
    recipe: Recipe,
    out: str | Path,
    data_dir: str | Path | None = None,
    verify: bool = True,
    command: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Path:
    """Trains, or goes on with a run that was stopped; keeps the epoch with the best dev BLEU.

    Args:
        recipe: One of `RECIPES`, or a changed one.
        out: The run's folder: `checkpoint*` to go on from, `preset/` for the best epoch so far,
            `logs/` for TensorBoard.
        data_dir: A folder with Multi30k; None downloads it from its public home.
        verify: Whether data that is not the published corpus is refused.
        command: The command line, for the model card.
        callbacks: Further Keras callbacks.

    Returns:
        The folder of the best epoch, which `zoo.load` takes.

    Raises:
        ValueError: `out` holds a run of another recipe.
    """
    with prepared(recipe):
        multi30k, schedule = corpus("multi30k"), recipe.schedule
        data = multi30k.load(data_dir, "train", verify)
        dev = multi30k.load(data_dir, "validation", verify)
        sources = [text.decode() for text in source_form(data.en).numpy()]
        subwords = train_subwords([*sources, *data.de], recipe.vocabulary_size)
        model = model_class(recipe.model)(SubwordTokenizer(subwords), **recipe.network)
        pairs = unpadded(*model.encode_source(data.en)), unpadded(*model.tokenizer.encode(data.de))

        def finish(
            source: tf.Tensor,
            source_lengths: tf.Tensor,
            target: tf.Tensor,
            target_lengths: tf.Tensor,
        ) -> tuple[Any, ...]:
            inputs = {"source": source, "source_lengths": source_lengths}
            return model.training_batch(inputs, target, target_lengths)

        def batches(epochs: range) -> tf.data.Dataset:
            return training_batches(
                lambda rng, epoch: pairs,
                finish,
                schedule.batch_size,
                recipe.seed,
                epochs,
            )

        def dev_bleu(model: Any) -> float:
            # Greedy search ranks epochs as well as beam search does, in a quarter of the time.
            hypotheses = model.translate(dev.en, beam_size=1, batch_size=128, split_sentences=False)
            return lowercased_tokenised_bleu(hypotheses, dev.de_tok).score

        steps = -(-len(data.en) // schedule.batch_size)
        model.compile(
            optimizer=averaging_adam(schedule, steps),
            loss=TokenCrossEntropy(recipe.label_smoothing),
            weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="token_accuracy")],
        )
        return train_model(model, recipe, batches, steps, out, dev_bleu, "bleu", command, callbacks)


def unpadded(ids: tf.Tensor, lengths: tf.Tensor) -> list[np.ndarray]:
    """Rows of padded ids `[batch, time]` without their padding, int32 arrays."""
    return [row[:length] for row, length in zip(ids.numpy(), lengths.numpy(), strict=True)]
