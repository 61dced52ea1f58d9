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
        centred: Whether the padding is the same on both sides, as in PyTorch, and not as in
            TensorFlow's "SAME"; they differ where the stride is above 1.

    Call arguments:
        inputs: `[B, H, W, C]`.

    Returns:
        `[B, ceil(H / stride), ceil(W / stride), channels]`.

    Raises:
        ValueError: If `activation` is none of these.
    """

    def __init__(
        self,
        channels: int | None,
        size: int,
        stride: int = 1,
        activation: str | None = None,
        centred: bool = False,
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
        self.centred = centred

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
        padding = "SAME"
        if self.centred and self.stride > 1:
            around = [self.size // 2] * 2
            inputs, padding = tf.pad(inputs, [[0, 0], around, around, [0, 0]]), "VALID"
        outputs = convolve(inputs, tf.convert_to_tensor(self.kernel), strides, padding)
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
        self.take(factor[:, None, None, None] * kernel, shift - factor * mean)

    def take(self, kernel: np.ndarray, bias: np.ndarray, of_keras: bool = False) -> None:
        """Takes a kernel and a bias.

        Args:
            kernel: As for `fold`, or, `of_keras`, `[size, size, C, channels]`.
            bias: `[channels]`.
            of_keras: Whether the kernel has Keras's order.

        Raises:
            ValueError: If the shapes are those of another layer; nothing is changed then.
        """
        # PyTorch's order is [outputs, inputs, height, width]; depthwise its outputs are channels.
        order = (2, 3, 0, 1) if self.channels is None else (2, 3, 1, 0)
        kernel = kernel if of_keras else kernel.transpose(order)
        for name, variable, value in (("kernel", self.kernel, kernel), ("bias", self.bias, bias)):
            if tuple(variable.shape) != value.shape:
                raise ValueError(
                    f"{self.path or self.name} has a {name} of shape {tuple(variable.shape)}. "
                    f"Received: {value.shape}"
                )
        self.kernel.assign(kernel.astype(np.float32))
        self.bias.assign(bias.astype(np.float32))

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        names = ("channels", "size", "stride", "activation", "centred")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


ACTIVATIONS: dict[str | None, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    None: tf.identity,
}


def _he_depthwise(shape: tuple, dtype: Any = None) -> tf.Tensor:
    """He's normal initialization; Keras would count the channels as inputs, which they are not."""
    return keras.random.normal(shape, stddev=(2 / (shape[0] * shape[1])) ** 0.5, dtype=dtype)
