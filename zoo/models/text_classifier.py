"""Sentiment: the lecture's "Sequence Classification Case Study", one label for a text.

An LSTM reads the words; its outputs become one vector, by one of three read-outs that the slides
set side by side; a softmax turns the vector into probabilities::

    h_1 ... h_T = LSTM(E x_1 ... E x_T)
    last        v = h_T                     "last relevant output"
    average     v = 1/T sum_t h_t           "average pooling ... but why average?"
    attention   v = sum_t a_t h_t           "Should it emphasis on certain steps?"
    p(label) = softmax(W v + b)

Attention is that of Yang et al. (2016), "Hierarchical Attention Networks", equations 5 to 7: see
:class:`zoo.layers.AttentionPooling`. An encoder that reads forwards only can be trained as a
language model first (Dai and Le 2015, arXiv:1511.01432): ``embedding`` and ``encoder`` are all a
language model needs to share.
"""

from typing import NamedTuple

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
from zoo.models.base import Signature, ZooModel, batched_by_length
from zoo.models.raw_data import check_column, check_count, check_texts
from zoo.text.vocabulary import PAD_ID, WordVocabulary
from zoo.text.words import Words, WordTokenizer

READOUTS = ("last", "average", "attention")


class TokenWeight(NamedTuple):
    """What one token weighs in the decision.

    Attributes:
        text: the token as it stands in the text.
        start, end: its place in the text, in characters, ``end`` exclusive.
        weight: its share of the attention; the shares of a text sum to 1.
    """

    text: str
    start: int
    end: int
    weight: float


class Classification(NamedTuple):
    """The label of one text.

    Attributes:
        label: the most probable label.
        score: its probability.
        probabilities: the probability of every label, in the order of the model's ``labels``.
        tokens: the tokens that were read, with their weights; None unless asked for.
    """

    label: str
    score: float
    probabilities: dict[str, float]
    tokens: list[TokenWeight] | None


