"""Sums over all paths of a linear-chain CRF, in log space: the forward-backward algorithm.

Scores are `[B, T, N]` with zeros in the padding, `lengths` `[B]` int32, `transitions` `[N, N]`,
`start` and `end` `[N]`; what they mean stands at `zoo.layers.CRF`. (Rabiner 1989, "A Tutorial on
Hidden Markov Models", section III.)
"""

from collections.abc import Callable

import tensorflow as tf

from zoo.layers.custom_gradient import custom_gradient
from zoo.layers.recurrent_cell import zero_padding


def time_first(scores: tf.Tensor) -> tf.Tensor:
    """Time first, and one step more, so that a batch of length 0 has a first step too."""
    return tf.pad(tf.transpose(scores, [1, 0, 2]), [[0, 1], [0, 0], [0, 0]])


def path_score(
    scores: tf.Tensor,
    tags: tf.Tensor,
    lengths: tf.Tensor,
    transitions: tf.Tensor,
    start: tf.Tensor,
    end: tf.Tensor,
) -> tf.Tensor:
    """`score(y)` of the given paths `[B]`."""
    mask = tf.sequence_mask(lengths, tf.shape(scores)[1])
    tags = tf.where(mask, tf.cast(tags, tf.int32), 0)
    size = tf.shape(transitions)[0]
    at_tokens = tf.gather(scores, tags, axis=2, batch_dims=2)
    between = tf.gather(tf.reshape(transitions, [-1]), tags[:, :-1] * size + tags[:, 1:])
    between = tf.where(mask[:, 1:], between, 0)
    # One tag more, so that a batch of length 0 has a first and a last one too.
    tags = tf.pad(tags, [[0, 0], [0, 1]])
    last = tf.gather(tags, tf.maximum(lengths - 1, 0), axis=1, batch_dims=1)
    ends = tf.where(lengths > 0, tf.gather(start, tags[:, 0]) + tf.gather(end, last), 0)
    return tf.reduce_sum(at_tokens, 1) + tf.reduce_sum(between, 1) + ends


def log_partition(
    scores: tf.Tensor, lengths: tf.Tensor, transitions: tf.Tensor, start: tf.Tensor, end: tf.Tensor
) -> tf.Tensor:
    """`log sum over all paths of exp(score)` `[B]`, 0 for a row of length 0.

    The gradient is written out: the derivative by a score is the probability that a path takes it,
    `d log Z / d s_t[j] = p(y_t = j)` and `d log Z / d A[i, j] = sum_t p(y_t = i, y_{t+1} = j)`.
    One loop back and a few operations over all steps at once take the place of TensorFlow's own
    way back through the loop.
    """

    @custom_gradient
    def run(
        scores: tf.Tensor, transitions: tf.Tensor, start: tf.Tensor, end: tf.Tensor
    ) -> tuple[tf.Tensor, Callable]:
        ahead, total = forward_messages(scores, lengths, transitions, start, end)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            behind = backward_messages(scores, lengths, transitions, start, end)
            weight = upstream[:, None, None]
            unary = unary_marginals(scores, lengths, ahead, behind) * weight
            both = ahead[:, :-1, :, None] + transitions + behind[:, 1:, None, :]
            size = transitions.shape[0]
            flat = tf.shape(both)[:2]
            both = tf.nn.softmax(tf.reshape(both, tf.concat([flat, [size * size]], 0)))
            pairs = zero_padding(both, lengths - 1) * weight
            at_end = tf.one_hot(lengths - 1, tf.shape(scores)[1])
            return (
                unary,
                tf.reshape(tf.reduce_sum(pairs, [0, 1]), [size, size]),
                tf.reduce_sum(unary[:, :1], [0, 1]),
                tf.einsum("btn,bt->n", unary, tf.cast(at_end, unary.dtype)),
            )

        return total, gradient

    return run(scores, transitions, start, end)


def unary_marginals(
    scores: tf.Tensor, lengths: tf.Tensor, ahead: tf.Tensor, behind: tf.Tensor
) -> tf.Tensor:
    """Marginals `[B, T, N]`: both messages hold the token's own score, so one is taken off."""
    return zero_padding(tf.nn.softmax(ahead + behind - scores), lengths)


def backward_messages(
    scores: tf.Tensor, lengths: tf.Tensor, transitions: tf.Tensor, start: tf.Tensor, end: tf.Tensor
) -> tf.Tensor:
    """Backward messages: the forward messages of the chain read from its end."""
    mirrored = tf.reverse_sequence(scores, lengths, seq_axis=1, batch_axis=0)
    messages, _ = forward_messages(mirrored, lengths, tf.transpose(transitions), end, start)
    return tf.reverse_sequence(messages, lengths, seq_axis=1, batch_axis=0)


def forward_messages(
    scores: tf.Tensor, lengths: tf.Tensor, transitions: tf.Tensor, start: tf.Tensor, end: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The forward algorithm: what reaches tag `j` at step `t`, the token's score included.

        m_1[j] = start[j] + s_1[j]
        m_t[j] = s_t[j] + log sum_i exp(m_{t-1}[i] + A[i, j])

    Returns:
        `(messages [B, T, N], log Z [B])`. The largest of each message is taken off, so that a
        long row is summed as exactly as a short one; log Z has it all.
    """
    time = tf.shape(scores)[1]
    steps = time_first(scores)
    messages = tf.TensorArray(scores.dtype, time + 1, element_shape=[None, scores.shape[-1]])

    def normalised(message: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        highest = tf.reduce_max(message, axis=1, keepdims=True)
        return message - highest, highest[:, 0]

    def step(t: tf.Tensor, message: tf.Tensor, total: tf.Tensor, messages: tf.TensorArray) -> tuple:
        new = _log_sum_exp(message[:, :, None] + transitions) + steps[t]
        new, highest = normalised(new)
        alive = t < lengths
        message = tf.where(alive[:, None], new, message)
        total = tf.where(alive, total + highest, total)
        return t + 1, message, total, messages.write(t, message)

    first, total = normalised(start + steps[0])
    messages = messages.write(time, tf.zeros_like(first)).write(0, first)
    _, last, total, messages = tf.while_loop(
        lambda t, *_: t < time, step, (1, first, total, messages)
    )
    total += _log_sum_exp((last + end)[:, :, None])[:, 0]
    messages = tf.transpose(messages.stack()[:time], [1, 0, 2])
    return messages, tf.where(lengths > 0, total, 0)


def _log_sum_exp(values: tf.Tensor) -> tf.Tensor:
    """Over axis 1 of `[B, N, M]`; all values are finite, which saves half of TensorFlow's own."""
    highest = tf.reduce_max(values, axis=1, keepdims=True)
    return tf.math.log(tf.reduce_sum(tf.exp(values - highest), axis=1)) + highest[:, 0]
