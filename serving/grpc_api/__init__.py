"""The gRPC port and the services behind it."""

from zoo.serving import needed  # noqa: F401 (it says what is missing)
