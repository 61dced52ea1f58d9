"""GIF: its first frame, found in the graph, so that no more of an animation is ever decoded."""

from typing import NamedTuple

import tensorflow as tf

from zoo.pictures.header import Header, cut_off, first_fault, number, padded, piece, size_faults

MAGICS = (b"GIF87a", b"GIF89a")
EXTENSION, FRAME, TRANSPARENCY = 0x21, 0x2C, 0xF9
FULL = 255  # the size of all blocks of data but the last, as files are usually written
MAX_STEPS = 10_000


class _Walk(NamedTuple):
    """A place in the file, and what was found before it; int64 scalars, -1 for nothing."""

    at: tf.Tensor
    inside: tf.Tensor  # 0 between parts, 1 in the data of an extension, 2 in that of the frame
    clear: tf.Tensor  # the number of the transparent colour
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
    at_end = walk.at >= tf.size(data, tf.int64)
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
    alone = tf.strings.join(
        [
            piece(content, 0, walk.frame + 1),
            tf.constant(b"\0\0\0\0"),
            piece(content, walk.frame + 5, walk.end - walk.frame - 5),
            ";",
        ]
    )
    own_colours = _table_bytes(number(data, walk.frame + 9, 1))
    colours = tf.where(own_colours > 0, walk.frame + 10, 13)
    count = tf.where(own_colours > 0, own_colours, _table_bytes(number(data, 10, 1))) // 3
    place = colours + 3 * walk.clear

    def whitened() -> tf.Tensor:
        rest = piece(alone, place + 3, tf.size(data, tf.int64))
        return tf.strings.join([piece(alone, 0, place), tf.constant(b"\xff" * 3), rest])

    has_clear = (walk.clear >= 0) & (walk.clear < count)
    frames = tf.io.decode_gif(tf.cond(has_clear, whitened, lambda: alone))
    return tf.ensure_shape(frames[0], [None, None, 3])


def _walk(data: tf.Tensor) -> _Walk:
    """Goes from part to part, up to the end of the first frame or of the data."""
    size = tf.size(data, tf.int64)
    nothing = tf.constant(-1, tf.int64)

    def goes_on(*walk: tf.Tensor) -> tf.Tensor:
        at, *_, end = walk
        return (end < 0) & (at < size)

    def step(*walk: tf.Tensor) -> _Walk:
        here = _Walk(*walk)
        return tf.cond(here.inside > 0, lambda: _over_data(data, here), lambda: _part(data, here))

    start = 13 + _table_bytes(number(data, 10, 1))
    walk = _Walk(start, tf.constant(0, tf.int64), nothing, nothing, nothing)
    return _Walk(*tf.while_loop(goes_on, step, walk, maximum_iterations=MAX_STEPS))


def _part(data: tf.Tensor, walk: _Walk) -> _Walk:
    """At the beginning of an extension or of the frame; anything else ends the walk."""
    head = tf.cast(padded(data[walk.at : walk.at + 10], 10), tf.int64)
    extension, frame = head[0] == EXTENSION, head[0] == FRAME
    transparent = extension & (head[1] == TRANSPARENCY) & (head[3] % 2 == 1)
    # After its description a frame has its own colours, and the size of the codes.
    data_at = walk.at + tf.where(frame, 10 + _table_bytes(head[9]) + 1, 2)
    beyond = tf.size(data, tf.int64)
    known = extension | frame
    return _Walk(
        # Where the file stops making sense, the walk stops.
        tf.where(known, data_at, beyond),
        tf.where(frame, tf.constant(2, tf.int64), tf.constant(1, tf.int64)),
        tf.where(transparent, head[6], walk.clear),
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
        tf.where(last, tf.constant(0, tf.int64), walk.inside),
        walk.clear,
        walk.frame,
        tf.where(last & (walk.inside == 2), end, walk.end),
    )


def _table_bytes(flags: tf.Tensor) -> tf.Tensor:
    """The size of the table of colours that these flags announce; 0 for none."""
    sizes = tf.constant([3 * 2 ** (bits + 1) for bits in range(8)], tf.int64)
    return tf.where(flags >= 128, tf.gather(sizes, flags % 8), 0)
