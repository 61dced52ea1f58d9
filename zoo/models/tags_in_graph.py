"""Tags as numbers and back, in the graph: what stands around the network of a tagger."""

import tensorflow as tf

from zoo.text.tags import PREFIXES, chunk_edges, iobes_ids


def tag_numbers(
    tokens: tf.RaggedTensor,
    tags: tf.RaggedTensor,
    table: tf.lookup.StaticHashTable,
    names: list[str],
) -> tf.RaggedTensor:
    """Tags as numbers: of the user's own data sets nothing is known before.

    Args:
        tokens: String `[batch, (tokens)]`.
        tags: String `[batch, (tokens)]`, in BIO, IOB1 or IOBES.
        table: From names of tags to their numbers, others to -1.
        names: Of the tags that there are, for the message.

    Returns:
        int32 `[batch, (tokens)]`, in IOBES; running it fails, with a message, where there is not a
        tag for each token, or one that is none of `names`.
    """
    ids = table.lookup(tags.flat_values)
    unknown = tf.boolean_mask(tags.flat_values, ids < 0)
    checks = [
        tf.debugging.Assert(
            tf.reduce_all(tokens.row_splits == tags.row_splits),
            ["`tags` must have a tag for each token. Received tags:", tags.flat_values],
        ),
        tf.debugging.Assert(
            tf.size(unknown) == 0,
            [f"`tags` must hold {', '.join(names)}. Received:", unknown],
        ),
    ]
    with tf.control_dependencies(checks):
        return tags.with_values(iobes_ids(ids, sentence_starts(tags)))


def bio_tags(ids: tf.Tensor, sentences: tf.RaggedTensor, types: list[str]) -> tf.Tensor:
    """Tags in BIO of the ids of all tokens of sentences, string `[tokens]`."""
    starts, _ = chunk_edges(ids, sentence_starts(sentences))
    kind = tf.gather(tf.constant(["", *types]), (ids + 3) // len(PREFIXES))
    tags = tf.where(starts, "B-", "I-") + kind
    return tf.where(ids > 0, tags, "O")


def sentence_starts(sentences: tf.RaggedTensor) -> tf.Tensor:
    """True at the first token of each row: bool `[tokens]`."""
    rows = sentences.value_rowids()
    return tf.concat([[-1], rows], 0)[:-1] != rows