class Sentiment(ZooModel):
    """Words, an LSTM, a read-out, a softmax.

    Args:
        vocabulary: a ``WordVocabulary``. A word that it does not hold counts as unknown.
        labels: the names of the classes, at least two different strings.
        readout: ``"last"``, ``"average"`` or ``"attention"``. The last output of a bidirectional
            encoder is the forward one at the last token beside the backward one at the first.
        bidirectional: read backwards too, with a second LSTM.
        embedding_units: width of the word embeddings.
        units: units of the LSTM, in each direction.
        attention_units: hidden units that score a token, for ``readout="attention"``.
        embedding_dropout: share of embedding units dropped in training.
        readout_dropout: share of the read-out vector's units dropped in training.
        max_tokens: tokens read of one text. Of a longer one the first and the last half of them
            are read, as if they stood side by side: reviews state their verdict at either end
            (Sun et al. 2019, arXiv:1905.05583, section 5.3.1). It bounds memory and time.

    Example:
        >>> model = zoo.load("sentiment")
        >>> model.classify("A warm, funny film.")
    """

    task = "classify"
    raw_names = ("texts", "labels")
    head_arguments = ("labels",)
    head_layers = ("classifier",)

    def __init__(
        self,
        vocabulary,
        labels=("negative", "positive"),
        readout="attention",
        bidirectional=True,
        embedding_units=100,
        units=256,
        attention_units=100,
        embedding_dropout=0.3,
        readout_dropout=0.5,
        max_tokens=1000,
    ):
        super().__init__()
        if not isinstance(vocabulary, WordVocabulary):
            raise TypeError(f"`vocabulary` must be a WordVocabulary. Received: {vocabulary!r}")
        if readout not in READOUTS:
            raise ValueError(
                f"`readout` must be one of {', '.join(READOUTS)}. Received: readout={readout!r}"
            )
        check_count("max_tokens", max_tokens)
        labels = _checked_labels(labels)
        # Layers.
        self.embedding = keras.layers.Embedding(vocabulary.size, embedding_units)
        self.embedding_dropping = keras.layers.Dropout(embedding_dropout)
        if bidirectional:
            self.encoder = BidirectionalRNN(BasicLSTMCell(units), BasicLSTMCell(units))
        else:
            self.encoder = DynamicRNN(BasicLSTMCell(units))
        self.pooling = AttentionPooling(attention_units) if readout == "attention" else None
        self.readout_dropping = keras.layers.Dropout(readout_dropout)
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
        }
        self.labels = labels
        self.readout = readout
        self.bidirectional = bidirectional
        self.max_tokens = int(max_tokens)
        # Preprocessing.
        self.vocabulary = vocabulary
        self.tokenizer = WordTokenizer()
        self._finish()

    def _finish(self):
        """Create all variables and compile with defaults that suit fine-tuning."""
        one = tf.ones([1, 1], tf.int32)
        self({"tokens": one, "lengths": one[0]})
        self.compile(
            optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=1.0),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )

    @property
    def has_attention(self):
        """Whether the read-out weighs the tokens."""
        return self.readout == "attention"

    # Data.

    def fit(self, *args, class_weight=None, **kwargs):
        """As :meth:`ZooModel.fit`; ``class_weight`` may name classes by label or by number.

        Raises:
            ValueError: ``class_weight`` names a class that is none.
        """
        if class_weight:
            numbers = {label: number for number, label in enumerate(self.labels)}
            class_weight = {numbers.get(key, key): value for key, value in class_weight.items()}
            if unknown := class_weight.keys() - numbers.values():
                raise ValueError(
                    f"`class_weight` must name entries of {list(self.labels)} or their numbers. "
                    f"Received: {sorted(unknown, key=str)}"
                )
        return super().fit(*args, class_weight=class_weight, **kwargs)

    def raw_columns(self, texts, labels):
        """Texts and the numbers of their labels.

        Args:
            texts: list of strings.
            labels: list of entries of the model's ``labels``, or of their numbers from 0.

        Returns:
            string ``[rows]`` and int32 ``[rows]``.

        Raises:
            TypeError: not lists, or a text that is not a string.
            ValueError: an empty list, or a label that the model does not have.
        """
        texts = check_texts("texts", texts)
        numbers = [self._number(*label) for label in enumerate(check_column("labels", labels))]
        return tf.constant(texts), tf.constant(numbers, tf.int32)

    def _number(self, row, label):
        name = label.decode("utf-8", "replace") if isinstance(label, bytes) else label
        if isinstance(name, str) and name in self.labels:
            return self.labels.index(name)
        whole = isinstance(label, (int, np.integer)) and not isinstance(label, bool)
        if whole and 0 <= label < len(self.labels):
            return int(label)
        raise ValueError(
            f"`labels` must hold {', '.join(map(repr, self.labels))} or their numbers, 0 to "
            f"{len(self.labels) - 1}. Received: labels[{row}]={label!r}. For other labels: "
            "zoo.load(name, labels=[...])"
        )

    def preprocess(self, texts, labels):
        """Raw pairs to what ``call`` and the loss take.

        Args:
            texts: string ``[batch]``.
            labels: string or integer ``[batch]``.

        Returns:
            ``(inputs, label numbers)``: a dict of ``tokens`` int32 ``[batch, time]`` and
            ``lengths`` int32 ``[batch]``; int32 ``[batch]``.
        """
        return self.inputs_of(self.words_of(texts)), self._numbers(labels)

    def words_of(self, texts):
        """The tokens to read of each text (string ``[batch]``), at most ``max_tokens``: ``Words``.

        Their offsets are those of the whole text.
        """
        words = self.tokenizer.tokenize(texts)
        lengths = words.tokens.row_lengths()
        place = tf.ragged.range(lengths).flat_values
        behind = tf.gather(lengths, words.tokens.value_rowids()) - place  # 1 at the last token
        kept = (place < (self.max_tokens + 1) // 2) | (behind <= self.max_tokens // 2)
        lengths = tf.minimum(lengths, self.max_tokens)
        return Words(
            *(
                tf.RaggedTensor.from_row_lengths(
                    tf.boolean_mask(part.flat_values, kept), lengths, validate=False
                )
                for part in words
            )
        )

    def inputs_of(self, words):
        """What ``call`` takes, of ``Words``."""
        ids = self.vocabulary.ids(words.tokens)
        return {
            "tokens": ids.to_tensor(PAD_ID),
            "lengths": tf.cast(ids.row_lengths(), tf.int32),
        }

    def _numbers(self, labels):
        """Numbers of labels in the graph: of the user's own data sets nothing is known before."""
        if labels.dtype == tf.string:
            same = labels[:, tf.newaxis] == tf.constant(self.labels)
            known = tf.reduce_any(same, axis=1)
            numbers = tf.argmax(tf.cast(same, tf.int32), axis=1, output_type=tf.int32)
        elif labels.dtype.is_integer:
            known = (labels >= 0) & (labels < len(self.labels))
            numbers = tf.cast(labels, tf.int32)
        else:
            raise TypeError(f"`labels` must be strings or integers. Received: {labels}")
        message = f"`labels` must hold {', '.join(map(repr, self.labels))} or their numbers"
        unknown = tf.boolean_mask(labels, ~known)
        check = tf.debugging.Assert(tf.reduce_all(known), [f"{message}. Received:", unknown])
        with tf.control_dependencies([check]):
            return tf.identity(numbers)

    # Network.

    def call(self, inputs, training=None):
        """Logits, float32 ``[batch, labels]``, of what :meth:`preprocess` gives."""
        return self._read(inputs, training)[0]

    def _read(self, inputs, training=None):
        """Logits, and the weights of the tokens, float ``[batch, time]``, or None."""
        lengths = inputs["lengths"]
        embedded = self.embedding_dropping(self.embedding(inputs["tokens"]), training=training)
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
        logits = self.classifier(self.readout_dropping(vector, training=training))
        return tf.cast(logits, tf.float32), weights

    # The verb.

    def classify(self, texts, return_attention=False, batch_size=64):
        """The label of each text.

        Args:
            texts: a list of strings, or one string.
            return_attention: give the weight of each token too; the model must have
                ``readout="attention"``.
            batch_size: texts read together. It changes speed and memory, never a result.

        Returns:
            A list of :class:`Classification`; one of them if ``texts`` is one string. A text
            without words gets the label that the model gives to nothing at all.

        Raises:
            TypeError: something is not a string.
            ValueError: an empty list, ``batch_size`` below 1, or no attention to return.

        Example:
            >>> zoo.load("sentiment").classify(["A warm, funny film."], return_attention=True)
        """
        if isinstance(texts, (str, bytes)):
            return self.classify([texts], return_attention, batch_size)[0]
        texts = check_texts("texts", texts)
        check_count("batch_size", batch_size)
        if return_attention and not self.has_attention:
            raise ValueError(
                '`return_attention` needs a model with readout="attention". '
                f"Received: readout={self.readout!r}"
            )
        function = self._attend if return_attention else self._classify

        def run(batch):
            answer = self.run_graph(function, batch)
            for row in range(len(answer["label"])):
                yield self._classification({name: value[row] for name, value in answer.items()})

        return batched_by_length(texts, [len(text) for text in texts], batch_size, run)

    def _classification(self, row):
        tokens = None
        if "tokens" in row:
            columns = [row[name][: row["lengths"]].tolist() for name in TOKEN_OUTPUTS]
            tokens = [
                TokenWeight(text.decode(), *rest) for text, *rest in zip(*columns, strict=True)
            ]
        probabilities = dict(zip(self.labels, row["probabilities"].tolist(), strict=True))
        return Classification(row["label"].decode(), float(row["score"]), probabilities, tokens)

    # Serving.

    def signatures(self):
        """``serving_default``: ``label``, ``score``, ``probabilities`` and the ``labels`` these are
        of; with attention also ``attention``, which adds the tokens and their weights.
        """
        spec = {"text": tf.TensorSpec([None], tf.string, name="text")}
        texts = [b"A warm and funny film, never dull.", b"I left before the end."]
        examples = {"text": np.array(texts, dtype=object)}
        functions = {"serving_default": self._classify}
        if self.has_attention:
            functions["attention"] = self._attend
        return {name: Signature(function, spec, examples) for name, function in functions.items()}

    def _classify(self, text):
        return self._answer(self._read(self.inputs_of(self.words_of(text)))[0])

    def _attend(self, text):
        words = self.words_of(text)
        inputs = self.inputs_of(words)
        logits, weights = self._read(inputs)
        return {
            **self._answer(logits),
            "tokens": words.tokens.to_tensor(""),
            "starts": words.starts.to_tensor(0),
            "ends": words.ends.to_tensor(0),
            "weights": tf.cast(weights, tf.float32),
            "lengths": inputs["lengths"],
        }

    def _answer(self, logits):
        probabilities = tf.nn.softmax(logits)
        names = tf.constant(self.labels)
        return {
            "label": tf.gather(names, tf.argmax(logits, axis=-1)),
            "score": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
            # What each probability is of; on every row, since an answer is read row by row.
            "labels": tf.tile(names[tf.newaxis], [tf.shape(logits)[0], 1]),
        }

    # Files.

    def assets(self):
        """Files beside the weights: name -> bytes."""
        return {"words.txt": self.vocabulary.to_bytes()}

    @classmethod
    def from_assets(cls, config, assets):
        """The model of :meth:`get_config` and :meth:`assets`, with fresh weights."""
        return cls(WordVocabulary.from_bytes(assets["words.txt"]), **config)


TOKEN_OUTPUTS = ("tokens", "starts", "ends", "weights")


def _checked_labels(labels):
    if not isinstance(labels, (list, tuple)) or not all(isinstance(x, str) and x for x in labels):
        raise TypeError(f"`labels` must be a list of strings. Received: labels={labels!r}")
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError(
            f"`labels` must be at least two different strings. Received: labels={labels!r}"
        )
    return list(labels)
