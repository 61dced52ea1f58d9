"""Versions of models: which are wanted, when they are loaded and unloaded, who has them."""
