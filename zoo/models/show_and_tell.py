"""Captions from a single glance: Vinyals et al. (2015), arXiv:1411.4555 and arXiv:1609.06647.

The lecture ends on it: "Image Caption: Im2seq. Encoder: googleNet. Decoder: LSTM". A picture's
vector is the LSTM's first input and is seen only once (equation 10 of the paper); then the LSTM
writes, with nothing but its state to tell it of the picture::

    x_{-1} = W CNN(I)
    x_t    = E y_{t-1}
    p(y_t) = softmax(E maxout(U LSTM(x_t) + V x_t))

What differs from the paper: EfficientNet-Lite for GoogLeNet, read as the mean of its grid; the
read-out is that of the zoo's other generators, on tied embeddings (Press and Wolf 2017).
"""

import keras
import tensorflow as tf

from zoo.layers import BasicLSTMCell, DropoutWrapper
from zoo.models.decoders import Memory, StateDecoder
from zoo.models.image_captioning import ImageCaptioner
from zoo.registry import register
from zoo.text.subwords import SubwordTokenizer


@register
class ShowAndTell(ImageCaptioner):
    """A picture's vector, then an LSTM.

    Args:
        tokenizer: A `SubwordTokenizer` of whole words.
        encoder: `"lite0"`, `"lite2"`, `"googlenet"` or `"googlenet_torchvision"`, see
            `zoo.layers.vision`; a new model has random weights in it.
        trained_from: The first of the encoder's blocks that `fit` changes; None leaves it alone.
        embedding_units: Width of the word embeddings, and of the picture's vector.
        units: Units of the LSTM.
        embedding_dropout: Share of embedding units dropped in training.
        vector_dropout: Share of the units of the picture's vector dropped in training.
        layer_dropout: Share of the LSTM's outputs dropped in training.
        readout_dropout: Share of read-out units dropped in training.
        length_penalty: A hypothesis's log-probability is divided by its length to this power before
            a beam's are compared; less prefers short captions.

    Example:
        >>> model = zoo.load("show_and_tell")
        >>> model.caption(["photo.jpg"])
    """

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        encoder: str = "lite0",
        trained_from: int | None = None,
        embedding_units: int = 512,
        units: int = 512,
        embedding_dropout: float = 0.3,
        vector_dropout: float = 0.3,
        layer_dropout: float = 0.3,
        readout_dropout: float = 0.5,
        length_penalty: float = 1.0,
    ) -> None:
        # Encoder, embedding, read-out, configuration and preprocessing are ImageCaptioner's.
        super().__init__(
            tokenizer,
            encoder,
            trained_from,
            embedding_units,
            embedding_dropout,
            readout_dropout,
            length_penalty,
            units=units,
            vector_dropout=vector_dropout,
            layer_dropout=layer_dropout,
        )
        self.vector = keras.layers.Dense(embedding_units)
        self.vector_dropout = keras.layers.Dropout(vector_dropout)
        cell = DropoutWrapper(BasicLSTMCell(units), output_keep_prob=1 - layer_dropout)
        self.decoder = StateDecoder(cell)
        self.finish()

    def encode_features(self, features: tf.Tensor, training: bool | None = None) -> Memory:
        """The LSTM's state when it has seen the picture's vector.

        Args:
            features: float32 `[batch, places, channels]`.
            training: Whether units are dropped.
        """
        vector = self.vector(tf.reduce_mean(features, axis=1))
        vector = self.vector_dropout(vector, training=training)
        _, state = self.decoder.rnn(vector[:, tf.newaxis], training=training)
        return {"state": state}
