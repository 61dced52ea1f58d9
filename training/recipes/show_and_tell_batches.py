"""Batches of pictures and captions for the recipes of the captioners.

While the encoder is frozen a row is a caption with its picture's features (`pair_batches`). When
its last blocks learn, too, they are what takes the time, so that several captions share one pass of
their picture (`picture_batches`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.training.loop.batches import training_batches
from zoo.training.vision.features import flippable

Captions = Sequence[Sequence[str]]
Batches = Callable[[range], tf.data.Dataset]


def pair_batches(model: Any, recipe: Any, captions: Captions, features: np.ndarray) -> Batches:
    """Batches of captions of like length, each with its picture, half of them flipped.

    Args:
        model: A captioner.
        recipe: The recipe.
        captions: Those of each picture.
        features: float16 `[pictures, 2, places, channels]`: of the picture, and of it flipped.

    Returns:
        A function of a range of epochs to their batches, for `zoo.training.loop.runs.train_model`.
    """
    flat = [caption for of in captions for caption in of]
    pictures = np.repeat(np.arange(len(captions), dtype=np.int32), [len(of) for of in captions])
    may_flip = np.array([recipe.flips and flippable(caption) for caption in flat])
    ids = list(caption_ids(model, flat))

    def draw(rng: np.random.Generator, epoch: int) -> tuple:
        flipped = may_flip & (rng.random(len(flat)) < 0.5)
        return ids, pictures, flipped.astype(np.int32)

    def finish(
        ids: tf.Tensor, lengths: tf.Tensor, pictures: tf.Tensor, flipped: tf.Tensor
    ) -> tuple[Any, ...]:
        inputs = {"features": _look_up(features, pictures, flipped)}
        return model.training_batch(inputs, ids, lengths)

    def batches(epochs: range) -> tf.data.Dataset:
        size, seed = recipe.schedule.batch_size, recipe.seed
        return training_batches(draw, finish, size, seed, epochs, sequences=1, values=2)

    return batches


def picture_batches(
    model: Any, recipe: Any, captions: Captions, activations: np.ndarray
) -> Batches:
    """Batches of pictures, half of them flipped, each with `recipe.captions_each` of its captions.

    An epoch has every picture once. Which captions is drawn anew, each as likely as the others;
    they are of like length, for less padding.

    Args:
        model: A captioner with `trained_from`.
        recipe: The recipe.
        captions: Those of each picture.
        activations: float16 `[pictures, 2, height, width, channels]`: what enters the first block
            that is trained, of the picture, and of it flipped.

    Returns:
        As `pair_batches`. The rows of a target are those of the first picture, then those of the
        next one, as `ImageCaptioner.encode` takes them.
    """
    each = recipe.captions_each
    flat = caption_ids(model, [caption for of in captions for caption in of])
    ids = [sorted((next(flat) for _ in of), key=len) for of in captions]
    may_flip = np.array([recipe.flips and all(map(flippable, of)) for of in captions])
    pictures = np.arange(len(captions), dtype=np.int32)

    def draw(rng: np.random.Generator, epoch: int) -> tuple:
        drawn = [neighbours(rng, len(of), each) for of in ids]
        columns = ([ids[n][rows[k]] for n, rows in enumerate(drawn)] for k in range(each))
        flipped = may_flip & (rng.random(len(ids)) < 0.5)
        return *columns, pictures, flipped.astype(np.int32)

    def finish(*columns: tf.Tensor) -> tuple[Any, ...]:
        *sequences, pictures, flipped = columns
        inputs = {"activations": _look_up(activations, pictures, flipped)}
        return model.training_batch(inputs, *_interleaved(sequences[::2], sequences[1::2]))

    def batches(epochs: range) -> tf.data.Dataset:
        size, seed = recipe.schedule.batch_size, recipe.seed
        return training_batches(draw, finish, size, seed, epochs, sequences=each, values=2)

    return batches


def _look_up(kept: np.ndarray, pictures: tf.Tensor, flipped: tf.Tensor) -> tf.Tensor:
    """float32 `[batch, ...]` of what is kept on the disk of each picture, or of it flipped."""
    found = tf.numpy_function(lambda *places: kept[places], [pictures, flipped], tf.float16)
    found.set_shape([None, *kept.shape[2:]])
    return tf.cast(found, tf.float32)


def neighbours(rng: np.random.Generator, count: int, each: int) -> np.ndarray:
    """Places of neighbours in a row of `count`, each place as likely as the others.

    Args:
        rng: Draws them.
        count: How many there are to choose from, at least 1.
        each: How many are wanted; if there are fewer, some come more than once.

    Returns:
        Int `[each]`, ascending.
    """
    if count < each:
        return np.sort(np.resize(rng.permutation(count), each))
    # Those that are too many for whole groups are left out, then one group is taken.
    kept = np.sort(rng.permutation(count)[: count // each * each])
    return kept.reshape(-1, each)[rng.integers(count // each)]


def caption_ids(model: Any, captions: Sequence[str]) -> Iterator[np.ndarray]:
    """The ids of each caption, int32 `[its words and the end]`, one after the other."""
    ids, lengths = (part.numpy() for part in model.encode_captions(tf.constant(captions)))
    return (row[:length] for row, length in zip(ids, lengths, strict=True))


def _interleaved(
    ids: Sequence[tf.Tensor], lengths: Sequence[tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Several ids for each row, `[batch, time]` each, as rows one after the other."""
    width = tf.reduce_max([tf.shape(of)[1] for of in ids])
    padded = [tf.pad(of, [[0, 0], [0, width - tf.shape(of)[1]]]) for of in ids]
    return tf.reshape(tf.stack(padded, axis=1), [-1, width]), tf.reshape(
        tf.stack(lengths, axis=1), [-1]
    )


def mean_of_places(features: np.ndarray) -> np.ndarray:
    """float16 `[pictures, 2, places, channels]` as one place each, in memory."""
    means = [of.astype(np.float32).mean(axis=-2, keepdims=True) for of in features]
    return np.stack(means).astype(np.float16)
