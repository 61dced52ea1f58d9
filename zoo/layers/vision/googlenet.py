"""GoogLeNet: Szegedy et al. 2014, "Going Deeper with Convolutions", the lecture's encoder."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.layers.vision.convolution import FoldedConvolution
from zoo.layers.vision.encoder import ImageEncoder


class Widths(NamedTuple):
    """Channels of one inception module: a row of the paper's table 1."""

    one: int  # 1x1
    reduce_three: int
    three: int  # 3x3
    reduce_five: int
    five: int  # 5x5
    pool: int  # after pooling


MODULES = {
    "3a": Widths(64, 96, 128, 16, 32, 32),
    "3b": Widths(128, 128, 192, 32, 96, 64),
    "4a": Widths(192, 96, 208, 16, 48, 64),
    "4b": Widths(160, 112, 224, 24, 64, 64),
    "4c": Widths(128, 128, 256, 24, 64, 64),
    "4d": Widths(112, 144, 288, 32, 64, 64),
    "4e": Widths(256, 160, 320, 32, 128, 128),
    "5a": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(384, 192, 384, 48, 128, 128),
}


class Style(NamedTuple):
    """Where the published networks of this name differ."""

    five: int  # size of the kernels that are 5x5 in the paper
    last_pool: int  # size of the pooling before 5a
    response_normalization: bool


STYLES = {"paper": Style(5, 3, True), "torchvision": Style(3, 2, False)}
EPSILON = 1e-3  # of torchvision's batch normalization
MEAN = (123.0, 117.0, 104.0)  # of ImageNet's red, green and blue, which the paper subtracts


