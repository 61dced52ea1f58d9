"""The recipes of ``sentiment`` and ``sentiment_sst``: is a review of a film good or bad?

Read from top to bottom: what is trained, on what, how, and which epoch is kept.

``sentiment`` knows public word vectors and trains them, first on IMDB's labelled reviews and twice
as many without labels, for which a logistic regression on n-grams guesses (see
``training/recipes/ngrams.py``), then on the labelled ones.
``sentiment_labelled`` is what the labelled ones give alone; the read-outs are compared by it.
``sentiment_pretrained`` is first a language model on all reviews (see
``training/recipes/language_model.py``). ``sentiment_sst`` knows a word by its public vector and by
the one that ``sentiment_pretrained`` has learnt, which tells praise from blame.
"""

from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

import zoo
from training.corpora.corpus_words import CorpusWords
from training.corpora.imdb import load_unlabelled
from training.corpora.word_vectors import WordVectors, embedding_matrix, load_word_vectors
from training.evaluation.classification import CORPORA
from training.loop.batches import training_batches
from training.loop.runs import averaging_adam, prepared, train_model
from training.recipes.language_model import RESULT, Pretraining, pretrain
from training.recipes.ngrams import NGramClassifier
from zoo.registry import model_class
from zoo.text.vocabulary import UNK_ID, WordVocabulary


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    name: str
    model: str = "sentiment"
    seed: int = 1
    # Data
    corpus: str = "imdb"
    min_count: int = 3  # a rarer word is unknown, unless the word vectors or the language model
    vector_words: int = 0  # have it among so many of their most frequent words
    train_tokens: int = 400  # of a longer review its first and last half of so many
    word_dropout: float = 0.0  # share of words made unknown in training
    # Where the network starts: as a language model, or else with public word vectors
    pretraining: Pretraining | None = None
    words_of: str | None = None  # recipe whose own word vectors stand beside the public ones
    fixed_words: bool = False  # whether all vectors stay what they are
    # Network: arguments of the model's class, its defaults where not named
    network: dict = field(default_factory=dict)
    # Schedule
    epochs: int = 5
    guessed_epochs: int = 0  # of these: reviews without labels too, by n-grams' guesses at them
    batch_size: int = 32
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    clip_norm: float = 1.0
    average_momentum: float = 0.995
    weight_decay: float = 0.0
    precision: str = "float32"


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
        epochs=12,
        guessed_epochs=8,
        batch_size=64,
        learning_rate=2e-3,
    ),
    "sentiment_pretrained": Recipe(
        "sentiment_pretrained",
        pretraining=Pretraining(),
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
        epochs=6,
        batch_size=64,
    ),
    "sentiment_labelled": Recipe(
        "sentiment_labelled",
        network=WITH_WORD_VECTORS,
        epochs=6,
        batch_size=64,
        learning_rate=2e-3,
    ),
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
        epochs=8,
        batch_size=64,
    ),
}


