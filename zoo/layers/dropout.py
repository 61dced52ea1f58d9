"""Dropout around a cell."""

from collections.abc import Callable
from typing import Any, Self

import keras
import tensorflow as tf

from zoo.layers.recurrent_cell import RecurrentCell, State, unroll, unroll_steps


@keras.saving.register_keras_serializable(package="zoo")
class DropoutWrapper(RecurrentCell):
    """Dropout on a cell's inputs, outputs and (if asked) state, TF1's `DropoutWrapper`.

    Dropping inputs and outputs only leaves the recurrent connections alone, as in Zaremba et al.
    2014 (arXiv:1409.2329), the lecture's regularisation. State dropout acts on `h` (in general on
    the first tensor of the state) after each step and never on the memory `c`, as in TF1. With
    `variational=True` one mask is drawn per sequence and used at all its steps (Gal & Ghahramani
    2016, arXiv:1512.05287).

    Args:
        cell: Any Keras cell.
        input_keep_prob, output_keep_prob, state_keep_prob: Probability of keeping a unit, in
            (0, 1]; kept units are scaled by its inverse. Nothing is dropped outside training.
        variational: One mask per sequence. Training then needs `unroll` (as `DynamicRNN` does),
            because a single step does not know to which sequence it belongs.
        seed: Of the masks; None for other ones in each run.

    Raises:
        ValueError: If a keep probability is outside (0, 1], or if a variational wrapper is asked
            for a single training step.

    Example:
        >>> rnn = DynamicRNN(DropoutWrapper(BasicLSTMCell(8), output_keep_prob=0.5))
    """

    def __init__(
        self,
        cell: keras.layers.Layer,
        input_keep_prob: float = 1.0,
        output_keep_prob: float = 1.0,
        state_keep_prob: float = 1.0,
        variational: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (
            ("input_keep_prob", input_keep_prob),
            ("output_keep_prob", output_keep_prob),
            ("state_keep_prob", state_keep_prob),
        ):
            if not 0.0 < value <= 1.0:
                raise ValueError(f"`{name}` must be in (0, 1]. Received: {name}={value!r}")
        self.cell = cell
        self.input_keep_prob = input_keep_prob
        self.output_keep_prob = output_keep_prob
        self.state_keep_prob = state_keep_prob
        self.variational = variational
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.state_size = cell.state_size
        self.output_size = cell.output_size

    def build(self, input_shape: tuple) -> None:
        """Creates the variables."""
        if not self.cell.built:
            self.cell.build(input_shape)
            self.cell.built = True

    def call(
        self, inputs: tf.Tensor, states: State, training: bool | None = None
    ) -> tuple[tf.Tensor, State]:
        """Takes one step: `(inputs [B, I], states) -> (output [B, U], states)`."""
        if training and self.variational:
            raise ValueError(
                "A DropoutWrapper with `variational=True` draws one mask per sequence and cannot "
                "take a single step in training. Use `unroll` or `DynamicRNN`. "
                f"Received: training={training}"
            )
        inputs = self._drop(inputs, self.input_keep_prob, training)
        output, states = self.cell(inputs, states, training=training)
        states = _map_h(lambda h: self._drop(h, self.state_keep_prob, training), states)
        return self._drop(output, self.output_keep_prob, training), states

    def unroll(
        self,
        inputs: tf.Tensor,
        sequence_length: tf.Tensor | None = None,
        initial_state: State | None = None,
        training: bool | None = None,
    ) -> tuple[tf.Tensor, State]:
        """Drops on the whole sequence at once and unrolls the wrapped cell in between."""
        inputs = tf.cast(inputs, self.compute_dtype)
        inputs = self._drop(inputs, self.input_keep_prob, training)
        arguments = (self.cell, inputs, sequence_length, initial_state, training)
        if training and self.state_keep_prob < 1.0:
            outputs, state = unroll_steps(*arguments, change_state=self._state_dropout(inputs))
        else:
            outputs, state = unroll(*arguments)
        return self._drop(outputs, self.output_keep_prob, training), state

    def _drop(self, tensor: tf.Tensor, keep_prob: float, training: bool | None) -> tf.Tensor:
        """Drops units of `[B, U]` or `[B, T, U]`; variational: the same ones at every step."""
        if not training or keep_prob == 1.0:
            return tensor
        shape = (None, 1, None) if self.variational and tensor.shape.rank == 3 else None
        return keras.random.dropout(tensor, 1.0 - keep_prob, shape, self.seed_generator)

    def _state_dropout(self, inputs: tf.Tensor) -> Callable[[State], State]:
        """Returns the function that drops units of the state after a training step."""
        if not self.variational:
            return lambda state: _map_h(lambda h: self._drop(h, self.state_keep_prob, True), state)
        ones = tf.nest.map_structure(
            tf.ones_like, self.get_initial_state(batch_size=tf.shape(inputs)[0])
        )
        masks = _map_h(lambda h: self._drop(h, self.state_keep_prob, True), ones)
        return lambda state: tf.nest.map_structure(
            tf.multiply, tf.nest.pack_sequence_as(masks, tf.nest.flatten(state)), masks
        )

    def get_initial_state(self, batch_size: int | tf.Tensor) -> State:
        """The initial states of the cell inside."""
        return self.cell.get_initial_state(batch_size=batch_size)

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "input_keep_prob": self.input_keep_prob,
            "output_keep_prob": self.output_keep_prob,
            "state_keep_prob": self.state_keep_prob,
            "variational": self.variational,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict) -> Self:
        """Makes the layer that `get_config` describes, with fresh weights."""
        config = {**config, "cell": keras.saving.deserialize_keras_object(config["cell"])}
        return cls(**config)


def _map_h(function: Callable[[tf.Tensor], tf.Tensor], state: State) -> State:
    """Applies `function` to the first tensor (`h`) of each cell's state, leaving `c` alone."""
    if any(isinstance(part, (list, tuple)) for part in state):
        return [_map_h(function, part) for part in state]
    return [function(state[0]), *state[1:]]
