"""Captions as captioners read and write them: words alone, in lower case."""

import tensorflow as tf

from zoo.text.words import WordTokenizer

_WORD = r".*[\p{L}\p{N}].*"
_CLITIC = r" ('(?:s|m|d|re|ve|ll)|n't)\b"


def plain_words(texts: tf.Tensor) -> tf.Tensor:
    """The words of captions, without marks.

    `"A dog's T-shirt, in the snow."` is `"A dog 's T-shirt in the snow"`: metrics of captions
    (coco-caption, Chen et al. 2015) split words so, and leave out marks, too.

    Args:
        texts: String `[batch]`.

    Returns:
        String `[batch]`, words with one blank in between; empty where there are none.
    """
    tokens = WordTokenizer().tokenize(texts).tokens
    words = tf.ragged.boolean_mask(tokens, tf.strings.regex_full_match(tokens, _WORD))
    words = tf.strings.regex_replace(words, "’", "'")
    return tf.strings.reduce_join(words, axis=-1, separator=" ")


def joined_words(words: tf.Tensor) -> tf.Tensor:
    """Captions for people, of what `plain_words` splits: `"a dog 's ball"` is `"a dog's ball"`.

    Args:
        words: String of any shape.
    """
    return tf.strings.regex_replace(words, _CLITIC, r"\1")
