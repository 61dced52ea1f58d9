"""Additive attention of Bahdanau, Cho and Bengio (2015), the lecture's "State of Art" chapter."""

from typing import Any

import keras
import tensorflow as tf

from zoo.layers.recurrent_cell import check_positive


def additive_alignment(
    query: tf.Tensor, keys: tf.Tensor, energy_vector: tf.Tensor, mask: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The alignment of one query with every position: a softmax over energies.

    The slide's two equations, with `a` written out as in the paper (appendix A.1.2):

        e_ij     = v . tanh(W_a s_{i-1} + U_a h_j)
        alpha_ij = exp(e_ij) / sum_k exp(e_ik)

    Args:
        query: `W_a s_{i-1}`, `[rows, units]` float. `rows` is a multiple of `batch`: with
            `rows = batch * k`, `k` queries in a row read the same memory (beam search).
        keys: `U_a h_j`, `[batch, source, units]` float.
        energy_vector: `v`, `[units]` float.
        mask: `[batch, source]` bool, true at real positions. A position outside gets exactly 0; a
            row without any real position gets 0 everywhere.

    Returns:
        `(alignment, tanh_sum)`: `[batch, k, source]` float and `[batch, k, source, units]`.
    """
    batch, source, units = tf.unstack(tf.shape(keys))
    # -1 would be ambiguous for an empty batch, hence the explicit count of queries in a row.
    per_row = tf.maximum(tf.shape(query)[0] // tf.maximum(batch, 1), 1)
    query = tf.reshape(query, [batch, per_row, 1, units])
    tanh_sum = tf.tanh(keys[:, tf.newaxis] + query)
    energies = tf.linalg.matvec(tf.reshape(tanh_sum, [-1, units]), energy_vector)
    energies = tf.reshape(energies, [batch, per_row, source])
    real = mask[:, tf.newaxis]
    # The largest real energy is taken off, so that a masked one can neither overflow nor decide.
    lowest = tf.constant(energies.dtype.min, energies.dtype)
    highest = tf.reduce_max(tf.where(real, energies, lowest), axis=-1, keepdims=True)
    weights = tf.where(real, tf.exp(tf.where(real, energies - highest, lowest)), 0)
    total = tf.reduce_sum(weights, axis=-1, keepdims=True)
    return tf.math.divide_no_nan(weights, total), tanh_sum


@keras.saving.register_keras_serializable(package="zoo")
class BahdanauAttention(keras.layers.Layer):
    """Additive attention: where to look in a memory, given a query.

    Bahdanau et al. (2015), "Neural Machine Translation by Jointly Learning to Align and
    Translate", equations 5 and 6; the lecture's slide "All we need to compute is context vector".
    The keys depend on the memory alone. They are computed once by `keys` and handed to every
    call: the layer keeps nothing between calls.

    Args:
        units: Width of the hidden layer of the alignment model, a positive int.

    Call arguments:
        query: `[batch * k, query_units]` float, `k >= 1` queries for each memory in a row.
        keys: `[batch, source, units]` float, what `keys` returned for this memory.
        memory: `[batch, source, memory_units]` float.
        lengths: `[batch]` int, real positions of each memory.

    Returns:
        `(context, alignment)`: `[batch * k, memory_units]` float and `[batch * k, source]`.
        The alignment sums to 1 over real positions and is exactly 0 on padding.

    Raises:
        ValueError: `units` is not a positive int.

    Example:
        >>> attention = BahdanauAttention(64)
        >>> keys = attention.keys(memory)
        >>> context, alignment = attention(query, keys, memory, lengths)
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive("units", units)
        self.units = units
        self.memory_layer = keras.layers.Dense(units, use_bias=True, dtype=self.dtype_policy)
        self.query_layer = keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy)

    def build_for(self, query_units: int, memory_units: int) -> None:
        """Create the variables for queries and memories of these widths, if not yet there."""
        if self.built:
            return
        if not self.memory_layer.built:  # `keys` may have come first
            self.memory_layer.build((None, None, memory_units))
        self.query_layer.build((None, query_units))
        self.energy_vector = self.add_weight(
            name="energy_vector", shape=(self.units,), initializer=_energy_initializer(self.units)
        )
        self.built = True

    def build(
        self, query_shape: tuple, keys_shape: tuple, memory_shape: tuple, lengths_shape: tuple
    ) -> None:
        """Creates the variables."""
        self.build_for(query_shape[-1], memory_shape[-1])

    def keys(self, memory: tf.Tensor) -> tf.Tensor:
        """`U_a h_j` for every position `j`: `[batch, source, units]` float."""
        if not self.memory_layer.built:
            self.memory_layer.build(memory.shape)
        return self.memory_layer(memory)

    def call(
        self, query: tf.Tensor, keys: tf.Tensor, memory: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Looks once; arguments and results are those of the class."""
        mask = tf.sequence_mask(lengths, tf.shape(memory)[1])
        projected = self.query_layer(query)
        vector = tf.cast(self.energy_vector, projected.dtype)
        alignment, _ = additive_alignment(projected, keys, vector, mask)
        context = tf.matmul(alignment, tf.cast(memory, alignment.dtype))
        rows = tf.shape(query)[0]
        memory_units, source = tf.shape(memory)[2], tf.shape(memory)[1]
        return (
            tf.reshape(context, [rows, memory_units]),
            tf.reshape(alignment, [rows, source]),
        )

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        return {**super().get_config(), "units": self.units}


def _energy_initializer(units: int) -> keras.initializers.Initializer:
    """Glorot for the one-column matrix `v`: its fan-in is `units`, its fan-out 1."""
    limit = (6.0 / (units + 1)) ** 0.5
    return keras.initializers.RandomUniform(-limit, limit)
