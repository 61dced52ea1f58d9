"""What a corpus's reader says when TFDS cannot download it."""

import contextlib
from collections.abc import Iterator

from zoo.extras import extra

with extra("training"):
    import tensorflow_datasets as tfds


@contextlib.contextmanager
def download_errors(failed: str, otherwise: str) -> Iterator[None]:
    """Within the block, a download that fails is a ConnectionError that says what to do.

    Args:
        failed: What could not be done, such as "IMDB could not be downloaded from https://...".
        otherwise: What the user can do instead.

    Raises:
        ConnectionError: `failed`, the reason in brackets, and `otherwise`.
    """
    try:
        yield
    # OSError: no connection; DownloadError, which is none: a server that refuses.
    except (OSError, tfds.download.DownloadError) as error:
        raise ConnectionError(f"{failed} ({error}). {otherwise}") from error
