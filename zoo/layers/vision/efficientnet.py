"""EfficientNet-Lite: a small image encoder of inverted residual blocks (Tan and Le 2019)."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.layers.vision.convolution import FoldedConvolution
from zoo.layers.vision.encoder import ImageEncoder


class Stage(NamedTuple):
    """Blocks of one kind: row of table 1 of the paper (EfficientNet-B0)."""

    repeats: int
    size: int  # of the depthwise kernel
    stride: int  # of the first block
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STEM_CHANNELS, HEAD_CHANNELS = 32, 1280  # Lite does not scale them
EPSILON = 1e-3  # of the batch normalization that the weights were trained with


class Variant(NamedTuple):
    """How a variant is scaled, and the pictures that it was trained on."""

    width: float
    depth: float
    image_size: int


VARIANTS = {"lite0": Variant(1.0, 1.0, 224), "lite2": Variant(1.1, 1.2, 260)}


@keras.saving.register_keras_serializable(package="zoo")
class InvertedResidual(keras.layers.Layer):
    """Widen, look at the neighbours channel by channel, narrow (Sandler et al. 2018, MobileNetV2).

        h = relu6(expand(x))          1x1, expansion * C channels; left out if the expansion is 1
        h = relu6(depthwise(h))       size x size
        y = project(h) [+ x]          1x1; the sum only if shapes agree

    Args:
        expansion: How many times wider the hidden layer is.
        size: Of the depthwise kernel.
        stride: Of the depthwise convolution.
        channels: Of the output.

    Call arguments:
        inputs: `[B, H, W, C]`.

    Returns:
        `[B, ceil(H / stride), ceil(W / stride), channels]`.
    """

    def __init__(
        self, expansion: int, size: int, stride: int, channels: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.expansion, self.size, self.stride, self.channels = expansion, size, stride, channels
        self.expand = None
        self.depthwise = self._convolution(None, size, stride, "relu6", name="depthwise")
        self.project = self._convolution(channels, 1, name="project")

    def build(self, inputs_shape: tuple) -> None:
        """Creates the variables."""
        inputs = inputs_shape[-1]
        hidden = (None, None, None, self.expansion * inputs)
        if self.expansion != 1:
            self.expand = self._convolution(hidden[-1], 1, activation="relu6", name="expand")
            self.expand.build(inputs_shape)
        self.depthwise.build(hidden)
        self.project.build(hidden)
        self.residual = self.stride == 1 and inputs == self.channels

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Runs the block; arguments and results are those of the class."""
        hidden = inputs if self.expand is None else self.expand(inputs)
        outputs = self.project(self.depthwise(hidden))
        return outputs + inputs if self.residual else outputs

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        names = ("expansion", "size", "stride", "channels")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _convolution(self, *args: Any, **kwargs: Any) -> FoldedConvolution:
        return FoldedConvolution(*args, dtype=self.dtype_policy, **kwargs)


