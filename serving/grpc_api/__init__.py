"""The gRPC port and the services behind it."""

from serving import needed  # noqa: F401 (it says what is missing)