def train(
    recipe,
    out,
    data_dir=None,
    verify=True,
    command=None,
    callbacks=(),
    word_vectors=None,
    pretraining=None,
    words_of=None,
):
    """Train, or go on with a run that was stopped; keep the epoch with the best dev accuracy.

    Args:
        recipe: a :class:`Recipe`.
        out: the run's folder: ``checkpoint*`` to go on from, ``preset/`` for the best epoch so far,
            ``logs/`` for TensorBoard, ``pretraining/`` for the language model if there is one.
        data_dir: folder with the corpus; None downloads it from its public home.
        verify: refuse data that is not the published corpus.
        command: the command line, for the model card.
        callbacks: further Keras callbacks.
        word_vectors: file or folder with word vectors, for a recipe without a language model; None
            downloads GloVe.
        pretraining: folder of a language model of these settings that another run has trained.
        words_of: preset that a run of the recipe's ``words_of`` has left, if it has one.

    Returns:
        The folder of the best epoch, which ``zoo.load`` takes.

    Raises:
        FileNotFoundError: ``pretraining`` has no language model, or ``words_of`` no preset.
        ValueError: ``out`` holds a run of another recipe, or ``words_of`` is needed and missing.
    """
    if recipe.words_of and not words_of:
        raise ValueError(
            f"`words_of` must be the preset that a run of `{recipe.words_of}` has left, such as "
            f"runs/{recipe.words_of}/preset after `zoo-train {recipe.words_of} --out "
            f"runs/{recipe.words_of}`. Received: words_of=None"
        )
    with prepared(recipe):
        data, dev = CORPORA[recipe.corpus].load_training(data_dir, verify)
        positive = np.array(data.labels, np.float32)  # the probability of each review to be so
        texts = data.texts
        if recipe.guessed_epochs:
            unlabelled = load_unlabelled(data_dir, verify, without=dev)
            guesses = NGramClassifier(data, recipe.seed).probabilities(unlabelled)
            positive = np.concatenate([positive, guesses])
            texts = [*texts, *unlabelled]
        corpus = CorpusWords()
        texts = corpus.read(texts)
        frequent = corpus.frequent(texts, recipe.min_count)
        encoder = None
        if recipe.pretraining:
            if pretraining and not (Path(pretraining) / RESULT).is_file():
                raise FileNotFoundError(
                    "`pretraining` must be the folder of a language model whose training has "
                    f"ended, with a file {RESULT}. Received: pretraining={str(pretraining)!r}"
                )
            folder = pretraining or Path(out) / "pretraining"
            words, rows, encoder = pretrain(
                recipe.pretraining, recipe.network, recipe.seed, folder, data_dir, verify, callbacks
            )
            known = [_with_rows_of_ids(words, rows)]
        else:
            learnt = [_of_preset(words_of)] if recipe.words_of else []
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

        ids = [cut(of, recipe.train_tokens) for of in corpus.ids(texts, vocabulary)]

        labelled = len(data.labels)

        def draw(rng, epoch):
            """As many reviews as have labels: in the first epochs any, in the others those."""
            rows = range(labelled)
            if epoch <= recipe.guessed_epochs:
                rows = rng.choice(len(ids), labelled, replace=False)
            # A label that is drawn costs on average what its probability would.
            labels = (rng.random(labelled) < positive[rows]).astype(np.int32)
            return drop_words([ids[row] for row in rows], recipe.word_dropout, rng), labels

        def batches(epochs):
            return training_batches(
                draw, _inputs, recipe.batch_size, recipe.seed, epochs, sequences=1, values=1
            )

        def dev_accuracy(model):
            found = model.classify(dev.texts)
            right = [model.labels[label] for label in dev.labels]
            return float(np.mean([f.label == r for f, r in zip(found, right, strict=True)]))

        steps = -(-labelled // recipe.batch_size)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        model.compile(averaging_adam(recipe, steps), loss=model.loss, metrics=[accuracy])
        return train_model(
            model, recipe, batches, steps, out, dev_accuracy, "accuracy", command, callbacks
        )


def _with_rows_of_ids(words, rows):
    """The rows of an embedding as word vectors: padding and the unknown word have some too."""
    return WordVectors(["", "", *words], rows)


def _of_preset(name):
    """The word vectors that a preset has learnt."""
    model = zoo.load(name)
    (rows,) = model.embedding.get_weights()
    return _with_rows_of_ids(model.vocabulary.words, rows)


def cut(ids, longest):
    """The first and last half of ``longest`` ids, as the model cuts a text that is too long."""
    if len(ids) <= longest:
        return ids
    return np.concatenate([ids[: (longest + 1) // 2], ids[len(ids) - longest // 2 :]])


def drop_words(texts, share, rng):
    """Makes a share of the words unknown: the model must not lean on a single one."""
    if not share:
        return texts
    flat = np.concatenate(texts)
    flat = np.where(rng.random(len(flat)) < share, np.int32(UNK_ID), flat)
    return np.split(flat, np.cumsum([len(text) for text in texts])[:-1])


def _inputs(tokens, lengths, labels):
    return {"tokens": tokens, "lengths": lengths}, labels
