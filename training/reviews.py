"""What IMDB and SST-2 share: texts with a label, and the check that they are the published ones."""

from typing import NamedTuple

from training.lines import sha256

LABELS = ("negative", "positive")  # label 0 and label 1


class Reviews(NamedTuple):
    """Parallel lists: `labels[i]` is what `texts[i]` thinks of its film."""

    texts: list[str]
    labels: list[int]  # 0 negative, 1 positive; -1 unlabelled


def digest(reviews: Reviews) -> str:
    """SHA-256 over all texts and labels in their order."""
    rows = zip(reviews.labels, reviews.texts, strict=True)
    return sha256("".join(f"{label}\t{text}\n" for label, text in rows).encode())


def check_published(reviews: Reviews, expected: str, split: str, home: str) -> None:
    """Refuses texts that are not the published ones.

    Args:
        reviews: What was read.
        expected: `digest` of the published split.
        split: Its name, for the message.
        home: Where the corpus is published, for the message.

    Raises:
        ValueError: They differ.
    """
    received = digest(reviews)
    if received != expected:
        raise ValueError(
            f"Split {split!r} is not the published one: its texts and labels must have SHA-256 "
            f"{expected}. Received: {len(reviews.texts)} texts with {received}. "
            f"Get the corpus from {home}"
        )
