"""The neural cache of Grave, Joulin and Usunier (2017), arXiv:1612.04426: what was said lately.

A language model keeps the outputs `h_i` of its last words, each with the word that came next. A
word that came after a like output is the more probable now::

    p(w) = (1 - weight) p_model(w) + weight sum_i softmax_i(flatness h_t . h_i) [x_{i+1} = w]

Nothing is learnt: names and topics of a text are repeated. The cache is a value, handed in and
out with the state of the network; its oldest entry makes room for each new one.
"""

from typing import NamedTuple

import tensorflow as tf

# In place of the word that came next: there is none, or it is not known yet.
EMPTY, PENDING = -1, -2


class Cache(NamedTuple):
    """The last entries of each row, the newest last.

    Attributes:
        keys: Float `[batch, size, units]`.
        words: Int32 `[batch, size]`, the word that came next, `EMPTY` or `PENDING`.
    """

    keys: tf.Tensor
    words: tf.Tensor


def empty_cache(batch: int | tf.Tensor, size: int, units: int) -> Cache:
    """A cache without entries."""
    return Cache(tf.zeros([batch, size, units]), tf.fill([batch, size], EMPTY))


def step_through(
    cache: Cache,
    ids: tf.Tensor,
    output: tf.Tensor,
    logits: tf.Tensor,
    flatness: float,
    weight: float,
) -> tuple[tf.Tensor, Cache]:
    """Takes one step: what the network says, and what was said lately.

    Args:
        cache: Before the step.
        ids: Int32 `[batch]`, the words that the network has just read.
        output: Float `[batch, units]`, its output at them.
        logits: Float32 `[batch, vocabulary]`, what it says of the next.
        flatness: How sharply outputs are compared: 0 for not at all.
        weight: Of the cache, in [0, 1].

    Returns:
        `(log-probabilities [batch, vocabulary], cache after the step)`.
    """
    words = _told(cache.words, ids)
    output = tf.cast(output, tf.float32)
    similar = flatness * tf.einsum("bu,bku->bk", output, cache.keys)
    shares, known = _shares(similar, words >= 0)
    rows = tf.range(tf.shape(ids)[0])[:, tf.newaxis]
    places = tf.stack([rows + tf.zeros_like(words), tf.maximum(words, 0)], axis=-1)
    recent = tf.scatter_nd(places, shares, tf.shape(logits))
    weight = weight * tf.cast(known, tf.float32)[:, tf.newaxis]
    mixed = (1 - weight) * tf.nn.softmax(logits) + weight * recent
    keys = tf.concat([cache.keys[:, 1:], output[:, tf.newaxis]], axis=1)
    words = tf.concat([words[:, 1:], tf.fill([tf.shape(ids)[0], 1], PENDING)], axis=1)
    return tf.math.log(mixed), Cache(keys, words)


def read_through(
    cache: Cache,
    tokens: tf.Tensor,
    targets: tf.Tensor,
    lengths: tf.Tensor,
    outputs: tf.Tensor,
    losses: tf.Tensor,
    flatness: float,
    weight: float,
) -> tuple[tf.Tensor, Cache]:
    """Reads a sequence whose words are known, as so many `step_through` would.

    Args:
        cache: Before the sequence.
        tokens: Int32 `[batch, time]`.
        targets: Int32 `[batch, time]`, the word after each.
        lengths: Int32 `[batch]`.
        outputs: Float `[batch, time, units]`, of the network.
        losses: Float32 `[batch, time]`, cross-entropy of the targets by the network alone.
        flatness: As of `step_through`.
        weight: Likewise.

    Returns:
        `(losses [batch, time] with the cache, cache after the sequence)`.
    """
    size, time = tf.shape(cache.words)[1], tf.shape(tokens)[1]
    outputs = tf.cast(outputs, tf.float32)
    keys = tf.concat([cache.keys, outputs], axis=1)
    first = tf.where(lengths > 0, tf.pad(tokens, [[0, 0], [0, 1]])[:, 0], PENDING)
    told = tf.where((lengths > 0)[:, tf.newaxis], _told(cache.words, first), cache.words)
    words = tf.concat([told, targets], axis=1)
    # A word sees the `size` entries before its own.
    age = size + tf.range(time)[:, tf.newaxis] - tf.range(size + time)
    seen = ((age > 0) & (age <= size)) & (words >= 0)[:, tf.newaxis]
    similar = flatness * tf.matmul(outputs, keys, transpose_b=True)
    shares, known = _shares(similar, seen)
    same = tf.cast(words[:, tf.newaxis] == targets[:, :, tf.newaxis], tf.float32)
    recent = tf.reduce_sum(shares * same, axis=-1)
    weight = weight * tf.cast(known, tf.float32)
    losses = -tf.math.log((1 - weight) * tf.exp(-losses) + weight * recent)
    # The last entry of a row waits for what comes next.
    place = tf.range(size) + lengths[:, tf.newaxis]
    words = tf.concat([told, tf.where(_last(lengths, time), PENDING, targets)], axis=1)
    return losses, Cache(
        tf.gather(keys, place, batch_dims=1), tf.gather(words, place, batch_dims=1)
    )


def _told(words: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """The words with what the newest entry waited for."""
    newest = tf.where(words[:, -1] == PENDING, ids, words[:, -1])
    return tf.concat([words[:, :-1], newest[:, tf.newaxis]], axis=1)


def _shares(similar: tf.Tensor, seen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Softmax of the last axis over the entries that are seen, and whether there are any."""
    shares = tf.nn.softmax(tf.where(seen, similar, similar.dtype.min))
    return tf.where(seen, shares, 0.0), tf.reduce_any(seen, axis=-1)


def _last(lengths: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
    """Whether a word is the last of its row, bool `[batch, time]`."""
    return tf.range(time) == lengths[:, tf.newaxis] - 1
