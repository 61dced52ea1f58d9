"""PNG: size, colours and EXIF's orientation out of the chunks, transparent pixels over white."""

import tensorflow as tf

from zoo.pictures.exif import orientation
from zoo.pictures.header import Header, contains, cut_off, first_fault, is_at, number, size_faults

MAGIC = b"\x89PNG\r\n\x1a\n"
END = b"IEND\xaeB`\x82"
GREY, COLOUR = 0, 2  # the kinds without alpha or a palette; one colour may still be transparent
FIRST, MOST_CHUNKS = 8, 10_000  # where the chunks begin, and how many are looked at
BEFORE_PIXELS = 65_536  # where the chunk is that tells which


def header(data: tf.Tensor, max_pixels: int) -> Header:
    """Looks at a PNG before it is decoded.

    Args:
        data: uint8 `[bytes]`, which begin with `MAGIC`.
        max_pixels: How many pixels may be decoded.
    """
    width, height = number(data, 16, 4), number(data, 20, 4)
    fault = first_fault(
        (tf.size(data) < 33, cut_off("a PNG", data)),
        (~is_at(data, 12, b"IHDR"), "is a PNG with a damaged header. Save it anew"),
        *size_faults("a PNG", width, height, max_pixels),
        (~contains(data, END), cut_off("a PNG", data)),
    )
    exif = _exif(data)
    upright = tf.constant(1, tf.int32)
    turned = tf.cond(exif < 0, lambda: upright, lambda: orientation(data[tf.maximum(exif, 0) :]))
    return Header(fault, turned)


def decode(content: tf.Tensor) -> tf.Tensor:
    """The pixels, uint8 `[height, width, 3]`; of 16 bits a colour the upper 8 are taken."""
    data = tf.io.decode_raw(tf.strings.substr(content, 0, BEFORE_PIXELS), tf.uint8)
    kind = number(data, 25, 1)
    return tf.cond(
        ((kind == GREY) | (kind == COLOUR)) & ~contains(data, b"tRNS"),
        lambda: tf.io.decode_png(content, channels=3),
        lambda: over_white(tf.io.decode_png(content, channels=4)),
    )


def over_white(pixels: tf.Tensor) -> tf.Tensor:
    """Pixels with alpha, uint8 `[height, width, 4]`, as they look on a white page: `[..., 3]`."""
    colours, alpha = pixels[..., :3], pixels[..., 3:]

    def mixed() -> tf.Tensor:
        # 255 * 255 + 127 is a number of 16 bits still.
        share = tf.cast(alpha, tf.uint16)
        sum_ = tf.cast(colours, tf.uint16) * share + 255 * (255 - share)
        return tf.cast((sum_ + 127) // 255, tf.uint8)

    return tf.cond(tf.reduce_all(alpha == 255), lambda: colours, mixed)


def _exif(data: tf.Tensor) -> tf.Tensor:
    """Where EXIF's data are, int64 scalar; -1 if there are none."""
    size = tf.size(data, tf.int64)

    def goes_on(at: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
        return (found < 0) & (at + 12 <= size)

    def step(at: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # A chunk is its length, its name, its data and a checksum.
        found = tf.where(is_at(data, at + 4, b"eXIf"), at + 8, found)
        return at + 12 + number(data, at, 4), found

    start = tf.constant(FIRST, tf.int64), tf.constant(-1, tf.int64)
    return tf.while_loop(goes_on, step, start, maximum_iterations=MOST_CHUNKS)[1]
