"""A convolution whose batch normalization is folded into its kernel and bias."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="zoo")
class FoldedConvolution(keras.layers.Layer):
    """Convolution, bias and rectifier: what convolution and batch normalization are at inference.

        y = activation(conv(x, kernel) + bias)

    With statistics that do not move, batch normalization is one factor and one shift per channel;
    `fold` multiplies them into the kernel. So an encoder that is fine-tuned keeps them frozen, as
    it should with small batches, and has a third less to compute.

    Args:
        channels: Of the output; None makes it depthwise, one kernel for each channel of the input.
        size: Of the kernel, in pixels.
        stride: In pixels.
        activation: "relu", "relu6", or None.

    Call arguments:
        inputs: `[B, H, W, C]`.

    Returns:
        `[B, ceil(H / stride), ceil(W / stride), channels]`: padded as TensorFlow's "SAME" does.

    Raises:
        ValueError: If `activation` is none of these.
    """

    def __init__(
        self,
        channels: int | None,
        size: int,
        stride: int = 1,
        activation: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"`activation` must be one of {', '.join(map(str, ACTIVATIONS))}. "
                f"Received: activation={activation!r}"
            )
        self.channels = channels
        self.size = size
        self.stride = stride
        self.activation = activation

    def build(self, inputs_shape: tuple) -> None:
        """Creates the variables."""
        inputs = inputs_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.size, self.size, inputs, 1 if self.channels is None else self.channels),
            initializer=_he_depthwise if self.channels is None else "he_normal",
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.channels or inputs,), initializer="zeros"
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convolves; arguments and results are those of the class."""
        strides = [1, self.stride, self.stride, 1]
        convolve = tf.nn.depthwise_conv2d if self.channels is None else tf.nn.conv2d
        outputs = convolve(inputs, tf.convert_to_tensor(self.kernel), strides, "SAME")
        # In this form TensorFlow computes convolution, bias and rectifier in one operation.
        return ACTIVATIONS[self.activation](tf.nn.bias_add(outputs, self.bias))

    def fold(
        self,
        kernel: np.ndarray,
        scale: np.ndarray,
        shift: np.ndarray,
        mean: np.ndarray,
        variance: np.ndarray,
        epsilon: float,
    ) -> None:
        """Takes the weights of a convolution without bias and of the normalization after it.

        Args:
            kernel: `[channels, C, size, size]`, as PyTorch has it (depthwise: `[C, 1, ...]`).
            scale: `[channels]`, the normalization's gamma.
            shift: `[channels]`, its beta.
            mean: `[channels]`, the running mean.
            variance: `[channels]`, the running variance.
            epsilon: What is added to the variance.

        Raises:
            ValueError: If the shapes are those of another layer; nothing is changed then.
        """
        factor = np.asarray(scale, np.float64) / np.sqrt(np.float64(epsilon) + variance)
        # PyTorch's order is [outputs, inputs, height, width]; depthwise its outputs are channels.
        order = (2, 3, 0, 1) if self.channels is None else (2, 3, 1, 0)
        folded = (factor[:, None, None, None] * kernel).transpose(order)
        bias = shift - factor * mean
        for name, variable, value in (("kernel", self.kernel, folded), ("bias", self.bias, bias)):
            if tuple(variable.shape) != value.shape:
                raise ValueError(
                    f"{self.path or self.name} has a {name} of shape {tuple(variable.shape)}. "
                    f"Received: {value.shape}"
                )
        self.kernel.assign(folded.astype(np.float32))
        self.bias.assign(bias.astype(np.float32))

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        names = ("channels", "size", "stride", "activation")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


ACTIVATIONS: dict[str | None, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    None: tf.identity,
}


def _he_depthwise(shape: tuple, dtype: Any = None) -> tf.Tensor:
    """He's normal initialization; Keras would count the channels as inputs, which they are not."""
    return keras.random.normal(shape, stddev=(2 / (shape[0] * shape[1])) ** 0.5, dtype=dtype)


def at_least_one_row(network: Callable[[tf.Tensor], tf.Tensor], inputs: tf.Tensor) -> tf.Tensor:
    """Runs a network of convolutions on a batch that may be empty.

    What oneDNN's convolution gives for no rows has the shape of its input, so that there must be
    one.

    Args:
        network: From `[B, H, W, C]` to `[B, ...]`.
        inputs: `[B, H, W, C]`.

    Returns:
        `[B, ...]`.
    """
    rows = tf.shape(inputs)[0]
    missing = [[0, tf.cast(rows == 0, tf.int32)], [0, 0], [0, 0], [0, 0]]
    return network(tf.pad(inputs, missing))[:rows]
