"""The recipes of `ner` (CoNLL-2003), `ner_open` (WNUT-17 and BTC) and an ablation.

Read from top to bottom: what is trained, on what, how, and which epoch is kept. The last entry of
`RECIPES` is `ner` without its CRF.
"""

import collections
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.registry import model_class
from zoo.text.vocabulary import CharacterVocabulary, WordVocabulary, normal_form
from zoo.training.corpora.catalogue import load_tagged
from zoo.training.corpora.columns import Tagged
from zoo.training.corpora.word_vectors import WordVectors, embedding_matrix, load_word_vectors
from zoo.training.evaluation.tagging import EVALUATION
from zoo.training.loop.batches import training_batches
from zoo.training.loop.runs import averaging_adam, prepared, train_model
from zoo.training.loop.schedule import Schedule
from zoo.training.metrics.entity_f1 import strict_scores
from zoo.training.recipes.ner_card import card
from zoo.training.recipes.options import WORD_VECTORS

__all__ = ["EVALUATION", "OPTIONS", "RECIPES", "card", "train"]

SCHEDULE = Schedule(epochs=30, batch_size=32, learning_rate=2e-3, warmup_steps=400)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    name: str
    model: str = "ner"
    seed: int = 1
    # Data, and the types that it is labelled with
    corpora: tuple[str, ...] = ("conll2003",)
    types: tuple[str, ...] = ("LOC", "MISC", "ORG", "PER")
    # Vocabulary
    word_units: int = 50  # of GloVe's sizes
    public_words: int = 200_000  # its most frequent words, kept with their vectors
    least_word: int = 2  # a training word without a vector that is rarer counts as unknown
    least_character: int = 5  # so does a character
    # Network: further arguments of the model's class, its defaults where not named
    network: dict[str, Any] = field(default_factory=dict)
    schedule: Schedule = SCHEDULE


RECIPES = {
    "ner": Recipe(
        "ner",
        network={
            "character_units": 30,
            "spelling_units": 50,
            "units": 200,
            "word_dropout": 0.02,
            "input_dropout": 0.4,
            "output_dropout": 0.5,
        },
    ),
    "ner_open": Recipe(
        "ner_open",
        corpora=("wnut17", "btc"),
        types=("LOC", "ORG", "PER"),
        schedule=replace(SCHEDULE, epochs=20),
        network={
            "character_units": 30,
            "spelling_units": 50,
            "units": 150,
            "word_dropout": 0.1,
            "input_dropout": 0.5,
            "output_dropout": 0.5,
        },
    ),
}
RECIPES["ner_softmax"] = replace(
    RECIPES["ner"], name="ner_softmax", network={**RECIPES["ner"].network, "output": "softmax"}
)


OPTIONS = (WORD_VECTORS,)


def train(
    recipe: Recipe,
    out: str | Path,
    data_dir: str | Path | None = None,
    verify: bool = True,
    command: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    word_vectors: str | Path | None = None,
) -> Path:
    """Trains, or goes on with a run that was stopped; keeps the epoch with the best dev F1.

    Args:
        recipe: One of `RECIPES`, or a changed one.
        out: The run's folder: `checkpoint*` to go on from, `preset/` for the best epoch so far,
            `logs/` for TensorBoard.
        data_dir: A folder with the recipe's corpora; None downloads them.
        verify: Whether data that is not the published corpus is refused.
        command: The command line, for the model card.
        callbacks: Further Keras callbacks.
        word_vectors: A file or folder with GloVe's vectors; None downloads them.

    Returns:
        The folder of the best epoch, which `zoo.load` takes.

    Raises:
        ValueError: `out` holds a run of another recipe.
    """
    with prepared(recipe):
        data = load_tagged(recipe.corpora, data_dir, "train", verify)
        dev = load_tagged(recipe.corpora, data_dir, "validation", verify)
        model = new_model(recipe, data, load_word_vectors(word_vectors, units=recipe.word_units))
        steps = -(-len(data.tokens) // recipe.schedule.batch_size)
        model.compile(averaging_adam(recipe.schedule, steps))

        def dev_f1(model: Any) -> float:
            return strict_scores(dev.tags, model.tag_tokens(dev.tokens))["f1"]

        batches = batches_of(model, recipe, data)
        return train_model(model, recipe, batches, steps, out, dev_f1, "f1", command, callbacks)


def new_model(recipe: Recipe, data: Tagged, public: WordVectors) -> Any:
    """The untrained model, with vocabularies of the training data and of public word vectors.

    Args:
        recipe: One of `RECIPES`, or a changed one.
        data: The training data.
        public: Word vectors, frequent words first.
    """
    words = trained_words(data.tokens, set(public.words), recipe.least_word)
    trained, known = len(words), set(words)
    for word in public.words[: recipe.public_words]:
        # What is looked up is in normal form; another form would never be found.
        if word not in known and word == normal_form(word):
            words.append(word)
    vectors = embedding_matrix(words, public, recipe.seed)
    model = model_class(recipe.model)(
        WordVocabulary(words),
        CharacterVocabulary(frequent_characters(data.tokens, recipe.least_character)),
        types=recipe.types,
        trained_words=trained,
        word_units=vectors.shape[1],
        **recipe.network,
    )
    # Padding and the unknown word come before the words.
    model.assign_words(np.concatenate([np.zeros_like(vectors[:2]), vectors]))
    return model


def trained_words(
    tokens: Iterable[Sequence[str]], public: Collection[str], least: int
) -> list[str]:
    """Words of the training data that get a vector of their own, most frequent first.

    A word that has no public vector counts with its digits as 0, which is how it will be looked up,
    and only if it is not rare: the vector of the unknown word is learnt from the rare ones.

    Args:
        tokens: The tokens of each sentence.
        public: The words that have a vector.
        least: How often a word without a public vector must be there.

    Returns:
        Words in normal form.
    """
    counts = collections.Counter()
    for token in (token for sentence in tokens for token in sentence):
        form = normal_form(token)
        counts[form if form in public else re.sub(r"\d", "0", form)] += 1
    return [
        word for word, count in counts.most_common() if word and (word in public or count >= least)
    ]


def frequent_characters(tokens: Iterable[Sequence[str]], least: int) -> list[str]:
    """Characters in at least `least` tokens; the unknown one is learnt from the others."""
    counts = collections.Counter(
        character for sentence in tokens for token in sentence for character in set(token)
    )
    return [character for character, count in counts.items() if count >= least]


def batches_of(model: Any, recipe: Recipe, data: Tagged) -> Callable[[range], tf.data.Dataset]:
    """A function of a range of epochs to the training batches, for `train_model`.

    The corpora's own tokens are trained on as they are, not split as `fit` would split them
    (`split_tokens=False`): published figures are of these tokens, and so is the score.
    """
    tokens, tags = model.raw_columns(*data)
    ids = tags.with_values(model.tag_ids.lookup(tags.flat_values)).to_list()
    ids = [np.array(row, np.int32) for row in ids]
    rows = np.arange(len(ids), dtype=np.int32)

    def finish(
        tags: tf.Tensor, lengths: tf.Tensor, rows: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        return model.make_inputs(tf.gather(tokens, rows)), tags

    def batches(epochs: range) -> tf.data.Dataset:
        return training_batches(
            lambda rng, epoch: (ids, rows),
            finish,
            recipe.schedule.batch_size,
            recipe.seed,
            epochs,
            sequences=1,
            values=1,
        )

    return batches
