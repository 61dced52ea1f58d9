"""From tags of tokens to entities of texts, in the graph, and from there to Python."""

from typing import NamedTuple

import tensorflow as tf

from zoo.text.tags import PREFIXES, chunk_edges
from zoo.text.words import valid_utf8


class Entity(NamedTuple):
    """A named entity in a text.

    Attributes:
        text: the entity as it stands in the text.
        type: one of the model's `types`.
        start, end: its place in the text, in characters, `end` exclusive.
        score: the probability that these tokens are tagged as this entity: that of all tag
            sequences which have it, by the CRF's marginals.
    """

    text: str
    type: str
    start: int
    end: int
    score: float


def find_entities(texts, words, sentence_starts, ids, probabilities, types):
    """The entities of each text.

    Args:
        texts: string `[batch]`.
        words: their `Words`.
        sentence_starts: bool `[tokens]`, true where a sentence sentence_starts.
        ids: int32 `[tokens]`, tags of all tokens, places in `iobes_tags(types)`.
        probabilities: float32 `[tokens]` twice, what `CRF.path_probabilities` gave.
        types: list of strings.

    Returns:
        dict of `entities`, `types` (string), `starts`, `ends` (int32) and `scores`
        (float32), `[batch, entities]`, padded, and `counts` int32 `[batch]`.
    """
    starts, ends = chunk_edges(ids, sentence_starts)
    count = words.tokens.nrows()
    rows = tf.boolean_mask(words.tokens.value_rowids(), starts)
    first = tf.boolean_mask(words.starts.flat_values, starts)
    last = tf.boolean_mask(words.ends.flat_values, ends)
    kinds = (tf.boolean_mask(ids, starts) - 1) // len(PREFIXES)

    def dense(values, padding):
        return tf.RaggedTensor.from_value_rowids(values, rows, count).to_tensor(padding)

    return {
        "entities": dense(_substrings(texts, rows, first, last), ""),
        "types": dense(tf.gather(tf.constant(types), kinds), ""),
        "starts": dense(first, 0),
        "ends": dense(last, 0),
        "scores": dense(_scores(ids, starts, *probabilities), 0.0),
        "counts": tf.math.unsorted_segment_sum(tf.ones_like(first), rows, count),
    }


def entities_by_text(found):
    """What :func:`find_entities` gave, as arrays -> a list of :class:`Entity` for each text."""
    columns = [found[name] for name in ("entities", "types", "starts", "ends", "scores")]
    for row, count in enumerate(found["counts"]):
        values = (column[row, :count].tolist() for column in columns)
        yield [
            Entity(text.decode(), kind.decode(), *rest)
            for text, kind, *rest in zip(*values, strict=True)
        ]


def _scores(ids, starts, marginals, conditionals):
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


def _substrings(texts, rows, starts, ends):
    """`texts[row][start:end]` in characters, string `[n]`; linear in the texts' length."""
    characters = tf.strings.unicode_decode(valid_utf8(texts), "UTF-8")
    offsets = tf.cast(tf.gather(characters.row_starts(), rows), tf.int32)
    places = tf.ragged.range(starts + offsets, ends + offsets)
    return tf.strings.unicode_encode(tf.gather(characters.flat_values, places), "UTF-8")
