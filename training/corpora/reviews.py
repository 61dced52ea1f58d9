"""What IMDB and SST-2 share: texts with a label, and their SHA-256."""

from typing import NamedTuple

from zoo.training.corpora.files import sha256


class Reviews(NamedTuple):
    """Parallel lists: `labels[i]` is what `texts[i]` thinks of its film."""

    texts: list[str]
    labels: list[int]  # 0 negative, 1 positive; -1 unlabelled


def digest(reviews: Reviews) -> str:
    """SHA-256 over all texts and labels in their order."""
    rows = zip(reviews.labels, reviews.texts, strict=True)
    return sha256("".join(f"{label}\t{text}\n" for label, text in rows).encode())
