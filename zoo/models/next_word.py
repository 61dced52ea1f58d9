"""The network of a language model: which word comes next, after Zaremba et al. (2014).

Stacked recurrent cells read the words so far; dropout acts on the lines between the layers, never
on those through time ("Recurrent Neural Network Regularization", arXiv:1409.2329, figure 2)::

    h^0_t = D(E x_t)         h^l_t = cell_l(D(h^{l-1}_t), h^l_{t-1})      P(x_{t+1} = w) ~ exp(s_tw)
    s_t   = E (W D(h^L_t) + d) + b      tied to the embedding (Press and Wolf 2017)
    s_t   = O D(h^L_t) + b              with an output matrix of its own

The state is a value that goes in and comes out: text of any length can be read in pieces.
"""

import math
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.layers import (
    BasicLSTMCell,
    BasicRNNCell,
    DropoutWrapper,
    DynamicRNN,
    GatedConvolution,
    GRUCell,
    MultiRNNCell,
)
from zoo.models.base import ZooModel
from zoo.models.checks import check_choice, check_count
from zoo.models.losses import TokenCrossEntropy, sampled_cross_entropy
from zoo.models.neural_cache import Cache, empty_cache, read_through, step_through

SCORES_AT_ONCE = 1024  # of tokens, over the whole vocabulary each
CELLS = {"lstm": BasicLSTMCell, "gru": GRUCell, "rnn": BasicRNNCell}


class ReadingState(NamedTuple):
    """What a language model knows of the words so far.

    Attributes:
        cells: The states of the cells, nested as `encoder.cell.state_size`, `[batch, units]` each.
        cache: What was said lately; empty without a cache.
    """

    cells: Any
    cache: Cache | tuple[()]


