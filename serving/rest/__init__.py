"""The REST port: paths, JSON bodies and replies."""

from serving import needed  # noqa: F401 (it says what is missing)
