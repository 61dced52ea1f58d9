"""Stacked cells."""

from typing import Any, Self

import keras
import tensorflow as tf

from zoo.layers.recurrent_cell import RecurrentCell, State, check_positive, unroll


@keras.saving.register_keras_serializable(package="zoo")
class MultiRNNCell(RecurrentCell):
    """A stack of cells, TF1's `MultiRNNCell`: each cell reads the output of the one below.

    The lecture writes `MultiRNNCell([cell] * layers)`. In TF1 that was once a stack of separate
    layers and later one layer used many times; here it is an error, because one object has one
    set of weights. Pass as many cells as layers, or one prototype and a count:

        >>> MultiRNNCell([BasicLSTMCell(8), BasicLSTMCell(8)])
        >>> MultiRNNCell((DropoutWrapper(BasicLSTMCell(8), output_keep_prob=0.5), 2))

    The state is the list of the cells' states, lowest cell first.

    Args:
        cells: List of Keras cells, or `(prototype, count)`; the prototype's configuration is
            copied `count` times and the prototype itself is not used.

    Raises:
        TypeError: If `cells` is neither a list of cells nor such a pair.
        ValueError: If `cells` is empty, or if two layers would share weights.
    """

    def __init__(
        self, cells: list[keras.layers.Layer] | tuple[keras.layers.Layer, int], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(cells, tuple) and len(cells) == 2 and isinstance(cells[1], int):
            prototype, count = cells
            check_positive("count", count)
            cells = [_copy(prototype, layer) for layer in range(count)]
        if not isinstance(cells, (list, tuple)) or not all(
            isinstance(cell, keras.layers.Layer) for cell in cells
        ):
            raise TypeError(
                "`cells` must be a list of cells, or one cell and how many, an int. "
                f"Received: cells={cells!r}"
            )
        self.cells = list(cells)
        if not self.cells:
            raise ValueError(f"`cells` must hold at least one cell. Received: cells={cells!r}")
        _check_separate(self.cells)
        self.state_size = [cell.state_size for cell in self.cells]
        self.output_size = self.cells[-1].output_size

    def build(self, input_shape: tuple) -> None:
        """Creates the variables."""
        for cell in self.cells:
            if not cell.built:
                cell.build(input_shape)
                cell.built = True
            input_shape = (input_shape[0], cell.output_size)

    def call(
        self, inputs: tf.Tensor, states: State, training: bool | None = None
    ) -> tuple[tf.Tensor, State]:
        """Takes one step in every cell, lowest first."""
        new_states = []
        for cell, state in zip(self.cells, states, strict=True):
            inputs, state = cell(inputs, state, training=training)
            new_states.append(state)
        return inputs, new_states

    def unroll(
        self,
        inputs: tf.Tensor,
        sequence_length: tf.Tensor | None = None,
        initial_state: State | None = None,
        training: bool | None = None,
    ) -> tuple[tf.Tensor, State]:
        """Unrolls layer by layer, so that each layer can use its own fast kernel."""
        if initial_state is None:
            initial_state = [None] * len(self.cells)
        new_states = []
        for cell, state in zip(self.cells, initial_state, strict=True):
            inputs, state = unroll(cell, inputs, sequence_length, state, training)
            new_states.append(state)
        return inputs, new_states

    def get_initial_state(self, batch_size: int | tf.Tensor) -> State:
        """The initial states of the cells, lowest first."""
        return [cell.get_initial_state(batch_size=batch_size) for cell in self.cells]

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        cells = [keras.saving.serialize_keras_object(cell) for cell in self.cells]
        return {**super().get_config(), "cells": cells}

    @classmethod
    def from_config(cls, config: dict) -> Self:
        """Makes the layer that `get_config` describes, with fresh weights."""
        cells = [keras.saving.deserialize_keras_object(cell) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})


def _copy(prototype: keras.layers.Layer, layer: int) -> keras.layers.Layer:
    """A new cell with the prototype's configuration, and another seed in each layer."""
    config = {key: value for key, value in prototype.get_config().items() if key != "name"}
    if config.get("seed") is not None:
        config["seed"] += layer
    return type(prototype).from_config(config)


def _check_separate(cells: list[keras.layers.Layer]) -> None:
    """Raises ValueError if two cells are, or wrap, the same object."""
    owner = {}
    for index, cell in enumerate(cells):
        for part in cell._flatten_layers():
            if id(part) in owner:
                raise ValueError(
                    f"`cells` uses the same object, {part.name!r}, in layers {owner[id(part)]} "
                    f"and {index}, so both would share one set of weights. Build a cell for each "
                    "layer, `MultiRNNCell([make_cell() for _ in range(n)])`, or pass "
                    f"`MultiRNNCell((cell, n))`. Received: cells={cells}"
                )
            owner[id(part)] = index