class NextWordNetwork(ZooModel):
    """Embedding, recurrent cells and scores of the next word.

    Args:
        vocabulary_size: Words, the end of a text and the unknown word among them.
        embedding_units: Width of the embedding.
        units: Units of the recurrent layer, or of each of several, lowest first.
        cell: `"lstm"`, `"gru"`, `"rnn"`; or `"convolution"`, which sees a window of words.
        forget_bias: Of an LSTM.
        kernel_size: Steps that a convolution sees.
        tied: Whether the embedding is the output matrix as well.
        projection: Whether a linear layer brings the last layer to the width of the embedding; of a
            tied network only.
        dropout: Share of units dropped of the embedding, between the layers and of the last one.
        input_dropout: Instead of `dropout`, of the embedding.
        output_dropout: Instead of `dropout`, of the last layer.
        word_dropout: Share of the words whose vectors are dropped wherever they stand in a batch
            (Gal and Ghahramani 2016).
        drop_connect: Share of the weights through time that are dropped, see
            `zoo.layers.cells.FusedCell`.
        variational: Drop the same units at all steps of a row, rather than others at each.
        negatives: Words drawn for each batch to stand for the whole vocabulary in training; 0: it
            stands for itself.
        cache_size: Words that the neural cache holds; 0: there is none. It needs no training.
        cache_flatness: How sharply the cache compares, see `zoo.models.neural_cache`.
        cache_weight: Of the cache against the network, in [0, 1).

    Raises:
        ValueError: A size below 1, an unknown cell, or sizes that do not fit each other.
    """

    network_inputs: ClassVar = {
        "tokens": tf.TensorSpec([None, None], tf.int32),
        "lengths": tf.TensorSpec([None], tf.int32),
    }

    def __init__(
        self,
        vocabulary_size: int,
        embedding_units: int = 128,
        units: int | list[int] = 256,
        *,
        cell: str = "lstm",
        forget_bias: float = 1.0,
        kernel_size: int = 4,
        tied: bool = True,
        projection: bool = True,
        dropout: float = 0.1,
        input_dropout: float | None = None,
        output_dropout: float | None = None,
        word_dropout: float = 0.0,
        drop_connect: float = 0.0,
        variational: bool = False,
        negatives: int = 1024,
        cache_size: int = 0,
        cache_flatness: float = 0.6,
        cache_weight: float = 0.1,
    ) -> None:
        super().__init__()
        check_choice("cell", cell, (*CELLS, "convolution"))
        layers = [units] if isinstance(units, int) else list(units)
        for size in layers or [0]:
            check_count("units", size)
        if tied and not projection and layers[-1] != embedding_units:
            raise ValueError(
                "A tied network without `projection` needs a last layer as wide as the embedding. "
                f"Received: units={units}, embedding_units={embedding_units}"
            )
        if not 0 <= cache_weight < 1 or cache_size < 0:
            raise ValueError(
                "`cache_weight` must be in [0, 1) and `cache_size` at least 0. "
                f"Received: cache_weight={cache_weight}, cache_size={cache_size}"
            )
        # Layers.
        if cell == "convolution":
            sizes = zip(layers, [embedding_units, *layers], strict=False)
            cells = [GatedConvolution(size, kernel_size, below) for size, below in sizes]
        else:
            more = {"forget_bias": forget_bias} if cell == "lstm" else {}
            cells = [CELLS[cell](size, drop_connect=drop_connect, **more) for size in layers]
        between = {"output_keep_prob": 1.0 - dropout, "variational": variational}
        stack = [*(DropoutWrapper(of, **between) for of in cells[:-1]), cells[-1]]
        shape = (None, 1, None) if variational else None
        rates = [dropout if rate is None else rate for rate in (input_dropout, output_dropout)]
        self.embedding = keras.layers.Embedding(vocabulary_size, embedding_units)
        self.input_dropout, self.output_dropout = (
            keras.layers.Dropout(rate, noise_shape=shape) for rate in rates
        )
        self.encoder = DynamicRNN(MultiRNNCell(stack) if len(stack) > 1 else stack[0])
        self.projection = keras.layers.Dense(embedding_units) if tied and projection else None
        self.output_matrix = None
        if not tied:
            shape = (vocabulary_size, layers[-1])
            self.output_matrix = self.add_weight(shape=shape, name="output_matrix")
        self.bias = self.add_weight(shape=(vocabulary_size,), initializer="zeros", name="bias")
        self.seeds = keras.random.SeedGenerator()
        # Configuration.
        self.configuration = {
            "embedding_units": embedding_units,
            "units": units if isinstance(units, int) else layers,
            "cell": cell,
            "forget_bias": forget_bias,
            "kernel_size": kernel_size,
            "tied": tied,
            "projection": projection,
            "dropout": dropout,
            "input_dropout": input_dropout,
            "output_dropout": output_dropout,
            "word_dropout": word_dropout,
            "drop_connect": drop_connect,
            "variational": variational,
            "negatives": negatives,
            "cache_size": cache_size,
            "cache_flatness": cache_flatness,
            "cache_weight": cache_weight,
        }

    # Training.

    def call(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """What scores are made of, of the real tokens of rows that start from nothing.

        Args:
            inputs: Dict of `tokens` int32 `[batch, time]` and `lengths` int32 `[batch]`.
            training: Whether units are dropped.

        Returns:
            Float `[tokens, width]`, row by row.
        """
        outputs, _ = self.read(inputs["tokens"], None, inputs["lengths"], training)
        real = tf.sequence_mask(inputs["lengths"], tf.shape(outputs)[1])
        return self.features(tf.boolean_mask(outputs, real))

    def read(
        self,
        tokens: tf.Tensor,
        cells: Any = None,
        lengths: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> tuple[tf.Tensor, Any]:
        """Reads on.

        Args:
            tokens: Int32 `[batch, time]`.
            cells: The states of the cells before; None: zeros.
            lengths: Int32 `[batch]`; None: all rows are as long.
            training: Whether units are dropped.

        Returns:
            The outputs of the last layer, float `[batch, time, units]`, and the states after.
        """
        embedded = self.embedding(tokens)
        rate = self.configuration["word_dropout"]
        if training and rate:
            kept = keras.random.dropout(tf.ones([self.embedding.input_dim]), rate, seed=self.seeds)
            embedded *= tf.cast(tf.gather(kept, tokens), embedded.dtype)[..., tf.newaxis]
        embedded = self.input_dropout(embedded, training=training)
        outputs, cells = self.encoder(embedded, lengths, cells, training=training)
        return self.output_dropout(outputs, training=training), cells

    def features(self, outputs: tf.Tensor) -> tf.Tensor:
        """What is multiplied by the output matrix, float `[..., width]`, of outputs."""
        return self.projection(outputs) if self.projection else outputs

    def token_loss(self, features: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
        """Cross-entropy as it is trained by, against `negatives` words only if there are any.

        Args:
            features: Float `[tokens, width]`.
            ids: The next words, int32 `[tokens]`.

        Returns:
            Float32 `[tokens]`.
        """
        if not self.configuration["negatives"]:
            return TokenCrossEntropy().call(ids, self.scores(features))
        uniform = keras.random.uniform([self.configuration["negatives"]], seed=self.seeds)
        table, bias = tf.convert_to_tensor(self.table), tf.convert_to_tensor(self.bias)
        return sampled_cross_entropy(tf.cast(features, tf.float32), ids, table, bias, uniform)

    def compute_loss(
        self,
        x: dict[str, tf.Tensor] | None = None,
        y: tf.Tensor | None = None,
        y_pred: tf.Tensor | None = None,
        sample_weight: tf.Tensor | None = None,
        training: bool = True,
    ) -> tf.Tensor:
        """The mean of `token_loss` over the batch's tokens.

        What regularizers and `add_loss` give is added.

        Args:
            x: The inputs.
            y: The next ids, int32 `[tokens]`.
            y_pred: What `call` gave.
            sample_weight: How much each row counts, float32 `[batch]`, or None.
            training: Not used.
        """
        losses = self.token_loss(y_pred, y)
        if sample_weight is not None:
            losses *= tf.repeat(sample_weight, x["lengths"])
        return self.mean_loss(losses)

    # What comes next.

    @property
    def table(self) -> Any:
        """The output matrix, `[words, width]`."""
        return self.embedding.embeddings if self.output_matrix is None else self.output_matrix

    def scores(self, features: tf.Tensor) -> tf.Tensor:
        """Logits over the vocabulary, float32 `[rows, words]`, of what `call` gives."""
        scores = tf.matmul(features, tf.cast(self.table, features.dtype), transpose_b=True)
        return tf.cast(scores, tf.float32) + self.bias

    def start_state(self, batch: int | tf.Tensor) -> ReadingState:
        """The state before the first word of `batch` rows."""
        size = self.configuration["cache_size"]
        units = self.encoder.cell.output_size
        cells = self.encoder.cell.get_initial_state(batch_size=batch)
        return ReadingState(cells, empty_cache(batch, size, units) if size else ())

    def next_word(self, state: ReadingState, ids: tf.Tensor) -> tuple[tf.Tensor, ReadingState]:
        """Reads one word of each row.

        Args:
            state: Before it.
            ids: Int32 `[batch]`.

        Returns:
            Logits of the next word, float32 `[batch, words]`, and the state after.
        """
        output, cells = self.encoder.cell(self.embedding(ids), state.cells)
        logits, cache = self.scores(self.features(output)), state.cache
        if cache:
            logits, cache = step_through(cache, ids, output, logits, *self._cache_settings())
        return logits, ReadingState(cells, cache)

    def known_words(
        self, tokens: tf.Tensor, targets: tf.Tensor, lengths: tf.Tensor, state: ReadingState
    ) -> tuple[tf.Tensor, ReadingState]:
        """Reads words that are known, and says how probable each was.

        Args:
            tokens: Int32 `[batch, time]`.
            targets: Int32 `[batch, time]`, the word after each.
            lengths: Int32 `[batch]`.
            state: Before the first.

        Returns:
            Cross-entropy of each target over the whole vocabulary, float32 `[batch, time]`, 0 in
            the padding; and the state after the last.
        """
        outputs, cells = self.read(tokens, state.cells, lengths)
        real = tf.where(tf.sequence_mask(lengths, tf.shape(tokens)[1]))
        losses = self._cross_entropy(tf.gather_nd(outputs, real), tf.gather_nd(targets, real))
        losses = tf.scatter_nd(tf.cast(real, tf.int32), losses, tf.shape(tokens))
        cache = state.cache
        if cache:
            losses, cache = read_through(
                cache, tokens, targets, lengths, outputs, losses, *self._cache_settings()
            )
            losses = tf.where(tf.sequence_mask(lengths, tf.shape(tokens)[1]), losses, 0.0)
        return losses, ReadingState(cells, cache)

    def _cross_entropy(self, outputs: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
        """Cross-entropy `[tokens]`, piece by piece: a text may be long and the vocabulary wide."""

        def piece(number: tf.Tensor) -> tf.Tensor:
            here = slice(number * SCORES_AT_ONCE, (number + 1) * SCORES_AT_ONCE)
            return TokenCrossEntropy().call(ids[here], self.scores(self.features(outputs[here])))

        pieces = (tf.size(ids) + SCORES_AT_ONCE - 1) // SCORES_AT_ONCE
        losses = tf.TensorArray(tf.float32, pieces + 1, element_shape=[None], infer_shape=False)
        # An empty array could not be joined.
        losses = losses.write(pieces, tf.zeros([0]))
        _, losses = tf.while_loop(
            lambda number, _: number < pieces,
            lambda number, losses: (number + 1, losses.write(number, piece(number))),
            (0, losses),
            parallel_iterations=1,
        )
        return losses.concat()

    def pack_state(self, state: ReadingState) -> tf.Tensor:
        """A state as one tensor, float32 `[batch, size]`, which `unpack_state` takes apart.

        For those who hand it on and need not know what is in it, such as clients of a server.
        """
        flat = [tf.cast(of, tf.float32) for of in tf.nest.flatten(state)]
        sizes = [math.prod(of.shape[1:]) for of in flat]
        return tf.concat(
            [tf.reshape(of, [-1, n]) for of, n in zip(flat, sizes, strict=True)], axis=1
        )

    def unpack_state(self, packed: tf.Tensor) -> ReadingState:
        """The state that `pack_state` made one tensor of."""
        like = self.start_state(1)
        flat = tf.nest.flatten(like)
        parts = tf.split(packed, [math.prod(of.shape[1:]) for of in flat], axis=1)
        return tf.nest.pack_sequence_as(
            like,
            [
                tf.cast(tf.reshape(part, [-1, *of.shape[1:]]), of.dtype)
                for part, of in zip(parts, flat, strict=True)
            ],
        )

    @property
    def packed_state_spec(self) -> tf.TensorSpec:
        """What `pack_state` gives."""
        return tf.TensorSpec([None, self.pack_state(self.start_state(1)).shape[1]], tf.float32)

    def read_on(
        self, tokens: tf.Tensor, targets: tf.Tensor, lengths: tf.Tensor, state: tf.Tensor
    ) -> dict[str, np.ndarray]:
        """As `known_words`, with packed states; traced once for batches of all shapes.

        Returns:
            `losses`, float32 `[batch, time]`, and `state`.
        """
        ids = tf.TensorSpec([None, None], tf.int32)
        specs = (ids, ids, tf.TensorSpec([None], tf.int32), self.packed_state_spec)
        return self.run_graph(self._read_on, (tokens, targets, lengths, state), specs)

    def _read_on(
        self, tokens: tf.Tensor, targets: tf.Tensor, lengths: tf.Tensor, state: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        before = self.unpack_state(state)
        losses, after = self.known_words(tokens, targets, lengths, before)
        return {"losses": losses, "state": self.pack_state(after)}

    # Traced once for batches of all shapes; without AutoGraph, which would double its time.
    @tf.function(input_signature=[network_inputs, tf.TensorSpec([None], tf.int32)], autograph=False)
    def token_losses(self, inputs: dict[str, tf.Tensor], targets: tf.Tensor) -> tf.Tensor:
        """Cross-entropy of each token over the whole vocabulary, float32 `[tokens]`.

        Args:
            inputs: As of `call`.
            targets: The next ids, int32 `[tokens]`.
        """
        tokens, lengths = inputs["tokens"], inputs["lengths"]
        real = tf.where(tf.sequence_mask(lengths, tf.shape(tokens)[1]))
        dense = tf.scatter_nd(tf.cast(real, tf.int32), targets, tf.shape(tokens))
        losses, _ = self.known_words(tokens, dense, lengths, self.start_state(tf.shape(tokens)[0]))
        return tf.gather_nd(losses, real)

    def _cache_settings(self) -> tuple[float, float]:
        return self.configuration["cache_flatness"], self.configuration["cache_weight"]
