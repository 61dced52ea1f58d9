"""What is found for single sentences, put together to what is told of texts."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from zoo.text.sentences import Sentences, join_sentences

# Sub-words of a text whose attention table is given over REST: as many cells as their square.
MAX_TABLE_LENGTH = 2048
_TOO_WIDE = (
    f"`texts` must have at most {MAX_TABLE_LENGTH} sub-words in each entry for a table of its "
    "attention: ask without it. Received: texts[{}] of {} sub-words"
)


class Found(NamedTuple):
    """What a search found for sentences, the sentences of all texts one behind the other.

    Attributes:
        texts: String `[sentences, beam]`, best first.
        scores: float32 `[sentences, beam]`.
        steps: int32 `[sentences]`, tokens that the best hypothesis took, its end token counted.
        doubtful: bool `[sentences]`.
        source_lengths: int32 `[sentences]`, of the source, its end token counted.
        target_lengths: int32 `[sentences]`, of the best hypothesis.
        source_tokens: String `[sentences, (source)]`, or None if they are not wanted.
        target_tokens: String `[sentences, (target)]`, likewise.
        attention: float32 `[cells]`, the tables `[target, source]` of the sentences, row by row,
            one behind the other; likewise.
    """

    texts: tf.Tensor
    scores: tf.Tensor
    steps: tf.Tensor
    doubtful: tf.Tensor
    source_lengths: tf.Tensor
    target_lengths: tf.Tensor
    source_tokens: tf.RaggedTensor | None = None
    target_tokens: tf.RaggedTensor | None = None
    attention: tf.Tensor | None = None


def text_outputs(found: Found, sentences: Sentences) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What is told of whole texts.

    The k-th hypothesis of a text is that of the k-th of each sentence. Its score is the mean of
    their scores, weighted by the tokens of each sentence's best hypothesis: for the best one the
    mean log-probability of its tokens, as for a single sentence.

    Returns:
        `(texts, scores, low_confidence)`: string and float32 `[batch, beam]`, best first, and
        bool `[batch]`: whether any sentence is doubtful.
    """
    rows, count = sentences.texts.value_rowids(), sentences.texts.nrows()

    def sums(values: tf.Tensor) -> tf.Tensor:
        return tf.math.unsorted_segment_sum(values, rows, count)

    # Weights that add up to exactly 1 where there is one sentence.
    steps = tf.cast(found.steps, tf.float32)
    weights = tf.math.divide_no_nan(steps, tf.gather(sums(steps), rows))[:, tf.newaxis]
    scores = sums(tf.math.multiply_no_nan(found.scores, weights))
    doubtful = sums(tf.cast(found.doubtful, tf.int32)) > 0
    return join_sentences(found.texts, sentences.gaps), scores, doubtful


def token_outputs(found: Found, sentences: Sentences) -> dict[str, tf.Tensor]:
    """The sub-words of whole texts and, if there is one, the table of the attention, padded.

    The tables of a text's sentences stand on the diagonal of its own; a sub-word looked at no
    other sentence.
    """
    rows, count = sentences.texts.value_rowids(), sentences.texts.nrows()
    outputs = {}
    for name in ("source", "target"):
        tokens = getattr(found, f"{name}_tokens")
        lengths = tf.math.unsorted_segment_sum(getattr(found, f"{name}_lengths"), rows, count)
        tokens = tf.RaggedTensor.from_row_lengths(tokens.flat_values, lengths)
        outputs |= {f"{name}_tokens": tokens.to_tensor(""), f"{name}_lengths": lengths}
    if found.attention is not None:
        outputs["attention"] = _tables(found, rows, outputs)
    return outputs


def _tables(found: Found, rows: tf.Tensor, outputs: dict[str, tf.Tensor]) -> tf.Tensor:
    lengths = tf.concat([outputs["source_lengths"], [0]], 0)  # so that there is a longest
    longest = tf.argmax(lengths)
    check = tf.debugging.Assert(
        lengths[longest] <= MAX_TABLE_LENGTH,
        [tf.strings.format(_TOO_WIDE, (longest, lengths[longest]))],
    )
    with tf.control_dependencies([check]):
        width = tf.identity(found.source_lengths)
    rows = tf.cast(rows, tf.int32)

    def first_places(lengths: tf.Tensor, of_texts: tf.Tensor) -> tf.Tensor:
        """Where each sentence starts in its text."""
        return tf.cumsum(lengths, exclusive=True) - tf.gather(
            tf.cumsum(of_texts, exclusive=True), rows
        )

    first = first_places(width, outputs["source_lengths"])
    # The sentence of each sub-word of the targets, then the place of each cell.
    sentence = tf.repeat(tf.range(tf.size(width)), found.target_lengths)
    line = tf.ragged.range(outputs["target_lengths"]).flat_values
    first, width = tf.gather(first, sentence), tf.gather(width, sentence)
    column = tf.ragged.range(first, first + width).flat_values
    cells = [tf.repeat(values, width) for values in (tf.gather(rows, sentence), line)]
    texts, height = tf.unstack(tf.shape(outputs["target_tokens"]))
    shape = [texts, height, tf.shape(outputs["source_tokens"])[1]]
    return tf.scatter_nd(tf.stack([*cells, column], 1), found.attention, shape)


def rows_of_texts(
    found: dict[str, np.ndarray],
) -> Iterator[tuple[list[str], list[str], np.ndarray | None]]:
    """The source's sub-words, the target's and the attention of each text, as arrays.

    Args:
        found: What `Found` has of tokens, flat, with `sentences`, int32 `[batch]`, the number of
            sentences of each text.
    """
    tokens = {
        name: [token.decode() for token in found[f"{name}_tokens"].tolist()]
        for name in ("source", "target")
    }
    lengths = [found[f"{name}_lengths"] for name in ("target", "source")]
    tables = found.get("attention")
    sentence = source = target = cell = 0
    for count in found["sentences"]:
        heights, widths = (of[sentence : sentence + count] for of in lengths)
        sentence += count
        height, width = heights.sum(), widths.sum()
        table = None if tables is None else np.zeros([height, width], np.float32)
        top = left = 0
        for h, w in zip(heights, widths, strict=True):
            if table is not None:
                table[top : top + h, left : left + w] = tables[cell : cell + h * w].reshape(h, w)
            top, left, cell = top + h, left + w, cell + h * w
        yield (
            tokens["source"][source : source + width],
            tokens["target"][target : target + height],
            table,
        )
        source, target = source + width, target + height
