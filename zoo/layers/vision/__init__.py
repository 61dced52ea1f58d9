"""Image encoders: from pixels to a grid of features that a decoder can attend to."""

from zoo.layers.vision.efficientnet import EfficientNetLite

__all__ = ["EfficientNetLite"]
