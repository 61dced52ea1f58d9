"""The next word by an LSTM: the lecture's language model, and the start of a classifier.

An LSTM reads a text and says at each word which one comes next; the embedding is the output matrix
as well (Press and Wolf 2017)::

    h_t = LSTM(E x_1 ... E x_t)         s_t = E (W h_t + d) + b        P(x_{t+1} = w) ~ exp(s_tw)

Dai and Le (2015), "Semi-supervised Sequence Learning", arXiv:1511.01432, start a classifier from
its embedding and its LSTM, `embedding` and `encoder` here. In training some words, drawn anew for
each batch, stand for the vocabulary: see `zoo.models.losses.sampled_cross_entropy`.
"""

from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from zoo.decoding import Hypotheses, greedy, sample
from zoo.layers import BasicLSTMCell, DynamicRNN
from zoo.models.base import Signature, ZooModel
from zoo.models.checks import check_count, check_kind, read_texts
from zoo.models.columns import Column
from zoo.models.labels import refuse_class_weight
from zoo.models.losses import sampled_cross_entropy
from zoo.registry import register
from zoo.text.vocabulary import PAD_ID, UNK_ID, WordVocabulary
from zoo.text.words import WordTokenizer

# A text ends with the padding's id: the model learns that it ends.
END_ID = PAD_ID
DEFAULT_MAX_TOKENS = 30


@register
class LanguageModel(ZooModel):
    """The next word by an LSTM.

    Args:
        vocabulary: A `WordVocabulary`, the most frequent words first.
        embedding_units: Width of the embedding.
        units: Units of the LSTM.
        dropout: Share of units dropped before and after the LSTM.
        negatives: Words drawn for each batch to stand for the whole vocabulary in training.

    Call arguments:
        inputs: Dict of `tokens` int32 `[batch, time]` and `lengths` int32 `[batch]`.
        training: Whether units are dropped.

    Returns:
        `W h_t + d`, float32 `[tokens, embedding_units]`, of the real tokens, row by row.

    Raises:
        TypeError: `vocabulary` is something else.

    Example:
        >>> model = zoo.load("runs/sentiment_pretrained/pretraining/preset")
        >>> model.complete("the plot is")
    """

    task = "complete"
    columns = (Column("texts", tf.string, (), read_texts, wire_name="text"),)
    network_inputs: ClassVar = {
        "tokens": tf.TensorSpec([None, None], tf.int32),
        "lengths": tf.TensorSpec([None], tf.int32),
    }

    def __init__(
        self,
        vocabulary: WordVocabulary,
        embedding_units: int = 128,
        units: int = 256,
        dropout: float = 0.1,
        negatives: int = 1024,
    ) -> None:
        super().__init__()
        check_kind("vocabulary", vocabulary, WordVocabulary)
        # Layers.
        self.embedding = keras.layers.Embedding(vocabulary.size, embedding_units)
        self.input_dropout = keras.layers.Dropout(dropout)
        self.encoder = DynamicRNN(BasicLSTMCell(units))
        self.output_dropout = keras.layers.Dropout(dropout)
        self.projection = keras.layers.Dense(embedding_units)
        self.bias = self.add_weight(shape=(vocabulary.size,), initializer="zeros", name="bias")
        self.seeds = keras.random.SeedGenerator()
        # Configuration.
        self.configuration = {
            "embedding_units": embedding_units,
            "units": units,
            "dropout": dropout,
            "negatives": negatives,
        }
        # Preprocessing.
        self.vocabulary = vocabulary
        self.tokenizer = WordTokenizer()
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
        return self.vocabulary.ids(self.tokenizer.tokenize(texts).tokens)

    def preprocess(self, texts: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Raw texts, string `[batch]`, to what `call` and the loss take: see `next_word`."""
        ids = self.ids_of(texts)
        ends = tf.fill([ids.nrows(), 1], END_ID)
        ids = tf.concat([ids, tf.RaggedTensor.from_tensor(ends)], axis=1)
        return next_word(ids.to_tensor(PAD_ID), tf.cast(ids.row_lengths(), tf.int32))

    # Network.

    def call(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """`W h_t + d` of the real tokens; see the class."""
        embedded = self.input_dropout(self.embedding(inputs["tokens"]), training=training)
        outputs, _ = self.encoder(embedded, inputs["lengths"], training=training)
        real = tf.sequence_mask(inputs["lengths"], tf.shape(outputs)[1])
        outputs = tf.boolean_mask(outputs, real)
        return self.projection(self.output_dropout(outputs, training=training))

    def compute_loss(
        self,
        x: dict[str, tf.Tensor] | None = None,
        y: tf.Tensor | None = None,
        y_pred: tf.Tensor | None = None,
        sample_weight: tf.Tensor | None = None,
        training: bool = True,
    ) -> tf.Tensor:
        """Mean cross-entropy over the batch's tokens, against `negatives` words only.

        What regularizers and `add_loss` give is added.

        Args:
            x: The inputs.
            y: The next ids, int32 `[tokens]`.
            y_pred: What `call` gave.
            sample_weight: How much each row counts, float32 `[batch]`, or None.
            training: Not used.
        """
        uniform = keras.random.uniform([self.configuration["negatives"]], seed=self.seeds)
        table, bias = (tf.convert_to_tensor(of) for of in (self.embedding.embeddings, self.bias))
        losses = sampled_cross_entropy(y_pred, y, table, bias, uniform)
        if sample_weight is not None:
            losses *= tf.repeat(sample_weight, x["lengths"])
        return self.mean_loss(losses)

    def scores(self, features: tf.Tensor) -> tf.Tensor:
        """Logits over the vocabulary, float32 `[rows, words]`, of what `call` gives."""
        scores = tf.matmul(features, self.embedding.embeddings, transpose_b=True)
        return tf.cast(scores, tf.float32) + self.bias

    # Traced once for batches of all shapes; without AutoGraph, which would double its time.
    @tf.function(input_signature=[network_inputs, tf.TensorSpec([None], tf.int32)], autograph=False)
    def token_losses(self, inputs: dict[str, tf.Tensor], targets: tf.Tensor) -> tf.Tensor:
        """Cross-entropy of each token over the whole vocabulary, float32 `[tokens]`."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, self.scores(self(inputs)))

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
        lengths = tf.cast(ids.row_lengths(), tf.int32)
        tokens = tf.pad(ids.to_tensor(PAD_ID), [[0, 0], [0, 1]])
        last = tf.gather(tokens, tf.maximum(lengths - 1, 0), batch_dims=1)
        # All words but the last make the state; the last one is what the first step reads.
        read = tf.maximum(lengths - 1, 0)
        _, state = self.encoder(self.embedding(tokens), read)
        unknown = tf.one_hot(UNK_ID, self.vocabulary.size, on_value=-np.inf, off_value=0.0)

        def step(state: Any, ids: tf.Tensor) -> tuple:
            output, state = self.encoder.cell(self.embedding(ids), state)
            return self.scores(self.projection(output)) + unknown, state, None

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
