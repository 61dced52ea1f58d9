"""Pre-training: an LSTM learns to say which word comes next, then it reads for its living.

Dai and Le (2015), "Semi-supervised Sequence Learning", arXiv:1511.01432: the weights of a language
model, trained on the corpus without its labels, start the classifier. Both share the embedding and
a forward LSTM; here the embedding is the output matrix as well (Press and Wolf 2017)::

    h_t = LSTM(E x_1 ... E x_t)         s_t = E (W h_t + d) + b        P(x_{t+1} = w) ~ exp(s_tw)

A row is a review, or a part of a long one, and starts from the zero state: so does a review that is
to be classified.
"""

import io
import json
import math
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from training.corpora.corpus_words import CorpusWords
from training.corpora.imdb import load_training, load_unlabelled
from training.loop.batches import bucketed_batches, training_batches
from training.loop.checkpoint import Checkpoint, averaged_weights
from training.loop.runs import averaging_adam
from zoo.files import write_atomically
from zoo.layers import BasicLSTMCell, DynamicRNN
from zoo.text.vocabulary import PAD_ID, WordVocabulary

RESULT = "language_model.npz"
DEV_TOKENS = 40_000  # the perplexity of so many is known to about a percent


@dataclass(frozen=True)
class Pretraining:
    """Everything that decides the language model, beside the classifier's network and seed."""

    # Data: IMDB's training and unlabelled reviews, the held-out ones left out
    vocabulary_size: int = 30_000
    row_tokens: int = 200
    # Network
    dropout: float = 0.1
    negatives: int = 1024
    # Schedule: a pass over the text is cut into parts, after each of which a run can be resumed
    passes: int = 3
    parts: int = 10
    batch_size: int = 64
    learning_rate: float = 3e-3
    warmup_steps: int = 200
    clip_norm: float = 1.0
    weight_decay: float = 0.0
    average_momentum: float = 0.998

    @property
    def epochs(self):
        """What `fit` calls an epoch is a part."""
        return self.passes * self.parts


class Pretrained(NamedTuple):
    """What a classifier starts from."""

    words: list[str]  # of the vocabulary
    embedding: np.ndarray  # float32 [words + 2, units], in the order of the ids
    encoder: list[np.ndarray]  # weights of a `DynamicRNN(BasicLSTMCell)`


