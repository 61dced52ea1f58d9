"""Data sets, recipes, metrics and the command line `zoo-train`: how the presets came about."""

if __name__ == "training":  # at the top of a checkout: each class would be there twice
    raise ImportError("`training` is imported as `zoo.training`, and run as `zoo-train`")
