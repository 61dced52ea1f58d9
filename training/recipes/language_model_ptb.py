"""The recipes of `language_model` and `language_model_zaremba_small`: which word comes next?

Read from top to bottom: what is trained, on what, how, and which epoch is kept.

Both learn from the Penn Treebank as one long text, by truncated back-propagation through time: a
batch goes on where the last one ended, with the state that it left. `language_model_zaremba_small`
is the small network of Zaremba, Sutskever and Vinyals (2014), arXiv:1409.2329, as they trained it;
`language_model` is what later years have found: the embedding as output matrix (Press and Wolf
2017), the same units dropped through a row (Gal and Ghahramani 2016), weights dropped through time
and averaged (Merity, Keskar and Socher 2018, arXiv:1708.02182), Adam with one rise and fall of its
learning rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from zoo.models.language_model import LanguageModel
from zoo.text.vocabulary import WordVocabulary
from zoo.training.corpora.catalogue import corpus
from zoo.training.corpora.running_text import frequent_words, stream
from zoo.training.evaluation.base import Card
from zoo.training.evaluation.running_text import EVALUATION
from zoo.training.loop.aligned_batches import AlignedText
from zoo.training.loop.runs import (
    averaging_adam,
    decaying_sgd,
    finished_preset,
    prepared,
    train_model,
)
from zoo.training.loop.schedule import Schedule
from zoo.training.loop.truncated_bptt import TruncatedBPTT
from zoo.training.metrics.perplexity import stream_perplexity

__all__ = ["EVALUATION", "RECIPES", "card", "train"]

DEV_ROWS = 20  # read side by side in training, where the exact figure would take too long
SAVE_EVERY = 200  # batches, some minutes


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    name: str
    schedule: Schedule
    model: str = "language_model"
    seed: int = 1
    # Data
    corpus: str = "ptb"
    number_word: str | None = "N"
    marks: bool = False  # which the corpus has not
    # Batches: `schedule.batch_size` rows of so many words
    steps: int = 35
    rolled: bool = False
    # Network: arguments of the model's class
    network: dict[str, Any] = field(default_factory=dict)
    init_scale: float | None = None  # weights are drawn evenly from [-init_scale, init_scale]
    # Plain SGD as Zaremba et al. have it, rather than Adam: epochs of the whole learning rate, and
    # the factor by which it falls at each later one
    full_epochs: int | None = None
    decay: float = 0.5


RECIPES = {
    "language_model": Recipe(
        "language_model",
        Schedule(
            epochs=28,
            batch_size=40,
            learning_rate=3e-3,
            warmup_steps=1000,
            clip_norm=0.25,
            average_momentum=0.999,
            weight_decay=1e-5,
        ),
        rolled=True,
        network={
            "embedding_units": 400,
            "units": [800, 400],
            "projection": False,
            "dropout": 0.2,
            "input_dropout": 0.35,
            "output_dropout": 0.4,
            "word_dropout": 0.1,
            "drop_connect": 0.35,
            "variational": True,
            # A fifth of the words, the frequent ones more often: an epoch takes two thirds of the
            # time that all of them take.
            "negatives": 2000,
        },
        init_scale=0.05,
    ),
    # The paper clips the sum over the 20 steps to a norm of 5 and takes steps of 1: of the mean
    # that is 0.25 and 20.
    "language_model_zaremba_small": Recipe(
        "language_model_zaremba_small",
        Schedule(epochs=13, batch_size=20, learning_rate=20.0, clip_norm=0.25),
        steps=20,
        network={
            "embedding_units": 200,
            "units": [200, 200],
            "forget_bias": 0.0,
            "tied": False,
            "dropout": 0.0,
            "negatives": 0,
        },
        init_scale=0.1,
        full_epochs=4,
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
    """Trains, or goes on with a run that was stopped; keeps the epoch of the best dev perplexity.

    Of a run that has ended the preset is given at once, without the corpus.

    Args:
        recipe: One of `RECIPES`, or a changed one.
        out: The run's folder: `checkpoint*` to go on from, `preset/` for the best epoch so far,
            `logs/` for TensorBoard.
        data_dir: A folder with the corpus; it is not downloaded.
        verify: Whether data that is not the published corpus is refused.
        command: The command line, for the model card.
        callbacks: Further Keras callbacks.

    Returns:
        The folder of the best epoch, which `zoo.load` takes.

    Raises:
        FileNotFoundError: The corpus is not in `data_dir`.
        ValueError: `out` holds a run of another recipe.
    """
    if finished := finished_preset(recipe, out):
        return finished
    source, schedule = corpus(recipe.corpus), recipe.schedule
    with prepared(recipe):
        training = source.load(data_dir, "train", verify)
        validation = source.load(data_dir, "validation", verify)
        vocabulary = WordVocabulary(frequent_words(training))
        rows = AlignedText(
            stream(training, vocabulary.words),
            schedule.batch_size,
            recipe.steps,
            recipe.seed,
            recipe.rolled,
        )
        dev = stream(validation, vocabulary.words)
        trainer = TruncatedBPTT(new_model(recipe, vocabulary), schedule.batch_size)
        trainer.compile(optimizer_of(recipe, rows.batches))
        return train_model(
            trainer,
            recipe,
            rows.dataset,
            rows.batches,
            out,
            lambda model: stream_perplexity(model, dev, DEV_ROWS),
            "perplexity",
            command,
            callbacks,
            lower_is_better=True,
            network=trainer.network,
            save_every=SAVE_EVERY,
        )


def new_model(recipe: Recipe, vocabulary: WordVocabulary) -> LanguageModel:
    """The model that the recipe begins with."""
    model = LanguageModel(
        vocabulary,
        after_end=True,
        number_word=recipe.number_word,
        marks=recipe.marks,
        **recipe.network,
    )
    if recipe.init_scale is not None:
        draw = keras.initializers.RandomUniform(-recipe.init_scale, recipe.init_scale, recipe.seed)
        for variable in model.trainable_variables:
            variable.assign(draw(variable.shape))
    return model


def optimizer_of(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer; `steps` batches are an epoch."""
    if recipe.full_epochs is None:
        return averaging_adam(recipe.schedule, steps)
    return decaying_sgd(recipe.schedule, steps, recipe.full_epochs, recipe.decay)


def card(recipe: dict[str, Any]) -> Card:
    """The prose of the card."""
    how = (
        "two LSTMs of 200 units and no dropout, as Zaremba, Sutskever and Vinyals (2014) have it"
        if recipe.get("full_epochs")
        else "two LSTMs with dropout of units, words and weights; the embedding is the output "
        "matrix as well"
    )
    return Card(
        what="Which word comes next in a newspaper's article? A network reads the words so far: "
        f"{how}. The lecture's *language model*.",
        data=corpus(recipe.get("corpus", "ptb")).about,
        limits="""- It knows 10,000 words of the Wall Street Journal of 1989, in lower case and \
without punctuation;
  numbers are `N`, other words unknown.
- It knows nothing: what it says of firms, people and prices is made up.
- English only.""",
    )
