"""Packing a padded batch, so that a kernel costs what its real tokens cost.

Rows are sorted by length, longest first. Then the rows still alive at step `t` are a prefix of the
batch, the tokens of all steps can lie one after the other without any padding between them, and a
loop over time works on a batch that shrinks. The padding is never read.

The batch is also dealt out to two lanes, which a kernel runs side by side in each step: while one
lane waits for a small element-wise operation the other keeps the cores busy with its GEMM. On two
cores two lanes ran the loop forward 1.0 to 1.8 times as fast as one; three or four were slower.
"""

import tensorflow as tf

# A lane of fewer rows than this is not worth its own operations.
_SMALLEST_LANE = 4


class Packing:
    """The order of rows and tokens of one batch.

    Args:
        inputs: `[B, T, I]`.
        lengths: `[B]` int, clipped to `[0, T]`, or None when all rows are `T` long.

    Attributes:
        time: Scalar, number of steps.
        lanes: Number of lanes (static).
        rows: List with the number of rows of each lane.
        begins, sizes: For each lane `[T + 1, 2]` int32, the `begin` and `size` arguments with which
            `tf.slice` finds the lane's tokens of step `t` among all tokens. (The last entry is
            empty: nobody is alive after the last step.).
    """

    def __init__(self, inputs: tf.Tensor, lengths: tf.Tensor | None) -> None:
        self.batch, self.time = tf.shape(inputs)[0], tf.shape(inputs)[1]
        self.padded = lengths is not None
        small = inputs.shape[0] is not None and inputs.shape[0] < 2 * _SMALLEST_LANE
        self.lanes = 1 if small else 2
        self.rows = [
            (self.batch + self.lanes - 1 - lane) // self.lanes for lane in range(self.lanes)
        ]
        if self.padded:
            lengths = tf.clip_by_value(tf.cast(lengths, tf.int32), 0, self.time)
            # Dealing out the sorted rows in turn gives each lane as many long ones.
            order = tf.argsort(lengths, direction="DESCENDING", stable=True)
            self._order = tf.concat([order[lane :: self.lanes] for lane in range(self.lanes)], 0)
            lengths = tf.gather(lengths, self._order)
        else:
            lengths = tf.fill([self.batch], self.time)
        alive = [
            tf.reduce_sum(tf.cast(tf.sequence_mask(part, self.time + 1), tf.int32), 0)
            for part in tf.split(lengths, self.rows)
        ]
        alive = tf.stack(alive, 1)  # [T + 1, lanes], tokens lie step by step, lane by lane
        starts = tf.reshape(tf.cumsum(tf.reshape(alive, [-1]), exclusive=True), tf.shape(alive))
        self.begins = [tf.stack([s, tf.zeros_like(s)], 1) for s in tf.unstack(starts, axis=1)]
        self.sizes = [tf.stack([n, -tf.ones_like(n)], 1) for n in tf.unstack(alive, axis=1)]
        if self.padded:
            mask = tf.transpose(tf.sequence_mask(lengths, self.time))
            step, place = tf.unstack(tf.cast(tf.where(mask), tf.int32), axis=1)
            self._cells = tf.stack([tf.gather(self._order, place), step], 1)
            # Where, in `[initial state; states after all tokens]`, a token finds the state before
            # it, and a row its last state.
            where = tf.scatter_nd(
                tf.stack([step + 1, place], 1),
                self.batch + tf.range(tf.size(step)),
                [self.time + 1, self.batch],
            )
            where = tf.concat([tf.range(self.batch)[None], where[1:]], 0)
            self._before = tf.gather_nd(where, tf.stack([step, place], 1))
            self._last = tf.gather_nd(where, tf.stack([lengths, tf.range(self.batch)], 1))

    def tokens(self, sequence: tf.Tensor) -> tf.Tensor:
        """The real tokens `[N, U]` of `sequence [B, T, U]`."""
        if self.padded:
            return tf.gather_nd(sequence, self._cells)
        return tf.reshape(tf.transpose(sequence, [1, 0, 2]), [-1, sequence.shape[-1]])

    def sequence(self, tokens: tf.Tensor) -> tf.Tensor:
        """The opposite of `tokens`, zeros in the padding."""
        width = tokens.shape[-1]
        if self.padded:
            return tf.scatter_nd(self._cells, tokens, [self.batch, self.time, width])
        return tf.transpose(tf.reshape(tokens, [self.time, self.batch, width]), [1, 0, 2])

    def sort(self, state: tf.Tensor) -> tf.Tensor:
        """Brings the rows of `state [B, U]` into the order of the lanes."""
        return tf.gather(state, self._order) if self.padded else state

    def unsort(self, state: tf.Tensor) -> tf.Tensor:
        """The opposite of `sort`."""
        if not self.padded:
            return state
        return tf.gather(state, tf.math.invert_permutation(self._order))

    def before(self, initial: tf.Tensor, states: list[tf.Tensor]) -> tf.Tensor:
        """The state before each token `[N, U]`, given the sorted initial state and those after."""
        if self.padded:
            return tf.gather(tf.concat([initial, states], 0), self._before)
        return tf.concat([initial, states], 0)[: tf.shape(states)[0]]

    def last(self, initial: tf.Tensor, states: list[tf.Tensor]) -> tf.Tensor:
        """The last state of each sorted row `[B, U]`; of an empty row the initial state."""
        states = tf.concat([initial, states], 0)
        if self.padded:
            return tf.gather(states, self._last)
        return states[tf.shape(states)[0] - self.batch :]
