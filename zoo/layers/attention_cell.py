"""The decoder cell of Bahdanau et al. (2015): it looks at a memory before each step."""

from typing import Any, Self

import keras
import tensorflow as tf

from zoo.layers.attention import BahdanauAttention
from zoo.layers.attention_kernel import run_attention
from zoo.layers.cells import FusedCell
from zoo.layers.recurrent_cell import State


@keras.saving.register_keras_serializable(package="zoo")
class AttentionCell(keras.layers.Layer):
    """A recurrent cell whose input is the token before and the context it attends to.

    The lecture's slide "Attention mechanism" and section 3.1 of the paper:

        c_i = sum_j alpha_ij h_j,   alpha_ij from s_{i-1} and h_j
        s_i = f(s_{i-1}, y_{i-1}, c_i)

    `f` is `cell`, which reads `[y_{i-1}, c_i]`. The query is the cell's output state, the
    first of its states. That state has not yet seen the token before, `y_{i-1}`: with
    `input_in_query` the query is both, so that the cell looks at what comes after the word that
    was in fact written. (Nematus, Sennrich et al. 2017, arXiv:1703.04357, reaches the same end by a
    second cell before the attention.)

    With `gated` the context is scaled by a gate, a number that the query decides on: how much the
    memory matters for this step. It is the beta of Xu et al. (2015), "Show, Attend and Tell",
    section 4.2.1:

        c_i = beta_i sum_j alpha_ij h_j,   beta_i = sigmoid(w . query + b)

    Args:
        cell: A recurrent cell, such as `BasicLSTMCell(512)`.
        attention: A `BahdanauAttention`.
        input_in_query: Whether the query is `[s_{i-1}, y_{i-1}]` instead of the paper's
            `s_{i-1}`.
        gated: Whether a gate scales the context.

    Example:
        >>> decoder = AttentionCell(BasicLSTMCell(512), BahdanauAttention(256))
        >>> keys = decoder.attention.keys(memory)
        >>> outputs, contexts, alignments, states = decoder.unroll(
        ...     embedded, states, keys, memory, lengths)
    """

    def __init__(
        self,
        cell: keras.layers.Layer,
        attention: BahdanauAttention,
        input_in_query: bool = False,
        gated: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cell = cell
        self.attention = attention
        self.input_in_query = input_in_query
        self.gate_layer = None
        if gated:
            self.gate_layer = keras.layers.Dense(1, activation="sigmoid", dtype=self.dtype_policy)
        self.state_size = cell.state_size

    def build_for(self, input_units: int, memory_units: int) -> None:
        """Create all variables for inputs and memories of these widths, if not yet there."""
        query_units = _output_units(self.cell) + self.input_in_query * input_units
        self.attention.build_for(query_units, memory_units)
        if self.gate_layer is not None and not self.gate_layer.built:
            self.gate_layer.build((None, query_units))
        if not self.cell.built:
            self.cell.build((None, input_units + memory_units))
        self.built = True

    def build(self, inputs_shape: tuple, *_: tuple, memory_shape: tuple | None = None) -> None:
        """Variables need the memory's width: `build_for` makes them, `call` sees to it."""

    def call(
        self,
        inputs: tf.Tensor,
        states: State,
        keys: tf.Tensor,
        memory: tf.Tensor,
        lengths: tf.Tensor,
        training: bool | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, State]:
        """One step.

        Args:
            inputs: `[rows, input_units]` float, the embedded token before.
            states: List of `[rows, units]` float, the cell's states.
            keys: `[batch, source, attention_units]` float, from `attention.keys(memory)`.
            memory: `[batch, source, memory_units]` float.
            lengths: `[batch]` int, real positions of the memory.
            training: Given to the cell.

        Returns:
            `(output, context, alignment, states)`: `[rows, units]` float, `[rows,
            memory_units]`, `[rows, source]` and the new states. `rows = batch * k`: `k`
            hypotheses in a row read the same memory.
        """
        self.build_for(inputs.shape[-1], memory.shape[-1])
        query = tf.concat([states[0], inputs], axis=-1) if self.input_in_query else states[0]
        context, alignment = self.attention(query, keys, memory, lengths)
        if self.gate_layer is not None:
            context *= tf.cast(self.gate_layer(query), context.dtype)
        joined = tf.concat([inputs, tf.cast(context, inputs.dtype)], axis=-1)
        output, states = self.cell(joined, states, training=training)
        return output, context, alignment, states

    def unroll(
        self,
        inputs: tf.Tensor,
        states: State,
        keys: tf.Tensor,
        memory: tf.Tensor,
        lengths: tf.Tensor,
        training: bool | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, State]:
        """All steps of a known target (teacher forcing).

        With a cell of our own this is one kernel with a hand-derived gradient
        (`zoo.layers.attention_kernel`); any other cell takes one step at a time.

        Args:
            inputs: `[batch, time, input_units]` float.
            states: As in `call`, with `k = 1`.
            keys: As in `call`.
            memory: As in `call`.
            lengths: As in `call`.
            training: As in `call`.

        Returns:
            `(outputs, contexts, alignments, states)`: `[batch, time, units]` float, `[batch,
            time, memory_units]`, `[batch, time, source]` and the states after the last step. No
            step is left out: mask what follows a shorter target in the loss.
        """
        self.build_for(inputs.shape[-1], memory.shape[-1])
        if isinstance(self.cell, FusedCell):
            return self._unroll_kernel(inputs, states, keys, memory, lengths)
        return self._unroll_steps(inputs, states, keys, memory, lengths, training)

    def _unroll_kernel(
        self,
        inputs: tf.Tensor,
        states: State,
        keys: tf.Tensor,
        memory: tf.Tensor,
        lengths: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, State]:
        dtype = self.compute_dtype
        inputs = tf.cast(inputs, dtype)
        width, units = inputs.shape[-1], self.cell.units
        states = [tf.cast(state, dtype) for state in states]
        kernel, recurrent_kernel, bias = self.cell.fused_weights()
        query_kernel = tf.cast(self.attention.query_layer.kernel, dtype)
        query_bias = tf.zeros([self.attention.units], dtype)
        if self.gate_layer is not None:  # the query's last column
            gate_kernel, gate_bias = (tf.cast(w, dtype) for w in self.gate_layer.weights)
            query_kernel = tf.concat([query_kernel, gate_kernel], axis=1)
            query_bias = tf.concat([query_bias, gate_bias], axis=0)
        # All that depends on the inputs alone, in one product: the gates' part and the query's.
        if self.input_in_query:
            from_input = tf.concat([kernel[:width], query_kernel[units:]], axis=1)
        else:
            from_input = tf.pad(kernel[:width], [[0, 0], [0, query_kernel.shape[1]]])
        projected = tf.einsum("bti,ig->tbg", inputs, from_input)
        projected += tf.concat([bias, query_bias], axis=0)
        *sequences, states = run_attention(
            self.cell.step,
            projected,
            states,
            tf.cast(keys, dtype),
            tf.cast(memory, dtype),
            tf.sequence_mask(lengths, tf.shape(memory)[1]),
            kernel[width:],
            recurrent_kernel,
            query_kernel[:units],
            tf.cast(self.attention.energy_vector, dtype),
        )
        return *(tf.transpose(x, [1, 0, 2]) for x in sequences), states

    def _unroll_steps(
        self,
        inputs: tf.Tensor,
        states: State,
        keys: tf.Tensor,
        memory: tf.Tensor,
        lengths: tf.Tensor,
        training: bool | None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, State]:
        steps = tf.shape(inputs)[1]
        time_major = tf.transpose(inputs, [1, 0, 2])
        widths = (_output_units(self.cell), memory.shape[-1], None)
        arrays = [
            tf.TensorArray(inputs.dtype, size=steps, element_shape=[None, width])
            for width in widths
        ]

        def body(step: tf.Tensor, arrays: list[tf.TensorArray], states: State) -> tuple:
            *values, states = self(
                time_major[step], states, keys, memory, lengths, training=training
            )
            arrays = [array.write(step, value) for array, value in zip(arrays, values, strict=True)]
            return step + 1, arrays, states

        _, arrays, states = tf.while_loop(
            lambda step, *_: step < steps, body, (0, arrays, list(states)), maximum_iterations=steps
        )
        return *(tf.transpose(array.stack(), [1, 0, 2]) for array in arrays), states

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        layers = {"cell": self.cell, "attention": self.attention}
        serialized = {k: keras.saving.serialize_keras_object(v) for k, v in layers.items()}
        return {
            **super().get_config(),
            **serialized,
            "input_in_query": self.input_in_query,
            "gated": self.gate_layer is not None,
        }

    @classmethod
    def from_config(cls, config: dict) -> Self:
        """Makes the layer that `get_config` describes, with fresh weights."""
        config = dict(config)
        for name in ("cell", "attention"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)


def _output_units(cell: keras.layers.Layer) -> int:
    size = cell.state_size
    return size[0] if isinstance(size, (list, tuple)) else size
