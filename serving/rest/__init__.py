"""The REST port: paths, JSON bodies and replies."""
