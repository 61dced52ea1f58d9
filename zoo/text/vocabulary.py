"""Words and characters -> ids, inside the graph."""

import contextlib
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import tensorflow as tf
import tensorflow_text as tf_text

from zoo.text.cleaning import (
    IGNORABLE,
    character_class,
    plain_mark_codes,
    plain_marks,
    valid_utf8,
    visible,
)

PAD_ID, UNK_ID = 0, 1
_FIRST_ID = 2

_IGNORABLE = re.compile(character_class(IGNORABLE, r"\U{:08x}"))


def normal_form(token: str) -> str:
    """The form of a word that a `WordVocabulary` holds: NFKC, without case (NFKC_Casefold).

    For building vocabularies in Python; the graph has the same by TF Text. Lower case would
    depend on the locale of the server: "TITLE" becomes "tıtle" in a Turkish one.

    Args:
        token: `str`.

    Returns:
        `str`; empty if the token is made of invisible characters alone.

    Example:
        >>> normal_form("Straße"), normal_form("ＵＳＡ")
        ('strasse', 'usa')
    """
    folded = unicodedata.normalize("NFKC", _IGNORABLE.sub("", token).casefold())
    return unicodedata.normalize("NFKC", _IGNORABLE.sub("", folded).casefold())


class WordVocabulary(tf.Module):
    """Ids of words: 0 is padding, 1 a word unknown, and the words given follow in their order.

    A word is looked up in its `normal_form`, then with every digit as 0 ("1996" as "0000"), as
    Lample et al. (2016) have it. If neither is there, the same with typographic quotes and dashes
    as those of a keyboard: "don’t" is "don't" to a corpus that has only the latter. A word that
    none of these finds is unknown.

    Args:
        words: List of `str`, each once, in normal form.

    Raises:
        ValueError: No words, or a word that is empty, has a line break, or is there twice.

    Example:
        >>> vocabulary = WordVocabulary(["the", "dog", "0000"])
        >>> vocabulary.ids(tf.constant(["The", "dog", "1996", "barks", ""]))
        <tf.Tensor: shape=(5,), dtype=int32, numpy=array([2, 3, 4, 1, 0], dtype=int32)>
    """

    def __init__(self, words: list[str]) -> None:
        super().__init__(name="word_vocabulary")
        words = list(words)
        if not words or len(set(words)) < len(words):
            raise ValueError(
                "`words` must be one or more words, each there once. Received: "
                f"{len(words)} words, {len(set(words))} of them distinct"
            )
        for word in words:
            if not isinstance(word, str) or not word or "\n" in word:
                raise ValueError(
                    f"`words` must be strings without line breaks, none empty. Received: {word!r}"
                )
        self._words = tuple(words)  # TensorFlow would track each entry of a list, for seconds
        self.size = len(words) + _FIRST_ID
        ids = tf.range(_FIRST_ID, self.size, dtype=tf.int64)
        self._table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(words), ids), UNK_ID
        )

    @property
    def words(self) -> list[str]:
        """The words in the order of their ids, a new list at each call."""
        return list(self._words)

    def ids(self, tokens: tf.Tensor | tf.RaggedTensor) -> tf.Tensor | tf.RaggedTensor:
        """The id of every token.

        Args:
            tokens: String, dense or ragged of any shape. An empty string is padding.

        Returns:
            Int32 of the same shape.
        """
        return tf.ragged.map_flat_values(self._flat_ids, tokens)

    def _flat_ids(self, tokens: tf.Tensor) -> tf.Tensor:
        forms = tf.reshape(tf_text.case_fold_utf8(valid_utf8(tokens)), [-1])
        ids = self._look_up(forms)
        missing = tf.where(ids == UNK_ID)
        found = self._look_up(plain_marks(tf.gather_nd(forms, missing)))
        ids = tf.tensor_scatter_nd_update(ids, missing, found)
        return tf.where(tokens == "", PAD_ID, tf.reshape(ids, tf.shape(tokens)))

    def _look_up(self, forms: tf.Tensor) -> tf.Tensor:
        exact = self._table.lookup(forms)
        zeros = self._table.lookup(tf.strings.regex_replace(forms, r"\p{Nd}", "0"))
        return tf.cast(tf.where(exact == UNK_ID, zeros, exact), tf.int32)

    @contextlib.contextmanager
    def in_a_file(self) -> Iterator[None]:
        """Within the block what is traced has its words from a file, which a SavedModel copies.

        Else they are a constant of the graph, and a server keeps several copies of a graph: for a
        tagger's words that is as much memory as its weights take.
        """
        if any("\r" in word for word in self._words):  # which TensorFlow drops when it reads a line
            yield
            return
        whole = self._table
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "words.txt"
            path.write_bytes(self.to_bytes())
            line, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
            lines = tf.lookup.TextFileInitializer(
                str(path), tf.string, line, tf.int64, number, value_index_offset=_FIRST_ID
            )
            self._table = tf.lookup.StaticHashTable(lines, UNK_ID)
            try:
                yield
            finally:
                self._table = whole

    def to_bytes(self) -> bytes:
        """The words as UTF-8, one a line, for an asset file."""
        return "".join(f"{word}\n" for word in self._words).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The vocabulary that `to_bytes` wrote.

        Raises:
            ValueError: `data` is not UTF-8, or not a list of words as above.
        """
        return cls(data.decode("utf-8").removesuffix("\n").split("\n"))


class CharacterVocabulary(tf.Module):
    """Ids of the characters of words: 0 is padding, 1 unknown; case is kept, NFKC is applied.

    Invisible characters are not read. A typographic quote or dash that is unknown is read as that
    of a keyboard.

    Args:
        characters: The characters known, a `str` or a list of them, in any order.

    Raises:
        ValueError: No characters, or what is given is not single characters.

    Example:
        >>> vocabulary = CharacterVocabulary("abc")
        >>> vocabulary.ids(tf.constant(["cab", "x"]))
        <tf.RaggedTensor [[4, 2, 3], [1]]>
    """

    def __init__(self, characters: str | list[str]) -> None:
        super().__init__(name="character_vocabulary")
        self.characters = sorted(set(characters))
        if not self.characters or any(len(character) != 1 for character in self.characters):
            raise ValueError(
                f"`characters` must be single characters, at least one. Received: {characters!r}"
            )
        self.size = len(self.characters) + 2
        self._codes = [ord(character) for character in self.characters]

    def ids(
        self, tokens: tf.Tensor | tf.RaggedTensor, longest: int = 20
    ) -> tf.Tensor | tf.RaggedTensor:
        """The ids of the characters of every token.

        Args:
            tokens: String, dense or ragged, of any shape.
            longest: Characters read of a token, 1 or more; the rest costs nothing.

        Returns:
            Int32 ragged, one dimension more than `tokens`: `[..., (characters)]`.
        """
        if longest < 1:
            raise ValueError(f"`longest` must be 1 or more. Received: longest={longest}")
        if isinstance(tokens, tf.RaggedTensor):
            return tokens.with_flat_values(self.ids(tokens.flat_values, longest))
        heads = tf.strings.substr(visible(valid_utf8(tokens)), 0, longest, unit="UTF8_CHAR")
        codes = tf.strings.unicode_decode(tf_text.normalize_utf8(heads, "NFKC"), "UTF-8")
        # NFKC may write one character as many.
        return tf.ragged.map_flat_values(self._code_ids, codes[..., :longest])

    def _code_ids(self, codes: tf.Tensor) -> tf.Tensor:
        ids = self._look_up(codes)
        return tf.where(ids == UNK_ID, self._look_up(plain_mark_codes(codes)), ids)

    def _look_up(self, codes: tf.Tensor) -> tf.Tensor:
        places = tf.searchsorted(self._codes, codes)
        found = tf.gather(self._codes, tf.minimum(places, len(self._codes) - 1))
        return tf.where(found == codes, places + 2, UNK_ID)

    def to_bytes(self) -> bytes:
        """The characters as UTF-8, for an asset file."""
        return "".join(self.characters).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The vocabulary that `to_bytes` wrote."""
        return cls(data.decode("utf-8"))
