"""What the formats' headers share: numbers out of bytes in the graph, and what is wrong."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf


class Header(NamedTuple):
    """What is known of a picture before it is decoded.

    Attributes:
        fault: String scalar: what is wrong, as "is a JPEG that ..."; empty if nothing is.
        orientation: int32 scalar, EXIF's 1 to 8; 1 is upright.
    """

    fault: tf.Tensor
    orientation: tf.Tensor


def number(data: tf.Tensor, at: tf.Tensor | int, count: int, big_endian: bool = True) -> tf.Tensor:
    """An unsigned number of `count` bytes.

    Args:
        data: uint8 `[bytes]`; what is beyond its end counts as zeros.
        at: Where it begins, int64 scalar, not negative.
        count: At most 4.
        big_endian: Whether the first byte counts most.

    Returns:
        int64 scalar.
    """
    at = tf.cast(at, tf.int64)
    digits = tf.cast(padded(data[at : at + count], count), tf.int64)
    weights = [256**place for place in range(count)]
    return tf.reduce_sum(digits * tf.constant(weights[::-1] if big_endian else weights, tf.int64))


def piece(content: tf.Tensor, start: tf.Tensor | int, length: tf.Tensor | int) -> tf.Tensor:
    """Some bytes of a string, which begin in it: string scalar."""
    return tf.strings.substr(content, tf.cast(start, tf.int64), tf.cast(length, tf.int64))


def padded(data: tf.Tensor, count: int) -> tf.Tensor:
    """The first `count` entries of `[n]`, and zeros if there are fewer."""
    data = tf.concat([data, tf.zeros([count], data.dtype)], axis=0)[:count]
    return tf.ensure_shape(data, [count])


def is_at(data: tf.Tensor, at: tf.Tensor | int, wanted: bytes) -> tf.Tensor:
    """Whether these bytes stand at a place: bool scalar."""
    at = tf.cast(at, tf.int64)
    found = data[at : at + len(wanted)]
    whole = tf.equal(tf.size(found), len(wanted))
    return whole & tf.reduce_all(padded(found, len(wanted)) == tf.constant(list(wanted), tf.uint8))


def contains(data: tf.Tensor, wanted: bytes, start: tf.Tensor | int = 0) -> tf.Tensor:
    """Whether these bytes stand anywhere from a place on: bool scalar."""
    data = data[tf.cast(start, tf.int64) :]
    places = tf.maximum(tf.size(data) - len(wanted) + 1, 0)
    found = tf.ones([places], tf.bool)
    for offset, byte in enumerate(wanted):
        found &= data[offset : places + offset] == byte
    return tf.reduce_any(found)


def first_fault(*faults: tuple[tf.Tensor, tf.Tensor | str]) -> tf.Tensor:
    """The text of the first fault whose condition holds: string scalar, empty if none does."""
    told = tf.constant("")
    for condition, text in reversed(faults):
        told = tf.where(condition, text, told)
    return told


def size_faults(
    what: str, width: tf.Tensor, height: tf.Tensor, max_pixels: int
) -> Sequence[tuple[tf.Tensor, tf.Tensor]]:
    """What is wrong with a picture's size, for `first_fault`.

    Args:
        what: The format, such as "a PNG".
        width: int64 scalar.
        height: int64 scalar.
        max_pixels: How many pixels may be decoded.
    """
    size = tf.strings.join([tf.as_string(width), " x ", tf.as_string(height), " pixels"])
    of_size = tf.strings.join([f"is {what} of ", size])
    limit = f": at most {max_pixels:,} pixels are decoded. Make it smaller first"
    return (
        ((width < 1) | (height < 1), tf.strings.join([of_size, ": there is nothing to see"])),
        # Divided, since the product of two numbers of 32 bits may be none of 64.
        (width > max_pixels // tf.maximum(height, 1), tf.strings.join([of_size, limit])),
    )


def cut_off(what: str, data: tf.Tensor) -> tf.Tensor:
    """The fault of a file whose end is missing: string scalar."""
    told = f"is {what} whose end is missing (", tf.as_string(tf.size(data)), " bytes)"
    return tf.strings.join([*told, ": send the whole file"])


def check_faults(faults: tf.Tensor, name: str) -> tf.Operation:
    """Refuses a batch of files if one has a fault, and tells of all of them.

    Args:
        faults: String `[batch]`: what is wrong with each, empty if nothing is.
        name: What the files are called.
    """
    wrong = tf.where(faults != "")[:, 0]
    named = tf.strings.join([f"{name}[", tf.as_string(wrong), "] ", tf.gather(faults, wrong)])
    counts = tf.strings.join([tf.as_string(tf.size(wrong)), " of ", tf.as_string(tf.size(faults))])
    told = tf.strings.join([tf.strings.reduce_join(named, separator="; "), " (", counts, ")"])
    return tf.debugging.Assert(tf.equal(tf.size(wrong), 0), [told])
