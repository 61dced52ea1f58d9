"""What makes a corpus the published one: its SHA-256."""

import hashlib


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def check_published(received: str, expected: str, what: str, home: str) -> None:
    """Refuses data that is not the published one.

    Args:
        received: The SHA-256 of what was read.
        expected: The SHA-256 of what was published.
        what: What was read and how much of it, such as "dev.tsv (872 texts)", for the message.
        home: Where the corpus is published, for the message.

    Raises:
        ValueError: They differ.
    """
    if received != expected:
        raise ValueError(
            f"{what} is not the published corpus, whose content has SHA-256 {expected}. "
            f"Received: {received}. Take the corpus from {home}"
        )
