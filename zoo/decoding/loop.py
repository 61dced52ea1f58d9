"""The loop that all decoders share: call `step`, let `choose` pick tokens, stop at the end."""

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import tensorflow as tf

# The contract stands in `zoo.decoding`.
Step = Callable[[Any, tf.Tensor], tuple[tf.Tensor, Any, tf.Tensor | None]]


class Progress(NamedTuple):
    """Where each hypothesis stands; every field is `[B, K]`.

    Attributes:
        log_probs: Float32, log-probability of what was emitted; -inf if it is impossible.
        emitted: Int32, number of tokens, the end token included.
        ended: The last token is the end token.
        done: Nothing more will be emitted: ended, impossible, or at the limit of the row.
    """

    log_probs: tf.Tensor
    emitted: tf.Tensor
    ended: tf.Tensor
    done: tf.Tensor

    def extend(self, log_probs: tf.Tensor, is_end: tf.Tensor, limits: tf.Tensor) -> Self:
        """Every hypothesis that is not done emits one token; `limits` is `[B]` int32."""
        emitted = self.emitted + tf.cast(~self.done, tf.int32)
        ended = self.ended | (~self.done & is_end)
        impossible = log_probs == -float("inf")
        done = self.done | ended | impossible | (emitted >= limits[:, tf.newaxis])
        return Progress(log_probs, emitted, ended, done)


Choose = Callable[[tf.Tensor, tf.Tensor, Progress], tuple[tf.Tensor, tf.Tensor | None, Progress]]


def run(
    step: Step,
    state: Any,
    batch_size: int | tf.Tensor,
    start_id: int | tf.Tensor,
    choose: Choose,
    limits: tf.Tensor,
) -> tuple[Progress, tf.Tensor, tf.Tensor | None, tf.Tensor | None]:
    """Decodes until every hypothesis is done, for one step at least.

    The loop starts with one hypothesis per row, so rows = B, and goes on with as many as `choose`
    makes of them: the first step of a beam search costs no more than that of a greedy one.

    Args:
        step: The step function, see `zoo.decoding`.
        state: Nest of tensors `[B, ...]`.
        batch_size: Scalar, B.
        start_id: Scalar or `[B]` int32, what the first step is fed.
        choose: `choose(time, logits float32 [rows, V], progress) -> (ids, rows, progress)`: the
            token of each new hypothesis, `ids [new rows]`, the row that it continues,
            `rows [new rows]` (None: its own), and where it stands.
        limits: `[B]` int32, the most steps of each row.

    Returns:
        (progress, ids, rows, attention): the last `progress`; each step's `ids` and `rows` (or
        None), `[steps, rows]`; the attention with which each step's `ids` were chosen,
        `[steps, rows, S]` or None.
    """
    max_steps = tf.maximum(tf.reduce_max(limits), 1)  # the maximum over no rows is below 0
    ids = tf.broadcast_to(tf.cast(start_id, tf.int32), [batch_size])
    no = tf.zeros([batch_size, 1], tf.bool)
    progress = Progress(tf.zeros([batch_size, 1]), tf.zeros([batch_size, 1], tf.int32), no, no)
    records = [tf.TensorArray(dtype, max_steps) for dtype in (tf.int32, tf.int32, tf.float32)]
    recorded = [True, False, False]  # known once `advance` is traced
    flat_state = [tf.convert_to_tensor(tensor) for tensor in tf.nest.flatten(state)]

    def unfinished(
        time: tf.Tensor,
        flat_state: list[tf.Tensor],
        ids: tf.Tensor,
        progress: Progress,
        records: list[tf.TensorArray],
    ) -> tf.Tensor:
        # The first step is always made: if there are no rows, it still tells the attention's width.
        return (time == 0) | ((time < max_steps) & ~tf.reduce_all(progress.done))

    def advance(
        time: tf.Tensor,
        flat_state: list[tf.Tensor],
        ids: tf.Tensor,
        progress: Progress,
        records: list[tf.TensorArray],
    ) -> tuple:
        logits, new_state, attention = step(tf.nest.pack_sequence_as(state, flat_state), ids)
        ids, rows, progress = choose(time, tf.cast(logits, tf.float32), progress)
        flat_state = tf.nest.flatten(new_state)
        if attention is not None:
            attention = tf.cast(attention, tf.float32)
        if rows is not None:
            flat_state = [tf.gather(tensor, rows) for tensor in flat_state]
            attention = None if attention is None else tf.gather(attention, rows)
        values = [ids, rows, attention]
        recorded[:] = [value is not None for value in values]
        records = [
            record if value is None else record.write(time, value)
            for record, value in zip(records, values, strict=True)
        ]
        return time + 1, flat_state, ids, progress, records

    def rows_vary(tensor: tf.Tensor) -> tf.TensorShape:
        return tf.TensorShape([None]).concatenate(tensor.shape[1:])

    any_beam = tf.TensorShape([None, None])
    steps, _, _, progress, records = tf.while_loop(
        unfinished,
        advance,
        (tf.constant(0), flat_state, ids, progress, records),
        shape_invariants=(
            tf.TensorShape([]),
            [rows_vary(tensor) for tensor in flat_state],
            tf.TensorShape([None]),
            Progress(any_beam, any_beam, any_beam, any_beam),
            [tf.TensorShape(None)] * 3,
        ),
    )
    # gather, not stack: the steps after an early stop were never written
    made = [
        record.gather(tf.range(steps)) if used else None
        for record, used in zip(records, recorded, strict=True)
    ]
    return progress, *made
