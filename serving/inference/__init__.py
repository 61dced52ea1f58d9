"""One loaded SavedModel, and the requests that run it, as messages and arrays."""

from zoo.serving import needed  # noqa: F401 (it says what is missing)