class LanguageModel(keras.Model):
    """The next word by an LSTM.

    Args:
        vocabulary_size: ids, the most frequent first.
        embedding_units, units: widths of the embedding and the LSTM.
        dropout: share of units dropped before and after the LSTM.
        negatives: words drawn for each batch to stand for the whole vocabulary in training.

    Call arguments:
        inputs: dict of ``tokens`` int32 ``[batch, time]`` and ``lengths`` int32 ``[batch]``.

    Returns:
        ``W h_t + d``, float32 ``[tokens, embedding_units]``, of the real tokens, row by row.
    """

    def __init__(self, vocabulary_size, embedding_units, units, dropout, negatives):
        super().__init__()
        self.supports_jit = False
        self.negatives = negatives
        self.embedding = keras.layers.Embedding(vocabulary_size, embedding_units)
        self.input_dropping = keras.layers.Dropout(dropout)
        self.encoder = DynamicRNN(BasicLSTMCell(units))
        self.output_dropping = keras.layers.Dropout(dropout)
        self.projection = keras.layers.Dense(embedding_units)
        self.bias = self.add_weight(shape=(vocabulary_size,), initializer="zeros", name="bias")
        self.seeds = keras.random.SeedGenerator()
        one = tf.ones([1, 1], tf.int32)
        self({"tokens": one, "lengths": one[0]})

    def call(self, inputs, training=None):
        embedded = self.input_dropping(self.embedding(inputs["tokens"]), training=training)
        outputs, _ = self.encoder(embedded, inputs["lengths"], training=training)
        real = tf.sequence_mask(inputs["lengths"], tf.shape(outputs)[1])
        outputs = tf.boolean_mask(outputs, real)
        return self.projection(self.output_dropping(outputs, training=training))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean cross-entropy over the batch's tokens, against ``negatives`` words only.

        ``y``: the next ids, int32 ``[tokens]``.
        """
        uniform = keras.random.uniform([self.negatives], seed=self.seeds)
        table, bias = tf.convert_to_tensor(self.embedding.embeddings), self.bias
        return tf.reduce_mean(
            sampled_cross_entropy(y_pred, y, table, tf.convert_to_tensor(bias), uniform)
        )

    # Traced once for batches of all shapes; without AutoGraph, which would double its time.
    @tf.function(
        input_signature=[
            {
                "tokens": tf.TensorSpec([None, None], tf.int32),
                "lengths": tf.TensorSpec([None], tf.int32),
            },
            tf.TensorSpec([None], tf.int32),
        ],
        autograph=False,
    )
    def token_losses(self, inputs, targets):
        """Cross-entropy of each token over the whole vocabulary, float32 ``[tokens]``."""
        scores = tf.matmul(self(inputs), self.embedding.embeddings, transpose_b=True) + self.bias
        return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, scores)


def sampled_cross_entropy(features, ids, table, bias, uniform):
    """Cross-entropy against a sample of words, the same for all tokens.

    The sum over the vocabulary is estimated by importance sampling (Bengio and Senécal 2008; Jean
    et al. 2015). With ``s_w = table_w . x + bias_w`` and ``S``, ``n`` draws from ``q``::

        loss = log(exp s_y + sum_{w in S, w != y} exp(s_w) / (n q_w)) - s_y

    ``q_w = log(1 + 1 / (w + 1)) / log(V + 1)`` follows Zipf's law where ids are in the order of
    frequency.

    Args:
        features: float32 ``[tokens, units]``.
        ids: int32 ``[tokens]``.
        table: float32 ``[V, units]``.
        bias: float32 ``[V]``.
        uniform: float32 ``[n]`` in [0, 1): what the sample is drawn by.

    Returns:
        float32 ``[tokens]``.
    """
    size = tf.cast(tf.shape(table)[0], tf.float32)
    # The inverse of q's distribution function; the last word is as far as rounding may go.
    sample = tf.cast(tf.exp(uniform * tf.math.log(size + 1)) - 1, tf.int32)
    sample = tf.minimum(sample, tf.shape(table)[0] - 1)

    share = tf.math.log1p(1 / (tf.cast(sample, tf.float32) + 1)) / tf.math.log(size + 1)
    log_expected = tf.math.log(share * tf.cast(tf.size(uniform), tf.float32))
    others = tf.matmul(features, tf.gather(table, sample), transpose_b=True)
    others += tf.gather(bias, sample) - log_expected
    others = tf.where(ids[:, tf.newaxis] == sample, others.dtype.min, others)
    own = tf.reduce_sum(features * tf.gather(table, ids), -1) + tf.gather(bias, ids)
    return tf.nn.softplus(tf.reduce_logsumexp(others, -1) - own)


def pretrain(settings, network, seed, out, data_dir=None, verify=True, callbacks=()):
    """Train the language model, or go on with it, or read it if it is there already.

    Args:
        settings: a :class:`Pretraining`.
        network: dict with the classifier's ``embedding_units`` and ``units``.
        seed: int.
        out: its folder: a checkpoint to go on from, ``logs/`` with the perplexity, at last what
            a classifier starts from.
        data_dir: folder with IMDB; None downloads it.
        verify: refuse data that is not the published corpus.
        callbacks: further Keras callbacks.

    Returns:
        A :class:`Pretrained`.

    Raises:
        ValueError: ``out`` holds a language model of other settings.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    sizes = {name: network[name] for name in ("embedding_units", "units")}
    told = {**asdict(settings), **sizes, "seed": seed, "epochs": settings.epochs}
    checkpoint = Checkpoint(out, told)
    if (out / RESULT).exists():
        return _read(out / RESULT, told)
    rows, dev_rows, words = _rows(settings, data_dir, verify)
    model = LanguageModel(
        len(words) + 2, **sizes, dropout=settings.dropout, negatives=settings.negatives
    )
    in_part = len(rows) // settings.parts
    steps = -(-in_part // settings.batch_size)
    model.compile(optimizer=averaging_adam(settings, steps))
    done, _ = checkpoint.restore(model)

    def draw(rng, epoch):
        # All parts of a pass are of one shuffle.
        number, part = divmod(epoch - 1, settings.parts)
        order = np.random.default_rng([seed, number]).permutation(len(rows))
        chosen = order[part * in_part :][:in_part]
        return ([rows[row] for row in chosen],)

    model.fit(
        training_batches(
            draw, next_word, settings.batch_size, seed, range(done + 1, settings.epochs + 1), 1
        ),
        steps_per_epoch=steps,
        initial_epoch=done,
        epochs=settings.epochs,
        callbacks=[
            KeepPart(checkpoint, dev_rows),
            keras.callbacks.TensorBoard(out / "logs"),
            *callbacks,
        ],
    )
    with averaged_weights(model):
        _write(out / RESULT, told, words, model)
    return _read(out / RESULT, told)


def next_word(tokens, lengths):
    """Rows of ids to ``(inputs, next ids [tokens])``: all but the last word, all but the first."""
    real = tf.sequence_mask(lengths - 1, tf.shape(tokens)[1] - 1)
    inputs = {"tokens": tokens[:, :-1], "lengths": lengths - 1}
    return inputs, tf.boolean_mask(tokens[:, 1:], real)


def perplexity(model, rows):
    """Perplexity of rows of ids over the whole vocabulary."""
    total = count = 0
    for tokens, lengths in bucketed_batches(lambda rng, epoch: (rows,), 8, 0, 0, 1):
        losses = model.token_losses(*next_word(tf.constant(tokens), tf.constant(lengths)))
        total, count = total + float(tf.reduce_sum(losses)), count + len(losses)
    return math.exp(total / count)


class KeepPart(keras.callbacks.Callback):
    """After each part: dev perplexity with averaged weights, a checkpoint."""

    def __init__(self, checkpoint, dev_rows):
        super().__init__()
        self.checkpoint, self.dev_rows = checkpoint, dev_rows

    def on_epoch_end(self, epoch, logs=None):
        with averaged_weights(self.model):
            logs["dev_perplexity"] = perplexity(self.model, self.dev_rows)
        self.checkpoint.save(self.model, epoch + 1, -logs["dev_perplexity"])


def _rows(settings, data_dir, verify):
    """Rows to train on, dev rows and the words of the vocabulary."""
    train, dev = load_training(data_dir, verify)
    corpus = CorpusWords()
    read = corpus.read([*train.texts, *load_unlabelled(data_dir, verify, without=dev)])
    words = corpus.frequent(read, min_count=2, size=settings.vocabulary_size)
    vocabulary = WordVocabulary(words)
    rows = cut_rows(corpus.ids(read, vocabulary), settings.row_tokens)
    dev_rows = cut_rows(corpus.ids(corpus.read(dev.texts), vocabulary), settings.row_tokens)
    tokens = np.cumsum([len(row) for row in dev_rows])
    return rows, dev_rows[: 1 + int(np.searchsorted(tokens, DEV_TOKENS))], words


def cut_rows(texts, longest):
    """Texts as rows of ``longest`` words to predict at most, and one before them.

    The end of a text is the padding's id: the model learns that a text ends.
    """
    rows = []
    for ids in texts:
        ids = np.append(ids, np.int32(PAD_ID))
        for start in range(0, len(ids) - 1, longest):
            rows.append(ids[start : start + longest + 1])
    return rows


def _write(path, told, words, model):
    arrays = [keras.ops.convert_to_numpy(weight) for weight in model.encoder.weights]
    whole = io.BytesIO()
    np.savez(
        whole,
        *arrays,
        embedding=keras.ops.convert_to_numpy(model.embedding.embeddings),
        words=np.frombuffer(WordVocabulary(words).to_bytes(), np.uint8),
        settings=json.dumps(told),
    )
    write_atomically(path, whole.getvalue())


def _read(path, told):
    try:
        with np.load(path) as file:
            arrays = dict(file)
        settings = json.loads(str(arrays.pop("settings")))
        words = WordVocabulary.from_bytes(arrays.pop("words").tobytes()).words
        embedding = arrays.pop("embedding")
        encoder = [arrays[f"arr_{i}"] for i in range(len(arrays))]
    except (EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it to train it anew") from error
    if settings != told:
        other = {name for name in {*settings, *told} if settings.get(name) != told.get(name)}
        raise ValueError(
            f"{path} is of other settings: {', '.join(sorted(other))}. Choose another folder "
            f"for the run or for `pretraining`. Received: {told}"
        )
    return Pretrained(words, embedding, encoder)
