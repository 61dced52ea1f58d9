"""BMP without compression, of 8 bits (with a palette), 24 or 32."""

import tensorflow as tf

from zoo.pictures.header import Header, cut_off, first_fault, number, size_faults

MAGIC = b"BM"
DEPTHS = (8, 24, 32)
BIT_FIELDS = 3  # no compression either: 32 bits whose order is told, and is the usual one
OLD_HEADER = 12  # OS/2's, with sizes of 16 bits


def header(data: tf.Tensor, max_pixels: int) -> Header:
    """Looks at a BMP before it is decoded.

    Args:
        data: uint8 `[bytes]`, which begin with `MAGIC`.
        max_pixels: How many pixels may be decoded.
    """
    offset, width, height, depth = _layout(data)
    compression = number(data, 30, 4, False)
    plain = (compression == 0) | ((compression == BIT_FIELDS) & (depth == 32))
    known = tf.reduce_any(depth == tf.constant(DEPTHS, tf.int64))
    kind = tf.strings.join(["is a BMP of ", tf.as_string(depth), " bits a pixel or compressed"])
    whole = offset + _row_bytes(width, depth) * tf.abs(height)
    fault = first_fault(
        (tf.size(data) < 54, cut_off("a BMP", data)),
        *size_faults("a BMP", width, tf.abs(height), max_pixels),
        (
            ~known | ~plain | (number(data, 14, 4, False) == OLD_HEADER),
            tf.strings.join([kind, ", which is not decoded. Save it as PNG"]),
        ),
        (tf.size(data, tf.int64) < whole, cut_off("a BMP", data)),
    )
    return Header(fault, tf.constant(1, tf.int32))


def decode(content: tf.Tensor) -> tf.Tensor:
    """The pixels, uint8 `[height, width, 3]`; a fourth byte, which rarely is alpha, is left out.

    `tf.io.decode_bmp` takes a palette's numbers for grey, and no file with a byte after the pixels.
    """
    data = tf.io.decode_raw(content, tf.uint8)
    offset, width, height, depth = _layout(data)
    stride = _row_bytes(width, depth)
    rows = tf.reshape(data[offset : offset + stride * tf.abs(height)], [-1, stride])
    pixels = tf.reshape(rows[:, : width * depth // 8], [-1, width, depth // 8])
    blue_first = tf.cond(depth == 8, lambda: _coloured(data, pixels), lambda: pixels[..., :3])
    colours = tf.ensure_shape(tf.reverse(blue_first, [2]), [None, None, 3])
    # A positive height says that the lowest row comes first.
    return tf.cond(height > 0, lambda: tf.reverse(colours, [0]), lambda: colours)


def _layout(data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Where the pixels begin, width, height (signed) and bits a pixel."""
    height = number(data, 22, 4, False)
    height = tf.where(height >= 2**31, height - 2**32, height)
    return (
        number(data, 10, 4, False),
        number(data, 18, 4, False),
        height,
        number(data, 28, 2, False),
    )


def _row_bytes(width: tf.Tensor, depth: tf.Tensor) -> tf.Tensor:
    """Rows are filled up to whole numbers of 4 bytes."""
    return (width * depth + 31) // 32 * 4


def _coloured(data: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """The palette's colours for its numbers, blue first."""
    start = 14 + number(data, 14, 4, False)
    palette = data[start : start + 256 * 4]
    palette = tf.concat([palette, tf.zeros([256 * 4], tf.uint8)], axis=0)[: 256 * 4]
    palette = tf.reshape(palette, [256, 4])[:, :3]
    return tf.gather(palette, tf.cast(numbers[..., 0], tf.int32))
