"""Adam whose step on a variable is one operation, where Keras's is a dozen.

Kingma and Ba (2015), "Adam: A Method for Stochastic Optimization", arXiv:1412.6980, in the form
before section 2.1. Each operation of Keras's reads and writes a whole variable, and two moments of
its size: of a table of ten million numbers that takes longer than all else in a step.
"""

import keras
import tensorflow as tf


class FusedStep:
    """A mixin of Keras's Adam and its kin: the same step by TensorFlow's kernel.

    The slices of an embedding's gradient are summed first. Under a distribution strategy, for a
    variable of half precision and with `amsgrad`, the step is Keras's own.
    """

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """One variable's step.

        Args:
            gradient: Of the variable's shape, or `tf.IndexedSlices`.
            variable: What is changed.
            learning_rate: Scalar.
        """
        gradient = tf.convert_to_tensor(gradient)
        half = variable.dtype.size < 4
        if half or self.amsgrad or tf.distribute.has_strategy():
            super().update_step(gradient, variable, learning_rate)
            return
        index, dtype = self._get_variable_index(variable), variable.dtype
        beta_1, beta_2 = tf.constant(self.beta_1, dtype), tf.constant(self.beta_2, dtype)
        step = tf.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )


class FusedAdam(FusedStep, keras.optimizers.Adam):
    """Keras's Adam, arguments and all, with the step of `FusedStep`.

    Example:
        >>> optimizer = FusedAdam(1e-3, global_clipnorm=1.0)
    """
