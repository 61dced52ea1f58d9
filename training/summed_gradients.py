"""Adam for word embeddings: a word's gradient is summed over its places before it is used."""

import keras
import tensorflow as tf

from training.runs import averaging_adam


@keras.saving.register_keras_serializable(package="zoo")
class SummingAdamW(keras.optimizers.AdamW):
    """AdamW that sees one gradient for each row of an embedding.

    TensorFlow gives the gradient of a look-up as one slice for each place that looked. Keras takes
    the norm it clips by over the slices, which is not that of their sum, and, where it clips
    nothing, squares the slices before it sums them.
    """

    def apply(self, grads, trainable_variables=None):
        summed = [None if grad is None else tf.convert_to_tensor(grad) for grad in grads]
        return super().apply(summed, trainable_variables)


def summing_adam(recipe, steps):
    """As :func:`training.runs.averaging_adam`, for models with an embedding that is looked up."""
    return SummingAdamW.from_config(averaging_adam(recipe, steps).get_config())
