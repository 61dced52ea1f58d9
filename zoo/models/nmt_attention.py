"""Translation with attention: Bahdanau, Cho and Bengio (2015), arXiv:1409.0473.

The lecture's chapter "State of Art: Attention Mechanism". A bidirectional encoder writes one
annotation ``h_j`` for each source token; the decoder looks at all of them, weighted anew at each
step::

    h_j = [forward GRU; backward GRU] at token j
    c_i = sum_j alpha_ij h_j,   alpha_ij from s_{i-1}, y_{i-1} and h_j
    s_i = GRU(s_{i-1}, y_{i-1}, c_i)
    p(y_i) = softmax(E maxout(U s_i + V y_{i-1} + C c_i))

What differs from the paper: ``y_{i-1}`` beside ``s_{i-1}`` in the attention's query (see
:class:`zoo.layers.AttentionCell`), ``s_i`` instead of ``s_{i-1}`` in the read-out, the target
embedding ``E`` as output matrix too (Press and Wolf 2017), sub-words, and dropout on all
connections that are not recurrent (Zaremba et al. 2014). With ``cell="lstm"`` the gated unit is the
LSTM, the lecture's cell; on the 29,000 pairs of Multi30k the GRU learns faster.
"""

import keras
import tensorflow as tf

from zoo.layers import (
    AttentionCell,
    BahdanauAttention,
    BasicLSTMCell,
    BidirectionalRNN,
    DropoutWrapper,
    GRUCell,
)
from zoo.models.translation import TranslationModel

CELLS = {"gru": GRUCell, "lstm": BasicLSTMCell}


class NMTAttention(TranslationModel):
    """Encoder, additive attention, decoder.

    Args:
        tokenizer: a ``SubwordTokenizer``.
        embedding_units: width of the token embeddings.
        encoder_units: units of the encoder in each direction.
        decoder_units: units of the decoder.
        attention_units: hidden units of the alignment model.
        embedding_dropout: share of embedding units dropped in training.
        encoder_dropout: share of annotation units dropped in training.
        readout_dropout: share of read-out units dropped in training.
        cell: ``"gru"`` or ``"lstm"``, the gated unit of encoder and decoder.

    Raises:
        ValueError: another ``cell``.

    Example:
        >>> model = zoo.load("nmt_attention")
        >>> model.translate(["A dog runs through the snow."])
    """

    has_attention = True

    def __init__(
        self,
        tokenizer,
        embedding_units=256,
        encoder_units=256,
        decoder_units=512,
        attention_units=256,
        embedding_dropout=0.3,
        encoder_dropout=0.5,
        readout_dropout=0.5,
        cell="gru",
    ):
        if cell not in CELLS:
            raise ValueError(f"`cell` must be one of {sorted(CELLS)}. Received: cell={cell!r}")
        # Embedding, read-out, configuration and preprocessing are TranslationModel's.
        super().__init__(
            tokenizer,
            embedding_units,
            embedding_dropout,
            readout_dropout,
            encoder_units=encoder_units,
            decoder_units=decoder_units,
            attention_units=attention_units,
            encoder_dropout=encoder_dropout,
            cell=cell,
        )
        gated = CELLS[cell]
        self.encoder = BidirectionalRNN(
            *(
                DropoutWrapper(gated(encoder_units), output_keep_prob=1 - encoder_dropout)
                for _ in range(2)
            )
        )
        self.bridge = keras.layers.Dense(decoder_units, activation="tanh")
        self.decoder = AttentionCell(
            gated(decoder_units), BahdanauAttention(attention_units), input_in_query=True
        )
        self._finish()

    def encode(self, source, lengths, training=None):
        """Annotations, their keys (computed once) and the decoder's first output state."""
        annotations, (_, backward) = self.encoder(
            self.embed_source(source, training), lengths, training=training
        )
        # The backward cell has just read the first word: section A.2.2 of the paper.
        first_output = self.bridge(backward[0])
        keys = self.decoder.attention.keys(annotations)
        return {
            "annotations": annotations,
            "keys": keys,
            "lengths": lengths,
            "first_output": first_output,
        }

    def start_state(self, memory):
        first_output = memory["first_output"]
        # The LSTM's second state, its cell, starts empty.
        rest = [tf.zeros_like(first_output) for _ in self.decoder.state_size[1:]]
        return [first_output, *rest]

    def teacher_force(self, target, memory, training=None):
        embedded = self.embed_target(target, training)
        outputs, contexts, _, _ = self.decoder.unroll(
            embedded,
            self.start_state(memory),
            memory["keys"],
            memory["annotations"],
            memory["lengths"],
            training=training,
        )
        return self.readout([outputs, contexts, embedded], training=training)

    def step(self, memory):
        score = self.readout.scorer()

        def step(state, ids):
            embedded = self.embedding(ids)
            output, context, alignment, state = self.decoder(
                embedded, state, memory["keys"], memory["annotations"], memory["lengths"]
            )
            return score([output, context, embedded]), state, tf.cast(alignment, tf.float32)

        return step
