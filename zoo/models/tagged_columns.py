"""Checks of raw data for taggers: lists of tokens and of their tags."""

import tensorflow as tf

from zoo.models.raw_data import check_column, check_texts
from zoo.text.tags import OUTSIDE, to_iobes


def check_tokens(tokens):
    """Lists of tokens, checked.

    Args:
        tokens: list of lists of strings, each a sentence, which may be empty.

    Returns:
        Ragged string tensor ``[rows, (tokens)]``.

    Raises:
        TypeError: not a list of lists of strings; the message names the entry.
        ValueError: an empty list.
    """
    rows = check_column("tokens", tokens, "lists of tokens")
    for row, sentence in enumerate(rows):
        _check_row("tokens", row, sentence)
    rows = [check_texts(f"tokens[{row}]", x) if len(x) else [] for row, x in enumerate(rows)]
    return _ragged(rows)


def check_tags(tags, lengths, types):
    """Lists of tags in any scheme, checked, as IOBES.

    Args:
        tags: list of lists of strings.
        lengths: list of ints, how many tags each row must have; rows beyond it are not looked at.
        types: the types of entities that the model has.

    Returns:
        Ragged string tensor ``[rows, (tokens)]``, as many rows as ``tags`` has.

    Raises:
        TypeError: not a list of lists.
        ValueError: an empty list, too many or few tags, or a tag of no scheme or of none of
            ``types``; the message names the entry.
    """
    rows = check_column("tags", tags, "lists of tags")
    checked = [[]] * len(rows)
    for row, (names, length) in enumerate(zip(rows, lengths, strict=False)):
        _check_row("tags", row, names)
        if len(names) != length:
            raise ValueError(
                f"`tags[{row}]` must have a tag for each of its {length} tokens. "
                f"Received: {len(names)} tags"
            )
        names = [_decoded(name) for name in names]
        try:
            checked[row] = to_iobes(names)
        except ValueError as error:
            raise ValueError(f"`tags[{row}]` is not in BIO, IOB1 or IOBES: {error}") from error
        for place, tag in enumerate(checked[row]):
            if tag != OUTSIDE and tag[2:] not in types:
                raise ValueError(
                    f"`tags` must be of the model's types, {', '.join(types)}. "
                    f"Received: tags[{row}][{place}]={names[place]!r}. "
                    "For other types: zoo.load(name, types=[...])"
                )
    return _ragged(checked)


def _check_row(name, row, value):
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        raise TypeError(
            f"`{name}` must hold lists, one for each sentence. Received: {name}[{row}]={value!r}"
        )


def _decoded(tag):
    """A tag as ``str``: data sets and arrays of TensorFlow hold ``bytes``."""
    tag = tag.numpy() if isinstance(tag, tf.Tensor) else tag
    return tag.decode("utf-8", "replace") if isinstance(tag, bytes) else tag


def _ragged(rows):
    flat = tf.constant([entry for row in rows for entry in row], tf.string)
    return tf.RaggedTensor.from_row_lengths(flat, [len(row) for row in rows])
