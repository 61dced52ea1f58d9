"""The next word by an LSTM: the lecture's language model, and the start of a classifier.

The network stands in `zoo.models.next_word`, after Zaremba, Sutskever and Vinyals (2014),
"Recurrent Neural Network Regularization", arXiv:1409.2329. It reads a text and says at each word
which one comes next; here are words, and what is asked of it.

Dai and Le (2015), "Semi-supervised Sequence Learning", arXiv:1511.01432, start a classifier from
its embedding and its LSTM, `embedding` and `encoder`.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.decoding import Hypotheses, greedy, sample
from zoo.models.base import Signature
from zoo.models.checks import check_count, check_kind, read_texts
from zoo.models.columns import Column
from zoo.models.labels import refuse_class_weight
from zoo.models.next_word import NextWordNetwork, ReadingState
from zoo.registry import register
from zoo.text.running_words import RunningWords
from zoo.text.vocabulary import PAD_ID, UNK_ID, WordVocabulary

# A text ends with the padding's id: the model learns that it ends.
END_ID = PAD_ID
DEFAULT_MAX_TOKENS = 30


@register
class LanguageModel(NextWordNetwork):
    """The next word by an LSTM.

    Args:
        vocabulary: A `WordVocabulary`, the most frequent words first.
        embedding_units: Width of the embedding.
        units: Units of the recurrent layer, or of each of several, lowest first.
        after_end: Whether a text is read after the end of another, so that its first word is
            foretold as well; else its first word is given.
        number_word: See `zoo.text.running_words.RunningWords`.
        marks: Likewise.
        **network: Further arguments of `zoo.models.next_word.NextWordNetwork`.

    Call arguments:
        inputs: Dict of `tokens` int32 `[batch, time]` and `lengths` int32 `[batch]`.
        training: Whether units are dropped.

    Returns:
        What scores are made of, float `[tokens, width]`, of the real tokens, row by row.

    Raises:
        TypeError: `vocabulary` is something else.
        ValueError: Arguments that do not fit each other.

    Example:
        >>> model = zoo.load("runs/sentiment_pretrained/pretraining/preset")
        >>> model.complete("the plot is")
    """

    task = "complete"
    columns = (Column("texts", tf.string, (), read_texts, wire_name="text"),)

    def __init__(
        self,
        vocabulary: WordVocabulary,
        embedding_units: int = 128,
        units: int | list[int] = 256,
        *,
        after_end: bool = False,
        number_word: str | None = None,
        marks: bool = True,
        **network: Any,
    ) -> None:
        check_kind("vocabulary", vocabulary, WordVocabulary)
        super().__init__(vocabulary.size, embedding_units, units, **network)
        self.configuration |= {"after_end": after_end, "number_word": number_word, "marks": marks}
        # Preprocessing.
        self.vocabulary = vocabulary
        self.words = RunningWords(vocabulary, number_word, marks)
        self.finish(1e-3)

    # Data.

    def fit(self, *args: Any, class_weight: None = None, **kwargs: Any) -> keras.callbacks.History:
        """As `ZooModel.fit`, without `class_weight`: words are no classes."""
        refuse_class_weight(
            class_weight,
            "the model writes texts, which have no classes",
            "To let some rows count more, give `sample_weight`",
        )
        return super().fit(*args, **kwargs)

    def ids_of(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Ids of the words of each text: string `[batch]` to int32 `[batch, (words)]`."""
        return self.words.read(texts).ids

    def preprocess(self, texts: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Raw texts, string `[batch]`, to what `call` and the loss take: see `next_word`."""
        ids = self.ids_of(texts)
        ends = tf.RaggedTensor.from_tensor(tf.fill([ids.nrows(), 1], END_ID))
        before = [ends] if self.configuration["after_end"] else []
        ids = tf.concat([*before, ids, ends], axis=1)
        return next_word(ids.to_tensor(PAD_ID), tf.cast(ids.row_lengths(), tf.int32))

    # The verb.

    def continuations(
        self,
        texts: tf.Tensor,
        rows: tf.Tensor | None = None,
        max_tokens: int = DEFAULT_MAX_TOKENS,
        temperature: float = 0.0,
        top_k: int = 0,
        seed: int = 0,
    ) -> Hypotheses:
        """What may follow each text (string `[batch]`), in the graph; arguments of `complete`.

        A blank text has no word to go on from, and gets nothing.
        """
        ids = self.ids_of(texts)
        if self.configuration["after_end"]:
            ids = tf.concat(
                [tf.RaggedTensor.from_tensor(tf.fill([ids.nrows(), 1], END_ID)), ids], 1
            )
        lengths = tf.cast(ids.row_lengths(), tf.int32)
        tokens = tf.pad(ids.to_tensor(PAD_ID), [[0, 0], [0, 1]])
        last = tf.gather(tokens, tf.maximum(lengths - 1, 0), batch_dims=1)
        # All words but the last make the state; the last one is what the first step reads.
        read = tf.maximum(lengths - 1, 0)
        state = self.start_state(tf.shape(tokens)[0])
        _, state = self.known_words(tokens, tf.roll(tokens, -1, axis=1), read, state)
        unknown = tf.one_hot(UNK_ID, self.vocabulary.size, on_value=-np.inf, off_value=0.0)

        def step(state: ReadingState, ids: tf.Tensor) -> tuple:
            logits, state = self.next_word(state, ids)
            return logits + unknown, state, None

        arguments = {
            "start_id": last,
            "end_id": END_ID,
            "max_lengths": tf.where(lengths > 0, max_tokens, 1),
        }
        if temperature:
            drawn = {"temperature": temperature, "top_k": top_k, "seed": seed, "rows": rows}
            found = sample(step, state, tf.shape(last)[0], **arguments, **drawn)
        else:
            found = greedy(step, state, tf.shape(last)[0], **arguments)
        real = (lengths > 0)[:, tf.newaxis]
        return found._replace(
            lengths=tf.where(real, found.lengths, 0), scores=tf.where(real, found.scores, 0.0)
        )

    def complete(
        self,
        texts: Any,
        max_tokens: int = DEFAULT_MAX_TOKENS,
        temperature: float = 1.0,
        top_k: int = 0,
        seed: int = 0,
        batch_size: int = 64,
        progress: bool = True,
    ) -> Any:
        """Goes on writing.

        Args:
            texts: A list of strings, or one string: the words to go on from.
            max_tokens: The most words to write; the model may end sooner.
            temperature: Below 1 keeps to what is likely, above 1 dares more; 0 takes the most
                probable word each time.
            top_k: The number of most probable words to draw from; 0: all.
            seed: Another one draws other words; the same one the same, whatever `batch_size`.
            batch_size: Texts read together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            A list of strings, the new words with blanks between them; one if `texts` is one
            string. A blank text gets nothing.

        Raises:
            TypeError: Something is not a string.
            ValueError: An empty list, a number below 1, or a negative `temperature` or `top_k`.
        """
        check_count("max_tokens", max_tokens)
        if temperature < 0:
            raise ValueError(
                f"`temperature` must be at least 0. Received: temperature={temperature}"
            )

        def run(batch: tf.Tensor, places: np.ndarray) -> list[str]:
            answer = self.run_graph(
                self._complete,
                (batch, tf.constant(places, tf.int32)),
                specs=(self.verb_column.batch_spec, tf.TensorSpec([None], tf.int32)),
                max_tokens=int(max_tokens),
                temperature=float(temperature),
                top_k=int(top_k),
                seed=int(seed),
            )
            return [text.decode() for text in answer["completion"]]

        return self.answers(texts, run, batch_size, progress)

    def _complete(
        self, text: tf.Tensor, rows: tf.Tensor | None = None, **options: Any
    ) -> dict[str, tf.Tensor]:
        found = self.continuations(text, rows, **options)
        words = tf.gather(tf.constant(["", "", *self.vocabulary.words]), found.ids[:, 0])
        words = tf.RaggedTensor.from_tensor(words, lengths=found.lengths[:, 0])
        return {
            "completion": tf.strings.reduce_join(words, axis=1, separator=" "),
            "score": found.scores[:, 0],
        }

    # Serving.

    def signatures(self) -> dict[str, Signature]:
        """`serving_default`: the most probable `completion` of each text, and its `score`."""
        return {"serving_default": self.signature(self._complete, [b"the film is"])}

    # Files.

    def assets(self) -> dict[str, bytes]:
        """Files beside the weights, by name."""
        return {"words.txt": self.vocabulary.to_bytes()}

    @classmethod
    def from_assets(cls, config: dict[str, Any], assets: dict[str, bytes]) -> "LanguageModel":
        """The model of `get_config` and `assets`, with fresh weights."""
        return cls(WordVocabulary.from_bytes(assets["words.txt"]), **config)


def next_word(tokens: tf.Tensor, lengths: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Rows of ids to the inputs and the next ids: all but the last word, all but the first.

    Args:
        tokens: int32 `[batch, time]`, padded with 0.
        lengths: int32 `[batch]`.

    Returns:
        The inputs of a `LanguageModel`, and int32 `[tokens]`.
    """
    lengths = tf.maximum(lengths - 1, 0)
    real = tf.sequence_mask(lengths, tf.shape(tokens)[1] - 1)
    return {"tokens": tokens[:, :-1], "lengths": lengths}, tf.boolean_mask(tokens[:, 1:], real)
