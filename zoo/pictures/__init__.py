"""Pictures as users have them to pixels: files, bytes and arrays in, one graph that decodes them."""

from zoo.pictures.decoding import PREPROCESSING, decode_pictures

__all__ = ["PREPROCESSING", "decode_pictures"]
