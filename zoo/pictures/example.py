"""A drawn picture, for warm-up requests and first tries: a dog on a meadow."""

import numpy as np
import tensorflow as tf

# Ellipses of the dog, in parts of the picture's width: middle (down, right), half axes, colour.
BROWN, DARK, PALE = (126, 82, 44), (70, 42, 22), (168, 120, 76)
DOG = (
    ((0.62, 0.46), (0.10, 0.20), BROWN),  # trunk
    ((0.74, 0.31), (0.12, 0.03), DARK),
    ((0.74, 0.40), (0.12, 0.03), BROWN),
    ((0.74, 0.54), (0.12, 0.03), BROWN),
    ((0.74, 0.62), (0.12, 0.03), DARK),
    ((0.50, 0.25), (0.09, 0.025), BROWN),  # tail
    ((0.47, 0.67), (0.09, 0.10), BROWN),  # head
    ((0.50, 0.76), (0.045, 0.07), PALE),  # muzzle
    ((0.44, 0.60), (0.085, 0.035), DARK),  # ear
    ((0.49, 0.82), (0.018, 0.018), (20, 20, 20)),
    ((0.44, 0.69), (0.015, 0.015), (20, 20, 20)),
)


def example_picture(size: int) -> bytes:
    """The picture as a JPEG of `size` by `size` pixels."""
    down, right = (np.mgrid[:size, :size] + 0.5) / size
    sky = np.stack([110 + 90 * down, 170 + 50 * down, np.full_like(down, 235)], axis=-1)
    blades = 12 * np.sin(90 * right + 40 * down * down)
    meadow = np.stack([60 + 40 * down + blades, 140 - 30 * down + blades, 40 + blades], axis=-1)
    pixels = np.where((down > 0.55 + 0.03 * np.sin(5 * right))[..., np.newaxis], meadow, sky)
    for (top, left), (high, wide), colour in DOG:
        inside = ((down - top) / high) ** 2 + ((right - left) / wide) ** 2 <= 1
        pixels[inside] = colour
    return tf.io.encode_jpeg(pixels.clip(0, 255).astype(np.uint8), quality=85).numpy()
