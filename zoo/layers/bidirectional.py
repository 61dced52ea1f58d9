"""Reading a sequence in both directions."""

from typing import Any, Self

import keras
import tensorflow as tf

from zoo.layers.dynamic_rnn import read_lengths, reverse
from zoo.layers.recurrent_cell import State, unroll


@keras.saving.register_keras_serializable(package="zoo")
class BidirectionalRNN(keras.layers.Layer):
    """Reads each row forwards with one cell and backwards with another (Schuster & Paliwal 1997).

    The backward cell starts at each row's own last token, never in the padding.

    Args:
        forward_cell, backward_cell: Two separate cells; see `DynamicRNN`.

    Call arguments:
        inputs, sequence_length, training, mask: As for `DynamicRNN`.
        initial_state: `(forward_state, backward_state)` or None for zeros.

    Returns:
        `(outputs [B, T, U_forward + U_backward], (forward_state, backward_state))`;
        `outputs[:, t]` holds what both directions say at token `t`.

    Raises:
        ValueError: If both cells are one object, or for what `DynamicRNN` refuses.

    Example:
        >>> rnn = BidirectionalRNN(BasicLSTMCell(8), BasicLSTMCell(8))
        >>> outputs, (forward, backward) = rnn(tf.ones([2, 5, 4]), tf.constant([5, 3]))
    """

    def __init__(
        self, forward_cell: keras.layers.Layer, backward_cell: keras.layers.Layer, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if forward_cell is backward_cell:
            raise ValueError(
                "`forward_cell` and `backward_cell` must be two cells, each with its own weights. "
                f"Received: {forward_cell} twice"
            )
        self.forward_cell = forward_cell
        self.backward_cell = backward_cell
        self.supports_jit = False  # see RecurrentCell
        self.supports_masking = True

    def build(self, inputs_shape: tuple) -> None:
        """Creates the variables."""
        for cell in (self.forward_cell, self.backward_cell):
            if not cell.built:
                cell.build((inputs_shape[0], inputs_shape[-1]))
                cell.built = True

    def call(
        self,
        inputs: tf.Tensor,
        sequence_length: tf.Tensor | None = None,
        initial_state: State | None = None,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tuple[State, State]]:
        """Reads both ways; arguments and results are those of the class."""
        lengths = read_lengths(inputs, sequence_length, mask)
        forward, backward = (None, None) if initial_state is None else initial_state
        ahead, forward = unroll(self.forward_cell, inputs, lengths, forward, training)
        behind, backward = unroll(
            self.backward_cell, reverse(inputs, lengths), lengths, backward, training
        )
        outputs = tf.concat([ahead, reverse(behind, lengths)], axis=-1)
        return outputs, (forward, backward)

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        return {
            **super().get_config(),
            "forward_cell": keras.saving.serialize_keras_object(self.forward_cell),
            "backward_cell": keras.saving.serialize_keras_object(self.backward_cell),
        }

    @classmethod
    def from_config(cls, config: dict) -> Self:
        """Makes the layer that `get_config` describes, with fresh weights."""
        cells = {
            key: keras.saving.deserialize_keras_object(config[key])
            for key in ("forward_cell", "backward_cell")
        }
        return cls(**{**config, **cells})
