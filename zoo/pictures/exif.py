"""EXIF: how a camera was held, out of the little TIFF that JPEG and PNG files carry."""

import tensorflow as tf

from zoo.pictures.header import is_at, number, padded

ENTRY = 12  # bytes of an entry of a directory
ORIENTATION_TAG = 0x0112


def orientation(tiff: tf.Tensor) -> tf.Tensor:
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
    turned = padded(told, 1)[0]
    return tf.where((turned >= 1) & (turned <= 8), turned, 1)
