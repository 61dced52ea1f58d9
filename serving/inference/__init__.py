"""One loaded SavedModel, and the requests that run it, as messages and arrays."""
