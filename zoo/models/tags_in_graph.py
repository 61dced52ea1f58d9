"""Tags as numbers and back, in the graph: what stands around the network of a tagger."""

import tensorflow as tf

from zoo.text.tags import PREFIXES, chunk_edges, iobes_ids, iobes_places
from zoo.text.words import WordTokenizer


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


def split_tokens(
    tokenizer: WordTokenizer, tokens: tf.RaggedTensor, ids: tf.RaggedTensor
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Somebody's tokens as the model's own tokenizer has them, as if blanks stood between them.

    An entity stays an entity: that of all parts of its tokens. A token in which the tokenizer finds
    no word, such as `<br />`, stays as it is.

    Args:
        tokenizer: The model's.
        tokens: String `[batch, (tokens)]`.
        ids: int32 `[batch, (tokens)]`, their tags in IOBES.

    Returns:
        `(tokens, ids)`: `[batch, (parts)]`, as many parts as tokens or more.
    """
    flat, ids = tokens.flat_values, ids.flat_values
    parts = tokenizer.tokenize(flat).tokens
    none = parts.row_lengths() == 0
    whole = tf.RaggedTensor.from_row_lengths(flat[none], tf.cast(none, tf.int64))
    parts = tf.concat([parts, whole], 1)
    of = parts.value_rowids()
    first, last = of != tf.concat([[-1], of], 0)[:-1], of != tf.concat([of, [-1]], 0)[1:]
    prefix = (ids - 1) % len(PREFIXES)
    begin, end, single = (prefix == PREFIXES.index(letter) for letter in "BES")
    starts, ends = tf.gather(begin | single, of) & first, tf.gather(end | single, of) & last
    part_ids = parts.with_values(iobes_places(tf.gather(ids, of), starts, ends))
    return tuple(tokens.with_values(of).merge_dims(1, 2) for of in (parts, part_ids))


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
