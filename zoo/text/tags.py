"""Tag schemes of chunks: IOB1, BIO (IOB2) and IOBES, on Python lists and in the graph.

Ratinov and Roth (2009), "Design Challenges and Misconceptions in Named Entity Recognition",
section 3.2. A chunk of three, one of one, and two that touch:

    tokens   European  Space  Agency  in  Paris  Rome  Oslo
    IOB1     I-ORG     I-ORG  I-ORG   O   I-LOC  B-LOC B-LOC
    BIO      B-ORG     I-ORG  I-ORG   O   B-LOC  B-LOC B-LOC
    IOBES    B-ORG     I-ORG  E-ORG   O   S-LOC  S-LOC S-LOC
"""

from typing import Any

import numpy as np
import tensorflow as tf

OUTSIDE = "O"
PREFIXES = "BIES"


def chunks(tags: list[str]) -> list[tuple[str, int, int]]:
    """The chunks of a tag sequence in any of the three schemes.

    One rule reads them all: a chunk starts at `B` and `S`, and at an `I` or `E` that has no
    open chunk of its type before it; it is closed by `E`, `S`, and by whatever does not go on.

    Args:
        tags: List of strings such as `"B-PER"` or `"O"`.

    Returns:
        List of `(type, start, end)`, positions in `tags`, end exclusive, in order.

    Raises:
        ValueError: An entry is no tag of the schemes; the message names its place.

    Example:
        >>> chunks(["I-PER", "I-PER", "O", "S-LOC"])
        [('PER', 0, 2), ('LOC', 3, 4)]
    """
    found = []
    open_type = None
    for place, tag in enumerate(tags):
        prefix, kind = split_tag(tag, place)
        if prefix in ("I", "E") and kind == open_type:
            found[-1] = (kind, found[-1][1], place + 1)
        elif prefix != OUTSIDE:
            found.append((kind, place, place + 1))
        open_type = kind if prefix in ("B", "I") else None
    return found


def to_bio(tags: list[str]) -> list[str]:
    """`tags` of any scheme in BIO. Raises as `chunks` does."""
    result = [OUTSIDE] * len(tags)
    for kind, start, end in chunks(tags):
        result[start:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - start - 1)
    return result


def to_iobes(tags: list[str]) -> list[str]:
    """`tags` of any scheme in IOBES. Raises as `chunks` does."""
    result = [OUTSIDE] * len(tags)
    for kind, start, end in chunks(tags):
        inside = [f"I-{kind}"] * (end - start - 2)
        result[start:end] = (
            [f"S-{kind}"] if end - start == 1 else [f"B-{kind}", *inside, f"E-{kind}"]
        )
    return result


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


def split_tag(tag: Any, place: int | None = None) -> tuple[str, str | None]:
    """`"B-PER"` -> `("B", "PER")`, `"O"` -> `("O", None)`.

    Raises:
        ValueError: Not such a tag; the message says at which `place`.
    """
    if tag == OUTSIDE:
        return OUTSIDE, None
    if isinstance(tag, str) and len(tag) > 2 and tag[0] in PREFIXES and tag[1] == "-":
        return tag[0], tag[2:]
    where = "" if place is None else f" at position {place}"
    raise ValueError(
        f"`tags` must hold 'O' or one of {', '.join(PREFIXES)} with a type, such as 'B-PER'. "
        f"Received: {tag!r}{where}"
    )


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
    starts, ends = chunk_edges(ids, sentence_starts)
    begin, inner, end, single = map(PREFIXES.index, "BIES")
    place = tf.where(starts, tf.where(ends, single, begin), tf.where(ends, end, inner))
    return tf.where(ids > 0, ids - (ids - 1) % len(PREFIXES) + place, 0)
