"""Decoding one hypothesis per row: the most probable token each time, or a random one."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.decoding.hypotheses import Hypotheses, assemble, log_normaliser, row_limits
from zoo.decoding.largest import largest_logits
from zoo.decoding.loop import Progress, Step, run


def greedy(
    step: Step,
    state: Any,
    batch_size: int | tf.Tensor,
    *,
    start_id: int | tf.Tensor,
    end_id: int,
    max_lengths: int | tf.Tensor,
    pad_id: int = 0,
) -> Hypotheses:
    """Takes the most probable token at each step (the lowest id of equals).

    The same as `beam_search` with a beam of 1, in less time.

    Args:
        step: The step function, see `zoo.decoding`.
        state: Nest of tensors `[B, ...]`, what `step` starts from.
        batch_size: Scalar, B; may be 0.
        start_id: Scalar or `[B]` int32, fed to the first step.
        end_id: The token that finishes a row (-1: none does).
        max_lengths: Scalar or `[B]` int32, the most tokens a row may emit, its end token included.
        pad_id: Fills `ids` past the length.

    Returns:
        `Hypotheses` with K = 1. A row's result does not depend on the other rows.

    Raises:
        ValueError: A `max_lengths` below 1 (InvalidArgumentError if it is only known in the graph).

    Example:
        >>> table = tf.constant([[0.0, 1.0, 5.0], [0.0, 9.0, 2.0], [0.0, 7.0, 3.0]])
        >>> step = lambda state, ids: (tf.gather(table, ids), state, None)
        >>> greedy(step, (), 1, start_id=0, end_id=1, max_lengths=9).ids
        <tf.Tensor: shape=(1, 1, 1), dtype=int32, numpy=array([[[2]]], dtype=int32)>
    """

    def pick(time: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # top_k, unlike argmax, promises the lowest id among equals.
        largest, ids = tf.math.top_k(logits, 1)
        return ids, largest

    return _decode(step, state, batch_size, pick, start_id, end_id, max_lengths, pad_id)


def sample(
    step: Step,
    state: Any,
    batch_size: int | tf.Tensor,
    *,
    start_id: int | tf.Tensor,
    end_id: int,
    max_lengths: int | tf.Tensor,
    temperature: float | tf.Tensor = 1.0,
    top_k: int = 0,
    top_p: float | tf.Tensor | None = None,
    seed: int | tf.Tensor,
    rows: tf.Tensor | None = None,
    pad_id: int = 0,
) -> Hypotheses:
    """Draws each token from softmax(logits / temperature), or from its most probable tokens only.

    One uniform number per row and step is drawn and looked up in the cumulative distribution. It
    is a function of (`seed`, step, index of the row) alone: the same call gives the same text, and
    a row keeps its text whatever its batch-mates are and however many. Equal rows at different
    indices get different texts.

    Args:
        step: The step function, see `zoo.decoding`.
        state: Nest of tensors `[B, ...]`, what `step` starts from.
        batch_size: Scalar, B; may be 0.
        start_id: Scalar or `[B]` int32, fed to the first step.
        end_id: The token that finishes a row (-1: none does).
        max_lengths: Scalar or `[B]` int32, the most tokens a row may emit, its end token included.
        temperature: As of `draw_ids`, as are those below.
        top_k: Likewise.
        top_p: Likewise.
        seed: Likewise.
        rows: Likewise.
        pad_id: Fills `ids` past the length.

    Returns:
        `Hypotheses` with K = 1. `log_probs` and `scores` are the model's own, for temperature 1 and
        the whole vocabulary, so they compare with those of `greedy` and `beam_search`.

    Raises:
        ValueError: As of `draw_ids`, or `max_lengths` below 1.
    """
    check_draw(temperature, top_k, top_p)

    def pick(time: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return draw_ids(logits, time, seed, temperature, top_k, top_p, rows)

    return _decode(step, state, batch_size, pick, start_id, end_id, max_lengths, pad_id)


def check_draw(
    temperature: float | tf.Tensor, top_k: int, top_p: float | tf.Tensor | None = None
) -> None:
    """Raises ValueError for what cannot be drawn by; tensors are not looked at."""
    if not tf.is_tensor(temperature) and not temperature > 0:
        raise ValueError(
            "`temperature` must be above 0; use `greedy` for the limit at 0. "
            f"Received: temperature={temperature}"
        )
    if top_k < 0:
        raise ValueError(
            "`top_k` must be 0 (draw from the whole vocabulary) or a number of tokens above 0. "
            f"Received: top_k={top_k}"
        )
    if top_p is not None and not tf.is_tensor(top_p) and not 0 < top_p <= 1:
        raise ValueError(
            f"`top_p` must be above 0 and at most 1, which draws from all. Received: top_p={top_p}"
        )


def draw_ids(
    logits: tf.Tensor,
    time: int | tf.Tensor,
    seed: int | tf.Tensor,
    temperature: float | tf.Tensor = 1.0,
    top_k: int = 0,
    top_p: float | tf.Tensor | None = None,
    rows: tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws one token of each row; `sample` does it at each step.

    Args:
        logits: Float32 `[B, V]`.
        time: Scalar, the number of the step.
        seed: Scalar.
        temperature: Above 0; below 1 sharpens, above 1 flattens.
        top_k: The number of most probable tokens to draw from (the lowest ids among equals); 0:
            all.
        top_p: Draw from the most probable tokens alone that together have this share of the
            probability (Holtzman et al. 2020, arXiv:1904.09751), in (0, 1]; None: all.
        rows: `[B]` int32, the index of each row if these are some of a larger batch; None: 0 to
            B - 1.

    Returns:
        Ids int32 `[B, 1]`, and the largest logit of each row, `[B, 1]`.

    Raises:
        ValueError: `temperature` not above 0, a negative `top_k`, or `top_p` outside (0, 1].
    """
    check_draw(temperature, top_k, top_p)
    count = tf.shape(logits)[0] if rows is None else tf.reduce_max(rows, keepdims=True)[0] + 1
    uniform = tf.random.stateless_uniform([tf.maximum(count, 0), 1], [seed, time])
    if rows is not None:
        uniform = tf.gather(uniform, rows)
    if not top_k and top_p is None:
        largest = tf.reduce_max(logits, axis=-1, keepdims=True)
        return _draw(logits, largest, temperature, uniform), largest
    if top_k:
        kept, ids = largest_logits(logits, top_k)
    else:
        kept, ids = tf.math.top_k(logits, tf.shape(logits)[-1])
    largest = kept[:, :1]
    if top_p is not None:
        # A token is in while those before it have less than their share; the first always is.
        probabilities = tf.nn.softmax((kept - tf.maximum(largest, kept.dtype.min)) / temperature)
        before = tf.cumsum(probabilities, axis=-1, exclusive=True)
        kept = tf.where(before < top_p, kept, -float("inf"))
    drawn = _draw(kept, largest, temperature, uniform)
    return tf.gather(ids, drawn, batch_dims=1), largest


