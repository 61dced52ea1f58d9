"""Pictures as users have them to pixels: files, bytes and arrays in, decoded in the graph."""

from zoo.pictures.decoding import MAX_PIXELS, PREPROCESSING, decode_pictures
from zoo.pictures.reading import is_picture, read_pictures

__all__ = ["MAX_PIXELS", "PREPROCESSING", "decode_pictures", "is_picture", "read_pictures"]
