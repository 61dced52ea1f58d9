"""A language model's words per second, in training and in writing, beside Keras and PyTorch.

The network is that of Zaremba et al. (2014) in its middle size, with a tied output matrix: an
embedding of 650, two LSTMs of 650 units, full softmax over 10,000 words, no dropout. All sides get
the same weights, and the program ends with an error if their first losses differ.

A step of training has a batch of 20 rows of 35 words, with the state of the last batch: forward,
backward, clipping by the global norm, plain SGD. The zoo's is that of `TruncatedBPTT`; Keras has
`keras.layers.LSTM` in a compiled step of the same form; PyTorch has `torch.nn.LSTM`, with the time
first, which suits it best. Writing is greedy, from one word and no state, without an end. The zoo
has its own search; Keras's cells run in a `tf.while_loop`, all compiled; PyTorch goes step by step.
All are timed in turn, in one process; the tables show medians.

    pip install torch==2.14.1 && pip install -e .
    python -m benchmarks.language_model
"""

import contextlib
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

with contextlib.suppress(ImportError):
    # Its optimizers load this; after TensorFlow, whose libraries clash with it, the process dies.
    import torch._dynamo  # noqa: F401

import click
import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from zoo.decoding import greedy
from zoo.models import LanguageModel
from zoo.text.vocabulary import WordVocabulary
from zoo.training.loop.truncated_bptt import TruncatedBPTT

CLIP, LEARNING_RATE = 5.0, 0.1
WRITING_BATCHES = (1, 64)
START_ID = 2
LARGEST_DIFFERENCE = 1e-3  # of losses: the order of additions differs


@dataclass
class Sizes:
    """Of the network and its batches, and weights that all sides are given."""

    units: int
    vocabulary: int
    batch: int
    steps: int
    words: int
    layers: int = 2
    weights: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        random, width = np.random.default_rng(0), 4 * self.units
        shapes = {"embedding": (self.vocabulary, self.units), "output_bias": (self.vocabulary,)}
        for layer in range(self.layers):
            shapes |= {f"kernel_{layer}": (self.units, width), f"bias_{layer}": (width,)}
            shapes[f"recurrent_{layer}"] = (self.units, width)
        self.weights = {
            name: random.uniform(-0.1, 0.1, shape).astype(np.float32)
            for name, shape in shapes.items()
        }

    def words_of(self, turn: int) -> np.ndarray:
        """Int32 `[batch, steps + 1]`: the words of a batch, each the target of the one before."""
        random = np.random.default_rng(turn + 1)
        return random.integers(2, self.vocabulary, [self.batch, self.steps + 1], np.int32)

    def layer(self, number: int) -> list[np.ndarray]:
        """Kernel, recurrent kernel and bias of an LSTM."""
        return [self.weights[f"{name}_{number}"] for name in ("kernel", "recurrent", "bias")]


@dataclass
class Side:
    """One implementation.

    Attributes:
        train: From int32 `[batch, steps + 1]` to the loss, float, of a step of training.
        write: From a number of rows to ids, int32 `[rows, words]`.
    """

    train: Callable[[np.ndarray], float]
    write: Callable[[int], np.ndarray]


def zoo_side(sizes: Sizes) -> Side:
    """The zoo's model and its trainer."""
    words = WordVocabulary([f"word{number}" for number in range(sizes.vocabulary - 2)])
    network = {"projection": False, "dropout": 0.0, "negatives": 0, "forget_bias": 0.0}
    units = [sizes.units] * sizes.layers
    model = LanguageModel(words, sizes.units, units, **network)
    model.embedding.embeddings.assign(sizes.weights["embedding"])
    model.bias.assign(sizes.weights["output_bias"])
    for number, cell in enumerate(model.encoder.cell.cells):
        getattr(cell, "cell", cell).set_weights(sizes.layer(number))
    trainer = TruncatedBPTT(model, rows=sizes.batch)
    trainer.compile(keras.optimizers.SGD(LEARNING_RATE, global_clipnorm=CLIP))
    step = tf.function(trainer.train_step, autograph=False)
    fresh = tf.zeros([sizes.batch], tf.bool)

    def train(words: np.ndarray) -> float:
        trainer.reset_metrics()
        tokens = tf.constant(words)
        return float(step(({"tokens": tokens[:, :-1], "fresh": fresh}, tokens[:, 1:]))["loss"])

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)], autograph=False)
    def written(rows: tf.Tensor) -> tf.Tensor:
        def search(state: object, ids: tf.Tensor) -> tuple:
            return *model.next_word(state, ids), None

        arguments = {"start_id": START_ID, "end_id": -1, "max_lengths": sizes.words}
        return greedy(search, model.start_state(rows), rows, **arguments).ids[:, 0]

    return Side(train, lambda rows: written(tf.constant(rows)).numpy())


