"""The recipes of `sentiment` and `sentiment_sst`: is a review of a film good or bad?

Read from top to bottom: what is trained, on what, how, and which epoch is kept.

`sentiment` knows public word vectors and trains them, first on IMDB's labelled reviews and twice
as many without labels, for which a logistic regression on n-grams guesses (see
`training/recipes/ngrams.py`), then on the labelled ones.
`sentiment_labelled` is what the labelled ones give alone; the read-outs are compared by it.
`sentiment_pretrained` is first a language model on all reviews (see
`training/recipes/language_model.py`). `sentiment_sst` knows a word by its public vector and by
the one that `sentiment_pretrained` has learnt, which tells praise from blame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo.registry import model_class
from zoo.text.vocabulary import UNK_ID, WordVocabulary
from zoo.training.corpora.catalogue import corpus
from zoo.training.corpora.corpus_words import CorpusWords
from zoo.training.corpora.imdb import load_unlabelled
from zoo.training.corpora.word_vectors import WordVectors, embedding_matrix, load_word_vectors
from zoo.training.evaluation.classification import EVALUATION
from zoo.training.loop.batches import training_batches
from zoo.training.loop.runs import averaging_adam, prepared, train_model
from zoo.training.loop.schedule import Schedule
from zoo.training.recipes import language_model
from zoo.training.recipes.ngrams import NGramClassifier
from zoo.training.recipes.options import WORD_VECTORS
from zoo.training.recipes.sentiment_card import card

__all__ = ["EVALUATION", "OPTIONS", "RECIPES", "card", "train"]

SCHEDULE = Schedule(epochs=6, learning_rate=2e-3, average_momentum=0.995)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    name: str
    model: str = "text_classifier"
    seed: int = 1
    # Data
    corpus: str = "imdb"
    min_count: int = 3  # a rarer word is unknown, unless the word vectors or the language model
    vector_words: int = 0  # have it among so many of their most frequent words
    train_tokens: int = 400  # of a longer review its first and last half of so many
    word_dropout: float = 0.0  # share of words made unknown in training
    # Where the network starts: as a language model, or else with public word vectors
    pretraining: language_model.Recipe | None = None
    words_of: str | None = None  # recipe whose own word vectors stand beside the public ones
    fixed_words: bool = False  # whether all vectors stay what they are
    # Network: arguments of the model's class, its defaults where not named
    network: dict[str, Any] = field(default_factory=dict)
    guessed_epochs: int = 0  # the first ones: reviews without labels too, by n-grams' guesses
    schedule: Schedule = SCHEDULE


WITH_WORD_VECTORS = {
    "readout": "attention",
    "bidirectional": True,
    "embedding_units": 100,
    "units": 128,
    "attention_units": 100,
    "embedding_dropout": 0.4,
    "readout_dropout": 0.5,
}

RECIPES = {
    "sentiment": Recipe(
        "sentiment",
        min_count=5,
        word_dropout=0.05,
        network={**WITH_WORD_VECTORS, "embedding_dropout": 0.3},
        guessed_epochs=8,
        schedule=replace(SCHEDULE, epochs=12),
    ),
    "sentiment_pretrained": Recipe(
        "sentiment_pretrained",
        pretraining=language_model.RECIPES["language_model_imdb"],
        vector_words=30_000,
        network={
            "readout": "attention",
            "bidirectional": False,
            "embedding_units": 128,
            "units": 256,
            "attention_units": 100,
            "embedding_dropout": 0.4,
            "readout_dropout": 0.5,
        },
        schedule=replace(SCHEDULE, learning_rate=1e-3),
    ),
    "sentiment_labelled": Recipe("sentiment_labelled", network=WITH_WORD_VECTORS),
    "sentiment_sst": Recipe(
        "sentiment_sst",
        corpus="sst2",
        min_count=1,
        vector_words=30_000,
        word_dropout=0.05,
        words_of="sentiment_pretrained",
        fixed_words=True,
        network={
            **WITH_WORD_VECTORS,
            "embedding_units": 100 + 128,
            "units": 200,
            "embedding_dropout": 0.2,
        },
        schedule=replace(SCHEDULE, epochs=8, learning_rate=1e-3),
    ),
}

OPTIONS = (
    WORD_VECTORS,
    click.Option(
        ["--pretraining"],
        type=click.Path(path_type=Path),
        help="Preset that a run of `language_model_imdb` has left, for `sentiment_pretrained`. "
        "[default: trained first, in OUT/pretraining]",
    ),
    click.Option(
        ["--words-of"],
        type=click.Path(path_type=Path),
        help="Preset that a run of `sentiment_pretrained` has left, for `sentiment_sst`.",
    ),
)


def train(
    recipe: Recipe,
    out: str | Path,
    data_dir: str | Path | None = None,
    verify: bool = True,
    command: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    word_vectors: str | Path | None = None,
    pretraining: str | Path | None = None,
    words_of: str | Path | None = None,
) -> Path:
    """Trains, or goes on with a run that was stopped; keeps the epoch with the best dev accuracy.

    Args:
        recipe: One of `RECIPES`, or a changed one.
        out: The run's folder: `checkpoint*` to go on from, `preset/` for the best epoch so far,
            `logs/` for TensorBoard, `pretraining/` for the run of the language model if there is
            one.
        data_dir: A folder with the corpus; None downloads it from its public home.
        verify: Whether data that is not the published corpus is refused.
        command: The command line, for the model card.
        callbacks: Further Keras callbacks.
        word_vectors: A file or folder with word vectors, for a recipe without a language model;
            None downloads GloVe.
        pretraining: Preset of a language model of the recipe's settings that another run has left;
            None trains one, or takes the one that is in `out` already.
        words_of: Preset that a run of the recipe's `words_of` has left, if it has one.

    Returns:
        The folder of the best epoch, which `zoo.load` takes.

    Raises:
        FileNotFoundError: `pretraining` has no language model, or `words_of` no preset.
        ValueError: `out` holds a run of another recipe, or `words_of` is needed and missing.
    """
    for name, value, has_use in (
        ("word_vectors", word_vectors, recipe.pretraining is None),
        ("pretraining", pretraining, recipe.pretraining is not None),
        ("words_of", words_of, recipe.words_of is not None),
    ):
        if value is not None and not has_use:
            raise ValueError(
                f"`{name}` means nothing to the recipe {recipe.name}. Received: {name}={value}"
            )
    if recipe.words_of and not words_of:
        raise ValueError(
            f"`words_of` must be the preset that a run of `{recipe.words_of}` has left, such as "
            f"runs/{recipe.words_of}/preset after `zoo-train {recipe.words_of} --out "
            f"runs/{recipe.words_of}`. Received: words_of=None"
        )
    with prepared(recipe):
        data, dev = corpus(recipe.corpus).load_training(data_dir, verify)
        positive = np.array(data.labels, np.float32)  # the probability of each review to be so
        texts = data.texts
        if recipe.guessed_epochs:
            unlabelled = load_unlabelled(data_dir, verify, without=dev)
            guesses = NGramClassifier(data, recipe.seed).probabilities(unlabelled)
            positive = np.concatenate([positive, guesses])
            texts = [*texts, *unlabelled]
        corpus_words = CorpusWords()
        texts = corpus_words.read(texts)
        frequent = corpus_words.frequent(texts, recipe.min_count)
        encoder = None
        if recipe.pretraining:
            sizes = {name: recipe.network[name] for name in ("embedding_units", "units")}
            network = {**recipe.pretraining.network, **sizes}
            start = language_model.load_or_train(
                replace(recipe.pretraining, seed=recipe.seed, network=network),
                pretraining,
                Path(out) / "pretraining",
                data_dir,
                verify,
                callbacks,
            )
            known, encoder = [_word_vectors_of(start)], start.encoder.get_weights()
        else:
            learnt = [_word_vectors_of(zoo.load(words_of))] if recipe.words_of else []
            units = recipe.network["embedding_units"] - sum(of.vectors.shape[1] for of in learnt)
            known = [load_word_vectors(word_vectors, units=units), *learnt]
        words = [word for of in known for word in of.words[: recipe.vector_words] if word]
        vocabulary = WordVocabulary(list(dict.fromkeys([*frequent, *words])))
        model = model_class(recipe.model)(vocabulary, **recipe.network)
        rows = ["", "", *vocabulary.words]
        tables = [embedding_matrix(rows, of, recipe.seed + i) for i, of in enumerate(known)]
        model.embedding.set_weights([np.concatenate(tables, axis=1)])
        model.embedding.trainable = not recipe.fixed_words
        if encoder:
            model.encoder.set_weights(encoder)

        ids = [cut(of, recipe.train_tokens) for of in corpus_words.ids(texts, vocabulary)]

        labelled, batch_size = len(data.labels), recipe.schedule.batch_size

        def draw(rng: np.random.Generator, epoch: int) -> tuple[list[np.ndarray], np.ndarray]:
            """As many reviews as have labels: in the first epochs any, in the others those."""
            rows = range(labelled)
            if epoch <= recipe.guessed_epochs:
                rows = rng.choice(len(ids), labelled, replace=False)
            # A label that is drawn costs on average what its probability would.
            labels = (rng.random(labelled) < positive[rows]).astype(np.int32)
            return drop_words([ids[row] for row in rows], recipe.word_dropout, rng), labels

        def batches(epochs: range) -> tf.data.Dataset:
            return training_batches(
                draw, _inputs, batch_size, recipe.seed, epochs, sequences=1, values=1
            )

        def dev_accuracy(model: Any) -> float:
            found = model.classify(dev.texts)
            right = [model.labels[label] for label in dev.labels]
            return float(np.mean([f.label == r for f, r in zip(found, right, strict=True)]))

        steps = -(-labelled // batch_size)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        model.compile(averaging_adam(recipe.schedule, steps), loss=model.loss, metrics=[accuracy])
        return train_model(
            model, recipe, batches, steps, out, dev_accuracy, "accuracy", command, callbacks
        )


def _word_vectors_of(model: Any) -> WordVectors:
    """The rows of a model's embedding as word vectors: padding and the unknown word have some."""
    (rows,) = model.embedding.get_weights()
    return WordVectors(["", "", *model.vocabulary.words], rows)


def cut(ids: np.ndarray, longest: int) -> np.ndarray:
    """The first and last half of so many ids, as the model cuts a text that is too long."""
    if len(ids) <= longest:
        return ids
    return np.concatenate([ids[: (longest + 1) // 2], ids[len(ids) - longest // 2 :]])


def drop_words(texts: list[np.ndarray], share: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Makes a share of the words unknown: the model must not lean on a single one."""
    if not share:
        return texts
    flat = np.concatenate(texts)
    flat = np.where(rng.random(len(flat)) < share, np.int32(UNK_ID), flat)
    return np.split(flat, np.cumsum([len(text) for text in texts])[:-1])


def _inputs(
    tokens: tf.Tensor, lengths: tf.Tensor, labels: tf.Tensor
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    return {"tokens": tokens, "lengths": lengths}, labels
