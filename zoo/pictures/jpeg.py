"""JPEG: a walk over the segments before the pixels, for the size and EXIF's orientation."""

import tensorflow as tf

from zoo.pictures.header import (
    Header,
    contains,
    cut_off,
    first_fault,
    is_at,
    number,
    padded,
    size_faults,
)

MAGIC = b"\xff\xd8\xff"
MAX_SEGMENTS = 2000  # of a sound file there are some dozens
SCAN, APP1, END = 0xDA, 0xE1, 0xD9
# Frames: C0 baseline, C1 extended, C2 progressive are what libjpeg decodes.
FRAMES, DECODED = (
    [*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)],
    0xC2,
)
WITHOUT_LENGTH = [0x01, *range(0xD0, 0xD9)]
EXIF = b"Exif\0\0"
ORIENTATION_TAG, ENTRY = 0x0112, 12


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
    turned = tf.cond(exif < 0, lambda: upright, lambda: _orientation(data[tf.maximum(exif, 0) :]))
    return Header(fault, turned)


def decode(content: tf.Tensor) -> tf.Tensor:
    """The pixels, uint8 `[height, width, 3]`; grey and CMYK become RGB."""
    # Chosen once and for all: the fast method gives other pixels, on other machines yet others.
    return tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")


def _segments(data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Where the frame's segment, EXIF's data and the first scan are; -1 where there is none."""
    end = tf.size(data, tf.int64)
    nowhere = tf.constant(-1, tf.int64)

    def goes_on(at: tf.Tensor, frame: tf.Tensor, exif: tf.Tensor, scan: tf.Tensor) -> tf.Tensor:
        return (scan < 0) & (at + 4 <= end)

    def step(at: tf.Tensor, frame: tf.Tensor, exif: tf.Tensor, scan: tf.Tensor) -> tuple:
        head = tf.cast(padded(data[at : at + 10], 10), tf.int64)
        code, length = head[1], head[2] * 256 + head[3]
        is_exif = tf.reduce_all(head[4:] == tf.constant(list(EXIF), tf.int64)) & (code == APP1)
        frame = tf.where((frame < 0) & _one_of(code, FRAMES), at, frame)
        exif = tf.where((exif < 0) & is_exif, at + 10, exif)
        scan = tf.where(code == SCAN, at, scan)
        # 0xFF may be repeated before a marker; anything else there is damage, and ends the walk.
        length = tf.where(_one_of(code, WITHOUT_LENGTH), tf.constant(0, tf.int64), length)
        step = tf.where(code == 0xFF, tf.constant(1, tf.int64), 2 + length)
        return tf.where((head[0] == 0xFF) & (code != END), at + step, end), frame, exif, scan

    start = tf.constant(2, tf.int64), nowhere, nowhere, nowhere
    _, frame, exif, scan = tf.while_loop(goes_on, step, start, maximum_iterations=MAX_SEGMENTS)
    return frame, exif, scan


def _one_of(code: tf.Tensor, codes: list[int]) -> tf.Tensor:
    return tf.reduce_any(code == tf.constant(codes, tf.int64))


def _orientation(tiff: tf.Tensor) -> tf.Tensor:
    """EXIF's orientation, 1 to 8, out of its first directory; 1 if it tells none.

    Args:
        tiff: uint8 `[bytes]` from EXIF's byte order mark on.
    """
    little = is_at(tiff, 0, b"II")

    def value(at: tf.Tensor | int, count: int) -> tf.Tensor:
        return tf.where(little, number(tiff, at, count, False), number(tiff, at, count))

    directory = value(4, 4)
    first = directory + 2
    entries = tiff[first : first + value(directory, 2) * ENTRY]
    entries = entries[: tf.size(entries) // ENTRY * ENTRY]
    entries = tf.cast(tf.reshape(entries, [-1, ENTRY]), tf.int32)

    def short(column: int) -> tf.Tensor:
        low, high = entries[:, column], entries[:, column + 1]
        return tf.where(little, low + 256 * high, 256 * low + high)

    told = tf.boolean_mask(short(8), short(0) == ORIENTATION_TAG)
    orientation = padded(told, 1)[0]
    return tf.where((orientation >= 1) & (orientation <= 8), orientation, 1)
