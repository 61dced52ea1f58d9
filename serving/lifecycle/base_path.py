"""Version directories: the numbered children of a model's base path."""

import logging
import os
import re
from pathlib import Path

_log = logging.getLogger(__name__)
_NUMBER = re.compile(r"[+-]?[0-9]+")
_INT64 = 2**63


def scan_versions(base_path: Path) -> dict[int, Path]:
    """Finds the versions below a base path.

    Args:
        base_path: The directory whose children are looked at. Those whose whole name is a decimal
            number are versions; others, like the temporary directory that an exporter writes to,
            are skipped.

    Returns:
        Version -> directory. Of two names for one number (`1`, `001`) one is taken.

    Raises:
        OSError: The base path cannot be read.
    """
    versions: dict[int, Path] = {}
    for child in sorted(os.listdir(base_path)):
        if not _NUMBER.fullmatch(child) or not -_INT64 <= (number := int(child)) < _INT64:
            continue
        if number in versions:
            _log.warning(
                "Duplicate version directories of %d under %s: %s is used, %s is not",
                number,
                base_path,
                versions[number].name,
                child,
            )
        else:
            versions[number] = base_path / child
    return versions


def fingerprint(directory: Path) -> frozenset:
    """Names, sizes and times of all files below a directory; changes while a copy is under way."""
    found = set()
    for folder, _, files in os.walk(directory):
        for name in files:
            path = os.path.join(folder, name)
            try:
                status = os.stat(path)
            except OSError:
                continue
            found.add((path, status.st_size, status.st_mtime_ns))
    return frozenset(found)
