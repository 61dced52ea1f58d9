"""Recurrent networks to load by name, look into, fine-tune, export and serve.

>>> import zoo
>>> model = zoo.load("nmt_attention")
>>> model.translate(["A dog runs through the snow."])
"""

from zoo import data
from zoo.drawing import plot_attention
from zoo.presets import card, list_models, load, save
from zoo.registry import register

__version__ = "0.1.0"
__all__ = ["card", "data", "list_models", "load", "plot_attention", "register", "save"]
