"""A model of another modality in a few lines: what is in a picture of 6 by 6 pixels."""

import keras
import tensorflow as tf

import zoo
from zoo.layers import GRUCell
from zoo.models.checks import read_arrays, read_texts
from zoo.models.columns import Column
from zoo.models.decoders import AttentionDecoder, StateDecoder
from zoo.models.text_generator import TextGenerator


@zoo.register
class ToyCaptioner(TextGenerator):
    """An encoder and a verb, nothing else."""

    task = "caption"
    output = "caption"
    columns = (
        Column("images", tf.uint8, (6, 6), read_arrays(tf.uint8, (6, 6))),
        Column("captions", tf.string, (), read_texts),
    )
    encoder_inputs = {"pixels": tf.TensorSpec([None, 6, 6], tf.float32)}  # noqa: RUF012
    examples = ([[0] * 6] * 6,)
    caption = TextGenerator.write

    def __init__(self, tokenizer, attention=True, units=16, **ends):
        ends = {"embedding_units": 8, "embedding_dropout": 0.0, "readout_dropout": 0.0, **ends}
        super().__init__(tokenizer, attention=attention, units=units, **ends)
        self.encoder = keras.layers.Dense(units, activation="tanh")
        self.decoder = (
            AttentionDecoder(GRUCell(units), 8) if attention else StateDecoder(GRUCell(units))
        )
        self.finish(1e-2)

    def make_inputs(self, source):
        return {"pixels": tf.cast(source, tf.float32) / 255.0}

    def encode(self, inputs, training=None):
        rows = self.encoder(inputs["pixels"])  # a place for each line of pixels
        summary = tf.reduce_mean(rows, axis=1)
        if not self.has_attention:
            return {"state": [summary]}
        lengths = tf.fill([tf.shape(rows)[0]], 6)
        return {"annotations": rows, "lengths": lengths, "summary": summary}
