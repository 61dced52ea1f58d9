"""Tags as a network has them: IOBES by number, its transitions, and chunks in the graph.

What the schemes are stands at `zoo.data.tag_schemes`, which reads them on Python lists.
"""

import numpy as np
import tensorflow as tf

from zoo.data.tag_schemes import OUTSIDE, PREFIXES, chunks, split_tag, to_bio, to_iobes

__all__ = [
    "OUTSIDE",
    "PREFIXES",
    "chunk_edges",
    "chunks",
    "iobes_ids",
    "iobes_places",
    "iobes_tags",
    "iobes_transitions",
    "split_tag",
    "to_bio",
    "to_iobes",
]


def iobes_tags(types: list[str]) -> list[str]:
    """All tags of IOBES for a list of types: `O` first, then `B I E S` of each type."""
    return [OUTSIDE, *(f"{prefix}-{kind}" for kind in types for prefix in PREFIXES)]


def iobes_transitions(types: list[str]) -> np.ndarray:
    """Which tag may follow which in IOBES: the `allowed` of `zoo.layers.CRF`.

    `O`, `E` and `S` leave no chunk open; the sequence may end there, and `O`, `B` and
    `S` follow, as they do at the start. `B` and `I` leave one open, which only `I` and
    `E` of the same type carry on.

    Args:
        types: List of strings.

    Returns:
        `[N + 1, N + 1]` bool over `iobes_tags`; last row the start, last column the end.
    """
    edge = (OUTSIDE, None)
    tags = [*map(split_tag, iobes_tags(types)), edge]
    allowed = np.zeros([len(tags)] * 2, bool)
    for i, (prefix, kind) in enumerate(tags):
        for j, (next_prefix, next_kind) in enumerate(tags):
            carries_on = next_prefix in ("I", "E")
            is_open = prefix in ("B", "I")
            allowed[i, j] = carries_on == is_open and (not is_open or kind == next_kind)
    return allowed


def chunk_edges(ids: tf.Tensor, sentence_starts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where chunks start and end, in the graph; the rule is that of `chunks`.

    Args:
        ids: `[tokens]` int32, places in `iobes_tags`, the rows one behind the other.
        sentence_starts: `[tokens]` bool, true at the first token of a row.

    Returns:
        `(starts, ends)`: `[tokens]` bool, true at the first and at the last token of a chunk.
        Both are true equally often: the first start belongs to the first end, and so on.
    """
    inside = ids > 0
    kind = (ids - 1) // len(PREFIXES)
    prefix = (ids - 1) % len(PREFIXES)

    def has(letters: str) -> tf.Tensor:
        return tf.reduce_any([prefix == PREFIXES.index(letter) for letter in letters], axis=0)

    open_kind = tf.where(inside & has("BI"), kind, -1)
    open_before = tf.where(sentence_starts, -1, tf.concat([[-1], open_kind], 0)[:-1])
    carries_on = inside & has("IE") & (kind == open_before)
    next_carries_on = tf.concat([carries_on[1:], [False]], 0)[: tf.size(ids)]
    return inside & ~carries_on, inside & ~next_carries_on


def iobes_ids(ids: tf.Tensor, sentence_starts: tf.Tensor) -> tf.Tensor:
    """Tags of any scheme in IOBES, in the graph: arguments as for `chunk_edges`."""
    return iobes_places(ids, *chunk_edges(ids, sentence_starts))


def iobes_places(ids: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """Tags of given types as IOBES has them at the first and last tokens of chunks.

    Args:
        ids: `[tokens]` int32, places in `iobes_tags`; what they say of the chunk is not read.
        starts: `[tokens]` bool, true at the first token of a chunk.
        ends: `[tokens]` bool, true at the last one.

    Returns:
        `[tokens]` int32.
    """
    begin, inner, end, single = map(PREFIXES.index, "BIES")
    place = tf.where(starts, tf.where(ends, single, begin), tf.where(ends, end, inner))
    return tf.where(ids > 0, ids - (ids - 1) % len(PREFIXES) + place, 0)