def keras_side(sizes: Sizes) -> Side:
    """`keras.layers.LSTM`, the state carried in variables."""
    embedding = keras.layers.Embedding(sizes.vocabulary, sizes.units)
    layers = [
        keras.layers.LSTM(sizes.units, return_sequences=True, return_state=True)
        for _ in range(sizes.layers)
    ]
    embedding.build()
    embedding.embeddings.assign(sizes.weights["embedding"])
    bias = keras.Variable(sizes.weights["output_bias"])
    for number, layer in enumerate(layers):
        layer.build((None, None, sizes.units))
        layer.set_weights(sizes.layer(number))
    variables = [
        embedding.embeddings,
        *(of for layer in layers for of in layer.trainable_variables),
    ]
    variables.append(bias)
    optimizer = keras.optimizers.SGD(LEARNING_RATE, global_clipnorm=CLIP)
    optimizer.build(variables)
    zeros = np.zeros([sizes.batch, sizes.units], np.float32)
    carried = [[tf.Variable(zeros), tf.Variable(zeros)] for _ in layers]

    def logits_of(outputs: tf.Tensor) -> tf.Tensor:
        return tf.matmul(outputs, embedding.embeddings, transpose_b=True) + bias

    @tf.function(input_signature=[tf.TensorSpec([sizes.batch, None], tf.int32)])
    def step(words: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            outputs, after = embedding(words[:, :-1]), []
            for layer, state in zip(layers, carried, strict=True):
                outputs, *states = layer(outputs, initial_state=[tf.identity(of) for of in state])
                after.append(states)
            logits = logits_of(tf.reshape(outputs, [-1, sizes.units]))
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(
                    tf.reshape(words[:, 1:], [-1]), logits
                )
            )
        values = [variable.value for variable in variables]
        optimizer.apply(tape.gradient(loss, values), variables)
        for states, news in zip(carried, after, strict=True):
            for state, new in zip(states, news, strict=True):
                state.assign(new)
        return loss

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)], autograph=False)
    def written(rows: tf.Tensor) -> tf.Tensor:
        def body(time: tf.Tensor, ids: tf.Tensor, states: list, found: tf.TensorArray) -> tuple:
            outputs, after = embedding(ids), []
            for layer, state in zip(layers, states, strict=True):
                outputs, state = layer.cell(outputs, state)
                after.append(state)
            ids = tf.argmax(logits_of(outputs), axis=1, output_type=tf.int32)
            return time + 1, ids, after, found.write(time, ids)

        start = tf.fill([rows], START_ID)
        zeros = tf.zeros([rows, sizes.units])
        found = tf.TensorArray(tf.int32, sizes.words, element_shape=[None])
        loop = (tf.constant(0), start, [[zeros, zeros] for _ in layers], found)
        return tf.transpose(tf.while_loop(lambda t, *_: t < sizes.words, body, loop)[3].stack())

    def train(words: np.ndarray) -> float:
        return float(step(tf.constant(words)))

    return Side(train, lambda rows: written(tf.constant(rows)).numpy())


