"""Whether a translation is to be relied on: what tells a reader of captions that it is out of them.

A translator that meets a text unlike those it has learnt from answers all the same, and fluently.
Three signs give it away: it was not sure of its words (the score), it says the same again (the
repetition), and it hands on what it could not read (what is copied).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from zoo.models.checks import short


class DoubtThresholds(NamedTuple):
    """From where on a translation is of low confidence, in any one of its sentences.

    Attributes:
        score: Below this score.
        repetition: Above this share of sub-words that stand in a pair which was there before.
        copied: Above this share of sub-words that stand in a pair taken over from the source.
    """

    score: float = -1.45
    repetition: float = 0.4
    copied: float = 0.3


def checked_thresholds(
    thresholds: DoubtThresholds | Mapping[str, Any] | None,
) -> DoubtThresholds:
    """The thresholds that a user or a configuration names, those left out by default.

    Raises:
        TypeError: Not a mapping from names to numbers.
        ValueError: An unknown name.
    """
    if isinstance(thresholds, DoubtThresholds):
        thresholds = thresholds._asdict()
    given = dict({} if thresholds is None else thresholds)
    for name, value in given.items():
        if name not in DoubtThresholds._fields:
            raise ValueError(
                f"`doubt` must have the keys {', '.join(DoubtThresholds._fields)}, or some of "
                f"them. Received: {name!r}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"`doubt` must hold numbers. Received: {name}={short(value)}")
    return DoubtThresholds(**{name: float(value) for name, value in given.items()})


def signs_of_doubt(
    source: tf.Tensor,
    source_lengths: tf.Tensor,
    target: tf.Tensor,
    target_lengths: tf.Tensor,
    scores: tf.Tensor,
) -> DoubtThresholds:
    """What `DoubtThresholds` compares, of each row, float32 `[batch]`; in the graph.

    Args:
        source: int32 `[batch, source]`, padded.
        source_lengths: int32 `[batch]`, the end id counted.
        target: int32 `[batch, target]`, padded.
        target_lengths: int32 `[batch]`, without the end id.
        scores: float32 `[batch]`.
    """
    # The end id and the padding pair with nothing.
    source = tf.where(tf.sequence_mask(source_lengths - 1, tf.shape(source)[1]), source, -1)
    target = tf.where(tf.sequence_mask(target_lengths, tf.shape(target)[1]), target, -2)
    places = tf.range(tf.shape(target)[1])
    before = places[:, tf.newaxis] > places[tf.newaxis, :]
    lengths = tf.cast(target_lengths, tf.float32)

    def share(pairs: tf.Tensor) -> tf.Tensor:
        # A pair that is found makes both of its sub-words count.
        second = tf.reduce_any(pairs, axis=-1)
        inside = second | tf.pad(second[:, 1:], [[0, 0], [0, 1]])
        return tf.math.divide_no_nan(tf.reduce_sum(tf.cast(inside, tf.float32), axis=1), lengths)

    # Padding of the target is equal to itself.
    real = (target >= 0)[:, :, tf.newaxis]
    return DoubtThresholds(
        scores, share(_pairs(target, target) & before & real), share(_pairs(target, source))
    )


def is_doubtful(signs: DoubtThresholds, thresholds: DoubtThresholds) -> tf.Tensor:
    """Which rows are of low confidence, bool `[batch]`."""
    return (
        (signs.score < thresholds.score)
        | (signs.repetition > thresholds.repetition)
        | (signs.copied > thresholds.copied)
    )


def _pairs(ids: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Where an id and the one before it are as another id and its one: bool `[batch, n, m]`."""
    same = ids[:, :, tf.newaxis] == others[:, tf.newaxis, :]
    return same & tf.pad(same[:, :-1, :-1], [[0, 0], [1, 0], [1, 0]])
