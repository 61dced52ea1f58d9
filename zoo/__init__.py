"""Recurrent networks to load by name, look into, fine-tune, export and serve.

>>> import zoo
>>> model = zoo.load("nmt_attention")
>>> model.translate(["A dog runs through the snow."])
"""

import importlib
from types import ModuleType

from zoo import data
from zoo.drawing import plot_attention
from zoo.presets import card, list_models, load, save
from zoo.registry import register

__version__ = "0.1.0"
__all__ = ["card", "data", "list_models", "load", "plot_attention", "register", "save"]


def __getattr__(name: str) -> ModuleType:
    """The rooms beside the library, imported at first use."""
    if name in ("export", "serving", "training"):
        return importlib.import_module(f"zoo.{name}")
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")
