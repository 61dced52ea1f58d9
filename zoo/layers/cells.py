"""The three cells of the lecture: the plain recurrent cell, the LSTM and the GRU."""

import keras
import tensorflow as tf

from zoo.layers.gru_kernel import gru_sequence
from zoo.layers.lstm_kernel import lstm_sequence
from zoo.layers.recurrent_cell import RecurrentCell, check_positive


class _FusedCell(RecurrentCell):
    """What the cells share: one kernel for all gates, in the layout of Keras.

    A subclass gives how many gates and states there are, and, where there is one, the kernel that
    runs a whole sequence: `sequence_kernel(inputs, *weights, *states, lengths) -> (outputs,
    *states)`.

    Args:
        units: size of each state and of the output.
    """

    gates = 1
    states = 1
    sequence_kernel = None

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        check_positive("units", units)
        self.units = units
        self.state_size = [units] * self.states
        self.output_size = units

    def build(self, input_shape):
        width = self.gates * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, width), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer=self.bias_initializer)

    def bias_initializer(self, shape, dtype):
        return tf.zeros(shape, dtype)

    def fused_weights(self):
        """Kernel, recurrent kernel and bias as the equations take them, in the compute dtype."""
        return [
            tf.cast(weight, self.compute_dtype)
            for weight in (self.kernel, self.recurrent_kernel, self.bias)
        ]

    def unroll(self, inputs, sequence_length=None, initial_state=None, training=None):
        """Runs a whole sequence in one kernel; see `RecurrentCell.unroll` for the contract."""
        if self.sequence_kernel is None:
            return super().unroll(inputs, sequence_length, initial_state, training)
        inputs = tf.cast(inputs, self.compute_dtype)
        if initial_state is None:
            initial_state = self.get_initial_state(tf.shape(inputs)[0])
        states = [tf.cast(state, self.compute_dtype) for state in initial_state]
        outputs, *states = self.sequence_kernel(
            inputs, *self.fused_weights(), *states, sequence_length
        )
        return outputs, states

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="zoo")
class BasicRNNCell(_FusedCell):
    """Elman's recurrent cell, TF1's `BasicRNNCell`.

    `h_t = tanh(x_t W_x + h_{t-1} W_h + b)`

    The weights are those of `keras.layers.SimpleRNNCell`: `kernel [I, U]`,
    `recurrent_kernel [U, U]`, `bias [U]`.

    Args:
        units: size of the state and of the output.

    Raises:
        ValueError: if `units` is not a positive integer.

    Example:
        >>> output, (h,) = BasicRNNCell(8)(tf.ones([2, 4]), [tf.zeros([2, 8])])
    """

    def call(self, inputs, states, training=None):
        (h,) = states
        h = tf.tanh(inputs @ self.kernel + h @ self.recurrent_kernel + self.bias)
        return h, [h]


def lstm_step(projected, h, c, recurrent_kernel):
    """One step of the LSTM (Hochreiter & Schmidhuber 1997, forget gate of Gers et al. 1999).

        i, f, o = sigmoid(x W + h U + b)      input, forget and output gate
        g       = tanh(x W + h U + b)         candidate
        c'      = f * c + i * g
        h'      = o * tanh(c')

    Args:
        projected: `x W + b`, `[B, 4U]`, gates in the order i, f, g, o.
        h, c: the state, `[B, U]` each.
        recurrent_kernel: `[U, 4U]`.

    Returns:
        `(h', c')`.
    """
    i, f, g, o = tf.split(projected + h @ recurrent_kernel, 4, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


@keras.saving.register_keras_serializable(package="zoo")
class BasicLSTMCell(_FusedCell):
    """The LSTM cell, TF1's `BasicLSTMCell`; the equations stand at `lstm_step`.

    The weights are those of `keras.layers.LSTMCell`: `kernel [I, 4U]`, `recurrent_kernel [U, 4U]`,
    `bias [4U]`, gates in the order input, forget, candidate, output. The state is `[h, c]`.

    Args:
        units: size of the state and of the output.
        forget_bias: added to the forget gate at run time; the variable `bias` starts at 0. So a
            `keras.layers.LSTM` with `unit_forget_bias=True` and this cell with `forget_bias=1.0`
            start alike, but the Keras bias then includes the 1.

    Raises:
        ValueError: if `units` is not a positive integer.

    Example:
        >>> output, (h, c) = BasicLSTMCell(8)(tf.ones([2, 4]), [tf.zeros([2, 8])] * 2)
    """

    gates = 4
    states = 2
    sequence_kernel = staticmethod(lstm_sequence)

    def __init__(self, units, forget_bias=1.0, **kwargs):
        super().__init__(units, **kwargs)
        self.forget_bias = float(forget_bias)

    def call(self, inputs, states, training=None):
        h, c = states
        kernel, recurrent_kernel, bias = self.fused_weights()
        h, c = lstm_step(inputs @ kernel + bias, h, c, recurrent_kernel)
        return h, [h, c]

    def fused_weights(self):
        """As in the base, the forget bias added to the bias."""
        kernel, recurrent_kernel, bias = super().fused_weights()
        # The order of the gates is i, f, g, o: the second quarter belongs to the forget gate.
        forget_bias = tf.repeat(tf.constant([0, self.forget_bias, 0, 0], bias.dtype), self.units)
        return [kernel, recurrent_kernel, bias + forget_bias]

    def get_config(self):
        return {**super().get_config(), "forget_bias": self.forget_bias}


@keras.saving.register_keras_serializable(package="zoo")
class GRUCell(_FusedCell):
    """The gated recurrent unit of Cho et al. 2014 (arXiv:1406.1078), TF1's `GRUCell`.

        z, r = sigmoid(x W + h U + b)           update and reset gate
        g    = tanh(x W + (r * h) U + b)        candidate
        h'   = z * h + (1 - z) * g

    The reset gate acts before the recurrent product, as in TF1 and in `keras.layers.GRUCell` with
    `reset_after=False`. The weights are Keras's: `kernel [I, 3U]`, `recurrent_kernel [U, 3U]`,
    `bias [3U]`, in the order z, r, candidate. As in TF1 the bias of both gates starts at 1, so a
    new cell keeps most of its state.

    Args:
        units: size of the state and of the output.

    Raises:
        ValueError: if `units` is not a positive integer.

    Example:
        >>> output, (h,) = GRUCell(8)(tf.ones([2, 4]), [tf.zeros([2, 8])])
    """

    gates = 3
    sequence_kernel = staticmethod(gru_sequence)

    def bias_initializer(self, shape, dtype):
        return tf.repeat(tf.constant([1, 1, 0], dtype), self.units)

    def call(self, inputs, states, training=None):
        (h,) = states
        kernel, recurrent_kernel, bias = self.fused_weights()
        to_gates, to_candidate = tf.split(inputs @ kernel + bias, [2 * self.units, self.units], -1)
        gate_kernel, candidate_kernel = tf.split(recurrent_kernel, [2 * self.units, self.units], 1)
        z, r = tf.split(tf.sigmoid(to_gates + h @ gate_kernel), 2, axis=-1)
        g = tf.tanh(to_candidate + (r * h) @ candidate_kernel)
        h = z * h + (1 - z) * g
        return h, [h]
