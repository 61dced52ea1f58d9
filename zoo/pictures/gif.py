"""GIF: its first frame, found in the graph, so that no more of an animation is ever decoded."""

from typing import NamedTuple

import tensorflow as tf

from zoo.pictures.header import Header, cut_off, first_fault, number, padded, piece, size_faults

MAGICS = (b"GIF87a", b"GIF89a")
EXTENSION, FRAME, TRANSPARENCY = 0x21, 0x2C, 0xF9
BETWEEN, IN_EXTENSION, IN_FRAME, LOST = range(4)
WHITE = b"\xff" * 3
FULL = 255  # the size of all blocks of data but the last, as files are usually written
MAX_STEPS = 10_000


class _Walk(NamedTuple):
    """A place in the file, and what was found before it; int64 scalars, -1 for nothing."""

    at: tf.Tensor
    inside: tf.Tensor  # BETWEEN parts, or in the data of one
    clear: tf.Tensor  # where the extension is that tells of a transparent colour
    frame: tf.Tensor  # where the frame's description is
    end: tf.Tensor  # where the frame's data end


def header(data: tf.Tensor, max_pixels: int) -> Header:
    """Looks at a GIF before it is decoded.

    Args:
        data: uint8 `[bytes]`, which begin with one of `MAGICS`.
        max_pixels: How many pixels may be decoded.
    """
    walk = _walk(data)
    frame = tf.maximum(walk.frame, 0)
    width, height = number(data, frame + 5, 2, False), number(data, frame + 7, 2, False)
    at_end = (walk.at >= tf.size(data, tf.int64)) & (walk.inside != LOST)
    fault = first_fault(
        ((walk.frame < 0) & at_end, cut_off("a GIF", data)),
        (walk.frame < 0, "is a GIF without a picture. Save it anew"),
        *size_faults("a GIF", width, height, max_pixels),
        ((walk.end < 0) & at_end, cut_off("a GIF", data)),
        (walk.end < 0, f"is a GIF of more than {MAX_STEPS:,} blocks. Save it as PNG"),
    )
    return Header(fault, tf.constant(1, tf.int32))


def decode(content: tf.Tensor) -> tf.Tensor:
    """The first frame's pixels, uint8 `[height, width, 3]`; what is transparent becomes white."""
    data = tf.io.decode_raw(content, tf.uint8)
    walk = _walk(data)
    # Its place on the canvas is left out: the frame is all that there is.
    alone = tf.strings.join([piece(content, 0, walk.end), ";"])
    alone = _replaced(alone, walk.frame + 1, b"\0" * 4)
    alone = tf.cond(walk.clear >= 0, lambda: _whitened(alone, data, walk), lambda: alone)
    return tf.ensure_shape(tf.io.decode_gif(alone)[0], [None, None, 3])


def _whitened(content: tf.Tensor, data: tf.Tensor, walk: _Walk) -> tf.Tensor:
    """The content with white in place of the transparent colour, which is not transparent then."""
    own_colours = _table_bytes(number(data, walk.frame + 9, 1))
    shared_colours = _table_bytes(number(data, 10, 1))
    at = tf.where(own_colours > 0, walk.frame + 10, 13)
    size = tf.where(own_colours > 0, own_colours, shared_colours)
    offset = 3 * number(data, walk.clear + 6, 1)
    content = _replaced(content, walk.clear + 3, b"\0")
    return tf.cond(offset < size, lambda: _replaced(content, at + offset, WHITE), lambda: content)


def _replaced(content: tf.Tensor, at: tf.Tensor, by: bytes) -> tf.Tensor:
    rest = at + len(by)
    parts = piece(content, 0, at), by, piece(content, rest, tf.strings.length(content))
    return tf.strings.join(parts)


def _walk(data: tf.Tensor) -> _Walk:
    """Goes from part to part, up to the end of the first frame or of the data."""
    size = tf.size(data, tf.int64)
    nothing = tf.constant(-1, tf.int64)

    def goes_on(*walk: tf.Tensor) -> tf.Tensor:
        here = _Walk(*walk)
        return (here.end < 0) & (here.at < size) & (here.inside != LOST)

    def step(*walk: tf.Tensor) -> _Walk:
        here = _Walk(*walk)
        return tf.cond(
            here.inside == BETWEEN, lambda: _part(data, here), lambda: _over_data(data, here)
        )

    start = 13 + _table_bytes(number(data, 10, 1))
    walk = _Walk(start, tf.constant(BETWEEN, tf.int64), nothing, nothing, nothing)
    return _Walk(*tf.while_loop(goes_on, step, walk, maximum_iterations=MAX_STEPS))


def _part(data: tf.Tensor, walk: _Walk) -> _Walk:
    """At the beginning of an extension or of the frame; at anything else the walk is lost."""
    head = tf.cast(padded(data[walk.at : walk.at + 10], 10), tf.int64)
    extension, frame = head[0] == EXTENSION, head[0] == FRAME
    transparent = extension & (head[1] == TRANSPARENCY) & (head[3] % 2 == 1)
    # After its description a frame has its own colours, and the size of the codes.
    data_at = walk.at + tf.where(frame, 10 + _table_bytes(head[9]) + 1, 2)
    inside = tf.where(extension, tf.constant(IN_EXTENSION, tf.int64), LOST)
    return _Walk(
        data_at,
        tf.where(frame, tf.constant(IN_FRAME, tf.int64), inside),
        tf.where(transparent, walk.at, walk.clear),
        tf.where(frame, walk.at, walk.frame),
        walk.end,
    )


def _over_data(data: tf.Tensor, walk: _Walk) -> _Walk:
    """Over blocks of data, each with its size before it; one of size 0 is the last."""
    # A run of full blocks is taken in one step.
    sizes = data[walk.at :: FULL + 1]
    full = tf.cast(tf.math.cumprod(tf.cast(sizes == FULL, tf.int32)), tf.int64)
    at = walk.at + (FULL + 1) * tf.reduce_sum(full)
    size = number(data, at, 1)
    last = (size == 0) & (at < tf.size(data, tf.int64))
    end = at + size + 1
    return _Walk(
        end,
        tf.where(last, tf.constant(BETWEEN, tf.int64), walk.inside),
        walk.clear,
        walk.frame,
        tf.where(last & (walk.inside == IN_FRAME), end, walk.end),
    )


def _table_bytes(flags: tf.Tensor) -> tf.Tensor:
    """The size of the table of colours that these flags announce; 0 for none."""
    sizes = tf.constant([3 * 2 ** (bits + 1) for bits in range(8)], tf.int64)
    return tf.where(flags >= 128, tf.gather(sizes, flags % 8), 0)
