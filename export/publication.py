"""Version directories: written beside the published ones, made visible by one rename.

TensorFlow Serving polls `<base>` and loads any child whose whole name is a decimal number, the
moment it sees it and without asking whether it is complete. So a version is written to
`<base>/.tmp-<version>-<random>/`, which is on the same file system and is no number, and renamed
when it is whole.

The directory is locked (`flock`) while its writer lives. The kernel lets go of the lock however
the writer ends, so what a killed export left behind is known by its free lock, and removed by the
next export into the same base.
"""

import errno
import fcntl
import operator
import os
import re
import secrets
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path

_STAGING = ".tmp-"
_LARGEST = 2**63 - 1  # TensorFlow Serving reads versions as int64


def published(base: Path) -> list[int]:
    """The versions under `base`, ascending, as TensorFlow Serving counts them (`007` is 7)."""
    if not base.is_dir():
        return []
    numbers = [int(child.name) for child in base.iterdir() if re.fullmatch("[0-9]+", child.name)]
    return sorted(number for number in numbers if number <= _LARGEST)


class Publication:
    """One version on its way into a base directory; a context manager.

    Leaving the block without `publish` (an error, Ctrl-C) removes what was written, and the base
    directory too if this export made it.

    Args:
        base_dir: Directory of the model's versions; made when missing. A local path.
        version: Number of the version, at least 1, or None for the highest published one plus 1.

    Raises:
        TypeError: `version` is not a whole number.
        ValueError: `version` is out of range, or `base_dir` is a URL.
        FileExistsError: The version is published already. It is never overwritten.
        NotADirectoryError: `base_dir` is a file.

    Example:
        with Publication("models/my_model") as publication:
            write_everything(publication.folder)
            path = publication.publish()
    """

    def __init__(self, base_dir: str | os.PathLike, version: int | None = None) -> None:
        if "://" in os.fspath(base_dir):
            raise ValueError(
                "base_dir must be a local directory: a rename publishes the version, and object "
                f"stores have none. Export locally and upload. Received: base_dir={base_dir!r}"
            )
        self.base = Path(base_dir)
        if self.base.exists() and not self.base.is_dir():
            raise NotADirectoryError(
                errno.ENOTDIR, "base_dir must be a directory of versions, not a file", str(base_dir)
            )
        self._version = None if version is None else _valid(version)
        self._target()  # a version that exists is told before any work is done

    def __enter__(self) -> "Publication":
        made = [path for path in (self.base, *self.base.parents) if not path.exists()]
        with ExitStack() as undo:
            undo.callback(_remove_empty, made)
            self.base.mkdir(parents=True, exist_ok=True)
            _remove_stale(self.base)
            label, lock = self._target().name, None
            while lock is None:
                # Not tempfile.mkdtemp: its mode 0700 would keep a server of another user out.
                self.folder = self.base / f"{_STAGING}{label}-{secrets.token_hex(4)}"
                self.folder.mkdir()
                lock = _lock(self.folder)
            undo.callback(os.close, lock)
            undo.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._undo.close()  # after publish() there is nothing left to undo

    def publish(self) -> Path:
        """Makes the written directory visible as a version, whole or not at all.

        Returns:
            The version's directory.

        Raises:
            FileExistsError: Another export published the same version meanwhile.
        """
        for folder, _, files in os.walk(self.folder):
            for name in files:
                _sync(os.path.join(folder, name))
            _sync(folder)
        while True:
            target = self._target()
            try:
                os.rename(self.folder, target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    raise
                continue  # lost a race: take the next number, or be told by _target
            _sync(self.base)
            return target

    def _target(self) -> Path:
        taken = published(self.base)
        free = taken[-1] + 1 if taken else 1
        version = _valid(free) if self._version is None else self._version
        if version in taken:
            raise FileExistsError(
                errno.EEXIST,
                f"version {version} exists already and is never overwritten. Pass version={free}, "
                f"or version=None for the next free one. Received: version={version}",
                str(self.base),
            )
        return self.base / str(version)


def _valid(version: int) -> int:
    try:
        if isinstance(version, bool):
            raise TypeError
        number = operator.index(version)
    except TypeError:
        raise TypeError(
            f"version must be a whole number or None. Received: version={version!r}"
        ) from None
    if not 1 <= number <= _LARGEST:
        raise ValueError(f"version must be from 1 to 2**63 - 1. Received: version={version!r}")
    return number


def _lock(folder: Path) -> int | None:
    """An open and locked descriptor of a folder, or None if it is in use or gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if folder.exists():  # the lock may be on what another export has just removed
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # in use, as it should be
            folder.rmdir()


def _remove_stale(base: Path) -> None:
    for folder in base.glob(f"{_STAGING}*"):
        descriptor = _lock(folder)
        if descriptor is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)


def _sync(path: str | os.PathLike) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
