"""Self-critical training of the captioners: what they say themselves, more or less of it.

Rennie et al. (2017), arXiv:1612.00563. Instead of the next word of a reference, the model learns
from captions that it draws itself: one that agrees with the references more than the other captions
drawn for the picture do (CIDEr-D, `zoo.training.metrics.consensus`) becomes likelier, one that
agrees less becomes rarer. To compare with the others, and not with a greedy search, is a variant of
Luo's (2020, arXiv:2003.09971).
"""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.decoding import sample
from zoo.models.losses import TokenCrossEntropy
from zoo.text.subwords import END_ID, START_ID
from zoo.training.metrics.consensus import Consensus
from zoo.training.recipes.show_and_tell_batches import Batches, Captions, caption_ids
from zoo.training.vision.features import flippable

MOST_DRAWN = 20  # words of a drawn caption; longer ones are cut, and lack the end in the reward


def rewarded_batches(model: Any, recipe: Any, captions: Captions, features: np.ndarray) -> Batches:
    """Batches of captions that the model draws as they are asked for, weighed by their reward.

    An epoch has every picture once, with `recipe.drawn_each` captions.

    Args:
        model: A captioner.
        recipe: The recipe.
        captions: Those of each picture.
        features: float16 `[pictures, 2, places, channels]`: of the picture, and of it flipped.

    Returns:
        A function of a range of epochs to their batches, for `zoo.training.loop.runs.train_model`.
        A word's weight is how much better or worse its caption is than the others of its picture.
    """
    each, size = recipe.drawn_each, recipe.schedule.batch_size
    ids = caption_ids(model, [caption for of in captions for caption in of])
    consensus = Consensus([[next(ids).tolist() for _ in of] for of in captions])
    may_flip = np.array([recipe.flips and all(map(flippable, of)) for of in captions])
    draw = drawing(model, features, each)

    def rows(epochs: range) -> Iterator[tuple[np.ndarray, ...]]:
        for epoch in epochs:
            rng = np.random.default_rng([recipe.seed, epoch])
            flipped = (may_flip & (rng.random(len(may_flip)) < 0.5)).astype(np.int32)
            order = rng.permutation(len(captions))
            for start in range(0, len(order), size):
                pictures = order[start : start + size]
                seen = features[pictures, flipped[pictures]].astype(np.float32)
                drawn, lengths = draw(seen, rng.integers(2**31))
                rewards = np.array(
                    [
                        consensus.score(picture, drawn[row, : lengths[row]].tolist())
                        for row, picture in enumerate(np.repeat(pictures, each))
                    ]
                )
                yield seen, drawn, lengths, advantages(rewards.reshape(-1, each)).ravel()

    def finish(
        seen: tf.Tensor, drawn: tf.Tensor, lengths: tf.Tensor, advantage: tf.Tensor
    ) -> tuple[Any, ...]:
        inputs, target, weights = model.training_batch({"features": seen}, drawn, lengths)
        return inputs, target, weights * advantage[:, tf.newaxis]

    signature = (
        tf.TensorSpec([None, None, features.shape[-1]], tf.float32),
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([None], tf.float32),
    )

    def batches(epochs: range) -> tf.data.Dataset:
        # Nothing is fetched ahead: captions are drawn by the model as the last step left it.
        data = tf.data.Dataset.from_generator(lambda: rows(epochs), output_signature=signature)
        return data.map(tf.autograph.experimental.do_not_convert(finish))

    return batches


def drawing(model: Any, features: np.ndarray, each: int) -> Any:
    """A function that draws captions.

    Args:
        model: A captioner.
        features: Of its pictures, for their shape.
        each: Captions for each picture.

    Returns:
        A function of features `[batch, places, channels]` and a seed to ids, int32 `[batch * each,
        time]` padded with 0, and lengths. A caption ends with the end id, if it is not cut.
    """

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, features.shape[-1]], tf.float32),
            tf.TensorSpec([], tf.int32),
        ],
        autograph=False,
    )
    def network(seen: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        memory = tf.nest.map_structure(
            lambda of: tf.repeat(of, each, axis=0), model.memory_of({"features": seen})
        )
        drawn = sample(
            model.make_step(memory),
            model.start_state(memory),
            tf.shape(seen)[0] * each,
            start_id=START_ID,
            end_id=END_ID,
            max_lengths=MOST_DRAWN,
            seed=seed,
        )
        lengths = drawn.lengths[:, 0]
        ends = tf.one_hot(lengths, MOST_DRAWN, END_ID, dtype=tf.int32)
        ids = tf.pad(drawn.ids[:, 0], [[0, 0], [0, MOST_DRAWN - tf.shape(drawn.ids)[2]]]) + ends
        lengths = tf.minimum(lengths + 1, MOST_DRAWN)
        return ids[:, : tf.reduce_max(lengths)], lengths

    def draw(seen: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        ids, lengths = network(tf.constant(seen), tf.constant(seed, tf.int32))
        return ids.numpy(), lengths.numpy()

    return draw


def advantages(rewards: np.ndarray) -> np.ndarray:
    """How much better each caption of a picture is than the mean of the others.

    Args:
        rewards: Float `[pictures, captions]`, of two captions or more.

    Returns:
        float32, of the same shape; each row sums to 0.

    Example:
        >>> advantages(np.array([[3.0, 1.0]]))
        array([[ 2., -2.]], dtype=float32)
    """
    count = rewards.shape[1]
    others = (rewards.sum(axis=1, keepdims=True) - rewards) / (count - 1)
    return (rewards - others).astype(np.float32)


def policy_loss() -> keras.losses.Loss:
    """`-advantage * log p(word)`, the mean over all words.

    The advantages, which are the weights, sum to 0: they are not what the sum is divided by.
    """
    loss = TokenCrossEntropy()
    loss.reduction = "sum_over_batch_size"
    return loss
