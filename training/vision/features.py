"""What an encoder gives for each picture, computed once and kept on the disk.

A frozen encoder gives the same grid for a picture in every epoch, and computing it takes longer
than training the decoder that reads it. So it is computed once, for each picture as it is and
flipped left to right, and read from a memory-mapped file afterwards.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from zoo.files import write_atomically
from zoo.models.progress import progress_bar
from zoo.pictures import PREPROCESSING, decode_pictures

VIEWS = 2  # as it is, and flipped left to right
SIDES = re.compile(r"\b(left|right|leftmost|rightmost|lefthand|righthand|lefty|righty)\b", re.I)


def picture_features(
    encoder: keras.layers.Layer,
    pictures: Sequence[bytes],
    folder: str | Path,
    name: str,
    block: int | None = None,
    batch_size: int = 16,
) -> np.ndarray:
    """Computes features of pictures, or finds them computed.

    A run that was ended goes on where it was: what is done is told by a file beside the features.
    The file's name holds a hash of the encoder's weights before `block`, of the preprocessing
    and of the pictures, so that features of others are never taken for these.

    Args:
        encoder: A built `zoo.layers.vision` encoder.
        pictures: Contents of image files, in the order of the rows.
        folder: Where features are kept; made if it is not there.
        name: What the file's name begins with, such as "train".
        block: None for the grid; else what enters this block of the encoder, for training the
            blocks from it on (`encoder.call_from`).
        batch_size: Pictures at a time.

    Returns:
        float16, memory-mapped and read-only: `[pictures, 2, grid * grid, channels]`, or, of what
        enters a block, `[pictures, 2, height, width, channels]`. `[:, 0]` is of the picture as it
        is, `[:, 1]` of the flipped one.

    Raises:
        ValueError: If there are no pictures, or one cannot be decoded.
    """
    if not len(pictures):
        raise ValueError("`pictures` must hold at least one. Received: an empty list")
    path = Path(folder) / f"{name}-{_digest(encoder, pictures, block)}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _compute(_network(encoder, block), pictures, path, batch_size)
    return np.load(path, mmap_mode="r")


def flippable(caption: str) -> bool:
    """Whether a caption is true of the flipped picture too: it tells no left from right.

    Args:
        caption: Raw text.

    Example:
        >>> flippable("A dog runs."), flippable("The boy on the left waves.")
        (True, False)
    """
    return SIDES.search(caption) is None


def _network(encoder: keras.layers.Layer, block: int | None) -> Callable[[tf.Tensor], tf.Tensor]:
    """From contents `[batch]` to features `[batch, 2, ...]` in one graph."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def network(contents: tf.Tensor) -> tf.Tensor:
        pixels = decode_pictures(contents, encoder.image_size)
        both = tf.concat([pixels, tf.reverse(pixels, [2])], axis=0)
        outputs = encoder(both) if block is None else encoder.call_until(both, block)
        if block is None:
            outputs = tf.reshape(outputs, [tf.shape(outputs)[0], -1, outputs.shape[-1]])
        outputs = tf.stack(tf.split(outputs, VIEWS), axis=1)
        return tf.cast(outputs, tf.float16)

    return network


def _compute(
    network: Callable[[tf.Tensor], tf.Tensor],
    pictures: Sequence[bytes],
    path: Path,
    batch_size: int,
) -> None:
    """Fills a file beside `path`, a batch at a time, and gives it its name when it is whole."""
    partial, done_file = path.with_suffix(".partial.npy"), path.with_suffix(".done")
    resumed = partial.exists() and done_file.exists()
    done = int(done_file.read_text()) if resumed else 0
    if resumed:
        features = np.lib.format.open_memmap(partial, "r+")
    else:
        shape = network(tf.constant(pictures[:1])).shape[1:]
        features = np.lib.format.open_memmap(partial, "w+", np.float16, (len(pictures), *shape))
    with progress_bar(f"features of {path.stem}", len(pictures)) as advance:
        advance(done)
        for first in range(done, len(pictures), batch_size):
            batch = pictures[first : first + batch_size]
            features[first : first + len(batch)] = network(tf.constant(batch)).numpy()
            features.flush()
            write_atomically(done_file, str(first + len(batch)).encode())
            advance(len(batch))
    partial.replace(path)
    done_file.unlink(missing_ok=True)


def _until(encoder: keras.layers.Layer, block: int | None) -> list[keras.Variable]:
    """The variables that decide what is kept: those after the block may change."""
    if block is None:
        return encoder.variables
    layers = [*encoder.first_layers(), *encoder.blocks[:block]]
    return [variable for layer in layers for variable in layer.variables]


def _digest(encoder: keras.layers.Layer, pictures: Sequence[bytes], block: int | None) -> str:
    config = {name: value for name, value in encoder.get_config().items() if name != "name"}
    config.pop("trainable", None)
    of = hashlib.sha256(
        json.dumps([config, block, PREPROCESSING], sort_keys=True, default=str).encode()
    )
    for variable in _until(encoder, block):
        of.update(np.ascontiguousarray(variable.numpy(), np.float32).tobytes())
    for picture in pictures:
        of.update(hashlib.sha256(picture).digest())
    return of.hexdigest()[:16]
