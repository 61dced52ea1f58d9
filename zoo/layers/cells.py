"""The three cells of the lecture: the plain recurrent cell, the LSTM and the GRU."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.layers.recurrent_cell import RecurrentCell, State, check_positive
from zoo.layers.sequence_kernel import run_sequence
from zoo.layers.steps import BasicRNNStep, GRUStep, LSTMStep, Step


class FusedCell(RecurrentCell):
    """What the cells share: one kernel for all gates, in the layout of Keras.

    A subclass gives the equations, `step`, a class of `zoo.layers.steps`. One step, whole sequences
    and their gradients all take them from there.

    Args:
        units: Size of each state and of the output.
        drop_connect: Share of the recurrent kernel's weights that are dropped in training, anew for
            each sequence and the same at all its steps (DropConnect, Wan et al. 2013; for LSTMs
            Merity et al. 2018, arXiv:1708.02182). Training then needs `unroll`, as `DynamicRNN`
            does.
        seed: Of what is dropped; None for other weights in each run.
    """

    step: type[Step]

    def __init__(
        self, units: int, drop_connect: float = 0.0, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        check_positive("units", units)
        if not 0.0 <= drop_connect < 1.0:
            raise ValueError(
                f"`drop_connect` must be in [0, 1). Received: drop_connect={drop_connect!r}"
            )
        self.units = units
        self.drop_connect = float(drop_connect)
        self.seed = seed
        # Only where it is needed: a generator is one more variable.
        self.seed_generator = keras.random.SeedGenerator(seed) if drop_connect else None
        self.state_size = [units] * self.step.states
        self.output_size = units

    def build(self, input_shape: tuple) -> None:
        """Creates the variables."""
        width = self.step.gates * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, width), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer=self.bias_initializer)

    def bias_initializer(self, shape: tuple[int, ...], dtype: Any) -> tf.Tensor:
        """Zeros, unless a subclass knows better."""
        return tf.zeros(shape, dtype)

    def call(
        self, inputs: tf.Tensor, states: list[tf.Tensor], training: bool | None = None
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Takes one step: `(inputs [B, I], states) -> (output [B, U], states)`."""
        if training and self.drop_connect:
            raise ValueError(
                "A cell with `drop_connect` drops the same weights at all steps of a sequence and "
                "cannot take a single step in training. Use `unroll` or `DynamicRNN`. "
                f"Received: training={training}"
            )
        kernel, recurrent_kernel, bias = self.fused_weights()
        direct_kernel, inner_kernel = self.step.kernels(recurrent_kernel)
        states, _ = self.step.forward(
            inputs @ kernel + bias, states[0] @ direct_kernel, inner_kernel, *states
        )
        return states[0], list(states)

    def fused_weights(self, training: bool | None = None) -> list[tf.Tensor]:
        """Kernel, recurrent kernel and bias as the equations take them, in the compute dtype.

        Args:
            training: Whether weights are dropped.
        """
        recurrent_kernel = tf.convert_to_tensor(self.recurrent_kernel)
        if training and self.drop_connect:
            recurrent_kernel = keras.random.dropout(
                recurrent_kernel, self.drop_connect, seed=self.seed_generator
            )
        return [
            tf.cast(weight, self.compute_dtype)
            for weight in (self.kernel, recurrent_kernel, self.bias)
        ]

    def unroll(
        self,
        inputs: tf.Tensor,
        sequence_length: tf.Tensor | None = None,
        initial_state: State | None = None,
        training: bool | None = None,
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Runs a whole sequence in one kernel; see `RecurrentCell.unroll` for the contract."""
        inputs = tf.cast(inputs, self.compute_dtype)
        if initial_state is None:
            initial_state = self.get_initial_state(tf.shape(inputs)[0])
        states = [tf.cast(state, self.compute_dtype) for state in initial_state]
        weights = self.fused_weights(training)
        return run_sequence(self.step, inputs, *weights, states, sequence_length)

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        return {
            **super().get_config(),
            "units": self.units,
            "drop_connect": self.drop_connect,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable(package="zoo")
class BasicRNNCell(FusedCell):
    """Elman's recurrent cell, TF1's `BasicRNNCell`.

    `h_t = tanh(x_t W_x + h_{t-1} W_h + b)`

    The weights are those of `keras.layers.SimpleRNNCell`: `kernel [I, U]`,
    `recurrent_kernel [U, U]`, `bias [U]`.

    Args:
        units: Size of the state and of the output.
        **kwargs: Those of `FusedCell`: `drop_connect`, `seed`.

    Raises:
        ValueError: If `units` is not a positive integer, or `drop_connect` outside [0, 1).

    Example:
        >>> output, (h,) = BasicRNNCell(8)(tf.ones([2, 4]), [tf.zeros([2, 8])])
    """

    step = BasicRNNStep


@keras.saving.register_keras_serializable(package="zoo")
class BasicLSTMCell(FusedCell):
    """The LSTM cell, TF1's `BasicLSTMCell`; the equations stand at `zoo.layers.steps.LSTMStep`.

    The weights are those of `keras.layers.LSTMCell`: `kernel [I, 4U]`, `recurrent_kernel [U, 4U]`,
    `bias [4U]`, gates in the order input, forget, candidate, output. The state is `[h, c]`.

    Args:
        units: Size of the state and of the output.
        forget_bias: Added to the forget gate at run time; the variable `bias` starts at 0. So a
            `keras.layers.LSTM` with `unit_forget_bias=True` and this cell with `forget_bias=1.0`
            start alike, but the Keras bias then includes the 1.
        **kwargs: Those of `FusedCell`: `drop_connect`, `seed`.

    Raises:
        ValueError: If `units` is not a positive integer, or `drop_connect` outside [0, 1).

    Example:
        >>> output, (h, c) = BasicLSTMCell(8)(tf.ones([2, 4]), [tf.zeros([2, 8])] * 2)
    """

    step = LSTMStep

    def __init__(self, units: int, forget_bias: float = 1.0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.forget_bias = float(forget_bias)

    def fused_weights(self, training: bool | None = None) -> list[tf.Tensor]:
        """As in the base, the forget bias added to the bias."""
        kernel, recurrent_kernel, bias = super().fused_weights(training)
        # The order of the gates is i, f, g, o: the second quarter belongs to the forget gate.
        forget_bias = np.repeat([0, self.forget_bias, 0, 0], self.units)
        return [kernel, recurrent_kernel, bias + tf.constant(forget_bias, bias.dtype)]

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        return {**super().get_config(), "forget_bias": self.forget_bias}


@keras.saving.register_keras_serializable(package="zoo")
class GRUCell(FusedCell):
    """The gated recurrent unit of Cho et al. 2014 (arXiv:1406.1078), TF1's `GRUCell`.

        z, r = sigmoid(x W + h U + b)           update and reset gate
        g    = tanh(x W + (r * h) U + b)        candidate
        h'   = z * h + (1 - z) * g

    The reset gate acts before the recurrent product, as in TF1 and in `keras.layers.GRUCell` with
    `reset_after=False`. The weights are Keras's: `kernel [I, 3U]`, `recurrent_kernel [U, 3U]`,
    `bias [3U]`, in the order z, r, candidate. As in TF1 the bias of both gates starts at 1, so a
    new cell keeps most of its state.

    Args:
        units: Size of the state and of the output.
        **kwargs: Those of `FusedCell`: `drop_connect`, `seed`.

    Raises:
        ValueError: If `units` is not a positive integer, or `drop_connect` outside [0, 1).

    Example:
        >>> output, (h,) = GRUCell(8)(tf.ones([2, 4]), [tf.zeros([2, 8])])
    """

    step = GRUStep

    def bias_initializer(self, shape: tuple[int, ...], dtype: Any) -> tf.Tensor:
        """Ones for both gates and zeros for the candidate."""
        return tf.repeat(tf.constant([1, 1, 0], dtype), self.units)
