"""F1 of entities as a metric of training: one counts if its type and both its ends are right."""

import keras
import tensorflow as tf

from zoo.text.tags import PREFIXES, chunk_edges


class EntityF1(keras.metrics.Metric):
    """Strict micro F1 of all entities since the last reset, from 0 to 1.

    What CoNLL's scorer counts: an entity is right if one of the same type with the same first and
    last token is among the given ones. Padding and batches make no difference.

    Args:
        name: The key in `History` and logs.
    """

    def __init__(self, name: str = "f1") -> None:
        super().__init__(name=name)
        self.right, self.given, self.found = (
            self.add_variable((), "zeros", name=name) for name in ("right", "given", "found")
        )

    def update_state(self, given: tf.Tensor, found: tf.Tensor, lengths: tf.Tensor) -> None:
        """Counts the entities of a batch.

        Args:
            given: The right tags, int32 `[batch, time]`, places in `zoo.text.tags.iobes_tags`.
            found: The model's, likewise.
            lengths: int32 `[batch]`, how many of them are tags.
        """
        shape = tf.shape(given)
        real = tf.sequence_mask(lengths, shape[1])
        sentence_starts = tf.boolean_mask(tf.broadcast_to(tf.range(shape[1]) == 0, shape), real)
        given, found = (
            _entities(tf.boolean_mask(ids, real), sentence_starts) for ids in (given, found)
        )
        for count, which in (
            (self.right, (given > 0) & (given == found)),
            (self.given, given > 0),
            (self.found, found > 0),
        ):
            count.assign_add(tf.reduce_sum(tf.cast(which, count.dtype)))

    def result(self) -> tf.Tensor:
        """F1 of what was counted."""
        # Without any entity, given or found, nothing is right.
        return tf.math.divide_no_nan(2 * self.right.value, self.given.value + self.found.value)


def _entities(ids: tf.Tensor, sentence_starts: tf.Tensor) -> tf.Tensor:
    """At the first token of each entity a number for its end and type, 0 elsewhere: `[tokens]`.

    Arguments as for `zoo.text.tags.chunk_edges`.
    """
    starts, ends = chunk_edges(ids, sentence_starts)
    first, last = (tf.cast(tf.where(edges), tf.int32) for edges in (starts, ends))
    kinds = (tf.boolean_mask(ids, starts) - 1) // len(PREFIXES)
    tokens = tf.size(ids)
    return tf.scatter_nd(first, 1 + last[:, 0] + kinds * tokens, [tokens])
