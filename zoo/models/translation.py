"""What the translators share: the source's text, the verb, and what is told of the source."""

from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.models.checks import check_kind, read_texts
from zoo.models.columns import Column
from zoo.models.readout import scaled_embedding
from zoo.models.text_generator import DEFAULT_BEAM_SIZE, TextGenerator
from zoo.text.subwords import SubwordTokenizer

MAX_SOURCE_LENGTH = 512
_TOO_LONG = (
    f"`texts` must have at most {MAX_SOURCE_LENGTH} sub-words in each entry: translate sentence by "
    "sentence. Received: texts[{}] of {} sub-words"
)


class Translation(NamedTuple):
    """One translation with what the model looked at.

    Attributes:
        text: The translation.
        score: Length-normalised log-probability, natural logarithm; nearer to 0 is surer.
        source_tokens: Sub-words of the source, the end mark `</s>` last.
        target_tokens: Sub-words of the translation.
        attention: float32 `[len(target_tokens), len(source_tokens)]`, each row sums to 1; None
            from a model without attention.
    """

    text: str
    score: float
    source_tokens: list[str]
    target_tokens: list[str]
    attention: np.ndarray | None

    def _repr_html_(self) -> str:
        from zoo.drawing.fragments import written_fragment

        return written_fragment(self)


class TranslationModel(TextGenerator):
    """A sequence-to-sequence model from strings to strings.

    A subclass builds an encoder over `embed_source` and a decoder. The source is read in lower
    case: a capital says little in English, and each word then has one spelling to learn. The target
    keeps its case.

    Args:
        tokenizer: A `SubwordTokenizer`, one vocabulary for both languages.
        embedding_units: Width of the token embeddings.
        embedding_dropout: Share of embedding units dropped in training.
        readout_dropout: Share of read-out units dropped in training.
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
        **network: Any,
    ) -> None:
        check_kind("tokenizer", tokenizer, SubwordTokenizer)
        # Made before the other layers: seeds are drawn in that order, and the recipes rest on it.
        source_embedding = scaled_embedding(tokenizer.vocabulary_size, embedding_units)
        super().__init__(tokenizer, embedding_units, embedding_dropout, readout_dropout, **network)
        self.source_embedding = source_embedding

    # The source.

    def encode_source(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids of sources: string `[batch]` -> as `SubwordTokenizer.encode`, in lower case."""
        return self.tokenizer.encode(lower_case(texts))

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
        inputs = self.make_inputs(source)
        lengths = tf.concat([inputs["source_lengths"], [0]], 0)  # so that there is a longest
        longest = tf.argmax(lengths)
        check = tf.debugging.Assert(
            lengths[longest] <= MAX_SOURCE_LENGTH,
            [tf.strings.format(_TOO_LONG, (longest, lengths[longest]))],
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
    ) -> Any:
        """Translates raw texts.

        Args:
            texts: A list of strings, or one string.
            beam_size: Hypotheses kept at each step, an int of at least 1; 1 is greedy search.
            return_attention: Return `Translation` tuples instead of strings.
            batch_size: Texts translated together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            A list of strings, or of `Translation`; one of them if `texts` is one string. A
            blank text gives an empty translation.

        Raises:
            TypeError: Something is not a string.
            ValueError: An empty list, a text of more than 512 sub-words, or a number below 1.

        Example:
            >>> zoo.load("nmt_attention").translate(["A dog runs."])
        """
        return self.write(texts, beam_size, return_attention, batch_size, progress)

    def entry_lengths(self, texts: tf.Tensor) -> np.ndarray:
        """Sub-words of each text; raises ValueError if one has too many."""
        lengths = self.encode_source(texts)[1].numpy()
        longest = int(lengths.argmax())
        if lengths[longest] > MAX_SOURCE_LENGTH:
            raise ValueError(_TOO_LONG.format(longest, lengths[longest]))
        return lengths

    def source_outputs(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The pieces of the source, and how many there are."""
        lengths = inputs["source_lengths"]
        tokens = self.token_names(inputs["source"], lengths)
        return {"source_tokens": tokens, "source_lengths": lengths}

    def make_answer(self, row: dict[str, np.ndarray]) -> Translation:
        """As `TextGenerator.make_answer`, with the source's tokens."""
        text, score, target_tokens, attention = super().make_answer(row)
        width = row["source_lengths"]
        source_tokens = [token.decode() for token in row["source_tokens"][:width]]
        if attention is not None:
            attention = attention[:, :width]
        return Translation(text, score, source_tokens, target_tokens, attention)

    def draw_attention(self, answer: Translation, path: str | Path) -> None:
        """The attention table of a translation, as a picture."""
        from zoo.drawing.plotting import attention_table

        attention_table(answer.source_tokens, answer.target_tokens, answer.attention, path)


def lower_case(texts: tf.Tensor) -> tf.Tensor:
    """Sources as the translators read them: string of any shape, the same in lower case."""
    # TensorFlow's lower casing ends a text at its first NUL.
    texts = tf.strings.regex_replace(texts, r"\x00", "\ufffd")
    return tf.strings.lower(texts, encoding="utf-8")