@keras.saving.register_keras_serializable(package="zoo")
class InceptionModule(keras.layers.Layer):
    """Four branches side by side: 1x1, 3x3, 5x5, and pooling (figure 2b of the paper).

        y = [one(x), three(reduce(x)), five(reduce(x)), project(max3x3(x))], then pooled if told

    Args:
        widths: Channels of the six convolutions, in the order of the paper's table.
        five: Size of the kernels of the third branch.
        pool: Size of a max pooling with stride 2 behind the module; 0 for none.

    Call arguments:
        inputs: `[B, H, W, C]`, not negative.

    Returns:
        `[B, H, W, channels]`, or half of height and width if pooled.
    """

    def __init__(self, widths: tuple[int, ...], five: int, pool: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widths, self.five, self.pool = Widths(*widths), five, pool
        sizes = Widths(1, 1, 3, 1, five, 1)
        self.convolutions = [
            _convolution(channels, size, name=name, dtype=self.dtype_policy)
            for name, channels, size in zip(Widths._fields, self.widths, sizes, strict=True)
        ]
        self.channels = self.widths.one + self.widths.three + self.widths.five + self.widths.pool

    def build(self, inputs_shape: tuple) -> None:
        """Creates the variables."""
        into = inputs_shape[-1]
        reduced = self.widths.reduce_three, self.widths.reduce_five
        channels = into, into, reduced[0], into, reduced[1], into
        for layer, inputs in zip(self.convolutions, channels, strict=True):
            layer.build((None, None, None, inputs))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Runs the module; arguments and results are those of the class."""
        one, reduce_three, three, reduce_five, five, project = self.convolutions
        outputs = [one(inputs), three(reduce_three(inputs)), five(reduce_five(inputs))]
        outputs.append(project(tf.nn.max_pool2d(inputs, 3, 1, "SAME")))
        joined = tf.concat(outputs, axis=-1)
        return max_pooled(joined, self.pool) if self.pool else joined

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        own = {"widths": list(self.widths), "five": self.five, "pool": self.pool}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="zoo")
class GoogLeNet(ImageEncoder):
    """A picture's grid of features from nine inception modules (Szegedy et al. 2014).

    No package has its weights under a free licence, so it takes yours: see `load_state_dict`.

    Args:
        style: "paper" for kernels of 5x5 and local response normalization; its pixels are without
            ImageNet's mean. "torchvision" for what its weights were trained as, with kernels of 3x3
            in that branch and batch normalization, here folded in; its pixels are from -1 to 1.

    Attributes:
        image_size: 224.
        grid_size: 7.
        channels: 1,024.
        blocks: The inception modules 3a to 5b.

    Call arguments:
        pixels: `[B, H, W, 3]` RGB, float or uint8, from 0 to 255.

    Returns:
        `[B, ~H / 32, ~W / 32, 1024]`, not negative.

    Raises:
        ValueError: If the style is unknown, or the pixels have no 3 channels.

    Example:
        >>> encoder = GoogLeNet("torchvision")
        >>> encoder(tf.zeros([2, 224, 224, 3])).shape
        TensorShape([2, 7, 7, 1024])
    """

    image_size, grid_size = 224, 7

    def __init__(self, style: str = "paper", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if style not in STYLES:
            raise ValueError(
                f"`style` must be one of {', '.join(STYLES)}. Received: style={style!r}"
            )
        self.style = style
        five, last_pool, self.response_normalization = STYLES[style]
        policy = self.dtype_policy
        self.convolutions = [
            _convolution(64, 7, 2, name="conv1", dtype=policy),
            _convolution(64, 1, name="conv2", dtype=policy),
            _convolution(192, 3, name="conv3", dtype=policy),
        ]
        pools = {"3b": 3, "4e": last_pool}
        self.blocks = [
            InceptionModule(widths, five, pools.get(name, 0), name=f"inception{name}", dtype=policy)
            for name, widths in MODULES.items()
        ]
        self.channels = self.blocks[-1].channels

    def build(self, pixels_shape: tuple | None = None) -> None:
        """Creates the variables; the pictures may be of any size."""
        if self.built:
            return
        channels = 3
        for layer in (*self.convolutions, *self.blocks):
            layer.build((None, None, None, channels))
            channels = layer.channels
        self.built = True

    def begin(self, pixels: tf.Tensor) -> tf.Tensor:
        """What enters the first module, from pixels of 0 to 255."""
        of_paper = self.style == "paper"
        pixels = pixels - tf.constant(MEAN, pixels.dtype) if of_paper else pixels / 127.5 - 1.0
        first, second, third = self.convolutions
        hidden = self._normalized(max_pooled(first(pixels), 3))
        return max_pooled(self._normalized(third(second(hidden))), 3)

    def end(self, activations: tf.Tensor) -> tf.Tensor:
        """The last module's outputs are the grid."""
        return activations

    def first_layers(self) -> list[keras.layers.Layer]:
        """The three convolutions before the modules."""
        return list(self.convolutions)

    def load_state_dict(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes your weights; those of the classifiers are left alone.

        Args:
            arrays: By name, as `zoo.weights.read_state_dict` reads them. A convolution is called as
                in torchvision (`inception3a.branch2.1`) or in the paper's release
                (`inception_3a/3x3`). It has `.conv.weight` and the five arrays of `.bn`, or
                `.weight` and `.bias` as PyTorch has them, or `.kernel` and `.bias` as Keras has.

        Raises:
            ValueError: If an array is missing, or of another shape.
        """
        self.build()
        for layer, names in self._names():
            _load(layer, names, arrays)

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        return {**super().get_config(), "style": self.style}

    def _normalized(self, inputs: tf.Tensor) -> tf.Tensor:
        if not self.response_normalization:
            return inputs
        # Five channels, alpha 0.0001 shared among them, as in the paper's release.
        return tf.nn.local_response_normalization(inputs, 2, bias=1.0, alpha=2e-5, beta=0.75)

    def _names(self) -> Iterator[tuple[FoldedConvolution, tuple[str, str]]]:
        """Each convolution with torchvision's name of it and the paper's."""
        papers = "conv1/7x7_s2", "conv2/3x3_reduce", "conv2/3x3"
        for layer, paper in zip(self.convolutions, papers, strict=True):
            yield layer, (layer.name, paper)
        branches = "branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1"
        papers = "1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj"
        for name, block in zip(MODULES, self.blocks, strict=True):
            for layer, branch, paper in zip(block.convolutions, branches, papers, strict=True):
                yield layer, (f"inception{name}.{branch}", f"inception_{name}/{paper}")


def max_pooled(inputs: tf.Tensor, size: int) -> tf.Tensor:
    """Max pooling with stride 2 whose last window may reach over the edge.

    Args:
        inputs: `[B, H, W, C]`, not negative: what is beyond the edge counts as 0.
        size: Of the window.

    Returns:
        `[B, ceil((H - size) / 2) + 1, ..., C]`.
    """
    missing = [
        tf.maximum(size - length, (size - length) % 2)
        for length in tf.unstack(tf.shape(inputs)[1:3])
    ]
    inputs = tf.pad(inputs, [[0, 0], [0, missing[0]], [0, missing[1]], [0, 0]])
    return tf.nn.max_pool2d(inputs, size, 2, "VALID")


def _convolution(channels: int, size: int, stride: int = 1, **kwargs: Any) -> FoldedConvolution:
    return FoldedConvolution(channels, size, stride, "relu", centred=True, **kwargs)


def _load(
    layer: FoldedConvolution, names: tuple[str, str], arrays: Mapping[str, np.ndarray]
) -> None:
    statistics = "weight", "bias", "running_mean", "running_var"
    for name in names:
        if f"{name}.bn.running_var" in arrays:
            normalization = (arrays[f"{name}.bn.{statistic}"] for statistic in statistics)
            layer.fold(arrays[f"{name}.conv.weight"], *normalization, epsilon=EPSILON)
            return
        for kernel in (f"{name}.weight", f"{name}.conv.weight", f"{name}.kernel"):
            bias = f"{kernel.rpartition('.')[0]}.bias"
            if kernel in arrays and bias in arrays:
                of_keras = kernel.endswith(".kernel")
                layer.take(arrays[kernel], arrays[bias], of_keras)
                return
    raise ValueError(
        f"`arrays` must hold the weights of GoogLeNet. Received: neither {names[0]}.conv.weight, "
        f"{names[0]}.weight nor {names[1]}.kernel among {len(arrays)} arrays, such as "
        f"{list(arrays)[:3]}"
    )
