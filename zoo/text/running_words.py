"""Texts as a language model reads them: ids of words, each with its place in the text."""

from typing import NamedTuple

import tensorflow as tf

from zoo.text.vocabulary import UNK_ID, WordVocabulary
from zoo.text.words import WordTokenizer

_NUMBER = r"[+-]?\p{Nd}+(?:[.,:/]\p{Nd}+)*"
_MARKS = r"[\p{P}\p{S}]+"


class WordIds(NamedTuple):
    """Words of texts, all int32 `[batch, (words)]`.

    Args:
        ids: Of a `WordVocabulary`.
        starts: The character (Unicode code point) of the text where the word starts.
        ends: The character after the word's last.
    """

    ids: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


class RunningWords(tf.Module):
    """Reads texts in the manner of a corpus whose words have been made alike.

    Args:
        vocabulary: A `WordVocabulary`.
        number_word: The word of the vocabulary that stands for every number, such as the `N` of the
            Penn Treebank; None: numbers are words like others.
        marks: Whether unknown punctuation is read as an unknown word. False leaves it out, as a
            corpus does that has none.

    Raises:
        ValueError: `number_word` is not in the vocabulary.

    Example:
        >>> words = RunningWords(WordVocabulary(["rose", "N", "%"]), "N", marks=False)
        >>> words.read(tf.constant(["It rose 3.5 %."])).ids
        <tf.RaggedTensor [[1, 2, 3, 4]]>
    """

    def __init__(
        self, vocabulary: WordVocabulary, number_word: str | None = None, marks: bool = True
    ) -> None:
        super().__init__(name="running_words")
        if number_word is not None and number_word not in vocabulary.words:
            raise ValueError(
                "`number_word` must be a word of the vocabulary. "
                f"Received: number_word={number_word!r}"
            )
        self.vocabulary = vocabulary
        self.number_word = number_word
        self.marks = marks
        self._tokenizer = WordTokenizer()

    def read(self, texts: tf.Tensor) -> WordIds:
        """The words of each text, string `[batch]`."""
        words = self._tokenizer.tokenize(texts)
        tokens, ids = words.tokens, self.vocabulary.ids(words.tokens)
        if self.number_word is not None:
            number = UNK_ID + 1 + self.vocabulary.words.index(self.number_word)
            flat = tokens.flat_values
            is_number = tf.strings.regex_full_match(flat, _NUMBER) | (flat == self.number_word)
            unknown = ids.flat_values == UNK_ID
            ids = ids.with_flat_values(tf.where(unknown & is_number, number, ids.flat_values))
        found = WordIds(ids, words.starts, words.ends)
        if self.marks:
            return found
        marks = tf.strings.regex_full_match(tokens.flat_values, _MARKS)
        kept = tokens.with_flat_values(~((ids.flat_values == UNK_ID) & marks))
        return WordIds(*(tf.ragged.boolean_mask(of, kept) for of in found))
