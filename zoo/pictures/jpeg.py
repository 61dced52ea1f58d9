"""JPEG: a walk over the segments before the pixels, for the size and EXIF's orientation."""

import tensorflow as tf

from zoo.pictures.exif import orientation
from zoo.pictures.header import Header, contains, cut_off, first_fault, number, size_faults

MAGIC = b"\xff\xd8\xff"
MAX_SEGMENTS = 2000  # a sound file has some dozens
SCAN, APP1, END = 0xDA, 0xE1, 0xD9
# Frames: C0 baseline, C1 extended, C2 progressive are what libjpeg decodes.
FRAMES, DECODED = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}, 0xC2
# What a marker is followed by: most by a length of two bytes, 0xFF by the marker that it fills up.
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
LAST = frozenset({SCAN, END})
EXIF = b"Exif\0\0"


def header(data: tf.Tensor, max_pixels: int) -> Header:
    """Looks at a JPEG before it is decoded.

    Args:
        data: uint8 `[bytes]`, which begin with `MAGIC`.
        max_pixels: How many pixels may be decoded.
    """
    frame, exif, scan = _segments(data)
    end = tf.size(data, tf.int64)
    known = frame >= 0
    frame = tf.maximum(frame, 0)
    kind, bits = number(data, frame + 1, 1), number(data, frame + 4, 1)
    height, width = number(data, frame + 5, 2), number(data, frame + 7, 2)
    missing = ~contains(data, b"\xff\xd9", tf.where(scan < 0, end, scan))
    unusual = "is a JPEG of a kind that is not decoded (lossless, arithmetic or of 12 bits)"
    fault = first_fault(
        (~known & (scan < 0) & ~contains(data, b"\xff\xda"), cut_off("a JPEG", data)),
        (~known, "is a JPEG with a damaged header: no size is told. Save it anew"),
        ((kind > DECODED) | (bits != 8), f"{unusual}. Save it anew"),
        *size_faults("a JPEG", width, height, max_pixels),
        (missing, cut_off("a JPEG", data)),
    )
    upright = tf.constant(1, tf.int32)
    turned = tf.cond(exif < 0, lambda: upright, lambda: orientation(data[tf.maximum(exif, 0) :]))
    return Header(fault, turned)


def decode(content: tf.Tensor) -> tf.Tensor:
    """The pixels, uint8 `[height, width, 3]`; grey and CMYK become RGB."""
    # Chosen once and for all: the fast method gives other pixels, on other machines yet others.
    return tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")


def _segments(data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Where the frame's segment, EXIF's data and the first scan are; -1 where there is none."""
    size = tf.size(data)
    steps = tf.constant([1 if code == 0xFF else 2 for code in range(256)])
    lengths_count = tf.constant([int(code not in ALONE | {0xFF}) for code in range(256)])
    goes_on_after = tf.constant([code not in LAST for code in range(256)])

    def goes_on(at: tf.Tensor, segments: tf.TensorArray) -> tf.Tensor:
        return at + 4 <= size

    def step(at: tf.Tensor, segments: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        mark, code, high, low = tf.unstack(tf.cast(tf.slice(data, [at], [4]), tf.int32))
        length = tf.gather(lengths_count, code) * (256 * high + low)
        # Anything but a marker is damage, and ends the walk.
        on = (mark == 0xFF) & tf.gather(goes_on_after, code)
        segments = segments.write(segments.size(), at)
        return tf.where(on, at + tf.gather(steps, code) + length, size), segments

    segments = tf.TensorArray(tf.int32, 0, dynamic_size=True, element_shape=[])
    start = tf.constant(2), segments
    places = tf.while_loop(goes_on, step, start, maximum_iterations=MAX_SEGMENTS)[1].stack()
    codes = tf.cast(tf.gather(data, places + 1), tf.int32)
    names = places[:, None] + tf.range(4, 4 + len(EXIF))
    names = tf.gather(data, tf.minimum(names, size - 1))
    is_exif = tf.reduce_all(names == tf.constant(list(EXIF), tf.uint8), axis=1) & (codes == APP1)
    is_frame = tf.constant([code in FRAMES for code in range(256)])
    return (
        _first(places, tf.gather(is_frame, codes)),
        _first(places + 4 + len(EXIF), is_exif),
        _first(places, codes == SCAN),
    )


def _first(places: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """The first of some places where something holds, int64; -1 if it holds nowhere."""
    found = tf.concat([tf.boolean_mask(places, wanted), [-1]], axis=0)
    return tf.cast(found[0], tf.int64)
