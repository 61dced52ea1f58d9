"""Texts cut by regular expressions, in few operations."""

import tensorflow as tf
from tensorflow_text.python.ops.regex_split_ops import gen_regex_split_ops


def split_pieces(texts: tf.Tensor | tf.RaggedTensor, delimiter: str, kept: str) -> tf.RaggedTensor:
    """What `tf_text.regex_split` gives, without its checks of what its kernel gave.

    The checks are branches: of a tagger's graph they were half of all functions, each of which is
    traced, optimised and loaded.

    Args:
        texts: `[batch]` string, or `[batch, (pieces)]`, ragged, whose pieces are cut further.
        delimiter: RE2 of what stands between pieces.
        kept: RE2 of the delimiters that become pieces themselves.

    Returns:
        `[batch, (pieces)]` string, ragged.
    """
    ragged = isinstance(texts, tf.RaggedTensor)
    pieces, _, _, row_splits = gen_regex_split_ops.regex_split_with_offsets(
        texts.values if ragged else texts,
        f"({delimiter})",  # the kernel looks for the first group
        f"({kept})",
    )
    if ragged:
        row_splits = tf.gather(row_splits, texts.row_splits)
    return tf.RaggedTensor.from_row_splits(pieces, row_splits, validate=False)
