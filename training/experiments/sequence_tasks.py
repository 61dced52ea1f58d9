"""Two tasks that no window solves: what counts stands far back. And a small network for them.

Hochreiter and Schmidhuber (1997); in this form Le, Jaitly and Hinton (2015), arXiv:1504.00941.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.layers import BasicLSTMCell, BasicRNNCell, DynamicRNN, GRUCell

SYMBOLS = 8  # of the copy task
CLOSE = 0.1  # a sum is right if it is no further off


class ScaledRNNCell(BasicRNNCell):
    """A plain cell whose recurrent matrix starts orthogonal times a number.

    That number is `eta`, the largest factor by which a gradient can grow in a step back.

    Args:
        units: Of the cell.
        eta: Above 0; 1 is the zoo's own cell.
    """

    def __init__(self, units: int, eta: float, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.eta = eta

    def add_weight(self, *args: Any, **kwargs: Any) -> keras.Variable:
        """As any layer's, with another start for the recurrent matrix."""
        if kwargs.get("name") == "recurrent_kernel":
            kwargs["initializer"] = keras.initializers.Orthogonal(self.eta)
        return super().add_weight(*args, **kwargs)


# The slides' cells: of a plain one, the matrix it starts with; of an LSTM, its forget bias.
CELLS: dict[str, Callable[[int], keras.layers.Layer]] = {
    "RNN, eta 0.8": lambda units: ScaledRNNCell(units, 0.8),
    "RNN, eta 1": BasicRNNCell,
    "RNN, eta 1.6": lambda units: ScaledRNNCell(units, 1.6),
    "LSTM, forget bias 0": lambda units: BasicLSTMCell(units, forget_bias=0.0),
    "LSTM, forget bias 1": lambda units: BasicLSTMCell(units, forget_bias=1.0),
    "LSTM, forget bias 3": lambda units: BasicLSTMCell(units, forget_bias=3.0),
    "GRU": GRUCell,
}


class Batch(NamedTuple):
    """Rows of a task.

    Attributes:
        inputs: Float32 `[rows, time, 2]` or `[rows, time, SYMBOLS + 1]`.
        targets: Float32 `[rows, 1]`, a sum; or `[rows, SYMBOLS]`, a symbol.
    """

    inputs: np.ndarray
    targets: np.ndarray


def adding(rng: np.random.Generator, rows: int, length: int) -> Batch:
    """Numbers from 0 to 1, of which two are marked, one in each half: what is their sum?

    Args:
        rng: What is drawn by.
        rows: How many.
        length: Steps, 2 or more.
    """
    inputs = np.zeros([rows, length, 2], np.float32)
    inputs[..., 0] = rng.random([rows, length])
    half = length // 2
    marked = np.stack([rng.integers(half, size=rows), rng.integers(half, length, size=rows)], 1)
    every = np.arange(rows)[:, np.newaxis]
    inputs[every, marked, 1] = 1
    return Batch(inputs, inputs[every, marked, 0].sum(axis=1, keepdims=True))


def copying(rng: np.random.Generator, rows: int, length: int) -> Batch:
    """One symbol, then nothing; at the last step: which one was it?

    Args:
        rng: What is drawn by.
        rows: How many.
        length: Steps, 2 or more.
    """
    symbols = np.eye(SYMBOLS, dtype=np.float32)[rng.integers(SYMBOLS, size=rows)]
    inputs = np.zeros([rows, length, SYMBOLS + 1], np.float32)
    inputs[:, 0, :SYMBOLS] = symbols
    inputs[:, -1, SYMBOLS] = 1  # the question
    return Batch(inputs, symbols)


TASKS = {"adding": adding, "copying": copying}


class LastOutput(keras.Model):
    """A cell over a sequence, and a linear layer on its last output.

    Args:
        cell: A recurrent cell.
        task: One of `TASKS`: the squared error of a sum, or the cross-entropy of a symbol.
        clip_norm: The norm that all gradients together are cut to; None: they are not.
        learning_rate: Of the optimizer.
        plain: Train by plain gradient descent rather than by Adam.
    """

    def __init__(
        self,
        cell: keras.layers.Layer,
        task: str,
        clip_norm: float | None = 1.0,
        learning_rate: float = 1e-3,
        plain: bool = False,
    ) -> None:
        super().__init__()
        sizes = {"adding": (2, 1), "copying": (SYMBOLS + 1, SYMBOLS)}
        width, outputs = sizes[task]
        self.supports_jit = False
        self.rnn = DynamicRNN(cell)
        self.dense = keras.layers.Dense(outputs)
        self(tf.zeros([1, 2, width]))
        optimizer = keras.optimizers.SGD if plain else keras.optimizers.Adam
        loss = (
            keras.losses.MeanSquaredError()
            if task == "adding"
            else keras.losses.CategoricalCrossentropy(from_logits=True)
        )
        self.compile(optimizer(learning_rate, global_clipnorm=clip_norm), loss=loss)

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """What it says at the last step, `[rows, outputs]`."""
        outputs, _ = self.rnn(inputs, training=training)
        return self.dense(outputs[:, -1])

    def right(self, batch: Batch) -> float:
        """The share of rows that it has right: a sum within `CLOSE`, the very symbol."""
        said = self(batch.inputs).numpy()
        if said.shape[1] == 1:
            return float(np.mean(np.abs(said - batch.targets) < CLOSE))
        return float(np.mean(said.argmax(1) == batch.targets.argmax(1)))


def batches(task: str, length: int, rows: int, seed: int) -> tf.data.Dataset:
    """Batches of a task without end, each drawn anew.

    Args:
        task: One of `TASKS`.
        length: Steps.
        rows: In a batch.
        seed: Of all that is drawn.
    """
    first = TASKS[task](np.random.default_rng(seed), rows, length)

    def drawn() -> Iterator[Batch]:
        rng = np.random.default_rng(seed)
        while True:
            yield tuple(TASKS[task](rng, rows, length))

    signature = tuple(tf.TensorSpec(of.shape, tf.float32) for of in first)
    return tf.data.Dataset.from_generator(drawn, output_signature=signature).prefetch(2)
