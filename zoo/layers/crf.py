"""Linear-chain conditional random fields: Lafferty, McCallum and Pereira (2001)."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.layers.dynamic_rnn import check_sequence
from zoo.layers.forward_backward import (
    backward_messages,
    forward_messages,
    log_partition,
    path_score,
    time_first,
    unary_marginals,
)
from zoo.layers.recurrent_cell import check_positive, zero_padding

# The score of a transition that is not allowed. Finite, so that no gradient is NaN; so low that its
# exponential is exactly 0 beside any real score, in float32 too.
FORBIDDEN = -1e30


@keras.saving.register_keras_serializable(package="zoo")
class CRF(keras.layers.Layer):
    """Scores whole tag sequences: what a tag gets at its token plus what each transition gets.

    With scores `s` of the network, transitions `A` and scores of the two ends, as in Lample et
    al. (2016), "Neural Architectures for Named Entity Recognition", section 2.2:

        score(y) = start[y_1] + sum_t s_t[y_t] + sum_t A[y_t, y_{t+1}] + end[y_n]
        p(y)     = exp(score(y)) / sum over all paths y' of exp(score(y'))

    All sums run in log space, in float32 or better whatever the precision policy. The layer has
    methods only; nothing is kept between calls. What stands in the padding changes nothing.

    Args:
        tags: Number `N` of tags, a positive int.
        allowed: `[N + 1, N + 1]` bool, which transitions there are: `allowed[i, j]` from tag
            `i` to tag `j`; the last row is from the start of a sequence, the last column to its
            end (the corner means nothing). Others never come out of `viterbi` and get no
            probability. None allows all. There must be an allowed path for every length.

    Raises:
        ValueError: `tags` is not a positive int, or `allowed` has another shape.

    Example:
        >>> crf = CRF(3)
        >>> scores, lengths = tf.random.normal([2, 5, 3]), tf.constant([5, 2])
        >>> tags, score = crf.viterbi(scores, lengths)
        >>> crf.log_likelihood(scores, tags, lengths)
    """

    def __init__(self, tags: int, allowed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_positive("tags", tags)
        self.tags = tags
        self.allowed = np.ones([tags + 1] * 2, bool) if allowed is None else _mask(allowed, tags)
        # Not cast by a mixed precision policy: path scores are sums of hundreds of terms.
        arguments = {"initializer": "zeros", "autocast": False}
        self.transitions = self.add_weight(name="transitions", shape=(tags, tags), **arguments)
        self.start = self.add_weight(name="start", shape=(tags,), **arguments)
        self.end = self.add_weight(name="end", shape=(tags,), **arguments)
        self.built = True

    def log_likelihood(self, scores: tf.Tensor, tags: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """`log p(tags)` of each row.

        Args:
            scores: `[B, T, N]` float.
            tags: `[B, T]` int, each real one in `[0, N)`.
            lengths: `[B]` int.

        Returns:
            `[B]` float32 (float64 from float64); 0 for a row of length 0, about -1e30 for tags
            that make a forbidden transition.
        """
        scores, lengths = self._checked(scores, lengths)
        transitions = self._transition_scores(scores.dtype)
        return path_score(scores, tags, lengths, *transitions) - log_partition(
            scores, lengths, *transitions
        )

    def marginals(self, scores: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """`p(y_t = j)`, summed over all paths: the forward-backward algorithm.

        Args:
            scores: `[B, T, N]` float.
            lengths: `[B]` int.

        Returns:
            `[B, T, N]` float32 (float64 from float64), 0 past the length.
        """
        scores, lengths = self._checked(scores, lengths)
        transitions = self._transition_scores(scores.dtype)
        ahead, _ = forward_messages(scores, lengths, *transitions)
        return unary_marginals(
            scores, lengths, ahead, backward_messages(scores, lengths, *transitions)
        )

    def path_probabilities(
        self, scores: tf.Tensor, tags: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """`p(y_t)` and `p(y_t | y_{t-1})` along a path: the posterior is a Markov chain.

        The probability of a stretch of tags from `a` to `b` is the marginal of its first tag
        times the conditionals of the others, `t = a + 1 .. b`.

        Args:
            scores: `[B, T, N]` float.
            tags: `[B, T]` int, each real one in `[0, N)`.
            lengths: `[B]` int.

        Returns:
            `(marginals, conditionals)`: `[B, T]` float32 (float64 from float64), 0 past the
            length; at the first token both are `p(y_1)`.
        """
        scores, lengths = self._checked(scores, lengths)
        ahead, _ = forward_messages(scores, lengths, *self._transition_scores(scores.dtype))
        mask, tags = self._real(scores, tags, lengths)
        given, behind = self._given_the_last(scores, tags, lengths)
        marginals = unary_marginals(scores, lengths, ahead, behind)
        along_path = [
            tf.gather(probabilities, tags, axis=2, batch_dims=2)
            for probabilities in (marginals, tf.nn.softmax(given))
        ]
        return tuple(tf.where(mask, probabilities, 0) for probabilities in along_path)

    def log_conditionals(self, scores: tf.Tensor, tags: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """`log p(y_t | y_{t-1})` along a path: what each tag adds to `log_likelihood`.

        Args:
            scores: `[B, T, N]` float.
            tags: `[B, T]` int, each real one in `[0, N)`.
            lengths: `[B]` int.

        Returns:
            `[B, T]` float32 (float64 from float64), 0 past the length; at the first token
            `log p(y_1)`. The sum of a row is its `log_likelihood`.
        """
        scores, lengths = self._checked(scores, lengths)
        mask, tags = self._real(scores, tags, lengths)
        given, _ = self._given_the_last(scores, tags, lengths)
        along_path = tf.gather(tf.nn.log_softmax(given), tags, axis=2, batch_dims=2)
        return tf.where(mask, along_path, 0)

    def viterbi(self, scores: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The best path of each row.

        Args:
            scores: `[B, T, N]` float.
            lengths: `[B]` int.

        Returns:
            `(tags, score)`: `[B, T]` int32, 0 past the length, and the path's score, float32
            `[B]` (float64 from float64), not normalised; 0 for a row of length 0.
        """
        scores, lengths = self._checked(scores, lengths)
        transitions, start, end = self._transition_scores(scores.dtype)
        time = tf.shape(scores)[1]
        steps = time_first(scores)
        pointers = tf.TensorArray(tf.int32, size=time + 1, element_shape=[None, self.tags])
        # A step past the length points each tag to itself.
        stay = tf.zeros_like(steps[0], tf.int32) + tf.range(self.tags)
        pointers = pointers.write(0, stay)

        def forward(t: tf.Tensor, best: tf.Tensor, pointers: tf.TensorArray) -> tuple:
            paths = best[:, :, None] + transitions
            alive = (t < lengths)[:, None]
            pointer = tf.argmax(paths, axis=1, output_type=tf.int32)
            best = tf.where(alive, tf.reduce_max(paths, axis=1) + steps[t], best)
            return t + 1, best, pointers.write(t, tf.where(alive, pointer, stay))

        _, best, pointers = tf.while_loop(
            lambda t, *_: t < time, forward, (1, start + steps[0], pointers)
        )
        best += end
        last = tf.argmax(best, axis=1, output_type=tf.int32)
        tags = tf.TensorArray(tf.int32, size=time + 1, element_shape=[None]).write(time, last)

        def backward(t: tf.Tensor, tag: tf.Tensor, tags: tf.TensorArray) -> tuple:
            tag = tf.gather(pointers.read(t + 1), tag, axis=1, batch_dims=1)
            return t - 1, tag, tags.write(t, tag)

        pointers = pointers.write(time, stay)
        _, _, tags = tf.while_loop(lambda t, *_: t >= 0, backward, (time - 1, last, tags))
        tags = tf.transpose(tags.stack()[:time])
        real = tf.sequence_mask(lengths, time)
        score = tf.where(lengths > 0, tf.reduce_max(best, axis=1), 0)
        return tf.where(real, tags, 0), score

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        return {**super().get_config(), "tags": self.tags, "allowed": self.allowed.tolist()}

    def _transition_scores(self, dtype: tf.DType) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """`(transitions, start, end)` with forbidden ones far below all others."""

        def masked(variable: tf.Variable, allowed: np.ndarray) -> tf.Tensor:
            return tf.where(allowed, tf.cast(variable, dtype), tf.constant(FORBIDDEN, dtype))

        return (
            masked(self.transitions, self.allowed[:-1, :-1]),
            masked(self.start, self.allowed[-1, :-1]),
            masked(self.end, self.allowed[:-1, -1]),
        )

    def _real(
        self, scores: tf.Tensor, tags: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Which places are real, `[B, T]` bool, and int32 tags with 0 in the others."""
        mask = tf.sequence_mask(lengths, tf.shape(scores)[1])
        return mask, tf.where(mask, tf.cast(tags, tf.int32), 0)

    def _given_the_last(
        self, scores: tf.Tensor, tags: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """`[B, T, N]` of each tag given the one before it on a path, as logits; and what is behind.

        The transition into the token, from the start or the tag before, and all paths behind it.
        """
        transitions, start, end = self._transition_scores(scores.dtype)
        behind = backward_messages(scores, lengths, transitions, start, end)
        first = tf.broadcast_to(start, [tf.shape(scores)[0], 1, self.tags])
        incoming = tf.concat([first, tf.gather(transitions, tags)], 1)[:, :-1]
        return incoming + behind, behind

    def _checked(self, scores: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores in float32 or better, zeros in their padding, and int32 lengths within them."""
        scores = tf.convert_to_tensor(scores)
        if scores.shape.rank != 3 or scores.shape[-1] != self.tags:
            raise ValueError(
                f"`scores` must be [batch, time, {self.tags}]. Received: shape={scores.shape}"
            )
        scores = tf.cast(scores, tf.float64 if scores.dtype == tf.float64 else tf.float32)
        lengths = check_sequence(scores, lengths)
        return zero_padding(scores, lengths), lengths


def _mask(allowed: Any, tags: int) -> np.ndarray:
    allowed = np.asarray(allowed, bool)
    if allowed.shape != (tags + 1, tags + 1):
        raise ValueError(
            f"`allowed` must be [tags + 1, tags + 1], start last and end last, here "
            f"{(tags + 1, tags + 1)}. Received: shape={allowed.shape}"
        )
    return allowed
