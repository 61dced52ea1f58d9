"""tmp"""
import tensorflow as tf

PREPROCESSING = "JPEG INTEGER_ACCURATE; squashed: bilinear, antialias, rounded to uint8; 1"


def decode_pictures(contents: tf.Tensor, size: int) -> tf.Tensor:
    def one(content):
        pixels = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
        pixels = tf.image.resize(pixels, [size, size], antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8)
    return tf.map_fn(one, contents, fn_output_signature=tf.TensorSpec([size, size, 3], tf.uint8))
