"""Unrolling a cell over sequences of different lengths."""

from typing import Any, Self

import keras
import tensorflow as tf

from zoo.layers.recurrent_cell import State, unroll


@keras.saving.register_keras_serializable(package="zoo")
class DynamicRNN(keras.layers.Layer):
    """Runs a cell over a padded batch, TF1's `dynamic_rnn`.

    Outputs are 0 from each row's length on; the state is the row's state at its length, and the
    initial state for a row of length 0. What stands in the padding changes nothing.

    Args:
        cell: A cell of `zoo.layers` or any other Keras cell.
        go_backwards: Read each row from its last real token to its first. The outputs are put
            back in the order of the inputs: `outputs[:, t]` belongs to `inputs[:, t]`.

    Call arguments:
        inputs: `[B, T, I]`.
        sequence_length: `[B]` int, or None when all rows are `T` long. A length above `T`
            counts as `T`, as in TF1.
        initial_state: Nested like `cell.state_size`, or None for zeros.
        training: Given to the cell.
        mask: `[B, T]` bool, true at each row's first tokens and false in its padding, or None.
            Keras gives that of an `Embedding(mask_zero=True)` by itself. Lengths are taken from
            it if `sequence_length` is None; it goes on with the outputs as it came.

    Returns:
        `(outputs [B, T, U], state)`.

    Raises:
        ValueError: If `inputs` is not of rank 3, `sequence_length` not an integer vector of one
            length per row, or `mask` not of the shape of `inputs`.
        tf.errors.InvalidArgumentError: A `mask` with a hole, or with padding first.

    Example:
        >>> outputs, (h, c) = DynamicRNN(BasicLSTMCell(8))(tf.ones([2, 5, 4]), tf.constant([5, 3]))
    """

    def __init__(self, cell: keras.layers.Layer, go_backwards: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cell = cell
        self.go_backwards = go_backwards
        self.supports_jit = False  # see RecurrentCell
        self.supports_masking = True

    def build(self, inputs_shape: tuple) -> None:
        """Creates the variables."""
        if not self.cell.built:
            self.cell.build((inputs_shape[0], inputs_shape[-1]))
            self.cell.built = True

    def call(
        self,
        inputs: tf.Tensor,
        sequence_length: tf.Tensor | None = None,
        initial_state: State | None = None,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, State]:
        """Runs the cell; arguments and results are those of the class."""
        sequence_length = read_lengths(inputs, sequence_length, mask)
        if self.go_backwards:
            inputs = reverse(inputs, sequence_length)
        outputs, state = unroll(self.cell, inputs, sequence_length, initial_state, training)
        if self.go_backwards:
            outputs = reverse(outputs, sequence_length)
        return outputs, state

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        cell = keras.saving.serialize_keras_object(self.cell)
        return {**super().get_config(), "cell": cell, "go_backwards": self.go_backwards}

    @classmethod
    def from_config(cls, config: dict) -> Self:
        """Makes the layer that `get_config` describes, with fresh weights."""
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**{**config, "cell": cell})


def reverse(sequence: tf.Tensor, sequence_length: tf.Tensor | None) -> tf.Tensor:
    """Reverses the real steps of each row of `sequence [B, T, U]`; the padding stays behind."""
    if sequence_length is None:
        return tf.reverse(sequence, [1])
    return tf.reverse_sequence(sequence, sequence_length, seq_axis=1, batch_axis=0)


def read_lengths(
    inputs: tf.Tensor, sequence_length: tf.Tensor | None, mask: tf.Tensor | None
) -> tf.Tensor | None:
    """The lengths that an unrolling layer was given, or those of its mask, checked and clipped."""
    if mask is None:
        # Where there is an initial state as well, Keras leaves the mask at its tensor.
        mask = getattr(inputs, "_keras_mask", None)
    if sequence_length is not None or mask is None:
        return check_sequence(inputs, sequence_length)
    mask = tf.cast(mask, tf.bool)
    if not mask.shape.is_compatible_with(inputs.shape[:2]):
        raise ValueError(
            f"`mask` must be [batch, time] as `inputs`, {inputs.shape[:2]}. "
            f"Received: shape={mask.shape}"
        )
    lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    prefix = tf.debugging.assert_equal(
        mask,
        tf.sequence_mask(lengths, tf.shape(mask)[1]),
        message="`mask` must be true at the first tokens of each row and false after them: put "
        "the padding at the end of a row (`padding='post'`), and no padding between its tokens; "
        "or give `sequence_length`",
    )
    with tf.control_dependencies([] if prefix is None else [prefix]):
        return check_sequence(inputs, tf.identity(lengths))


def check_sequence(inputs: tf.Tensor, sequence_length: tf.Tensor | None) -> tf.Tensor | None:
    """Checks the arguments every unrolling layer takes; returns the lengths clipped to `[0, T]`."""
    if inputs.shape.rank != 3:
        raise ValueError(f"`inputs` must be [batch, time, size]. Received: shape={inputs.shape}")
    if sequence_length is None:
        return None
    sequence_length = tf.convert_to_tensor(sequence_length)
    if not sequence_length.dtype.is_integer or not sequence_length.shape.is_compatible_with(
        inputs.shape[:1]
    ):
        raise ValueError(
            "`sequence_length` must hold one integer per row of `inputs`, "
            f"shape {inputs.shape[:1]}. Received: shape={sequence_length.shape}, "
            f"dtype={sequence_length.dtype.name}"
        )
    return tf.clip_by_value(tf.cast(sequence_length, tf.int32), 0, tf.shape(inputs)[1])
