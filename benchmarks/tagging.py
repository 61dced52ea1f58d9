"""Sentences per second of a tagger of names, beside the same network in stock Keras layers.

Sentences are made of the preset's own words, with lengths like those of news (mean 14). Three ways
from text to tags are timed in turn, in one process; the table shows medians:

- `tag`: the zoo's verb, with CRF, probabilities and the entities as Python tuples;
- `zoo`: the zoo's network with the best tag of each token, no CRF;
- `keras`: the same with `keras.layers.Embedding`, `LSTM`, `Bidirectional` and `Dense`.

Keras has no CRF and no tokenizer with character offsets: `zoo` and `keras` are to be compared, and
both read the text with the zoo's tokenizer and vocabularies, in the graph. Keras's weights are
random, which changes no time.

    pip install -e .
    python -m benchmarks.tagging
"""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import click
import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

import zoo

BATCHES = (1, 32, 256)
# From the inputs of the model to scores, float32 `[batch, time, tags]`.
Network = Callable[[dict[str, tf.Tensor]], tf.Tensor]


def make_sentences(model: Any, count: int) -> list[str]:
    """Sentences of random words of the model's vocabulary, rare ones as often as frequent ones."""
    random = np.random.default_rng(0)
    lengths = np.clip(random.lognormal(2.4, 0.7, count), 2, 60).astype(int)
    words = [word for word in model.words.words if word.isalpha()]
    return [" ".join(random.choice(words, length)).capitalize() + "." for length in lengths]


def build_keras(model: Any) -> Network:
    """The network of `zoo.models.NER` in stock layers."""
    settings = model.get_config()

    def reader(units: int, sequences: bool) -> keras.layers.Layer:
        lstm = keras.layers.LSTM(units, return_sequences=sequences)
        return keras.layers.Bidirectional(lstm)

    characters = keras.layers.Embedding(model.characters.size, settings["character_units"])
    character_encoder = reader(settings["spelling_units"], sequences=False)
    words = keras.layers.Embedding(model.words.size, settings["word_units"])
    encoder = reader(settings["units"], sequences=True)
    projection = keras.layers.Dense(len(model.tags))

    def scores(inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        spellings = inputs["spellings"]
        spelled = character_encoder(
            characters(spellings),
            mask=tf.sequence_mask(inputs["spelling_lengths"], tf.shape(spellings)[1]),
        )
        tokens = [words(inputs["words"]), tf.gather(spelled, inputs["spelling_of"])]
        real = tf.sequence_mask(inputs["lengths"], tf.shape(inputs["words"])[1])
        return projection(encoder(tf.concat(tokens, -1), mask=real))

    return scores


def from_text(model: Any, scores: Network) -> Callable[[list[str]], np.ndarray]:
    """A function of texts to the best tag of each token, around a network."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def run(texts: tf.Tensor) -> tf.Tensor:
        tokens = model.tokenizer.tokenize(texts).tokens
        return tf.argmax(scores(model.make_inputs(tokens)), -1)

    return lambda texts: run(tf.constant(texts)).numpy()


@click.command()
@click.option("--preset", default="ner", show_default=True, help="Name or folder.")
@click.option("--rounds", default=9, show_default=True, help="Timings of each setting.")
def main(preset: str, rounds: int) -> None:
    """Time the tagger in batches of 1, 32 and 256 sentences."""
    model = zoo.load(preset)
    runs = {
        "tag": lambda texts: model.tag(texts, batch_size=len(texts)),
        "zoo": from_text(model, lambda inputs: model(inputs, training=False)),
        "keras": from_text(model, build_keras(model)),
    }
    print(f"{os.cpu_count()} cores, TensorFlow {tf.__version__}, Keras {keras.__version__}")
    table = Table("batch", *(f"{name} [sentences/s]" for name in runs), "keras / zoo time")
    for batch in BATCHES:
        texts = make_sentences(model, batch)
        seconds = {name: [] for name in runs}
        for turn in range(rounds + 1):
            for name, run in runs.items():
                started = time.perf_counter()
                run(texts)
                if turn:  # the first traces the graph and warms up
                    seconds[name].append(time.perf_counter() - started)
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        rates = [f"{batch / median:,.1f}" for median in medians.values()]
        table.add_row(str(batch), *rates, f"{medians['keras'] / medians['zoo']:.2f}x")
    Console().print(table)


if __name__ == "__main__":
    main()
