"""How many texts a second `classify` reads, beside the same network of stock Keras layers.

    python -m benchmarks.classification [--batches 1,32,256] [--rounds 9]

Both sides take raw texts and give a label for each: the zoo by `TextClassifier.classify`, Keras by
`TextVectorization`, `Embedding`, `Bidirectional(LSTM)`, attention of `Dense` and `Softmax`, and
`Dense`, compiled as one graph. The weights are the same (so are the labels; that is checked), the
sizes those of the preset `sentiment`. A second pair of columns is the network alone, from ids to
labels. Every call gets one batch. The texts are made up of 30,000 words with the frequencies and
lengths of film reviews; they hold no punctuation, so that both tokenisers cut them alike. Figures
are medians over rounds in which the two take turns.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from zoo.models import TextClassifier
from zoo.text.vocabulary import WordVocabulary

LABELS = ("negative", "positive")
Run = Callable[[list[str], tf.Tensor], list[str]]  # from texts and their ids to labels
SIZES = {"embedding_units": 100, "units": 128, "attention_units": 100}
MEAN_WORDS, MOST_WORDS = 230, 1000


def made_up_words(count: int) -> list[str]:
    """So many unique words of letters only."""
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    return ["".join(syllables[(i // 60**place) % 60] for place in range(3)) for i in range(count)]


def make_texts(words: list[str], count: int) -> list[str]:
    """Texts as long as film reviews, their words as frequent as Zipf's law has it."""
    random = np.random.default_rng(0)
    lengths = np.clip(random.lognormal(5.15, 0.7, count), 10, MOST_WORDS)
    lengths = np.maximum(1, lengths * MEAN_WORDS / lengths.mean()).astype(int)
    shares = 1 / np.arange(1, len(words) + 1)
    shares /= shares.sum()
    return [" ".join(random.choice(words, min(length, MOST_WORDS), p=shares)) for length in lengths]


def keras_network(model: TextClassifier) -> keras.Model:
    """The network of a `TextClassifier` in stock layers, with its weights: ids to probabilities."""
    lstm = keras.layers.LSTM(SIZES["units"], return_sequences=True)
    encoder = keras.layers.Bidirectional(lstm)
    embedding = keras.layers.Embedding(model.vocabulary.size, SIZES["embedding_units"])
    hidden = keras.layers.Dense(SIZES["attention_units"], activation="tanh")
    score = keras.layers.Dense(1, use_bias=False)
    classifier = keras.layers.Dense(len(LABELS), activation="softmax")

    ids = keras.Input([None], dtype="int32")
    mask = keras.ops.not_equal(ids, 0)
    outputs = encoder(embedding(ids), mask=mask)
    scores = keras.ops.squeeze(score(hidden(outputs)), -1)
    weights = keras.layers.Softmax()(scores, mask=mask)
    pooled = keras.ops.einsum("bt,btu->bu", weights, outputs)
    network = keras.Model(ids, classifier(pooled))

    embedding.set_weights(model.embedding.get_weights())
    encoder.set_weights([_for_keras(weight) for weight in model.encoder.get_weights()])
    kernel, bias, context = model.pooling.get_weights()
    hidden.set_weights([kernel, bias])
    score.set_weights([context])
    classifier.set_weights(model.classifier.get_weights())
    return network


def _for_keras(weight: np.ndarray) -> np.ndarray:
    """An LSTM's weight as Keras has it: its bias holds the 1 that ours adds to the forget gate."""
    if weight.ndim > 1:
        return weight
    return weight + np.repeat([0, 1, 0, 0], len(weight) // 4)


def make_runs() -> tuple[list[str], dict[tuple[str, str], Run], Callable[[list[str]], tf.Tensor]]:
    """The vocabulary, the runs by who and from what, and a function of texts to ids."""
    words = made_up_words(30_000)
    model = TextClassifier(WordVocabulary(words), LABELS, **SIZES)
    # Fresh weights would call nearly everything the same.
    model.classifier.set_weights([weight * 20 for weight in model.classifier.get_weights()])
    network = keras_network(model)
    vectorise = keras.layers.TextVectorization(vocabulary=words)
    names = tf.constant(LABELS)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def keras_texts(texts: tf.Tensor) -> tf.Tensor:
        return tf.gather(names, tf.argmax(network(vectorise(texts)), -1))

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def keras_ids(ids: tf.Tensor) -> tf.Tensor:
        return tf.gather(names, tf.argmax(network(ids), -1))

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def zoo_ids(ids: tf.Tensor) -> tf.Tensor:
        lengths = tf.reduce_sum(tf.cast(ids != 0, tf.int32), 1)
        return tf.gather(names, tf.argmax(model({"tokens": ids, "lengths": lengths}), -1))

    runs = {
        ("zoo", "texts"): lambda texts, ids: [
            a.label for a in model.classify(texts, batch_size=256)
        ],
        ("keras", "texts"): lambda texts, ids: _strings(keras_texts(tf.constant(texts))),
        ("zoo", "ids"): lambda texts, ids: _strings(zoo_ids(ids)),
        ("keras", "ids"): lambda texts, ids: _strings(keras_ids(ids)),
    }
    return words, runs, lambda texts: tf.cast(vectorise(tf.constant(texts)), tf.int32)


def _strings(tensor: tf.Tensor) -> list[str]:
    return [label.decode() for label in tensor.numpy()]


def measure(
    runs: dict[tuple[str, str], Run],
    batches: Sequence[tuple[list[str], tf.Tensor]],
    rounds: int,
) -> dict[tuple[str, str], float]:
    """Median texts a second of each run over the rounds; `batches` are `(texts, ids)`."""
    rates = {name: [] for name in runs}
    for turn in range(rounds + 1):
        labels = {}
        for name, run in runs.items():
            start = time.perf_counter()
            labels[name] = [label for texts, ids in batches for label in run(texts, ids)]
            if turn:  # the first round compiles
                rates[name].append(len(labels[name]) / (time.perf_counter() - start))
        first, *others = labels.values()
        if any(other != first for other in others):
            raise AssertionError("the two sides give different labels: not the same network")
    return {name: statistics.median(values) for name, values in rates.items()}


def main() -> None:
    """Times both sides and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batches", default="1,32,256", help="texts in a call")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()

    words, runs, ids_of = make_runs()
    print(f"{os.cpu_count()} cores, TensorFlow {tf.__version__}, Keras {keras.__version__}")
    print(f"texts a second, {MEAN_WORDS} words on average")
    names = [f"{who}, {what}" for who, what in runs]
    print(f"{'batch':>5}" + "".join(f"{name:>14}" for name in names) + f"{'zoo / keras':>20}")
    for size in map(int, options.batches.split(",")):
        # Enough texts that a round of single ones has short and long among them.
        texts = make_texts(words, max(size, 16))
        parts = [texts[i : i + size] for i in range(0, len(texts), size)]
        rates = measure(runs, [(part, ids_of(part)) for part in parts], options.rounds)
        ratios = [rates["zoo", what] / rates["keras", what] for what in ("texts", "ids")]
        print(
            f"{size:>5}"
            + "".join(f"{rate:>14.1f}" for rate in rates.values())
            + f"{ratios[0]:>12.2f}x{ratios[1]:>6.2f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()
