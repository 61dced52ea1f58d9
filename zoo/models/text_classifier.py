"""Labels of a text, one or several: the lecture's "Sequence Classification Case Study".

An LSTM reads the words; its outputs become one vector, by one of three read-outs that the slides
set side by side; a softmax turns the vector into probabilities::

    h_1 ... h_T = LSTM(E x_1 ... E x_T)
    last        v = h_T                     "last relevant output"
    average     v = 1/T sum_t h_t           "average pooling ... but why average?"
    attention   v = sum_t a_t h_t           "Should it emphasis on certain steps?"
    p(label) = softmax(W v + b)         or sigmoid, if a text may have several labels

Attention is that of Yang et al. (2016), "Hierarchical Attention Networks", equations 5 to 7: see
`zoo.layers.AttentionPooling`. An encoder that reads forwards only can be trained as a
language model first (Dai and Le 2015, arXiv:1511.01432): `embedding` and `encoder` are all a
language model needs to share.
"""

from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from zoo.layers import (
    AttentionPooling,
    BasicLSTMCell,
    BidirectionalRNN,
    DynamicRNN,
    average_pooling,
)
from zoo.layers.embedding import Embedding
from zoo.models.base import Signature, ZooModel
from zoo.models.both_ends import both_ends
from zoo.models.checks import check_choice, check_count, check_kind, read_texts
from zoo.models.columns import Column
from zoo.models.label_heads import OneLabel, SeveralLabels
from zoo.models.labels import PRESET_LABELS, checked_labels
from zoo.models.reads_labels import ReadsLabels
from zoo.models.thresholds import HasThresholds
from zoo.registry import register
from zoo.text.vocabulary import PAD_ID, WordVocabulary
from zoo.text.words import Words, WordTokenizer

READOUTS = ("last", "average", "attention")


