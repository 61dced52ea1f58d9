"""One module for each task: what is measured, on what, and what the card says of it."""


def check_splits(splits, known) -> None:
    """Refuses no splits, and splits that are not among those known.

    Args:
        splits: What was asked for.
        known: The names there are.

    Raises:
        ValueError: The message lists the names.
    """
    if isinstance(splits, str) or not splits or not set(splits) <= set(known):
        raise ValueError(
            f"`splits` must name some of {', '.join(known)}. Received: splits={splits!r}"
        )
