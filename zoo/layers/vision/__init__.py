"""Image encoders: from pixels to a grid of features that a decoder can attend to."""

from zoo.layers.vision.efficientnet import EfficientNetLite
from zoo.layers.vision.encoder import ImageEncoder
from zoo.layers.vision.googlenet import GoogLeNet

__all__ = ["EfficientNetLite", "GoogLeNet", "ImageEncoder"]