def torch_side(sizes: Sizes) -> Side:
    """`torch.nn.LSTM`, which has a second bias; it starts at zero."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    embedding = nn.Embedding(sizes.vocabulary, sizes.units)
    lstm = nn.LSTM(sizes.units, sizes.units, sizes.layers)
    bias = nn.Parameter(torch.tensor(sizes.weights["output_bias"]))
    with torch.no_grad():
        embedding.weight.copy_(torch.tensor(sizes.weights["embedding"]))
        for number in range(sizes.layers):
            kernel, recurrent, gates = map(torch.tensor, sizes.layer(number))
            getattr(lstm, f"weight_ih_l{number}").copy_(kernel.T)
            getattr(lstm, f"weight_hh_l{number}").copy_(recurrent.T)
            getattr(lstm, f"bias_ih_l{number}").copy_(gates)
            getattr(lstm, f"bias_hh_l{number}").zero_()
    parameters = [*embedding.parameters(), *lstm.parameters(), bias]
    optimizer = torch.optim.SGD(parameters, LEARNING_RATE)
    zeros = torch.zeros(sizes.layers, sizes.batch, sizes.units)
    carried = [zeros, zeros]

    def train(words: np.ndarray) -> float:
        tokens = torch.tensor(words.T, dtype=torch.long)
        optimizer.zero_grad()
        outputs, state = lstm(embedding(tokens[:-1]), tuple(carried))
        logits = functional.linear(outputs.flatten(0, 1), embedding.weight, bias)
        loss = functional.cross_entropy(logits, tokens[1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        carried[:] = [of.detach() for of in state]
        return loss.item()

    @torch.inference_mode()
    def write(rows: int) -> np.ndarray:
        ids, state, found = torch.full([1, rows], START_ID), None, []
        for _ in range(sizes.words):
            outputs, state = lstm(embedding(ids), state)
            ids = functional.linear(outputs, embedding.weight, bias).argmax(-1)
            found.append(ids[0])
        return torch.stack(found, 1).numpy()

    return Side(train, write)


SIDES = {"zoo": zoo_side, "keras": keras_side, "torch": torch_side}


def medians_of(runs: dict[str, Callable[[int], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each, which take turns and are told the turn; the first warms up."""
    seconds = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run(turn)
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(of) for name, of in seconds.items()}


def row_of(label: str, words: int, medians: dict[str, float]) -> list[str]:
    """A row of a table: words per second, and how many times those of each peer the zoo's are."""
    rates = [f"{words / seconds:,.0f}" for seconds in medians.values()]
    peers = [seconds for name, seconds in medians.items() if name != "zoo"]
    return [label, *rates, *(f"{seconds / medians['zoo']:.2f}" for seconds in peers)]


def check_alike(values: dict[str, float]) -> None:
    """Ends the program if the first losses of the sides are not the same."""
    for name, loss in values.items():
        if abs(loss - values["zoo"]) > LARGEST_DIFFERENCE:
            raise SystemExit(f"{name} is another network: first losses {values}")


@click.command()
@click.option("--rounds", default=9, show_default=True, help="Timings of each setting.")
@click.option("--torch/--no-torch", "with_torch", default=True, help="Whether to time PyTorch too.")
@click.option("--units", default=650, show_default=True, help="Of the embedding and each LSTM.")
@click.option("--vocabulary", default=10_000, show_default=True, help="Words that there are.")
@click.option("--batch", default=20, show_default=True, help="Rows of a batch in training.")
@click.option("--steps", default=35, show_default=True, help="Words of a row in training.")
@click.option("--words", default=100, show_default=True, help="Words that are written at a time.")
def main(rounds: int, with_torch: bool, **options: int) -> None:
    """Time training and writing, and tell how far the sides write the same."""
    sizes, console = Sizes(**options), Console()
    names = [name for name in SIDES if with_torch or name != "torch"]
    sides = {name: SIDES[name](sizes) for name in names}
    head = (*(f"{name}, words/s" for name in names), *(f"zoo to {name}" for name in names[1:]))

    # Before training, after which rounding has led the weights apart.
    writing = Table("written at a time", *head)
    for rows in WRITING_BATCHES:
        found = {name: side.write(rows) for name, side in sides.items()}
        for name in names[1:]:
            same = np.mean(found[name] == found["zoo"])
            console.print(f"{name}, batch {rows}: {same:.0%} of the words are the zoo's")
        runs = {name: lambda _, side=side, n=rows: side.write(n) for name, side in sides.items()}
        medians = medians_of(runs, rounds)
        writing.add_row(*row_of(f"{rows} x {sizes.words}", rows * sizes.words, medians))

    check_alike({name: side.train(sizes.words_of(0)) for name, side in sides.items()})
    runs = {
        name: lambda turn, side=side: side.train(sizes.words_of(turn))
        for name, side in sides.items()
    }
    training = Table("trained at a time", *head)
    label, words = f"{sizes.batch} x {sizes.steps}", sizes.batch * sizes.steps
    training.add_row(*row_of(label, words, medians_of(runs, rounds)))
    console.print(training, writing)
    versions = f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
    if with_torch:
        import torch

        versions += f", PyTorch {torch.__version__}"
    console.print(f"{len(os.sched_getaffinity(0))} cores, {versions}")


if __name__ == "__main__":
    main()
