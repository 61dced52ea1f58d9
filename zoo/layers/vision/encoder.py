"""What image encoders share: a first convolution, blocks, a grid of features."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


class ImageEncoder(keras.layers.Layer):
    """An image encoder that can be cut at any of its blocks.

    `call(pixels)` is `call_from(call_until(pixels, n), n)` for any number of blocks `n`: what a
    frozen first part gives can be kept while the rest is fine-tuned. Normalization is folded into
    the convolutions, so it is at inference always.

    A subclass sets the attributes, and gives `begin` and `end`.

    Attributes:
        image_size: Height and width of the pictures that it is made for, in pixels.
        grid_size: Height and width of the grid for such a picture.
        channels: Of the grid.
        blocks: Layers, one after the other.

    Call arguments:
        pixels: `[B, H, W, 3]` RGB, float or uint8, from 0 to 255; B may be 0.

    Returns:
        `[B, grid height, grid width, channels]`.

    Raises:
        ValueError: If the pixels have no 3 channels.
    """

    image_size: int
    grid_size: int
    channels: int
    blocks: list[keras.layers.Layer]

    def begin(self, pixels: tf.Tensor) -> tf.Tensor:
        """What enters the first block, from pixels in the compute dtype, 0 to 255."""
        raise NotImplementedError

    def end(self, activations: tf.Tensor) -> tf.Tensor:
        """The grid, from what the last block gives."""
        raise NotImplementedError

    def first_layers(self) -> list[keras.layers.Layer]:
        """The layers before the blocks."""
        raise NotImplementedError

    def call(self, pixels: tf.Tensor) -> tf.Tensor:
        """Encodes; arguments and results are those of the class."""
        last = len(self.blocks)
        return _at_least_one_row(
            lambda p: self._from(self._until(p, last), last), self._checked(pixels)
        )

    def call_until(self, pixels: tf.Tensor, block: int) -> tf.Tensor:
        """What enters a block.

        Args:
            pixels: As in `call`.
            block: Its place in `blocks`; `len(blocks)` gives what leaves the last one.

        Returns:
            `[B, H', W', C']`.
        """
        self._check_block(block)
        return _at_least_one_row(lambda p: self._until(p, block), self._checked(pixels))

    def call_from(self, activations: tf.Tensor, block: int) -> tf.Tensor:
        """The grid from what enters a block.

        Args:
            activations: What `call_until` gave for this block.
            block: Its place in `blocks`.

        Returns:
            The grid, as `call` gives it.
        """
        self._check_block(block)
        activations = tf.cast(activations, self.compute_dtype)
        return _at_least_one_row(lambda a: self._from(a, block), activations)

    def train_from(self, block: int | None) -> None:
        """Chooses what a fit changes: this block and all after it. Call it before `compile`.

        Args:
            block: Its place in `blocks`; `len(blocks)` for what comes after them alone, None for
                nothing: the encoder is frozen.
        """
        if block is not None:
            self._check_block(block)
        self.trainable = block is not None
        if block is not None:
            for layer in self.first_layers():
                layer.trainable = False
            for place, layer in enumerate(self.blocks):
                layer.trainable = place >= block

    def _until(self, pixels: tf.Tensor, block: int) -> tf.Tensor:
        activations = self.begin(tf.cast(pixels, self.compute_dtype))
        for layer in self.blocks[:block]:
            activations = layer(activations)
        return activations

    def _from(self, activations: tf.Tensor, block: int) -> tf.Tensor:
        for layer in self.blocks[block:]:
            activations = layer(activations)
        return self.end(activations)

    def _check_block(self, block: int) -> None:
        if not 0 <= block <= len(self.blocks):
            raise ValueError(
                f"`block` must be from 0 to {len(self.blocks)}. Received: block={block!r}"
            )

    def _checked(self, pixels: Any) -> tf.Tensor:
        pixels = tf.convert_to_tensor(pixels)
        if pixels.shape.rank != 4 or pixels.shape[-1] not in (3, None):
            raise ValueError(
                f"`pixels` must have shape [batch, height, width, 3]. Received: {pixels.shape}"
            )
        return pixels


def _at_least_one_row(network: Callable[[tf.Tensor], tf.Tensor], inputs: tf.Tensor) -> tf.Tensor:
    """Runs a network of convolutions on a batch that may be empty.

    What oneDNN's convolution gives for no rows has the shape of its input, so there must be one.
    """
    rows = tf.shape(inputs)[0]
    missing = [[0, tf.cast(rows == 0, tf.int32)], [0, 0], [0, 0], [0, 0]]
    return network(tf.pad(inputs, missing))[:rows]
