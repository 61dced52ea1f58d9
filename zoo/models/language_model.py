"""The next word by an LSTM: the lecture's language model, and the start of a classifier.

The network stands in `zoo.models.next_word`, after Zaremba, Sutskever and Vinyals (2014),
"Recurrent Neural Network Regularization", arXiv:1409.2329. It reads a text and says at each word
which one comes next; here are words, and what is asked of it.

Dai and Le (2015), "Semi-supervised Sequence Learning", arXiv:1511.01432, start a classifier from
its embedding and its LSTM, `embedding` and `encoder`.
"""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.models.base import Signature
from zoo.models.checks import check_kind, read_texts
from zoo.models.columns import Column
from zoo.models.completions import Completions, Writing
from zoo.models.labels import refuse_class_weight
from zoo.models.next_word import NextWordNetwork
from zoo.models.scored_text import ScoredText
from zoo.registry import register
from zoo.text.running_words import RunningWords
from zoo.text.vocabulary import PAD_ID, UNK_ID, WordVocabulary
from zoo.text.words import substrings

# A text ends with the padding's id: the model learns that it ends.
END_ID = PAD_ID
DEFAULT_MAX_TOKENS = 30


@register
class LanguageModel(Completions, NextWordNetwork):
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
    end_id, unknown_id = END_ID, UNK_ID

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

    def preprocess(self, texts: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Raw texts, string `[batch]`, to what `call` and the loss take: see `next_word`."""
        ids = self.ids_of(texts)
        ids = tf.concat([ids, _ends(ids)], axis=1)
        return next_word(ids.to_tensor(PAD_ID), tf.cast(ids.row_lengths(), tf.int32))

    def ids_of(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """What is read of each text: string `[batch]` to int32 `[batch, (words)]`.

        The end of another text comes first if the model is `after_end`.
        """
        return self._after_end(self.words.read(texts).ids)

    def _after_end(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        return tf.concat([_ends(ids), ids], axis=1) if self.configuration["after_end"] else ids

    def written(self, ids: tf.Tensor) -> tf.Tensor:
        """The words of ids, string of the same shape; empty for the end of a text."""
        return tf.gather(tf.constant(["", "<unk>", *self.vocabulary.words]), ids)

    # The verbs.

    def complete(
        self,
        texts: Any,
        max_tokens: int = DEFAULT_MAX_TOKENS,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        beam_size: int | None = None,
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
            top_p: Draw from the most probable words alone that together have this share of the
                probability, in (0, 1].
            beam_size: Search for the most probable text, with so many hypotheses, instead of
                drawing.
            seed: Another one draws other words; the same one the same, whatever `batch_size`.
            batch_size: Texts read together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            A list of strings, the new words with blanks between them; one if `texts` is one
            string. A blank text gets nothing, unless the model is `after_end`: then a new one.

        Raises:
            TypeError: Something is not a string.
            ValueError: An empty list, or an option that cannot be; the message names it.
        """
        writing = Writing(max_tokens, temperature, top_k, top_p, beam_size, seed)
        writing.check(self.vocabulary.size)

        rows = tf.TensorSpec([None], tf.int32)
        specs = (self.verb_column.batch_spec, rows, *writing.specs)

        def run(batch: tf.Tensor, places: np.ndarray) -> list[str]:
            batch = (batch, tf.constant(places, tf.int32), *writing.numbers)
            answer = self.run_graph(self._written, batch, specs, **writing.options)
            return [text.decode() for text in answer["completion"]]

        return self.answers(texts, run, batch_size, progress)

    def stream(
        self,
        text: str,
        max_tokens: int = DEFAULT_MAX_TOKENS,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> Iterator[str]:
        """Goes on writing, word by word: what `complete` gives for this text, as it comes.

        Args:
            text: As of `complete`, one string, as are those below.
            max_tokens: Likewise.
            temperature: Likewise.
            top_k: Likewise.
            top_p: Likewise.
            seed: Likewise.

        Yields:
            The words, without blanks.

        Raises:
            TypeError: `text` is no string.
            ValueError: As of `complete`.

        Example:
            >>> for word in model.stream("the company said", temperature=0.7):
            ...     print(word, end=" ", flush=True)
        """
        if not isinstance(text, str | bytes):
            raise TypeError(f"`text` must be one string. Received: {text!r:.60}")
        writing = Writing(max_tokens, temperature, top_k, top_p, None, seed)
        writing.check(self.vocabulary.size)
        return self._streamed(text, writing)

    def score(self, texts: Any, batch_size: int = 64, progress: bool = True) -> Any:
        """How probable texts are, and each of their words after those before it.

        Args:
            texts: A list of strings, or one string, of any length.
            batch_size: Texts read together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            A list of `ScoredText`, or one. The end of a text is not scored, nor is the first word,
            unless the model is `after_end`: then it follows the end of another text.

        Raises:
            TypeError: Something is not a string.
            ValueError: An empty list.
        """

        def run(batch: tf.Tensor, places: np.ndarray) -> list[ScoredText]:
            found = self.run_graph(self._serve_score, batch)
            rows = ({name: of[row] for name, of in found.items()} for row in range(len(places)))
            return [
                ScoredText.from_row(text, row)
                for text, row in zip(batch.numpy(), rows, strict=True)
            ]

        return self.answers(texts, run, batch_size, progress)

    def console_answers(
        self,
        entries: list,
        score: bool = False,
        max_tokens: int | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        beam_size: int | None = None,
        seed: int | None = None,
    ) -> list:
        """As `ZooModel.console_answers`; `score` tells how probable the texts are instead."""
        from zoo.drawing.answers import completed_answers, scored_answers

        options = {
            "max_tokens": max_tokens,
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "beam_size": beam_size,
            "seed": seed,
        }
        options = {name: value for name, value in options.items() if value is not None}
        if not score:
            return completed_answers(self, entries, **options)
        if options:
            name = next(iter(options)).replace("_", "-")
            raise ValueError(f"--score writes nothing: --{name} means nothing beside it")
        return scored_answers(self, entries)

    def console_stream(
        self, entry: bytes, score: bool = False, beam_size: int | None = None, **drawing: Any
    ) -> Iterator[str] | None:
        """What `zoo run` prints as it comes; None: it comes all at once."""
        return None if score or beam_size else self.stream(entry, **drawing)

    # Serving.

    def signatures(self) -> dict[str, Signature]:
        """The most probable text, how probable texts are, and the model word by word.

        - `serving_default`: `text` to `completion`, the most probable word each time, and `score`.
        - `score`: `text` to what a `ScoredText` has.
        - `start`: `text` to `ids`, its last words, and `state`, what was read before them.
        - `step`: `ids` and `state` to the next ones, and what else might come.
        """
        examples = [b"the company said it"]
        return {
            "serving_default": self.signature(self._serve_best, examples),
            "score": self.signature(self._serve_score, examples),
            "start": self.signature(self._serve_start, examples),
            "step": self._step_signature(),
        }

    def _serve_best(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        greedy = Writing(DEFAULT_MAX_TOKENS, temperature=0.0)
        return self._written(text, None, *greedy.numbers, **greedy.options)

    def _serve_score(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        words = self.words.read(text)
        read = self._after_end(words.ids)
        if not self.configuration["after_end"]:  # the first word is given
            words = type(words)(*(of[:, 1:] for of in words))
        lengths = tf.cast(words.ids.row_lengths(), tf.int32)
        targets, starts, ends = (of.to_tensor(PAD_ID) for of in words)
        tokens = read[:, :-1].to_tensor(PAD_ID, shape=[None, None])[:, : tf.shape(targets)[1]]
        losses, _ = self.known_words(tokens, targets, lengths, self.start_state(tf.size(lengths)))
        total, count = tf.reduce_sum(losses, axis=1), tf.cast(tf.maximum(lengths, 1), tf.float32)
        pieces = substrings(
            text,
            tf.cast(words.starts.value_rowids(), tf.int32),
            words.starts.flat_values,
            words.ends.flat_values,
        )
        return {
            "log_probability": -total,
            "perplexity": tf.exp(total / count),
            "tokens": words.ids.with_flat_values(pieces).to_tensor(""),
            "starts": starts,
            "ends": ends,
            "log_probabilities": -losses,
            "known": targets > UNK_ID,
            "lengths": lengths,
        }

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


def _ends(ids: tf.RaggedTensor) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_tensor(tf.fill([ids.nrows(), 1], END_ID))
