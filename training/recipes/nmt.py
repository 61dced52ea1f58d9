"""The recipe of ``nmt_attention`` and ``nmt_vanilla``: Multi30k, English to German.

Read from top to bottom: what is trained, on what, how, and which epoch is kept. Both models get the
same data, vocabulary and kind of schedule; the network differs, and for how many epochs it learns.
"""

from dataclasses import dataclass, field

import keras

from training.corpora.multi30k import load_multi30k
from training.corpora.subwords import train_subwords
from training.loop.batches import training_batches
from training.loop.runs import averaging_adam, prepared, train_model
from training.metrics.bleu import lowercased_tokenised_bleu
from zoo.models.losses import TokenCrossEntropy
from zoo.models.translation import lower_case
from zoo.registry import model_class
from zoo.text.subwords import SubwordTokenizer


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    name: str
    model: str
    seed: int = 1
    # Data
    vocabulary_size: int = 8000
    # Network: arguments of the model's class, its defaults where not named
    network: dict = field(default_factory=dict)
    # Schedule
    epochs: int = 12
    batch_size: int = 64
    learning_rate: float = 1.2e-3
    warmup_steps: int = 300
    clip_norm: float = 1.0
    label_smoothing: float = 0.1
    average_momentum: float = 0.998
    weight_decay: float = 0.0
    precision: str = "float32"


RECIPES = {
    "nmt_attention": Recipe(
        "nmt_attention",
        model="nmt_attention",
        epochs=40,
        network={
            "embedding_units": 128,
            "encoder_units": 256,
            "decoder_units": 256,
            "attention_units": 256,
            "embedding_dropout": 0.3,
            "encoder_dropout": 0.5,
            "readout_dropout": 0.5,
        },
    ),
    "nmt_vanilla": Recipe(
        "nmt_vanilla",
        model="nmt_vanilla",
        epochs=18,
        network={
            "embedding_units": 128,
            "units": 512,
            "layers": 1,
            "embedding_dropout": 0.3,
            "layer_dropout": 0.3,
            "readout_dropout": 0.5,
        },
    ),
}


def train(recipe, out, data_dir=None, verify=True, command=None, callbacks=()):
    """Train, or go on with a run that was stopped; keep the epoch with the best dev BLEU.

    Args:
        recipe: a :class:`Recipe`.
        out: the run's folder: ``checkpoint*`` to go on from, ``preset/`` for the best epoch so far,
            ``logs/`` for TensorBoard.
        data_dir: folder with Multi30k; None downloads it from its public home.
        verify: refuse data that is not the published corpus.
        command: the command line, for the model card.
        callbacks: further Keras callbacks.

    Returns:
        The folder of the best epoch, which ``zoo.load`` takes.

    Raises:
        ValueError: ``out`` holds a run of another recipe.
    """
    with prepared(recipe):
        data = load_multi30k(data_dir, "train", verify)
        dev = load_multi30k(data_dir, "validation", verify)
        sources = [text.decode() for text in lower_case(data.en).numpy()]
        subwords = train_subwords([*sources, *data.de], recipe.vocabulary_size)
        model = model_class(recipe.model)(SubwordTokenizer(subwords), **recipe.network)
        pairs = unpadded(*model.encode_source(data.en)), unpadded(*model.tokenizer.encode(data.de))

        def finish(source, source_lengths, target, target_lengths):
            inputs = {"source": source, "source_lengths": source_lengths}
            return model.training_batch(inputs, target, target_lengths)

        def batches(epochs):
            return training_batches(
                lambda rng, epoch: pairs,
                finish,
                recipe.batch_size,
                recipe.seed,
                epochs,
            )

        def dev_bleu(model):
            # Greedy search ranks epochs as well as beam search does, in a quarter of the time.
            hypotheses = model.translate(dev.en, beam_size=1, batch_size=128)
            return lowercased_tokenised_bleu(hypotheses, dev.de_tok).score

        steps = -(-len(data.en) // recipe.batch_size)
        model.compile(
            optimizer=averaging_adam(recipe, steps),
            loss=TokenCrossEntropy(recipe.label_smoothing),
            weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="token_accuracy")],
        )
        return train_model(model, recipe, batches, steps, out, dev_bleu, "bleu", command, callbacks)


def unpadded(ids, lengths):
    """Rows of padded ids ``[batch, time]`` without their padding: a list of int32 arrays."""
    return [row[:length] for row, length in zip(ids.numpy(), lengths.numpy(), strict=True)]
