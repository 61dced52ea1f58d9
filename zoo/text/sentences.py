"""Texts cut into sentences that are read one by one, and put together again; inside the graph."""

from typing import NamedTuple

import tensorflow as tf

from zoo.text.words import WordTokenizer, substrings


class Sentences(NamedTuple):
    """The sentences of a batch of texts, both `[batch, (sentences)]`.

    Args:
        texts: String, the sentences as they are written.
        gaps: String, what stands between a sentence and the one before it: as written, such as a
            blank line, or a blank if nothing does; empty before the first of a text.
    """

    texts: tf.RaggedTensor
    gaps: tf.RaggedTensor


def split_sentences(texts: tf.Tensor) -> Sentences:
    """Cuts texts by the rules of `WordTokenizer.sentences`, whatever the length of a sentence.

    A text of one sentence comes out as it is, white space at its ends included.

    Args:
        texts: String `[batch]`, valid UTF-8 without invisible characters.

    Returns:
        The `Sentences`; a text without words has none.
    """
    tokenizer = WordTokenizer()
    words = tokenizer.tokenize(texts)
    counts = tokenizer.sentences(words, longest=tf.int32.max)
    rows = tf.cast(counts.value_rowids(), tf.int32)
    last_word = tf.cumsum(counts.flat_values) - 1
    first_word = last_word - counts.flat_values + 1
    start = tf.gather(words.starts.flat_values, first_word)
    end = tf.gather(words.ends.flat_values, last_word)

    edge = tf.cast(rows[1:] != rows[:-1], tf.int32)
    some = tf.ones([tf.minimum(tf.size(rows), 1)], tf.int32)  # none if there are no sentences
    is_first = tf.cast(tf.concat([some, edge], 0), tf.bool)
    is_last = tf.cast(tf.concat([edge, some], 0), tf.bool)
    end_before = tf.where(is_first, 0, tf.concat([some, end], 0)[: tf.size(rows)])
    start = tf.where(is_first, 0, start)
    whole = tf.gather(tf.strings.length(texts, unit="UTF8_CHAR"), rows)

    gaps = substrings(texts, rows, end_before, start)
    gaps = tf.where((gaps == "") & ~is_first, " ", gaps)
    cut = substrings(texts, rows, start, tf.where(is_last, whole, end))
    return Sentences(counts.with_values(cut), counts.with_values(gaps))


def whole_texts(texts: tf.Tensor) -> Sentences:
    """Each text, string `[batch]`, as one sentence, blank or not."""
    count = tf.size(texts)
    values, gaps = tf.identity(texts), tf.fill([count], "")
    return Sentences(
        *(tf.RaggedTensor.from_row_splits(of, tf.range(count + 1)) for of in (values, gaps))
    )


def join_sentences(parts: tf.Tensor, gaps: tf.RaggedTensor) -> tf.Tensor:
    """What became of sentences, as texts.

    Args:
        parts: String `[sentences, ...]`, one part or several variants of it for each sentence.
        gaps: What `split_sentences` gave.

    Returns:
        String `[batch, ...]`: the parts of a text with its gaps between them.
    """
    shape = tf.concat([tf.shape(parts)[:1], tf.ones([tf.rank(parts) - 1], tf.int32)], 0)
    with_gaps = tf.reshape(gaps.flat_values, shape) + parts
    return tf.strings.unsorted_segment_join(with_gaps, gaps.value_rowids(), gaps.nrows())
