"""Beam search with length normalisation, frozen finished hypotheses and n-best output."""

from typing import Any

import tensorflow as tf

from zoo.decoding.hypotheses import (
    Hypotheses,
    assemble,
    log_normaliser,
    normalise_by_length,
    row_limits,
)
from zoo.decoding.largest import largest_logits
from zoo.decoding.loop import Progress, Step, run


def beam_search(
    step: Step,
    state: Any,
    batch_size: int | tf.Tensor,
    *,
    start_id: int | tf.Tensor,
    end_id: int,
    max_lengths: int | tf.Tensor,
    beam_size: int = 5,
    length_penalty: float = 1.0,
    pad_id: int = 0,
) -> Hypotheses:
    """Keeps the `beam_size` best hypotheses of each row at every step.

    The candidates of a step are all one-token continuations of the hypotheses that are still open,
    and the finished hypotheses as they are ("frozen": each keeps its score, and its place until
    better ones push it out). Both kinds are ranked by the same score, the log-probability over a
    power of the length (Wu et al. 2016, arXiv:1609.08144, section 7, without the offset of 5):

        score = log_probability / n ** length_penalty,   n = emitted tokens with the end token

    Equals rank in the order of the hypotheses they continue, then of their token ids. A row stops
    when all of its `beam_size` hypotheses are finished or at the row's limit: no later step could
    change them, so stopping early is exact. If the beam can hold every hypothesis there is
    (`beam_size >= V ** max_lengths`), the result is the exact optimum.

    Args:
        step: The step function, see `zoo.decoding`; it is called with B rows first, then B * K.
        state: Nest of tensors `[B, ...]`, what `step` starts from.
        batch_size: Scalar, B; may be 0.
        start_id: Scalar or `[B]` int32, fed to the first step.
        end_id: The token that finishes a hypothesis (-1: none does).
        max_lengths: Scalar or `[B]` int32, the most tokens a row may emit, its end token included.
        beam_size: K; it may be larger than the vocabulary.
        length_penalty: 0 ranks by probability (favours short hypotheses), 1 by the mean
            log-probability of a token.
        pad_id: Fills `ids` past the length.

    Returns:
        `Hypotheses`, K = `beam_size` different ones in descending order of `scores`. A row's result
        does not depend on the other rows.

    Raises:
        ValueError: `beam_size` or a `max_lengths` below 1 (if `max_lengths` is only known in the
            graph: InvalidArgumentError).

    Example:
        >>> table = tf.constant([[0.0, 1.0, 5.0], [0.0, 9.0, 2.0], [0.0, 7.0, 3.0]])
        >>> step = lambda state, ids: (tf.gather(table, ids), state, None)
        >>> best = beam_search(step, (), 1, start_id=0, end_id=1, max_lengths=9, beam_size=2)
        >>> best.ids[0, 0].numpy()
        array([2], dtype=int32)
    """
    if beam_size < 1:
        raise ValueError(
            f"`beam_size` must be 1 (the same as `greedy`) or more. Received: beam_size={beam_size}"
        )
    limits = row_limits(max_lengths, batch_size)

    def choose(
        time: tf.Tensor, logits: tf.Tensor, progress: Progress
    ) -> tuple[tf.Tensor, tf.Tensor, Progress]:
        # The K best continuations of one hypothesis are those with the K largest logits: the
        # normaliser, the same for all of them, is taken off K numbers instead of V.
        values, ids = largest_logits(logits, beam_size)
        gains = values - log_normaliser(logits, values[:, :1])
        if values.shape[-1] != beam_size:  # the vocabulary is, or may be, smaller than K
            missing = [[0, 0], [0, beam_size - tf.shape(values)[-1]]]
            gains = tf.pad(gains, missing, constant_values=-float("inf"))
            ids = tf.pad(ids, missing)
        # A frozen hypothesis has one continuation, itself.
        itself = tf.where(tf.range(beam_size) == 0, 0.0, -float("inf"))
        gains = tf.where(tf.reshape(progress.done, [-1, 1]), itself, gains)
        candidates = tf.reshape(progress.log_probs, [-1, 1]) + gains
        emitted = tf.reshape(tf.where(progress.done, progress.emitted, time + 1), [-1, 1])
        scores = normalise_by_length(candidates, emitted, length_penalty)

        hypotheses = tf.shape(progress.done)[1]  # 1 at first, then K
        _, chosen = tf.math.top_k(
            tf.reshape(scores, [batch_size, hypotheses * beam_size]), beam_size
        )
        chosen += tf.range(batch_size)[:, tf.newaxis] * hypotheses * beam_size
        rows = chosen // beam_size
        ids = tf.gather(tf.reshape(ids, [-1]), chosen)
        log_probs = tf.gather(tf.reshape(candidates, [-1]), chosen)
        moved = Progress(*(tf.gather(tf.reshape(field, [-1]), rows) for field in progress))
        progress = moved.extend(log_probs, ids == end_id, limits)
        return tf.reshape(ids, [-1]), tf.reshape(rows, [-1]), progress

    progress, tokens, rows, attention = run(step, state, batch_size, start_id, choose, limits)
    # Each step recorded its hypotheses in its own order; `places` finds the final ones in it.
    places = _trace_back(rows)
    tokens = tf.gather(tokens, places, batch_dims=1)
    if attention is not None:
        attention = tf.gather(attention, places, batch_dims=1)
    return assemble(progress, beam_size, length_penalty, tokens, attention, pad_id)


def _trace_back(rows: tf.Tensor) -> tf.Tensor:
    """Follows back-pointers from the last step to each earlier one.

    Args:
        rows: `[steps, B * K]` int32, the row before step t that each hypothesis after t continues.

    Returns:
        `[steps, B * K]` int32, the row after step t that each final hypothesis descends from.
    """
    steps, width = tf.unstack(tf.shape(rows))
    stay = tf.broadcast_to(tf.range(width), [steps, width])

    # places[t] leads back over a span of steps. Doubling the span takes log2(steps) gathers;
    # following the pointers one by one would take `steps`.
    def double(span: tf.Tensor, places: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        later = tf.concat([places[span:], stay[:span]], axis=0)
        return 2 * span, tf.gather(places, later, batch_dims=1)

    places = tf.concat([rows[1:], stay[:1]], axis=0)
    return tf.while_loop(lambda span, _: span < steps, double, (tf.constant(1), places))[1]