@keras.saving.register_keras_serializable(package="zoo")
class EfficientNetLite(ImageEncoder):
    """A picture's grid of features: EfficientNet (Tan and Le 2019) without squeeze-and-excitation.

    Batch normalization is folded into the convolutions. See `ImageEncoder` for how to keep what its
    first blocks give and to fine-tune the rest.

    Args:
        variant: "lite0" (224 pixels, grid of 7, 3.4 million weights) or "lite2" (260 pixels, grid
            of 9, 4.8 million).

    Attributes:
        image_size: Height and width of the pictures that the weights were trained on.
        grid_size: Height and width of the grid for such a picture.
        channels: Of the grid, 1,280.
        blocks: The inverted residual blocks between the first and the last convolution.

    Call arguments:
        pixels: `[B, H, W, 3]` RGB, float or uint8, from 0 to 255.

    Returns:
        `[B, ceil(H / 32), ceil(W / 32), channels]`, from 0 to 6.

    Raises:
        ValueError: If the variant is unknown, or the pixels have no 3 channels.

    Example:
        >>> encoder = EfficientNetLite("lite0")
        >>> encoder(tf.zeros([2, 224, 224, 3])).shape
        TensorShape([2, 7, 7, 1280])
    """

    def __init__(self, variant: str = "lite0", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if variant not in VARIANTS:
            raise ValueError(
                f"`variant` must be one of {', '.join(VARIANTS)}. Received: variant={variant!r}"
            )
        self.variant = variant
        self.image_size = VARIANTS[variant].image_size
        self.grid_size = math.ceil(self.image_size / 32)
        self.channels = HEAD_CHANNELS
        dtype = self.dtype_policy
        self.stem = FoldedConvolution(STEM_CHANNELS, 3, 2, "relu6", name="stem", dtype=dtype)
        self.blocks = [
            InvertedResidual(*numbers, name=f"block_{place}", dtype=dtype)
            for place, numbers in enumerate(_blocks(VARIANTS[variant]))
        ]
        self.head = FoldedConvolution(
            HEAD_CHANNELS, 1, activation="relu6", name="head", dtype=dtype
        )

    def build(self, pixels_shape: tuple | None = None) -> None:
        """Creates the variables; the pictures may be of any size."""
        if self.built:
            return
        self.stem.build((None, None, None, 3))
        channels = STEM_CHANNELS
        for block in self.blocks:
            block.build((None, None, None, channels))
            channels = block.channels
        self.head.build((None, None, None, channels))
        self.built = True

    def begin(self, pixels: tf.Tensor) -> tf.Tensor:
        """What enters the first block, from pixels of 0 to 255."""
        return self.stem((pixels - 127.0) / 128.0)

    def end(self, activations: tf.Tensor) -> tf.Tensor:
        """The grid, from what the last block gives."""
        return self.head(activations)

    def first_layers(self) -> list[keras.layers.Layer]:
        """The convolution before the blocks."""
        return [self.stem]

    def load_state_dict(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes the weights of PyTorch's EfficientNet-Lite, and folds the normalization in.

        Args:
            arrays: By name, such as `_blocks.0._depthwise_conv.weight` (as `efficientnet_pytorch`
                has them); those of the classifier, `_fc.*`, are left alone.

        Raises:
            ValueError: If an array is missing, or of another shape.
        """
        self.build()
        for layer, convolution, normalization in self._pytorch_names():
            names = [f"{convolution}.weight"]
            names += [
                f"{normalization}.{n}" for n in ("weight", "bias", "running_mean", "running_var")
            ]
            if missing := [name for name in names if name not in arrays]:
                raise ValueError(
                    "`arrays` must hold the weights of EfficientNet-Lite. Received: no "
                    f"{missing[0]} among {len(arrays)} arrays, such as {list(arrays)[:3]}"
                )
            layer.fold(*(arrays[name] for name in names), epsilon=EPSILON)

    def get_config(self) -> dict:
        """What `from_config` needs to make this layer again."""
        return {**super().get_config(), "variant": self.variant}

    def _pytorch_names(self) -> list[tuple[FoldedConvolution, str, str]]:
        """Each convolution with PyTorch's names of it and of its normalization."""
        found = [(self.stem, "_conv_stem", "_bn0"), (self.head, "_conv_head", "_bn1")]
        for place, block in enumerate(self.blocks):
            parts = [(block.depthwise, "_depthwise_conv", "_bn1")]
            parts += [(block.project, "_project_conv", "_bn2")]
            if block.expand is not None:
                parts += [(block.expand, "_expand_conv", "_bn0")]
            found += [
                (layer, f"_blocks.{place}.{c}", f"_blocks.{place}.{n}") for layer, c, n in parts
            ]
        return found


def _blocks(variant: Variant) -> Iterator[tuple[int, int, int, int]]:
    """Expansion, size, stride and channels of each block."""
    for place, stage in enumerate(STAGES):
        # Lite repeats the blocks of the first and of the last stage as often in every variant.
        scaled = math.ceil(stage.repeats * variant.depth)
        repeats = stage.repeats if place in (0, len(STAGES) - 1) else scaled
        channels = _multiple_of_8(stage.channels * variant.width)
        for repeat in range(repeats):
            yield stage.expansion, stage.size, stage.stride if repeat == 0 else 1, channels


def _multiple_of_8(channels: float) -> int:
    """The nearest multiple of 8, but not more than a tenth below."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest
