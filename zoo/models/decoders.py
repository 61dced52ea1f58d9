"""The lecture's two ways to write a text: from a last state alone, or looking back at each step.

A decoder stands between the memory that an encoder leaves and the read-out of a `TextGenerator`. It
is built from cells of `zoo.layers`: whole sequences in training, single steps in search.
"""

from typing import Any

import keras
import tensorflow as tf

from zoo.layers import AttentionCell, BahdanauAttention, DynamicRNN

Memory = dict[str, Any]


class StateDecoder(keras.layers.Layer):
    """Starts from a state, and has nothing else of the source.

    Sutskever, Vinyals and Le (2014): "use last hidden state of encoder as initial state for
    decoder". The memory is a dict with `state`, a nest like the cell's states.

    Args:
        cell: A cell of `zoo.layers`, also a `MultiRNNCell`.
    """

    has_attention = False

    def __init__(self, cell: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_jit = False  # see RecurrentCell
        self.rnn = DynamicRNN(cell)
        self.built = True  # it is never called itself; its layers build when they are

    def prepare(self, memory: Memory) -> Memory:
        """The memory, with what is the same at every step computed once."""
        return memory

    def start_state(self, memory: Memory) -> Any:
        """The state before the first token."""
        return memory["state"]

    def unroll(
        self, embedded: tf.Tensor, memory: Memory, training: bool | None = None
    ) -> list[tf.Tensor]:
        """All steps of a known target.

        Args:
            embedded: `[batch, time, units]`, the embedded tokens before.
            memory: What `prepare` gave.
            training: Whether cells drop units.

        Returns:
            What the read-out takes, a list of `[batch, time, ...]`.
        """
        outputs, _ = self.rnn(embedded, initial_state=memory["state"], training=training)
        return [outputs, embedded]

    def step(
        self, embedded: tf.Tensor, state: Any, memory: Memory
    ) -> tuple[list[tf.Tensor], Any, tf.Tensor | None]:
        """One step.

        Args:
            embedded: `[rows, units]`, the embedded tokens before.
            state: Of all rows.
            memory: What `prepare` gave.

        Returns:
            `(what the read-out takes, new state, attention [rows, source] or None)`.
        """
        output, state = self.rnn.cell(embedded, state)
        return [output, embedded], state, None


class AttentionDecoder(keras.layers.Layer):
    """Looks at all of the source before each token.

    Bahdanau, Cho and Bengio (2015), section 3. The memory is a dict with `annotations`, float
    `[batch, source, units]`, their number `lengths`, int32 `[batch]`, and `summary`, float
    `[batch, units]`, from which a layer of tanh makes the first state (their section A.2.2).

    Args:
        cell: A cell of `zoo.layers` whose first state is its output.
        attention_units: Hidden units of the alignment model.
        gated: Whether a gate scales what it sees, see `zoo.layers.AttentionCell`.
    """

    has_attention = True

    def __init__(
        self,
        cell: keras.layers.Layer,
        attention_units: int,
        gated: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_jit = False  # see RecurrentCell
        self.bridge = keras.layers.Dense(cell.state_size[0], activation="tanh")
        attention = BahdanauAttention(attention_units)
        self.cell = AttentionCell(cell, attention, input_in_query=True, gated=gated)
        self.built = True  # it is never called itself; its layers build when they are

    def prepare(self, memory: Memory) -> Memory:
        """The memory with its attention keys, and the output state to start from."""
        first_output = self.bridge(memory["summary"])
        keys = self.cell.attention.keys(memory["annotations"])
        return {**memory, "keys": keys, "first_output": first_output}

    def start_state(self, memory: Memory) -> list[tf.Tensor]:
        """The state before the first token: a list of `[batch, units]`."""
        first_output = memory["first_output"]
        # The LSTM's second state, its cell, starts empty.
        return [first_output, *(tf.zeros_like(first_output) for _ in self.cell.state_size[1:])]

    def unroll(
        self, embedded: tf.Tensor, memory: Memory, training: bool | None = None
    ) -> list[tf.Tensor]:
        """All steps of a known target; see `StateDecoder.unroll`."""
        outputs, contexts, _, _ = self.cell.unroll(
            embedded, self.start_state(memory), *_attended(memory), training=training
        )
        return [outputs, contexts, embedded]

    def step(
        self, embedded: tf.Tensor, state: list[tf.Tensor], memory: Memory
    ) -> tuple[list[tf.Tensor], list[tf.Tensor], tf.Tensor]:
        """One step; see `StateDecoder.step`."""
        output, context, alignment, state = self.cell(embedded, state, *_attended(memory))
        return [output, context, embedded], state, tf.cast(alignment, tf.float32)


def _attended(memory: Memory) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    return memory["keys"], memory["annotations"], memory["lengths"]