def _draw(
    logits: tf.Tensor, largest: tf.Tensor, temperature: float | tf.Tensor, uniform: tf.Tensor
) -> tf.Tensor:
    """Where the cumulative softmax of `logits [B, n]` passes `uniform [B, 1]`: `[B, 1]` int32."""
    # The largest is taken off first, so that no temperature, however small, can overflow.
    shifted = logits - tf.maximum(largest, logits.dtype.min)
    cumulative = tf.cumsum(tf.exp(shifted / temperature), axis=-1)
    # side="right" never lands on a token of probability 0: it adds nothing to the cumulative sum.
    drawn = tf.searchsorted(cumulative, uniform * cumulative[:, -1:], side="right")
    return tf.minimum(drawn, tf.shape(logits)[-1] - 1)  # for a row without any possible token


def _decode(
    step: Step,
    state: Any,
    batch_size: int | tf.Tensor,
    pick: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    start_id: int | tf.Tensor,
    end_id: int,
    max_lengths: int | tf.Tensor,
    pad_id: int,
) -> Hypotheses:
    """Runs the loop with `pick(time, logits [B, V]) -> (ids int32 [B, 1], largest [B, 1])`."""
    limits = row_limits(max_lengths, batch_size)

    def choose(
        time: tf.Tensor, logits: tf.Tensor, progress: Progress
    ) -> tuple[tf.Tensor, None, Progress]:
        ids, largest = pick(time, logits)
        gain = tf.gather(logits, ids, batch_dims=1) - log_normaliser(logits, largest)
        log_probs = tf.where(progress.done, progress.log_probs, progress.log_probs + gain)
        return ids[:, 0], None, progress.extend(log_probs, ids == end_id, limits)

    progress, tokens, _, attention = run(step, state, batch_size, start_id, choose, limits)
    return assemble(progress, 1, 1.0, tokens, attention, pad_id)
