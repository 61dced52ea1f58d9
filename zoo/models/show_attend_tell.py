"""Captions that look again before each word: Xu et al. (2015), arXiv:1502.03044.

"Show, Attend and Tell" gives the decoder of `show_and_tell` the lecture's attention: what it
attends to are the places of a picture, not the words of a sentence::

    a_j    = f(CNN(I)_j)                                place j of the grid
    h_0    = tanh(W mean_j a_j)
    c_t    = beta_t sum_j alpha_tj a_j,   alpha_tj from h_{t-1}, y_{t-1} and a_j
    h_t    = LSTM(h_{t-1}, y_{t-1}, c_t)
    p(y_t) = softmax(E maxout(U h_t + V y_{t-1} + C c_t))

It is the paper's "soft" attention with its gate beta (section 4.2.1). What differs: EfficientNet-
Lite for VGG, a layer f between it and the decoder, `y_{t-1}` in the query too (see
`zoo.layers.AttentionCell`), the LSTM's cell starts empty, and the read-out of the zoo's other
generators, on tied embeddings.
"""

import keras
import tensorflow as tf

from zoo.layers import BasicLSTMCell
from zoo.models.decoders import AttentionDecoder, Memory
from zoo.models.image_captioning import ImageCaptioner
from zoo.registry import register
from zoo.text.subwords import SubwordTokenizer


@register
class ShowAttendTell(ImageCaptioner):
    """A grid of places, and an LSTM that attends to them.

    Args:
        tokenizer: A `SubwordTokenizer` of whole words.
        encoder: `"lite0"`, `"lite2"`, `"googlenet"` or `"googlenet_torchvision"`, see
            `zoo.layers.vision`; a new model has random weights in it.
        trained_from: The first of the encoder's blocks that `fit` changes; None leaves it alone.
        embedding_units: Width of the word embeddings.
        annotation_units: Units of what the decoder sees of each place.
        units: Units of the LSTM.
        attention_units: Hidden units of the alignment model.
        embedding_dropout: Share of embedding units dropped in training.
        annotation_dropout: Share of annotation units dropped in training.
        readout_dropout: Share of read-out units dropped in training.
        length_penalty: A hypothesis's log-probability is divided by its length to this power before
            a beam's are compared; less prefers short captions.

    Example:
        >>> model = zoo.load("show_attend_tell")
        >>> model.caption(["photo.jpg"], return_attention=True)
    """

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        encoder: str = "lite0",
        trained_from: int | None = None,
        embedding_units: int = 256,
        annotation_units: int = 512,
        units: int = 512,
        attention_units: int = 256,
        embedding_dropout: float = 0.3,
        annotation_dropout: float = 0.5,
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
            annotation_units=annotation_units,
            units=units,
            attention_units=attention_units,
            annotation_dropout=annotation_dropout,
        )
        self.annotation = keras.layers.Dense(annotation_units, activation="relu")
        self.annotation_dropout = keras.layers.Dropout(annotation_dropout)
        self.decoder = AttentionDecoder(BasicLSTMCell(units), attention_units, gated=True)
        self.finish()

    def encode_features(self, features: tf.Tensor, training: bool | None = None) -> Memory:
        """An annotation of each place, and their mean.

        Args:
            features: float32 `[batch, places, channels]`.
            training: Whether units are dropped.
        """
        annotations = self.annotation(features)
        annotations = self.annotation_dropout(annotations, training=training)
        batch, places, _ = tf.unstack(tf.shape(annotations))
        return {
            "annotations": annotations,
            "lengths": tf.fill([batch], places),
            "summary": tf.reduce_mean(annotations, axis=1),
        }
