"""The words of a corpus as numbers: each text is tokenised once, whatever is asked of it later."""

import collections
import re
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from zoo.text.vocabulary import PAD_ID, WordVocabulary, normal_form
from zoo.text.words import WordTokenizer

TEXTS_AT_ONCE = 1000


class CorpusWords:
    """Numbers every unique token in the order in which the texts bring it up.

    Attributes:
        tokens: The unique tokens as written, bytes; a text read is an int32 array of
            places in this list.

    Example:
        >>> corpus = CorpusWords()
        >>> texts = corpus.read(["A dog.", "A cat."])
        >>> words = corpus.frequent(texts, min_count=2)
        >>> words
        ['a', '.']
        >>> corpus.ids(texts, WordVocabulary(words))[0]
        array([2, 1, 3], dtype=int32)
    """

    def __init__(self) -> None:
        self.tokens: list[bytes] = []
        self._numbers: dict[bytes, int] = {}
        tokenizer = WordTokenizer()

        # Without AutoGraph, which has nothing to convert here and doubles the time of tracing.
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def unique(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            tokens = tokenizer.tokenize(texts).tokens
            return *tf.unique(tokens.flat_values), tokens.row_splits

        self._unique = unique

    def read(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Tokenises texts.

        Args:
            texts: Any number of strings.

        Returns:
            The numbers of each text's tokens, a list of int32 arrays.
        """
        numbered = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            tokens, places, splits = self._unique(tf.constant(texts[start:][:TEXTS_AT_ONCE]))
            numbers = np.array([self._number(token) for token in tokens.numpy()], np.int32)
            numbered += np.split(numbers[places.numpy()], splits.numpy()[1:-1])
        return numbered

    def frequent(
        self, texts: Sequence[np.ndarray], min_count: int, size: int | None = None
    ) -> list[str]:
        """The words of a vocabulary: normal forms, the most frequent first.

        A word with digits counts twice, as itself and with every digit as 0: a `WordVocabulary`
        looks for either.

        Args:
            texts: What `read` gave.
            min_count: How often a word must occur.
            size: The most words to take; None takes all that are frequent enough.

        Returns:
            Words for a `WordVocabulary`.
        """
        occurrences = np.bincount(np.concatenate(texts), minlength=len(self.tokens))
        counts = collections.Counter()
        for token, count in zip(self.tokens, occurrences.tolist(), strict=True):
            form = normal_form(token.decode("utf-8", "replace"))
            for word in {form, re.sub(r"\d", "0", form)} - {""}:
                counts[word] += count
        # Ties by the alphabet: the order of the texts shall not matter.
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [word for word, count in ranked[:size] if count >= min_count]

    def ids(self, texts: Sequence[np.ndarray], vocabulary: WordVocabulary) -> list[np.ndarray]:
        """What `read` gave as ids of a vocabulary: a list of int32 arrays."""
        table = vocabulary.ids(tf.constant(self.tokens)).numpy()
        return [table[numbers] for numbers in texts]

    def _number(self, token: bytes) -> int:
        number = self._numbers.setdefault(token, len(self.tokens))
        if number == len(self.tokens):
            self.tokens.append(token)
        return number


def cut_rows(texts: Sequence[np.ndarray], longest: int) -> list[np.ndarray]:
    """Texts as rows for a language model: so many words to predict, and one before them.

    The end of a text is the padding's id: the model learns that a text ends.

    Args:
        texts: Ids of each text, int32.
        longest: The most words to predict in a row.

    Returns:
        Ids of each row, int32, in the order of the texts. A text without words has no row.
    """
    rows = []
    for ids in texts:
        ids = np.append(ids, np.int32(PAD_ID))
        for start in range(0, len(ids) - 1, longest):
            rows.append(ids[start : start + longest + 1])
    return rows
