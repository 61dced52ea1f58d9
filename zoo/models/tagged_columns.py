"""The raw columns of taggers: lists of tokens, and of their tags."""

import functools

import tensorflow as tf

from zoo.models.checks import check_column, check_texts
from zoo.models.columns import Column
from zoo.text.tags import OUTSIDE, to_iobes


def tagged_columns(types: list[str]) -> tuple[Column, Column]:
    """The columns `tokens` and `tags` of a tagger of these types of entities."""
    read_tags = functools.partial(_read_tags, types)
    return (
        Column("tokens", tf.string, (None,), read_tokens),
        Column("tags", tf.string, (None,), read_tags),
    )


def read_tokens(name: str, tokens: object) -> tf.RaggedTensor:
    """Lists of tokens, checked.

    Args:
        name: The argument's name, for the message.
        tokens: List of lists of strings, each a sentence, which may be empty.

    Returns:
        String `[rows, (tokens)]`.

    Raises:
        TypeError: Not a list of lists of strings; the message names the entry.
        ValueError: An empty list.
    """
    rows = _rows(name, tokens)
    for row, sentence in enumerate(rows):
        _check_row(name, row, sentence)
    return _ragged([check_texts(f"{name}[{i}]", x) if len(x) else [] for i, x in enumerate(rows)])


def _read_tags(types: list[str], name: str, tags: object) -> tf.RaggedTensor:
    """Lists of tags in any scheme, checked, as IOBES: string `[rows, (tokens)]`.

    Raises:
        TypeError: Not a list of lists.
        ValueError: An empty list, or a tag of no scheme or of none of `types`; the message names
            the entry.
    """
    rows = _rows(name, tags)
    checked = []
    for row, names in enumerate(rows):
        _check_row(name, row, names)
        names = [_decoded(tag) for tag in names]
        try:
            checked.append(to_iobes(names))
        except ValueError as error:
            raise ValueError(f"`{name}[{row}]` is not in BIO, IOB1 or IOBES: {error}") from error
        for place, tag in enumerate(checked[row]):
            if tag != OUTSIDE and tag[2:] not in types:
                raise ValueError(
                    f"`{name}` must be of the model's types, {', '.join(types)}. "
                    f"Received: {name}[{row}][{place}]={names[place]!r}. "
                    "For other types: zoo.load(name, types=[...])"
                )
    return _ragged(checked)


def check_lengths(tokens: tf.RaggedTensor, tags: tf.RaggedTensor) -> None:
    """Raises ValueError for a row that has not a tag for each of its tokens."""
    pairs = zip(tokens.row_lengths().numpy(), tags.row_lengths().numpy(), strict=False)
    for row, (length, given) in enumerate(pairs):
        if given != length:
            raise ValueError(
                f"`tags[{row}]` must have a tag for each of its {length} tokens. "
                f"Received: {given} tags"
            )


def checked_types(types: list[str] | tuple[str, ...]) -> list[str]:
    """The types of entities as a list; raises TypeError or ValueError if they are none."""
    if isinstance(types, str | bytes) or not all(isinstance(x, str) and x for x in types):
        raise TypeError(f"`types` must be a list of strings. Received: types={types!r}")
    if not types or len(set(types)) < len(types):
        raise ValueError(f"`types` must be different strings. Received: types={types!r}")
    return list(types)


def _rows(name: str, sentences: object) -> list:
    """Sentences as a list; arrays of sentences that are equally long have two dimensions."""
    if getattr(sentences, "ndim", 1) == 2 and not isinstance(sentences, tf.RaggedTensor):
        sentences = list(sentences)
    return check_column(name, sentences, f"lists of {name}")


def _check_row(name: str, row: int, value: object) -> None:
    if isinstance(value, str | bytes) or not hasattr(value, "__len__"):
        raise TypeError(
            f"`{name}` must hold lists, one for each sentence. Received: {name}[{row}]={value!r}"
        )


def _decoded(tag: object) -> object:
    """A tag as `str`: data sets and arrays of TensorFlow hold `bytes`."""
    tag = tag.numpy() if isinstance(tag, tf.Tensor) else tag
    return tag.decode("utf-8", "replace") if isinstance(tag, bytes) else tag


def _ragged(rows: list[list]) -> tf.RaggedTensor:
    flat = tf.constant([entry for row in rows for entry in row], tf.string)
    return tf.RaggedTensor.from_row_lengths(flat, [len(row) for row in rows])
