"""Long texts cut in the middle, in the graph."""

import tensorflow as tf

from zoo.text.words import Words


def both_ends(words: Words, most: int) -> Words:
    """The first and the last tokens of each text, half of `most` each, as if side by side.

    Args:
        words: The tokens of texts; their offsets stay those of the whole text.
        most: Tokens of a text. One of no more is left whole.
    """
    lengths = words.tokens.row_lengths()
    place = tf.ragged.range(lengths).flat_values
    behind = tf.gather(lengths, words.tokens.value_rowids()) - place  # 1 at the last token
    kept = (place < (most + 1) // 2) | (behind <= most // 2)
    lengths = tf.minimum(lengths, most)
    parts = (tf.boolean_mask(part.flat_values, kept) for part in words)
    return Words(
        *(tf.RaggedTensor.from_row_lengths(part, lengths, validate=False) for part in parts)
    )
