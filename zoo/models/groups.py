"""Long texts in bounded memory: the sentences of a batch in groups of like length."""

from collections.abc import Callable, Sequence

import tensorflow as tf

# Tokens, padding included, that the network reads at once: the memory that a long text takes.
GROUP_TOKENS = 4096


def read_in_groups(
    sentences: tf.RaggedTensor,
    decode: Callable[[tf.RaggedTensor], tuple[tf.Tensor, Sequence[tf.Tensor]]],
    dtypes: Sequence[tf.DType],
) -> list[tf.Tensor]:
    """Runs a network over sentences, in groups that bound the memory.

    Args:
        sentences: String `[sentences, (tokens)]`.
        decode: Some of the sentences to their lengths, int32 `[rows]`, and what is wanted of each
            token, a list of `[rows, time]`.
        dtypes: Of what `decode` gives.

    Returns:
        What `decode` gave at all tokens: a list of `[tokens]`, in order.
    """
    lengths = tf.cast(sentences.row_lengths(), tf.int32)
    # Sentences of like length together, the longest first.
    order = tf.argsort(lengths, direction="DESCENDING", stable=True)
    sentences, lengths = tf.gather(sentences, order), tf.gather(lengths, order)
    count = tf.size(lengths)

    def group(first: tf.Tensor, found: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        rows = tf.maximum(GROUP_TOKENS // tf.maximum(lengths[first], 1), 1)
        last = tf.minimum(first + rows, count)
        read, decoded = decode(sentences[first:last])
        real = tf.sequence_mask(read, tf.shape(decoded[0])[1])
        more = [tf.boolean_mask(values, real) for values in decoded]
        return last, [tf.concat(pair, 0) for pair in zip(found, more, strict=True)]

    _, found = tf.while_loop(
        lambda first, _: first < count,
        group,
        (0, [tf.zeros([0], dtype) for dtype in dtypes]),
        shape_invariants=(tf.TensorShape([]), [tf.TensorShape([None])] * len(dtypes)),
        parallel_iterations=1,
    )
    places = tf.range(tf.reduce_sum(lengths))
    places = tf.RaggedTensor.from_row_lengths(places, lengths, validate=False)
    places = tf.gather(places, tf.math.invert_permutation(order)).values
    return [tf.gather(values, places) for values in found]


def run_in_groups(
    lengths: tf.Tensor,
    run: Callable[[tf.Tensor], Sequence[tf.Tensor]],
    dtypes: Sequence[tf.DType],
    most: int = GROUP_TOKENS,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Runs a function over rows, in groups of like length that bound the memory.

    Args:
        lengths: int32 `[rows]`, of what is read for each row.
        run: The places of some rows, int32 `[n]`, to what is wanted of them: tensors of one
            dimension, the values of the rows one behind the other.
        dtypes: Of what `run` gives.
        most: The sum of lengths in a group, padding included; a longer row is a group of its own.

    Returns:
        `(order, values)`: the places in the order in which they were read, int32 `[rows]`, and
        what `run` gave, one group behind the other.
    """
    order = tf.argsort(lengths, direction="DESCENDING", stable=True)

    def group(first: tf.Tensor, found: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        rows = tf.maximum(most // tf.maximum(lengths[order[first]], 1), 1)
        last = tf.minimum(first + rows, tf.size(order))
        more = run(order[first:last])
        return last, [tf.concat(pair, 0) for pair in zip(found, more, strict=True)]

    _, found = tf.while_loop(
        lambda first, _: first < tf.size(order),
        group,
        (0, [tf.zeros([0], dtype) for dtype in dtypes]),
        shape_invariants=(tf.TensorShape([]), [tf.TensorShape([None])] * len(dtypes)),
        parallel_iterations=1,
    )
    return order, found
