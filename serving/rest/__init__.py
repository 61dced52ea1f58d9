"""The REST port: paths, JSON bodies and replies."""

from zoo.serving import needed  # noqa: F401 (it says what is missing)
