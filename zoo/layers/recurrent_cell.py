"""What recurrent cells share: an initial state and a way to run a whole sequence."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

# Nested lists of tensors, as `state_size` is of ints.
State = list[Any]


class RecurrentCell(keras.layers.Layer):
    """A Keras RNN cell that can also run a whole sequence.

    A subclass gives `state_size` (nested list of ints), `output_size` and
    `call(inputs [B, I], states, training=None) -> (output [B, U], new_states)`.
    It may override `unroll` with something faster than one step at a time.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Sequences are unrolled in loops over TensorLists, which XLA does not compile on the CPU.
        self.supports_jit = False

    def get_initial_state(self, batch_size: int | tf.Tensor) -> State:
        """Returns zeros `[batch_size, size]` in the compute dtype, nested like `state_size`."""
        return tf.nest.map_structure(
            lambda size: tf.zeros([batch_size, size], self.compute_dtype), self.state_size
        )

    def unroll(
        self,
        inputs: tf.Tensor,
        sequence_length: tf.Tensor | None = None,
        initial_state: State | None = None,
        training: bool | None = None,
    ) -> tuple[tf.Tensor, State]:
        """Runs the cell over a sequence, one step at a time.

        Args:
            inputs: `[B, T, I]`.
            sequence_length: `[B]` int, or None when every row is `T` steps long.
            initial_state: Nested like `state_size`; None for zeros.
            training: Given to the cell.

        Returns:
            `(outputs [B, T, U], state)`: outputs are 0 from a row's length on, and `state` is the
            row's state at its length (for length 0 the initial state).
        """
        return unroll_steps(self, inputs, sequence_length, initial_state, training)


def unroll(
    cell: keras.layers.Layer,
    inputs: tf.Tensor,
    sequence_length: tf.Tensor | None = None,
    initial_state: State | None = None,
    training: bool | None = None,
) -> tuple[tf.Tensor, State]:
    """Runs any Keras cell over `inputs`: by its own `unroll` if it has one, else step by step."""
    run = cell.unroll if hasattr(cell, "unroll") else lambda *args: unroll_steps(cell, *args)
    return run(inputs, sequence_length, initial_state, training)


def unroll_steps(
    cell: keras.layers.Layer,
    inputs: tf.Tensor,
    sequence_length: tf.Tensor | None = None,
    initial_state: State | None = None,
    training: bool | None = None,
    change_state: Callable[[State], State] | None = None,
) -> tuple[tf.Tensor, State]:
    """The plain loop over time; arguments and results are those of `RecurrentCell.unroll`.

    It is also the reference which the whole-sequence kernels are tested against.
    `change_state(new_state) -> state` is applied after each step (dropout on the state).
    """
    inputs = zero_padding(tf.cast(inputs, cell.compute_dtype), sequence_length)
    batch, time = tf.shape(inputs)[0], tf.shape(inputs)[1]
    if initial_state is None:
        initial_state = cell.get_initial_state(batch_size=batch)
    initial_state = tf.nest.map_structure(
        lambda state: tf.cast(state, cell.compute_dtype), initial_state
    )
    steps = tf.transpose(inputs, [1, 0, 2])
    masked = _keras_dropout(cell) if training else []
    _draw_masks(masked, batch)
    outputs = tf.TensorArray(
        cell.compute_dtype, size=time + 1, element_shape=[inputs.shape[0], cell.output_size]
    )
    # An empty array cannot be stacked, so that a batch without steps needs one element more.
    outputs = outputs.write(time, tf.zeros([batch, cell.output_size], cell.compute_dtype))

    def step(t: tf.Tensor, state: State, outputs: tf.TensorArray) -> tuple:
        output, new_state = cell(steps[t], state, training=training)
        if change_state is not None:
            new_state = change_state(new_state)
        # A cell may return a tuple where it was given a list; the loop wants what it was given.
        new_state = tf.nest.pack_sequence_as(state, tf.nest.flatten(new_state))
        if sequence_length is not None:
            alive = (t < tf.cast(sequence_length, tf.int32))[:, None]
            output = tf.where(alive, output, tf.zeros_like(output))
            new_state = tf.nest.map_structure(
                lambda new, old: tf.where(alive, new, old), new_state, state
            )
        # Inputs of any batch size may start from a state of a known one.
        new_state = tf.nest.map_structure(
            lambda new, old: tf.ensure_shape(new, old.shape), new_state, state
        )
        return t + 1, new_state, outputs.write(t, output)

    _, state, outputs = tf.while_loop(
        lambda t, *_: t < time, step, (0, initial_state, outputs), maximum_iterations=time
    )
    _forget_masks(masked)
    outputs = tf.transpose(outputs.stack()[:time], [1, 0, 2])
    return tf.ensure_shape(outputs, [*inputs.shape[:2], cell.output_size]), state


def _keras_dropout(cell: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The cells of Keras in `cell` that have dropout of their own."""
    return [part for part in cell._flatten_layers() if hasattr(part, "reset_dropout_mask")]


def _draw_masks(cells: list[keras.layers.Layer], batch: tf.Tensor) -> None:
    """New masks for a sequence: such a cell keeps its masks until it is told to forget them.

    They are drawn ahead of the loop, since a tensor made in its body lives there only.
    """
    _forget_masks(cells)
    for cell in cells:
        cell.get_dropout_mask(tf.ones([batch, cell.kernel.shape[0]], cell.compute_dtype))
        cell.get_recurrent_dropout_mask(tf.ones([batch, cell.units], cell.compute_dtype))


def _forget_masks(cells: list[keras.layers.Layer]) -> None:
    for cell in cells:
        cell.reset_dropout_mask()
        cell.reset_recurrent_dropout_mask()


def zero_padding(sequence: tf.Tensor, sequence_length: tf.Tensor | None) -> tf.Tensor:
    """Sets `sequence [B, T, U]` to 0 from each row's length on (so that not even a NaN leaks)."""
    if sequence_length is None:
        return sequence
    mask = tf.sequence_mask(sequence_length, tf.shape(sequence)[1])
    return tf.where(mask[:, :, None], sequence, tf.zeros_like(sequence))


def check_positive(name: str, value: Any) -> None:
    """Raises ValueError unless `value` is a positive int."""
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
