"""Translation without attention: Sutskever, Vinyals and Le (2014), arXiv:1409.3215.

The lecture's slide "Vanilla sequence to sequence model for machine translation": two stacks of
LSTMs, encoder and decoder, and "use last hidden state of encoder as initial state for decoder".
Everything the decoder knows of the source is that one state. The source is read backwards, as in
the paper (section 3.3), so that its first words are the freshest when the decoder starts.

What differs from the paper: the target embedding as output matrix too, sub-words, dropout between
the layers (Zaremba et al. 2014), and the maxout read-out that `nmt_attention` has too.
"""

from collections.abc import Mapping
from typing import ClassVar

import tensorflow as tf

from zoo.layers import BasicLSTMCell, DropoutWrapper, DynamicRNN, MultiRNNCell
from zoo.models.decoders import Memory, StateDecoder
from zoo.models.translation import TranslationModel
from zoo.registry import register
from zoo.text.subwords import SubwordTokenizer


@register
class NMTVanilla(TranslationModel):
    """Two stacks of LSTMs with a state in between.

    Args:
        tokenizer: A `SubwordTokenizer`.
        embedding_units: Width of the token embeddings.
        units: Units of every LSTM layer.
        layers: LSTM layers in the encoder and in the decoder.
        embedding_dropout: Share of embedding units dropped in training.
        layer_dropout: Share of each LSTM layer's outputs dropped in training.
        readout_dropout: Share of read-out units dropped in training.
        doubt: From where on a translation is of low confidence; see `TranslationModel`.

    Example:
        >>> model = zoo.load("nmt_vanilla")
        >>> model.translate(["A dog runs through the snow."])
    """

    former_weights: ClassVar = {**TranslationModel.former_weights, "decoder": "decoder/rnn"}

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        embedding_units: int = 256,
        units: int = 512,
        layers: int = 2,
        embedding_dropout: float = 0.3,
        layer_dropout: float = 0.3,
        readout_dropout: float = 0.5,
        doubt: Mapping[str, float] | None = None,
    ) -> None:
        # Embedding, read-out, configuration and preprocessing are TranslationModel's.
        super().__init__(
            tokenizer,
            embedding_units,
            embedding_dropout,
            readout_dropout,
            doubt,
            units=units,
            layers=layers,
            layer_dropout=layer_dropout,
        )
        cell = DropoutWrapper(BasicLSTMCell(units), output_keep_prob=1 - layer_dropout)
        self.encoder = DynamicRNN(MultiRNNCell((cell, layers)), go_backwards=True)
        self.decoder = StateDecoder(MultiRNNCell((cell, layers)))
        self.finish()

    def encode(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> Memory:
        """The encoder's last state, all that the decoder gets.

        Args:
            inputs: Dict of `source` int32 `[batch, time]` and `source_lengths` int32 `[batch]`.
            training: Whether units are dropped.
        """
        embedded = self.embed_source(inputs, training)
        _, state = self.encoder(embedded, inputs["source_lengths"], training=training)
        return {"state": state}
