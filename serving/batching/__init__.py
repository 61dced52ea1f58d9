"""Batching: requests that come at the same time run as one."""
