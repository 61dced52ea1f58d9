"""The gRPC port and the services behind it."""
