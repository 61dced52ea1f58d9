"""What a decoder returns, and the arithmetic that all decoders share."""

from typing import NamedTuple

import tensorflow as tf

from zoo.decoding.loop import Progress


class Hypotheses(NamedTuple):
    """The K best continuations of each of B rows, best first.

    A hypothesis that emitted `max_lengths` tokens without the end token is cut there. It has
    `lengths == max_lengths`; a finished one is always shorter, for its end token took a step.
    Where fewer than K continuations have a probability above 0, the remaining entries have
    `scores == log_probs == -inf` and length 0.

    Attributes:
        ids: `[B, K, T]` int32, without the end token; `pad_id` past `lengths`; T = max(lengths).
        lengths: `[B, K]` int32, number of tokens without the end token.
        scores: `[B, K]` float32, what the hypotheses are ranked by:
            `log_probs / n ** length_penalty`, n = number of emitted tokens, the end token included
            (for greedy and sampling `length_penalty` is 1: the mean log-probability of a token).
        log_probs: `[B, K]` float32, natural logarithm of the probability that the model gives to
            the emitted tokens, the end token included.
        attention: `[B, K, T, S]` float32, the attention row with which each token was emitted,
            0 past `lengths`; None if the step function gives none.
    """

    ids: tf.Tensor
    lengths: tf.Tensor
    scores: tf.Tensor
    log_probs: tf.Tensor
    attention: tf.Tensor | None


def row_limits(max_lengths: int | tf.Tensor, batch_size: int | tf.Tensor) -> tf.Tensor:
    """Checks `max_lengths` (int or `[B]` int32) and returns it as `[B]` int32."""
    known = tf.get_static_value(tf.convert_to_tensor(max_lengths))
    if known is not None and (known < 1).any():
        raise ValueError(
            "`max_lengths` must be positive in every row: raise it to 1 or more, or drop the row. "
            f"Received: max_lengths={max_lengths}"
        )
    limits = tf.cast(max_lengths, tf.int32)
    if known is None:
        tf.debugging.assert_positive(limits, "`max_lengths` must be positive in every row")
    return tf.broadcast_to(limits, [batch_size])


def log_normaliser(logits: tf.Tensor, largest: tf.Tensor) -> tf.Tensor:
    """log(sum(exp(logits))) of each row, `[rows, 1]`, given its largest logit `[rows, 1]`.

    Finite even where all logits are -inf, so that `logits - log_normaliser` is -inf and not NaN.
    """
    shift = tf.maximum(largest, logits.dtype.min)
    total = tf.reduce_sum(tf.exp(logits - shift), axis=-1, keepdims=True)
    return shift + tf.math.log(tf.maximum(total, 1.0))  # the largest logit alone adds 1


def normalise_by_length(
    log_probs: tf.Tensor, emitted: tf.Tensor, length_penalty: float
) -> tf.Tensor:
    """The ranking score: `log_probs / emitted ** length_penalty`."""
    return log_probs / tf.cast(emitted, tf.float32) ** length_penalty


def assemble(
    progress: Progress,
    beam_size: int,
    length_penalty: float,
    tokens: tf.Tensor,
    attention: tf.Tensor | None,
    pad_id: int,
) -> Hypotheses:
    """Cuts, masks and lays out what a search collected.

    Args:
        progress: The last `Progress`, `[B, K]`.
        beam_size: K.
        length_penalty: As in `Hypotheses.scores`.
        tokens: `[steps, B * K]` int32, the path of each hypothesis.
        attention: `[steps, B * K, S]` float32, likewise, or None.
        pad_id: Fills `ids` past the length.

    Returns:
        `Hypotheses`.
    """
    log_probs, emitted, ended, _ = (tf.ensure_shape(x, [None, beam_size]) for x in progress)
    lengths = tf.where(log_probs > -float("inf"), emitted - tf.cast(ended, tf.int32), 0)
    longest = tf.maximum(tf.reduce_max(lengths), 0)  # the maximum over no rows is below 0
    inside = tf.sequence_mask(lengths, longest)

    def by_hypothesis(records: tf.Tensor) -> tf.Tensor:
        # From [steps, B * K, ...] to [B, K, longest, ...].
        records = tf.transpose(records[:longest], [1, 0, *range(2, records.shape.rank)])
        shape = tf.concat([tf.shape(lengths), tf.shape(records)[1:]], axis=0)
        return tf.reshape(records, shape)

    ids = tf.where(inside, by_hypothesis(tokens), pad_id)
    if attention is not None:
        attention = tf.where(inside[..., tf.newaxis], by_hypothesis(attention), 0.0)
    scores = normalise_by_length(log_probs, emitted, length_penalty)
    return Hypotheses(ids, lengths, scores, log_probs, attention)
