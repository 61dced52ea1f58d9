"""Files and folders that are there whole or not at all."""

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


def user_cache(name: str) -> Path:
    """The zoo's folder of this name in the user's cache; it may not be there yet.

    Raises:
        RuntimeError: The user has no home.
    """
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "rnn-zoo" / name


def check_can_be_folder(name: str, folder: str | Path) -> None:
    """Refuses a folder that cannot be made, or not be written to.

    Args:
        name: The argument's, for the message.
        folder: Of which any parent may be missing.

    Raises:
        OSError: What is there is a file, or nobody here may write to it.
    """
    folder = Path(folder)
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise OSError(
            f"`{name}` must be a folder that can be written to; {there} is not. "
            f"Received: {name}={str(folder)!r}"
        )


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write to a file so that a reader finds the old content or the new, never a part.

    Args:
        path: The file.
        data: All of its new content.

    Raises:
        OSError: If the folder cannot be written, or the disk is full; the old content stays.
    """
    path = Path(path)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        raise


def remove_partial(path: str | Path) -> None:
    """Remove what a killed process left beside a path; nobody may be writing it now.

    A folder that the process had moved away, and had not yet replaced, comes back.
    """
    path = Path(path)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        if left.is_dir():
            if not path.exists() and (left / path.name).is_dir():
                os.replace(left / path.name, path)
            shutil.rmtree(left)
        else:
            left.unlink()


@contextlib.contextmanager
def whole_folder(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """A folder to fill, which takes its place only when the block ends without error.

    Args:
        path: Where the folder shall stand. Its parents are made.
        overwrite: Whether to replace a folder that stands there; it stays until the new one is
            complete.

    Yields:
        A temporary folder beside it, on the same file system.

    Raises:
        FileExistsError: If something stands at `path` and `overwrite` is false.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"`folder` exists already: choose another, or pass overwrite=True. Received: {path}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield partial
        partial.chmod(0o755)
        for written in (*partial.rglob("*"), partial):
            _sync(written)
        if path.exists():
            # A folder cannot be replaced in one move; the gap between two renames is the least.
            old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
            try:
                os.replace(path, old / path.name)
                os.replace(partial, path)
            except BaseException:
                if not path.exists():
                    os.replace(old / path.name, path)
                raise
            finally:
                shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(partial, path)
        _sync(path.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sync(path: Path) -> None:
    """Bring a file or folder to the disk: a rename may reach it before what was written."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
