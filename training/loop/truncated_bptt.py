"""Truncated back-propagation through time with the state carried from batch to batch, in `fit`.

Keras hands a training step the next batch and nothing of the last one, so a state that is to be
carried must be kept by somebody in between. It is no property of the model, which gives the same
answer to the same question at any time, nor can the data bring it. It belongs to the training, as
an optimizer's momentum and a metric's sum do, and is kept where Keras keeps those: in variables of
the object that trains. What is in variables is in the checkpoint, too.

The model inside takes the state as a value and gives it back as one. When it starts anew is told by
the data (`fresh`), not by a callback: so a run may be stopped and resumed at any batch.
"""

from typing import Any

import keras
import tensorflow as tf

from zoo.layers.custom_gradient import unregistered_gradients
from zoo.models.next_word import NextWordNetwork


class TruncatedBPTT(keras.Model):
    """Trains a language model on text that goes on from batch to batch.

    Gradients go back to the start of a batch; the state comes from further back. The learning rate
    and the clipping are of the mean loss of a word.

    Args:
        network: A language model; it is what is trained.
        rows: In a batch.

    Example:
        >>> trainer = TruncatedBPTT(model, rows=20)
        >>> trainer.compile(keras.optimizers.SGD(1.0, global_clipnorm=0.25))
        >>> text = AlignedText(ids, rows=20, steps=35)
        >>> trainer.fit(text.dataset(range(1, 14)), epochs=13, steps_per_epoch=text.batches)
    """

    def __init__(self, network: NextWordNetwork, rows: int) -> None:
        super().__init__(name="truncated_bptt")
        self.supports_jit = False  # as its network does not
        self.network = network
        self.mean_loss = keras.metrics.Mean(name="loss")
        zeros = network.encoder.cell.get_initial_state(batch_size=rows)
        self.carried = [
            self.add_weight(
                shape=state.shape,
                dtype=state.dtype.name,
                initializer="zeros",
                trainable=False,
                name=f"carried_{place}",
            )
            for place, state in enumerate(tf.nest.flatten(zeros))
        ]
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        """As the network, of rows that start from nothing."""
        return self.network(inputs, training=training)

    def train_step(self, data: tuple[dict[str, tf.Tensor], tf.Tensor]) -> dict[str, tf.Tensor]:
        """Takes a step from the state that the last one left.

        Args:
            data: `({"tokens", "fresh"}, targets)` of `zoo.training.loop.aligned_batches`.

        Returns:
            The mean loss of a word since the epoch's start, and the perplexity.
        """
        inputs, targets = data
        keep = ~inputs["fresh"][:, tf.newaxis]
        flat = [tf.where(keep, carried, tf.zeros_like(carried)) for carried in self.carried]
        before = tf.nest.pack_sequence_as(self.network.encoder.cell.state_size, flat)
        with unregistered_gradients():
            with tf.GradientTape() as tape:
                outputs, after = self.network.read(inputs["tokens"], before, training=True)
                outputs = tf.reshape(outputs, [-1, outputs.shape[-1]])
                features = self.network.features(outputs)
                losses = self.network.token_loss(features, tf.reshape(targets, [-1]))
                loss = self.network.mean_loss(losses)
            gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for carried, state in zip(self.carried, tf.nest.flatten(after), strict=True):
            carried.assign(state)
        self.mean_loss.update_state(loss, sample_weight=tf.cast(tf.size(targets), tf.float32))
        mean = self.mean_loss.result()
        return {"loss": mean, "perplexity": tf.exp(mean)}
