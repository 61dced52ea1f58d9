"""What a tagger knows of a token by itself: its word and its spelling."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.layers import BasicLSTMCell, BidirectionalRNN
from zoo.layers.embedding import look_up
from zoo.text.vocabulary import PAD_ID, UNK_ID, CharacterVocabulary, WordVocabulary

TOKEN_INPUTS = {
    "words": tf.TensorSpec([None, None], tf.int32),
    "lengths": tf.TensorSpec([None], tf.int32),
    "spellings": tf.TensorSpec([None, None], tf.int32),
    "spelling_lengths": tf.TensorSpec([None], tf.int32),
    "spelling_of": tf.TensorSpec([None, None], tf.int32),
}


def token_inputs(
    tokens: tf.RaggedTensor, words: WordVocabulary, characters: CharacterVocabulary
) -> dict[str, tf.Tensor]:
    """Ids of tokens, and of the characters of each unique one.

    Args:
        tokens: String `[batch, (tokens)]`.
        words: The words that have vectors.
        characters: Likewise.

    Returns:
        `words` int32 `[batch, time]`, `lengths` int32 `[batch]`, and of the characters of each
        unique token: `spellings` int32 `[unique, characters]`, `spelling_lengths` int32 `[unique]`,
        and which of them is where, `spelling_of` int32 `[batch, time]`.
    """
    unique, place = tf.unique(tokens.flat_values)
    spellings = characters.ids(unique)
    word_ids = tf.gather(words.ids(unique), place)
    return {
        "words": tokens.with_values(word_ids).to_tensor(PAD_ID),
        "lengths": tf.cast(tokens.row_lengths(), tf.int32),
        "spellings": spellings.to_tensor(PAD_ID),
        "spelling_lengths": tf.cast(spellings.row_lengths(), tf.int32),
        "spelling_of": tokens.with_values(place).to_tensor(0),
    }


class TokenEncoder(keras.layers.Layer):
    """A word's vector beside what two LSTMs read off its characters.

    Lample et al. (2016), "Neural Architectures for Named Entity Recognition", section 4.1: the
    last outputs of a forward and a backward LSTM over the characters tell the suffix and the
    prefix, the case and the shape of a word, also of one never seen.

    Words are in one table of two parts. The first, for the words of the training data, is trained;
    the second, for words that only a large set of public vectors knows, stays as it is: an
    optimizer with a state for each weight would spend most of its time there.

    Args:
        words: Size of the word vocabulary, padding and unknown included.
        characters: Size of the character vocabulary, likewise.
        trained_words: How many ids (padding and unknown included) have trained vectors; the
            vectors of the ids from there on are zeros until `assign_words`.
        word_units: Width of the word vectors.
        character_units: Width of the character vectors.
        spelling_units: Units of each of the two LSTMs over characters.
        word_dropout: Share of words taken for unknown in training, so that the vector of the
            unknown word is learnt and spelling has to do without the word.

    Call arguments:
        inputs: What `token_inputs` gives.
        training: Whether words are dropped.

    Returns:
        Float `[B, T, word_units + 2 spelling_units]`.
    """

    def __init__(
        self,
        words: int,
        characters: int,
        trained_words: int,
        word_units: int,
        character_units: int,
        spelling_units: int,
        word_dropout: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_jit = False  # see RecurrentCell
        self.word_dropout = word_dropout
        self.trained_words = trained_words
        self.seed_generator = keras.random.SeedGenerator()
        limit = (3.0 / word_units) ** 0.5  # Ma and Hovy (2016), section 3.1
        # A table is not cast by a mixed precision policy: only the rows that are looked up are.
        self.trained_table = self.add_weight(
            name="trained_words",
            shape=(trained_words, word_units),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            autocast=False,
        )
        self.fixed_table = self.add_weight(
            name="fixed_words",
            shape=(words - trained_words, word_units),
            initializer="zeros",
            trainable=False,
            autocast=False,
        )
        self.characters = keras.layers.Embedding(characters, character_units)
        self.character_encoder = BidirectionalRNN(
            BasicLSTMCell(spelling_units), BasicLSTMCell(spelling_units)
        )

    def assign_words(self, vectors: np.ndarray) -> None:
        """Takes over the vectors of all words: float `[words, word_units]`, in order of ids."""
        self.trained_table.assign(vectors[: self.trained_words])
        self.fixed_table.assign(vectors[self.trained_words :])

    def call(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """The vectors of the tokens; see the class."""
        spelled = self._spell(inputs["spellings"], inputs["spelling_lengths"], training)
        spelled = tf.gather(spelled, inputs["spelling_of"])
        words = tf.cast(self._look_up(inputs["words"], training), spelled.dtype)
        return tf.concat([words, spelled], axis=-1)

    def _look_up(self, ids: tf.Tensor, training: bool | None) -> tf.Tensor:
        if training and self.word_dropout:
            drawn = keras.random.uniform(tf.shape(ids), seed=self.seed_generator)
            ids = tf.where((drawn < self.word_dropout) & (ids > UNK_ID), UNK_ID, ids)
        trained = look_up(self.trained_table, tf.minimum(ids, self.trained_words - 1))
        if self.fixed_table.shape[0] == 0:
            return trained
        fixed = look_up(self.fixed_table, tf.maximum(ids - self.trained_words, 0))
        return tf.where((ids < self.trained_words)[..., tf.newaxis], trained, fixed)

    def _spell(self, characters: tf.Tensor, lengths: tf.Tensor, training: bool | None) -> tf.Tensor:
        embedded = self.characters(characters)
        _, ((forward, _), (backward, _)) = self.character_encoder(
            embedded, lengths, training=training
        )
        return tf.concat([forward, backward], axis=-1)
