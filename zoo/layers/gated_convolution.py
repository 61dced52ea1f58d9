"""The gated convolution, the slides' "Facebook Gated CNN": a window in place of a recurrence."""

from typing import Any

import keras
import tensorflow as tf

from zoo.layers.recurrent_cell import RecurrentCell, State, check_positive, zero_padding


@keras.saving.register_keras_serializable(package="zoo")
class GatedConvolution(RecurrentCell):
    """A causal convolution with a gate (Dauphin et al. 2017, arXiv:1612.08083, equation 1).

        h_t = (X_t W + b) * sigmoid(X_t V + c) [+ x_t]       X_t = [x_{t-k+1}; ...; x_t]

    An output sees its own input and the `kernel_size - 1` before it, never one that comes later. It
    is a cell as the recurrent ones are, so that it stands wherever they do: its state is the inputs
    that it still needs, and a whole sequence is one convolution instead of a loop. A stack of `n`
    sees `n (kernel_size - 1)` steps back and no further.

    The weights are `kernel [kernel_size, I, 2U]`, first those of `W`, then of `V`, and `bias [2U]`.

    Args:
        units: Size of the output.
        kernel_size: Steps that an output sees, its own among them.
        input_units: Size of an input; `units` if it is None.
        residual: Whether the input is added to the output; None: where both have one size.

    Raises:
        ValueError: A size that is no positive integer, a residual of another size than the output,
            or inputs of another size than was told.

    Example:
        >>> rnn = DynamicRNN(MultiRNNCell([GatedConvolution(8, 3), GatedConvolution(8, 3)]))
        >>> outputs, state = rnn(tf.ones([2, 5, 8]), tf.constant([5, 3]))
    """

    def __init__(
        self,
        units: int,
        kernel_size: int = 4,
        input_units: int | None = None,
        residual: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        input_units = units if input_units is None else input_units
        for name, value in (
            ("units", units),
            ("kernel_size", kernel_size),
            ("input_units", input_units),
        ):
            check_positive(name, value)
        if residual and units != input_units:
            raise ValueError(
                "`residual` needs inputs of the size of the output. "
                f"Received: units={units}, input_units={input_units}"
            )
        self.units, self.kernel_size, self.input_units = units, kernel_size, input_units
        self.residual = units == input_units if residual is None else residual
        self.state_size = [(kernel_size - 1) * input_units]
        self.output_size = units

    def build(self, input_shape: tuple) -> None:
        """Creates the variables."""
        if input_shape[-1] != self.input_units:
            raise ValueError(
                f"`input_units` must be the size of the inputs, {input_shape[-1]}. "
                f"Received: input_units={self.input_units}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.input_units, 2 * self.units),
            initializer="glorot_uniform",
        )
        self.bias = self.add_weight(name="bias", shape=(2 * self.units,), initializer="zeros")

    def call(
        self, inputs: tf.Tensor, states: State, training: bool | None = None
    ) -> tuple[tf.Tensor, State]:
        """Takes one step: `(inputs [B, I], states) -> (output [B, U], states)`."""
        window = tf.concat([states[0], inputs], axis=1)
        kernel = tf.reshape(tf.cast(self.kernel, self.compute_dtype), [-1, 2 * self.units])
        return self._gated(window @ kernel, inputs), [window[:, self.input_units :]]

    def unroll(
        self,
        inputs: tf.Tensor,
        sequence_length: tf.Tensor | None = None,
        initial_state: State | None = None,
        training: bool | None = None,
    ) -> tuple[tf.Tensor, State]:
        """Runs a whole sequence at once; see `RecurrentCell.unroll` for the contract."""
        inputs = zero_padding(tf.cast(inputs, self.compute_dtype), sequence_length)
        batch, time = tf.shape(inputs)[0], tf.shape(inputs)[1]
        if initial_state is None:
            initial_state = self.get_initial_state(batch)
        before = tf.cast(initial_state[0], self.compute_dtype)
        before = tf.reshape(before, [batch, self.kernel_size - 1, self.input_units])
        seen = tf.concat([before, inputs], axis=1)
        kernel = tf.cast(self.kernel, self.compute_dtype)
        # One product for each place of the window: TensorFlow's convolution is no faster on a CPU,
        # and has no kernel for all types.
        convolved = tf.add_n(
            [
                tf.tensordot(seen[:, place : place + time], kernel[place], 1)
                for place in range(self.kernel_size)
            ]
        )
        outputs = zero_padding(self._gated(convolved, inputs), sequence_length)
        ends = tf.fill([batch], time) if sequence_length is None else sequence_length
        places = tf.cast(ends, tf.int32)[:, tf.newaxis] + tf.range(self.kernel_size - 1)
        last = tf.gather(seen, places, batch_dims=1)
        return outputs, [tf.reshape(last, [batch, self.state_size[0]])]

    def _gated(self, convolved: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        values, gates = tf.split(convolved + tf.cast(self.bias, self.compute_dtype), 2, axis=-1)
        outputs = values * tf.sigmoid(gates)
        return outputs + inputs if self.residual else outputs

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_size": self.kernel_size,
            "input_units": self.input_units,
            "residual": self.residual,
        }
