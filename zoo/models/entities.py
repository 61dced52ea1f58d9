"""From tags of tokens to entities of texts, in the graph, and from there to Python."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from zoo.text.tags import PREFIXES, chunk_edges
from zoo.text.words import Words, substrings, true_places


class Entity(NamedTuple):
    """A named entity in a text.

    Attributes:
        text: The entity as it stands in the text.
        type: One of the model's `types`.
        start, end: Its place in the text, in characters, `end` exclusive.
        score: The probability that these tokens are tagged as this entity: that of all tag
            sequences which have it, by the CRF's marginals.
    """

    text: str
    type: str
    start: int
    end: int
    score: float


class Entities(list):
    """The entities of one text: a list of `Entity`, which a notebook shows in the text.

    Args:
        entities: In the order of the text.
        text: What was tagged.
    """

    def __init__(self, entities: Iterable[Entity] = (), text: str = "") -> None:
        super().__init__(entities)
        self.text = text

    def _repr_html_(self) -> str:
        from zoo.drawing.fragments import entities_fragment

        return entities_fragment(self.text, self)


def find_entities(
    texts: tf.Tensor,
    words: Words,
    sentence_starts: tf.Tensor,
    ids: tf.Tensor,
    probabilities: Sequence[tf.Tensor],
    types: list[str],
) -> dict[str, tf.Tensor]:
    """The entities of each text, in the graph.

    Args:
        texts: String `[batch]`.
        words: Their `Words`.
        sentence_starts: bool `[tokens]`, true where a sentence starts.
        ids: int32 `[tokens]`, tags of all tokens, places in `iobes_tags(types)`.
        probabilities: float32 `[tokens]` twice, what `CRF.path_probabilities` gave.
        types: The names that `ids` are of.

    Returns:
        Dict of `entities`, `types` (string), `starts`, `ends` (int32) and `scores`
        (float32), `[batch, entities]`, padded, and `counts` int32 `[batch]`.
    """
    starts, ends = chunk_edges(ids, sentence_starts)
    count = words.tokens.nrows()
    at = true_places(starts)
    rows = tf.gather(words.tokens.value_rowids(), at)
    first = tf.gather(words.starts.flat_values, at)
    last = tf.gather(words.ends.flat_values, true_places(ends))
    kinds = (tf.gather(ids, at) - 1) // len(PREFIXES)
    by_text = tf.RaggedTensor.from_value_rowids(first, rows, count, validate=False)

    def dense(values: tf.Tensor, padding: object) -> tf.Tensor:
        return by_text.with_values(values).to_tensor(padding)

    return {
        "entities": dense(substrings(texts, rows, first, last), ""),
        "types": dense(tf.gather(tf.constant(types), kinds), ""),
        "starts": dense(first, 0),
        "ends": dense(last, 0),
        "scores": dense(_scores(ids, starts, *probabilities), 0.0),
        "counts": tf.math.unsorted_segment_sum(tf.ones_like(first), rows, count),
    }


def token_outputs(words: Words, tags: tf.Tensor) -> dict[str, tf.Tensor]:
    """The tokens of each text, their tags (string `[tokens]`) and offsets, padded."""
    return {
        "tokens": words.tokens.to_tensor(""),
        "tags": words.tokens.with_values(tags).to_tensor(""),
        "starts": words.starts.to_tensor(0),
        "ends": words.ends.to_tensor(0),
        "lengths": tf.cast(words.tokens.row_lengths(), tf.int32),
    }


def entities_by_text(texts: Sequence[bytes], found: dict[str, np.ndarray]) -> Iterator[Entities]:
    """The entities of each of the texts, of what `find_entities` gave, as arrays."""
    columns = [found[name] for name in ("entities", "types", "starts", "ends", "scores")]
    for row, (given, count) in enumerate(zip(texts, found["counts"], strict=True)):
        values = (column[row, :count].tolist() for column in columns)
        entities = (
            Entity(text.decode(), kind.decode(), *rest)
            for text, kind, *rest in zip(*values, strict=True)
        )
        yield Entities(entities, given.decode("utf-8", "replace"))


def _scores(
    ids: tf.Tensor, starts: tf.Tensor, marginals: tf.Tensor, conditionals: tf.Tensor
) -> tf.Tensor:
    """The probability of each entity, float32 `[entities]`.

    The tags of a CRF are a Markov chain: the probability of a stretch of them is that of the first
    times that of each other given the one before.
    """
    parts = tf.math.log(tf.where(starts, marginals, conditionals))
    number = tf.cumsum(tf.cast(starts, tf.int32)) - 1
    inside = ids > 0
    return tf.exp(
        tf.math.segment_sum(tf.boolean_mask(parts, inside), tf.boolean_mask(number, inside))
    )