@register(former_names=["sentiment"])
class TextClassifier(ReadsLabels, HasThresholds, ZooModel):
    """Words, an LSTM, a read-out, a softmax or as many sigmoids as there are labels.

    Args:
        vocabulary: A `WordVocabulary`. A word that it does not hold counts as unknown.
        labels: The names of the classes, at least two different strings; with `multi_label` one
            will do.
        readout: `"last"`, `"average"` or `"attention"`. The last output of a bidirectional
            encoder is the forward one at the last token beside the backward one at the first.
        bidirectional: Read backwards too, with a second LSTM.
        embedding_units: Width of the word embeddings.
        units: Units of the LSTM, in each direction.
        attention_units: Hidden units that score a token, for `readout="attention"`.
        embedding_dropout: Share of embedding units dropped in training.
        readout_dropout: Share of the read-out vector's units dropped in training.
        max_tokens: Tokens read of one text. Of a longer one the first and the last half of them
            are read, as if they stood side by side: reviews state their verdict at either end
            (Sun et al. 2019, arXiv:1905.05583, section 5.3.1). It bounds memory and time.
        multi_label: A text may have several of the labels, or none: each is decided by itself.
        thresholds: For `multi_label`, the probability from which on a label is chosen: a dict by
            label, in which one that is left out has 0.5, or a number for all. See
            `tune_thresholds`.

    Example:
        >>> model = zoo.load("sentiment")
        >>> model.classify("A warm, funny film.")
        >>> model = zoo.load("sentiment", labels=["cheap", "slow", "noisy"], multi_label=True)
        >>> model.fit(texts, [["cheap", "noisy"], [], ["slow"]])
    """

    task = "classify"
    network_inputs: ClassVar = {
        "tokens": tf.TensorSpec([None, None], tf.int32),
        "lengths": tf.TensorSpec([None], tf.int32),
    }
    head_arguments = ("labels", "multi_label")
    head_defaults: ClassVar = {"thresholds": None}
    head_layers = ("classifier",)

    def __init__(
        self,
        vocabulary: WordVocabulary,
        labels: list[str] | tuple[str, ...] = PRESET_LABELS,
        readout: str = "attention",
        bidirectional: bool = True,
        embedding_units: int = 100,
        units: int = 256,
        attention_units: int = 100,
        embedding_dropout: float = 0.3,
        readout_dropout: float = 0.5,
        max_tokens: int = 1000,
        multi_label: bool = False,
        thresholds: dict[str, float] | float | None = None,
    ) -> None:
        super().__init__()
        check_kind("vocabulary", vocabulary, WordVocabulary)
        check_choice("readout", readout, READOUTS)
        check_count("max_tokens", max_tokens)
        check_kind("multi_label", multi_label, bool)
        labels = checked_labels(labels, fewest=1 if multi_label else 2)
        if thresholds is not None and not multi_label:
            raise ValueError(
                "`thresholds` needs `multi_label=True`: of one label the most probable is taken. "
                f"Received: thresholds={thresholds!r}"
            )
        self.head = SeveralLabels(labels, thresholds) if multi_label else OneLabel(labels)
        # Layers.
        self.embedding = Embedding(vocabulary.size, embedding_units)
        self.embedding_dropout = keras.layers.Dropout(embedding_dropout)
        if bidirectional:
            self.encoder = BidirectionalRNN(BasicLSTMCell(units), BasicLSTMCell(units))
        else:
            self.encoder = DynamicRNN(BasicLSTMCell(units))
        self.pooling = AttentionPooling(attention_units) if readout == "attention" else None
        self.readout_dropout = keras.layers.Dropout(readout_dropout)
        self.classifier = keras.layers.Dense(len(labels))
        # Configuration.
        self.configuration = {
            "labels": labels,
            "readout": readout,
            "bidirectional": bidirectional,
            "embedding_units": embedding_units,
            "units": units,
            "attention_units": attention_units,
            "embedding_dropout": embedding_dropout,
            "readout_dropout": readout_dropout,
            "max_tokens": int(max_tokens),
            "multi_label": multi_label,
            "thresholds": self.head.thresholds,
        }
        self.labels = labels
        self.readout = readout
        self.bidirectional = bidirectional
        self.max_tokens = int(max_tokens)
        # Preprocessing.
        self.vocabulary = vocabulary
        self.tokenizer = WordTokenizer()
        self.columns = (
            Column("texts", tf.string, (), read_texts, wire_name="text"),
            self.head.column(),
        )
        self.finish(1e-3, **self.head.compile_arguments())

    @property
    def has_attention(self) -> bool:
        """Whether the read-out weighs the tokens."""
        return self.readout == "attention"

    # Data.

    def preprocess(self, texts: tf.Tensor, labels: tf.Tensor) -> tuple:
        """Raw pairs to what `call` and the loss take.

        Args:
            texts: String `[batch]`.
            labels: String or integer `[batch]`; with `multi_label` names, string
                `[batch, (names)]`, or 0 and 1, `[batch, labels]`.

        Returns:
            `(inputs, targets)`: a dict of `tokens` int32 `[batch, time]` and `lengths` int32
            `[batch]`; label numbers, int32 `[batch]`, or with `multi_label` 0 and 1, float32
            `[batch, labels]`.
        """
        return self.make_inputs(self.words_of(texts)), self.head.targets(labels)

    def words_of(self, texts: tf.Tensor) -> Words:
        """The tokens to read of each text (string `[batch]`), at most `max_tokens`."""
        return both_ends(self.tokenizer.tokenize(texts), self.max_tokens)

    def make_inputs(self, words: Words) -> dict[str, tf.Tensor]:
        """What `call` takes, of `Words`."""
        ids = self.vocabulary.ids(words.tokens)
        return {
            "tokens": ids.to_tensor(PAD_ID),
            "lengths": tf.cast(ids.row_lengths(), tf.int32),
        }

    # Network.

    def call(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """Logits, float32 `[batch, labels]`, of what `preprocess` gives."""
        return self._read(inputs, training)[0]

    def _read(
        self, inputs: dict[str, tf.Tensor], training: bool | None = None
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Logits, and the weights of the tokens, float `[batch, time]`, or None."""
        lengths = inputs["lengths"]
        embedded = self.embedding_dropout(self.embedding(inputs["tokens"]), training=training)
        outputs, state = self.encoder(embedded, lengths, training=training)
        weights = None
        if self.readout == "last":
            # The state's h is the output at the last token that its direction read.
            directions = state if self.bidirectional else [state]
            vector = tf.concat([h for h, _ in directions], axis=-1)
        elif self.readout == "average":
            vector = average_pooling(outputs, lengths)
        else:
            vector, weights = self.pooling(outputs, lengths)
        logits = self.classifier(self.readout_dropout(vector, training=training))
        return tf.cast(logits, tf.float32), weights

    # The verb.

    def classify(
        self,
        texts: Any,
        return_attention: bool = False,
        batch_size: int = 64,
        progress: bool = True,
    ) -> Any:
        """The label of each text, or its labels.

        Args:
            texts: A list of strings, or one string.
            return_attention: Give the weight of each token too; the model must have
                `readout="attention"`.
            batch_size: Texts read together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            A list of `Classification`, with `multi_label` of `MultiClassification`; one of them if
            `texts` is one string. A text without words gets what the model gives to nothing at all.

        Raises:
            TypeError: Something is not a string.
            ValueError: An empty list, `batch_size` below 1, or no attention to return.

        Example:
            >>> zoo.load("sentiment").classify(["A warm, funny film."], return_attention=True)
        """
        if return_attention and not self.has_attention:
            raise ValueError(
                '`return_attention` needs a model with readout="attention". '
                f"Received: readout={self.configuration['readout']!r}"
            )
        function = self._attend if return_attention else self._classify

        def run(batch: tf.Tensor, places: np.ndarray) -> list:
            columns = self.run_graph(function, batch)
            rows = zip(*columns.values(), strict=True)
            return [self.head.answer(dict(zip(columns, row, strict=True))) for row in rows]

        return self.answers(texts, run, batch_size, progress)

    def console_answers(self, texts: list, attention: Any = None) -> list:
        """As `ZooModel.console_answers`; `attention`: the file to draw each word's weight into."""
        from zoo.drawing.answers import classified_answers

        return classified_answers(self, texts, attention)

    # Serving.

    def signatures(self) -> dict[str, Signature]:
        """`serving_default`, and with attention also `attention`.

        The first gives `label`, `score`, `probabilities` and the `labels` these are of; with
        `multi_label` it gives whether each is `chosen`, and the `thresholds`, in place of `label`
        and `score`. The other adds the tokens and their weights.
        """
        functions = {"serving_default": self._classify}
        if self.has_attention:
            functions["attention"] = self._attend
        texts = [b"A warm and funny film, never dull.", b"I left before the end."]
        return {name: self.signature(function, texts) for name, function in functions.items()}

    def _classify(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, _ = self._read(self.make_inputs(self.words_of(text)))
        return self.head.outputs(logits)

    def _attend(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        words = self.words_of(text)
        inputs = self.make_inputs(words)
        logits, weights = self._read(inputs)
        return {
            **self.head.outputs(logits),
            "tokens": words.tokens.to_tensor(""),
            "starts": words.starts.to_tensor(0),
            "ends": words.ends.to_tensor(0),
            "weights": tf.cast(weights, tf.float32),
            "lengths": inputs["lengths"],
        }

    # Files.

    def assets(self) -> dict[str, bytes]:
        """Files beside the weights, by name."""
        return {"words.txt": self.vocabulary.to_bytes()}

    @classmethod
    def from_assets(cls, config: dict[str, Any], assets: dict[str, bytes]) -> "TextClassifier":
        """The model of `get_config` and `assets`, with fresh weights."""
        return cls(WordVocabulary.from_bytes(assets["words.txt"]), **config)
