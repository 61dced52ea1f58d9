"""Weights of the types of entities in a tagger's loss.

The loss of a sentence is `-log p(y)` of all its tags together. By the chain rule that is a sum over
its tokens, which can be weighed one by one::

    -log p(y)  =  - sum_t log p(y_t | y_1 ... y_{t-1})          each given the tags before it
    loss       =  - sum_t w_t log p(y_t | y_1 ... y_{t-1})      w_t: the weight of token t's type

With all weights 1 it is the loss without weights. A token of no entity weighs 1, one of an entity
what its type does; a type of weight 0 trains nothing by its own tokens. The tags of a CRF are a
Markov chain, so that only the tag before matters (`zoo.layers.CRF.log_conditionals`); without a CRF
it is the cross-entropy of each tag.
"""

import collections
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from zoo.models.class_weights import balanced, class_weights


def type_weights(types: list[str], class_weight: object) -> tuple[float, ...]:
    """The weight of each of `types`; those left out weigh 1.

    Args:
        types: The model's types of entities.
        class_weight: A dict from types to finite weights of at least 0.

    Raises:
        TypeError: `class_weight` is no dict.
        ValueError: A type that is none, or a weight that is none.
    """
    if isinstance(class_weight, dict) and (unknown := class_weight.keys() - set(types)):
        raise ValueError(
            f"`class_weight` must name types of entities, of {types}: tags have no numbers that "
            f"anyone knows. Received: {sorted(unknown, key=str)}"
        )
    return tuple(class_weights(types, class_weight))


def balanced_type_weights(types: list[str], tags: tf.RaggedTensor) -> tuple[float, ...]:
    """Weights with which all types count alike: entities / (types * entities of one).

    Args:
        types: The model's types of entities.
        tags: Of the training data, string `[rows, (tokens)]`, in IOBES.

    Returns:
        The weight of each type; 1 of one that has no entity.
    """
    counts = collections.Counter(
        tag.decode()[2:] for tag in tags.flat_values.numpy().tolist() if tag[:2] in (b"B-", b"S-")
    )
    return tuple(balanced(np.array([counts[of] for of in types])).tolist())


def tag_weights(weights: Sequence[float], tags_of_a_type: int) -> tf.Tensor:
    """The weight of each tag, float32 `[tags]`: `O`, then those of each type."""
    flat = [weight for weight in weights for _ in range(tags_of_a_type)]
    return tf.constant([1.0, *flat], tf.float32)
