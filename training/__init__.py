"""Data sets, recipes, metrics and the command line `zoo-train`: how the presets came about."""
