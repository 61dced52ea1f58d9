"""The recipe of `language_model_imdb`: which word comes next in a review of a film?

Read from top to bottom: what is trained, on what, how, and which epoch is kept.

It is what a classifier may start from (`sentiment_pretrained`): Dai and Le (2015), "Semi-supervised
Sequence Learning", arXiv:1511.01432. It learns from the corpus without its labels, and gives the
classifier its embedding and a forward LSTM.

A row is a review, or a part of a long one, and starts from the zero state: so does a review that is
to be classified.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo.models.language_model import LanguageModel, next_word
from zoo.presets import CONFIG, read_config
from zoo.text.vocabulary import WordVocabulary
from zoo.training.corpora.catalogue import corpus
from zoo.training.corpora.corpus_words import CorpusWords, cut_rows
from zoo.training.corpora.imdb import load_unlabelled
from zoo.training.evaluation.base import Card
from zoo.training.evaluation.language_modelling import EVALUATION
from zoo.training.loop.batches import training_batches
from zoo.training.loop.runs import averaging_adam, finished_preset, prepared, train_model
from zoo.training.loop.schedule import Schedule, recorded
from zoo.training.metrics.perplexity import perplexity

__all__ = ["EVALUATION", "RECIPES", "card", "train"]

DEV_TOKENS = 40_000  # the perplexity of so many is known to about a percent
SCHEDULE = Schedule(epochs=30, learning_rate=3e-3)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    name: str
    model: str = "language_model"
    seed: int = 1
    # Data: IMDB's training and unlabelled reviews, the held-out ones left out
    vocabulary_size: int = 30_000
    row_tokens: int = 200
    parts: int = 10  # of a pass over the text; what the schedule calls an epoch is one of them
    # Network: arguments of the model's class
    network: dict[str, Any] = field(default_factory=dict)
    schedule: Schedule = SCHEDULE


RECIPES = {
    "language_model_imdb": Recipe(
        "language_model_imdb",
        network={"embedding_units": 128, "units": 256, "dropout": 0.1, "negatives": 1024},
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
    """Trains, or goes on with a run that was stopped; keeps the part with the best dev perplexity.

    Of a run that has ended the preset is given at once, without the corpus.

    Args:
        recipe: One of `RECIPES`, or a changed one.
        out: The run's folder: `checkpoint*` to go on from, `preset/` for the best part so far,
            `logs/` for TensorBoard.
        data_dir: A folder with IMDB; None downloads it.
        verify: Whether data that is not the published corpus is refused.
        command: The command line, for the model card.
        callbacks: Further Keras callbacks.

    Returns:
        The folder of the best part, which `zoo.load` takes; its weights are float32.

    Raises:
        ValueError: `out` holds a run of another recipe.
    """
    if finished := finished_preset(recipe, out):
        return finished
    with prepared(recipe):
        rows, dev_rows, vocabulary = load_rows(recipe, data_dir, verify)
        model = LanguageModel(vocabulary, **recipe.network)
        schedule, in_part = recipe.schedule, len(rows) // recipe.parts

        def draw(rng: np.random.Generator, epoch: int) -> tuple[list[np.ndarray]]:
            # All parts of a pass are of one shuffle.
            number, part = divmod(epoch - 1, recipe.parts)
            order = np.random.default_rng([recipe.seed, number]).permutation(len(rows))
            chosen = order[part * in_part :][:in_part]
            return ([rows[row] for row in chosen],)

        def batches(epochs: range) -> tf.data.Dataset:
            return training_batches(
                draw, next_word, schedule.batch_size, recipe.seed, epochs, sequences=1
            )

        def dev_perplexity(model: LanguageModel) -> float:
            return perplexity(model, dev_rows)

        steps = -(-in_part // schedule.batch_size)
        model.compile(averaging_adam(schedule, steps))
        return train_model(
            model,
            recipe,
            batches,
            steps,
            out,
            dev_perplexity,
            "perplexity",
            command,
            callbacks,
            lower_is_better=True,
            half=False,
        )


def load_or_train(
    recipe: Recipe,
    preset: str | Path | None,
    out: str | Path,
    data_dir: str | Path | None = None,
    verify: bool = True,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> LanguageModel:
    """The language model that a classifier starts from.

    Args:
        recipe: What it is or shall be trained by.
        preset: The folder that another run of the recipe has left; None trains in `out`, or takes
            what was trained there.
        out: As for `train`, as are the others.
        data_dir: As for `train`.
        verify: As for `train`.
        callbacks: As for `train`.

    Raises:
        FileNotFoundError: `preset` is none.
        ValueError: `preset` was trained by another recipe, or `out` holds a run of one.
    """
    if preset is None:
        preset = train(recipe, out, data_dir, verify, callbacks=callbacks)
    elif not (Path(preset) / CONFIG).is_file():
        raise FileNotFoundError(
            f"`pretraining` must be the preset that a run of `{recipe.name}` has left, such as "
            f"runs/{recipe.name}/preset. A language_model.npz is what former versions wrote: train "
            f"it anew, `zoo-train {recipe.name}`. Received: pretraining={str(preset)!r}"
        )
    elif differences := _differences(read_config(preset), recipe):
        raise ValueError(
            f"`pretraining` is of other settings: {', '.join(differences)}. It must be a run of "
            f"{recorded(recipe)}. Received: pretraining={str(preset)!r}"
        )
    # What is made after it shall not depend on whether it was there already.
    keras.utils.set_random_seed(recipe.seed)
    return zoo.load(preset)


def _differences(config: dict[str, Any], recipe: Recipe) -> list[str]:
    """The fields of a recipe in which the one of a preset's `config.json` is other."""
    there = recorded((config.get("training") or {}).get("recipe") or {})
    wanted = json.loads(json.dumps(recorded(recipe)))
    return sorted(name for name in {*there, *wanted} if there.get(name) != wanted.get(name))


def load_rows(
    recipe: Recipe, data_dir: str | Path | None, verify: bool
) -> tuple[list[np.ndarray], list[np.ndarray], WordVocabulary]:
    """Rows to train on, dev rows and the vocabulary; arguments as for `train`."""
    reviews, dev = corpus("imdb").load_training(data_dir, verify)
    words = CorpusWords()
    read = words.read([*reviews.texts, *load_unlabelled(data_dir, verify, without=dev)])
    frequent = words.frequent(read, min_count=2, size=recipe.vocabulary_size)
    vocabulary = WordVocabulary(frequent)
    rows = cut_rows(words.ids(read, vocabulary), recipe.row_tokens)
    dev_rows = cut_rows(words.ids(words.read(dev.texts), vocabulary), recipe.row_tokens)
    tokens = np.cumsum([len(row) for row in dev_rows])
    return rows, dev_rows[: 1 + int(np.searchsorted(tokens, DEV_TOKENS))], vocabulary


def card(recipe: dict[str, Any]) -> Card:
    """The prose of the card."""
    return Card(
        what="Which word comes next in a review of a film? An LSTM reads the words so far; the "
        "embedding is the output matrix as well. `sentiment_pretrained` starts from it, after Dai "
        "and Le (2015); the lecture's *language model*.",
        data=f"""{corpus("imdb").about}

The labels are not used. 2,512 training reviews were held out to choose by (`imdb_dev`).""",
        limits="""- Trained on reviews of films, in lower case: what it writes is in their manner.
- It knows nothing: what it says of films, people and years is made up.
- It repeats what reviewers wrote of people, insults included.
- English only.""",
    )
