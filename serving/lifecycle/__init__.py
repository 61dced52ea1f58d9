"""Versions of models: which are wanted, when they are loaded and unloaded, who has them."""

from zoo.serving import needed  # noqa: F401 (it says what is missing)
