"""Translation without attention: Sutskever, Vinyals and Le (2014), arXiv:1409.3215.

The lecture's slide "Vanilla sequence to sequence model for machine translation": two stacks of
LSTMs, encoder and decoder, and "use last hidden state of encoder as initial state for decoder".
Everything the decoder knows of the source is that one state. The source is read backwards, as in
the paper (section 3.3), so that its first words are the freshest when the decoder starts.

What differs from the paper: the target embedding as output matrix too, sub-words, dropout between
the layers (Zaremba et al. 2014), and the maxout read-out that ``nmt_attention`` has too.
"""

from zoo.layers import BasicLSTMCell, DropoutWrapper, DynamicRNN, MultiRNNCell
from zoo.models.translation import TranslationModel


class NMTVanilla(TranslationModel):
    """Two stacks of LSTMs with a state in between.

    Args:
        tokenizer: a ``SubwordTokenizer``.
        embedding_units: width of the token embeddings.
        units: units of every LSTM layer.
        layers: LSTM layers in the encoder and in the decoder.
        embedding_dropout: share of embedding units dropped in training.
        layer_dropout: share of each LSTM layer's outputs dropped in training.
        readout_dropout: share of read-out units dropped in training.

    Example:
        >>> model = zoo.load("nmt_vanilla")
        >>> model.translate(["A dog runs through the snow."])
    """

    def __init__(
        self,
        tokenizer,
        embedding_units=256,
        units=512,
        layers=2,
        embedding_dropout=0.3,
        layer_dropout=0.3,
        readout_dropout=0.5,
    ):
        # Embedding, read-out, configuration and preprocessing are TranslationModel's.
        super().__init__(
            tokenizer,
            embedding_units,
            embedding_dropout,
            readout_dropout,
            units=units,
            layers=layers,
            layer_dropout=layer_dropout,
        )
        cell = DropoutWrapper(BasicLSTMCell(units), output_keep_prob=1 - layer_dropout)
        self.encoder = DynamicRNN(MultiRNNCell((cell, layers)), go_backwards=True)
        self.decoder = DynamicRNN(MultiRNNCell((cell, layers)))
        self._finish()

    def encode(self, source, lengths, training=None):
        """The encoder's last state, all the decoder gets."""
        embedded = self.embed_source(source, training)
        _, state = self.encoder(embedded, lengths, training=training)
        return state

    def start_state(self, memory):
        return memory

    def teacher_force(self, target, memory, training=None):
        embedded = self.embed_target(target, training)
        outputs, _ = self.decoder(embedded, initial_state=memory, training=training)
        return self.readout([outputs, embedded], training=training)

    def step(self, memory):
        score = self.readout.scorer()

        def step(state, ids):
            embedded = self.embedding(ids)
            output, state = self.decoder.cell(embedded, state)
            return score([output, embedded]), state, None

        return step
