"""What the translators share: the source's text, the verb, and what is told of the source."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.decoding import Hypotheses
from zoo.models.checks import check_count, check_kind, read_texts
from zoo.models.columns import Column
from zoo.models.doubt import (
    DoubtThresholds,
    checked_thresholds,
    is_doubtful,
    signs_of_doubt,
)
from zoo.models.groups import run_in_groups
from zoo.models.readout import scaled_embedding
from zoo.models.sentence_wise import Found, rows_of_texts, text_outputs, token_outputs
from zoo.models.text_generator import DEFAULT_BEAM_SIZE, TextGenerator
from zoo.text.cleaning import plain
from zoo.text.sentences import Sentences, split_sentences, whole_texts
from zoo.text.subwords import SubwordTokenizer

MAX_SOURCE_LENGTH = 512
# Sub-words of the sources, padding included, that are searched at once.
GROUP_TOKENS = 8192
_TOO_LONG = (
    f"`texts` must have at most {MAX_SOURCE_LENGTH} sub-words in each sentence: put full stops or "
    "blank lines between sentences, or cut the text. Received: texts[{}] of {} sub-words"
)


class Translation(NamedTuple):
    """One translation with what the model looked at.

    Attributes:
        text: The translation.
        score: Mean log-probability of its tokens, those that end its sentences included; natural
            logarithm, nearer to 0 is surer.
        source_tokens: Sub-words of the source, the mark `</s>` at the end of each sentence.
        target_tokens: Sub-words of the translation.
        attention: float32 `[len(target_tokens), len(source_tokens)]`, each row sums to 1 and is 0
            outside of its own sentence; None from a model without attention.
        low_confidence: Whether the text is unlike what the model has learnt from, by the signs
            that `zoo.models.doubt` reads off the answer: do not rely on it unchecked.
    """

    text: str
    score: float
    source_tokens: list[str]
    target_tokens: list[str]
    attention: np.ndarray | None
    low_confidence: bool

    def _repr_html_(self) -> str:
        from zoo.drawing.fragments import written_fragment

        return written_fragment(self)


class TranslationModel(TextGenerator):
    """A sequence-to-sequence model from strings to strings.

    A subclass builds an encoder over `embed_source` and a decoder. The source is read in lower
    case: a capital says little in English, and each word then has one spelling to learn. The target
    keeps its case.

    Texts are translated sentence by sentence, as the models have learnt it: `translate` and the
    signatures cut them, in the graph, and put the translations together again.

    Args:
        tokenizer: A `SubwordTokenizer`, one vocabulary for both languages.
        embedding_units: Width of the token embeddings.
        embedding_dropout: Share of embedding units dropped in training.
        readout_dropout: Share of read-out units dropped in training.
        doubt: From where on a translation is of low confidence: a dict of the fields of
            `DoubtThresholds`, those left out by default.
        **network: The subclass's own arguments, kept for `get_config`.
    """

    task = "translate"
    output = "translation"
    columns = (
        Column("sources", tf.string, (), read_texts),
        Column("targets", tf.string, (), read_texts),
    )
    verb_column = Column("texts", tf.string, (), read_texts, wire_name="text")
    encoder_inputs: ClassVar = {
        "source": tf.TensorSpec([None, None], tf.int32),
        "source_lengths": tf.TensorSpec([None], tf.int32),
    }
    former_weights: ClassVar = {"layers/embedding": "layers/embedding_1"}
    examples = (b"A dog runs through the snow.",)

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        embedding_units: int,
        embedding_dropout: float,
        readout_dropout: float,
        doubt: Mapping[str, float] | None = None,
        **network: Any,
    ) -> None:
        check_kind("tokenizer", tokenizer, SubwordTokenizer)
        # Made before the other layers: seeds are drawn in that order, and the recipes rest on it.
        source_embedding = scaled_embedding(tokenizer.vocabulary_size, embedding_units)
        super().__init__(
            tokenizer,
            embedding_units,
            embedding_dropout,
            readout_dropout,
            doubt=checked_thresholds(doubt)._asdict(),
            **network,
        )
        self.source_embedding = source_embedding

    @property
    def doubt(self) -> DoubtThresholds:
        """From where on a translation is of low confidence.

        It is set by a dict of the fields to change, the others by default, or by a
        `DoubtThresholds`, and is saved with the model. Answers and exports that follow obey it.
        """
        return DoubtThresholds(**self.configuration["doubt"])

    @doubt.setter
    def doubt(self, thresholds: DoubtThresholds | Mapping[str, float]) -> None:
        self.configuration["doubt"] = checked_thresholds(thresholds)._asdict()
        self._graphs.clear()  # they hold the thresholds as constants

    # The source.

    def encode_source(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids of sources: string `[batch]` -> as `SubwordTokenizer.encode`, as `source_form`."""
        return self.tokenizer.encode(source_form(texts))

    def make_inputs(self, source: tf.Tensor) -> dict[str, tf.Tensor]:
        """Texts, string `[batch]`, as ids and their number."""
        ids, lengths = self.encode_source(source)
        return {"source": ids, "source_lengths": lengths}

    def embed_source(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """Embedded sources, float `[batch, source, units]`, dropped in training."""
        embedded = self.source_embedding(inputs["source"])
        return self.embedding_dropout(embedded, training=training)

    def max_lengths(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Room for German compounds and a slip of the model; a hard stop for a runaway."""
        return 2 * inputs["source_lengths"] + 10

    def is_blank(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """A source of nothing but its end mark."""
        return inputs["source_lengths"] <= 1

    def search_inputs(self, source: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `make_inputs`; a source that is too long fails with a message."""
        return self._sentence_inputs(whole_texts(source))

    def _sentence_inputs(self, sentences: Sentences) -> dict[str, tf.Tensor]:
        """As `make_inputs` of all sentences; one that is too long fails with a message."""
        inputs = self.make_inputs(sentences.texts.flat_values)
        lengths = tf.concat([inputs["source_lengths"], [0]], 0)  # so that there is a longest
        longest = tf.argmax(lengths)
        row = tf.concat([sentences.texts.value_rowids(), [0]], 0)[longest]
        check = tf.debugging.Assert(
            lengths[longest] <= MAX_SOURCE_LENGTH,
            [tf.strings.format(_TOO_LONG, (row, lengths[longest]))],
        )
        with tf.control_dependencies([check]):
            return {name: tf.identity(value) for name, value in inputs.items()}

    # The verb.

    def translate(
        self,
        texts: Any,
        beam_size: int = DEFAULT_BEAM_SIZE,
        return_attention: bool = False,
        batch_size: int = 64,
        progress: bool = True,
        split_sentences: bool = True,
    ) -> Any:
        """Translates raw texts.

        Args:
            texts: A list of strings, or one string.
            beam_size: Hypotheses kept at each step, an int of at least 1; 1 is greedy search.
            return_attention: Return `Translation` tuples instead of strings.
            batch_size: Texts translated together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.
            split_sentences: Translate each sentence by itself, by the rules of
                `WordTokenizer.sentences`, and put the translations together with what stood
                between the sentences, paragraphs kept. False reads each text as one sentence.

        Returns:
            A list of strings, or of `Translation`; one of them if `texts` is one string. A
            blank text gives an empty translation.

        Raises:
            TypeError: Something is not a string.
            ValueError: An empty list, a sentence of more than 512 sub-words, or a number below 1.

        Example:
            >>> zoo.load("nmt_attention").translate(["A dog runs. A woman reads."])
        """
        check_count("beam_size", beam_size)
        return self.write_with(
            texts,
            return_attention,
            batch_size,
            progress,
            lambda rows: self.entry_lengths(rows, split_sentences),
            beam_size=int(beam_size),
            split=bool(split_sentences),
        )

    def entry_lengths(self, texts: tf.Tensor, split: bool = True) -> np.ndarray:
        """Sub-words of each text; raises ValueError if a sentence has too many."""
        lengths = self.tokenizer.encode_ragged(source_form(texts)).row_lengths().numpy()
        for place in np.flatnonzero(lengths > MAX_SOURCE_LENGTH):
            longest = lengths[place]
            if split:
                sentences = split_sentences(plain(texts[place : place + 1])).texts.flat_values
                of_sentences = self.tokenizer.encode_ragged(source_form(sentences)).row_lengths()
                longest = max(of_sentences.numpy(), default=0)
            if longest > MAX_SOURCE_LENGTH:
                raise ValueError(_TOO_LONG.format(place, longest))
        return lengths

    def best(
        self, source: tf.Tensor, beam_size: int = DEFAULT_BEAM_SIZE, split: bool = True
    ) -> dict[str, tf.Tensor]:
        """The best hypothesis of each text; sub-words and attention flat, as `make_answers` reads.

        Args:
            source: String `[batch]`.
            beam_size: As of `translate`.
            split: `split_sentences` of `translate`.
        """
        outputs, found, sentences = self._translate(source, beam_size, split, with_tokens=True)
        outputs |= {
            "sentences": sentences.texts.row_lengths(),
            "source_lengths": found.source_lengths,
            "target_lengths": found.target_lengths,
            "source_tokens": found.source_tokens.flat_values,
            "target_tokens": found.target_tokens.flat_values,
        }
        return outputs if found.attention is None else {**outputs, "attention": found.attention}

    def make_answers(self, best: dict[str, np.ndarray]) -> list[Translation]:
        """The answers of what `best` gives, one for each text."""
        names = (self.output, "score", "low_confidence")
        rows = zip(*(best[name].tolist() for name in names), rows_of_texts(best), strict=True)
        return [
            Translation(text.decode(), score, *parts, low_confidence)
            for text, score, low_confidence, parts in rows
        ]

    def _translate(
        self,
        text: tf.Tensor,
        beam_size: int = DEFAULT_BEAM_SIZE,
        split: bool = True,
        with_tokens: bool = False,
        all_hypotheses: bool = False,
    ) -> tuple[dict[str, tf.Tensor], Found, Sentences]:
        """What all signatures say of texts, and what it was put together from."""
        text = plain(text)
        sentences = split_sentences(text) if split else whole_texts(text)
        found = self._search_sentences(sentences, beam_size, with_tokens)
        if not all_hypotheses:
            found = found._replace(texts=found.texts[:, :1], scores=found.scores[:, :1])
        texts, scores, doubtful = text_outputs(found, sentences)
        outputs = (
            {f"{self.output}s": texts, "scores": scores}
            if all_hypotheses
            else {self.output: texts[:, 0], "score": scores[:, 0]}
        )
        return {**outputs, "low_confidence": doubtful}, found, sentences

    def _search_sentences(self, sentences: Sentences, beam_size: int, with_tokens: bool) -> Found:
        """Searches all sentences, in groups that bound the memory."""
        inputs = self._sentence_inputs(sentences)
        lengths = inputs["source_lengths"]

        def search(places: tf.Tensor) -> list[tf.Tensor]:
            rows = {name: tf.gather(of, places) for name, of in inputs.items()}
            rows["source"] = rows["source"][:, : tf.reduce_max(rows["source_lengths"])]
            return self._found(rows, self.search_encoded(rows, beam_size), with_tokens)

        dtypes = [tf.string, tf.float32, tf.int32, tf.bool, tf.int32, tf.int32]
        dtypes += [tf.string, tf.string] if with_tokens else []
        dtypes += [tf.float32] if with_tokens and self.has_attention else []
        order, found = run_in_groups(lengths, search, dtypes, GROUP_TOKENS)
        return in_order(Found(*found), order, beam_size)

    def _found(
        self, inputs: dict[str, tf.Tensor], hypotheses: Hypotheses, with_tokens: bool
    ) -> list[tf.Tensor]:
        """What `Found` has of some sentences, each part flat."""
        lengths, source_lengths = hypotheses.lengths[:, 0], inputs["source_lengths"]
        ids = hypotheses.ids[:, 0]
        score = hypotheses.scores[:, 0]
        signs = signs_of_doubt(inputs["source"], source_lengths, ids, lengths, score)
        steps = tf.minimum(lengths + 1, self.max_lengths(inputs))
        found = [
            tf.reshape(self.texts_of(hypotheses), [-1]),
            tf.reshape(hypotheses.scores, [-1]),
            tf.where(self.is_blank(inputs), 0, steps),
            is_doubtful(signs, self.doubt),
            source_lengths,
            lengths,
        ]
        if with_tokens:
            source = tf.sequence_mask(source_lengths, tf.shape(inputs["source"])[1])
            target = tf.sequence_mask(lengths, tf.shape(ids)[1])
            found += [
                self.tokenizer.pieces(tf.boolean_mask(inputs["source"], source)),
                self.tokenizer.pieces(tf.boolean_mask(ids, target)),
            ]
            if self.has_attention:
                cells = target[:, :, tf.newaxis] & source[:, tf.newaxis]
                found.append(tf.boolean_mask(hypotheses.attention[:, 0], cells))
        return found

    # Serving.

    def _serve_best(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._translate(text)[0]

    def _serve_beam(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._translate(text, all_hypotheses=True)[0]

    def _serve_attention(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs, found, sentences = self._translate(text, with_tokens=True)
        return {**outputs, **token_outputs(found, sentences)}

    def draw_attention(self, answer: Translation, path: str | Path) -> None:
        """The attention table of a translation, as a picture."""
        from zoo.drawing.plotting import attention_table

        attention_table(answer.source_tokens, answer.target_tokens, answer.attention, path)


def source_form(texts: tf.Tensor) -> tf.Tensor:
    """Sources as the translators read them: string of any shape, `plain` and in lower case."""
    return tf.strings.lower(plain(texts), encoding="utf-8")


def in_order(found: Found, order: tf.Tensor, beam_size: int) -> Found:
    """What was found of sentences in `order`, flat, as `Found` has it, the sentences in order."""
    back = tf.math.invert_permutation(order)

    def rows(values: tf.Tensor | None, lengths: tf.Tensor) -> tf.RaggedTensor | None:
        if values is None:
            return None
        return tf.gather(tf.RaggedTensor.from_row_lengths(values, lengths), back)

    heights, widths = found.target_lengths, found.source_lengths
    cells = rows(found.attention, heights * widths)
    return Found(
        tf.gather(tf.reshape(found.texts, [-1, beam_size]), back),
        tf.gather(tf.reshape(found.scores, [-1, beam_size]), back),
        *(tf.gather(of, back) for of in found[2:6]),
        rows(found.source_tokens, widths),
        rows(found.target_tokens, heights),
        None if cells is None else cells.values,
    )
