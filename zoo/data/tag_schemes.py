"""Tag schemes of chunks: IOB1, BIO (IOB2), IOBES and BILOU, on Python lists.

Ratinov and Roth (2009), "Design Challenges and Misconceptions in Named Entity Recognition",
section 3.2. A chunk of three, one of one, and two that touch:

    tokens   European  Space  Agency  in  Paris  Rome  Oslo
    IOB1     I-ORG     I-ORG  I-ORG   O   I-LOC  B-LOC B-LOC
    BIO      B-ORG     I-ORG  I-ORG   O   B-LOC  B-LOC B-LOC
    IOBES    B-ORG     I-ORG  E-ORG   O   S-LOC  S-LOC S-LOC
    BILOU    B-ORG     I-ORG  L-ORG   O   U-LOC  U-LOC U-LOC
"""

from typing import Any

OUTSIDE = "O"
PREFIXES = "BIES"


def chunks(tags: list[str]) -> list[tuple[str, int, int]]:
    """The chunks of a tag sequence in any of the three schemes.

    One rule reads them all: a chunk starts at `B` and `S`, and at an `I` or `E` that has no
    open chunk of its type before it; it is closed by `E`, `S`, and by whatever does not go on.

    Args:
        tags: List of strings such as `"B-PER"` or `"O"`.

    Returns:
        List of `(type, start, end)`, positions in `tags`, end exclusive, in order.

    Raises:
        ValueError: An entry is no tag of the schemes; the message names its place.

    Example:
        >>> chunks(["I-PER", "I-PER", "O", "S-LOC"])
        [('PER', 0, 2), ('LOC', 3, 4)]
    """
    found = []
    open_type = None
    for place, tag in enumerate(tags):
        prefix, kind = split_tag(tag, place)
        if prefix in ("I", "E") and kind == open_type:
            found[-1] = (kind, found[-1][1], place + 1)
        elif prefix != OUTSIDE:
            found.append((kind, place, place + 1))
        open_type = kind if prefix in ("B", "I") else None
    return found


def to_bio(tags: list[str]) -> list[str]:
    """`tags` of any scheme in BIO. Raises as `chunks` does."""
    result = [OUTSIDE] * len(tags)
    for kind, start, end in chunks(tags):
        result[start:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - start - 1)
    return result


def to_iobes(tags: list[str]) -> list[str]:
    """`tags` of any scheme in IOBES. Raises as `chunks` does."""
    result = [OUTSIDE] * len(tags)
    for kind, start, end in chunks(tags):
        inside = [f"I-{kind}"] * (end - start - 2)
        result[start:end] = (
            [f"S-{kind}"] if end - start == 1 else [f"B-{kind}", *inside, f"E-{kind}"]
        )
    return result


def split_tag(tag: Any, place: int | None = None) -> tuple[str, str | None]:
    """`"B-PER"` -> `("B", "PER")`, `"O"` -> `("O", None)`.

    Raises:
        ValueError: Not such a tag; the message says at which `place`.
    """
    if tag == OUTSIDE:
        return OUTSIDE, None
    if isinstance(tag, str) and len(tag) > 2 and tag[0] in PREFIXES and tag[1] == "-":
        return tag[0], tag[2:]
    where = "" if place is None else f" at position {place}"
    raise ValueError(
        f"`tags` must hold 'O' or one of {', '.join(PREFIXES)} with a type, such as 'B-PER'. "
        f"Received: {tag!r}{where}"
    )
