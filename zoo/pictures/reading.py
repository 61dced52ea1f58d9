"""Pictures as users have them, to the contents of files, which `decode_pictures` decodes.

So there is one way for the data: an array is packed as PNG, without loss, and comes out of the
graph as a file does.
"""

import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from zoo.pictures.decoding import FORMATS, TAKEN
from zoo.pictures.paths import entries_of, named_content, unwrapped

if TYPE_CHECKING:
    import PIL.Image

WANTED = "paths, bytes, uint8 arrays [height, width, 3] or PIL images"
CHANNELS = (1, 3, 4)


def read_pictures(name: str, entries: object) -> tf.Tensor:
    """What `Column.read` of a column of pictures is.

    Args:
        name: The column's name, for messages.
        entries: One picture or some of them: the path of a file (str or Path), the content of one
            (bytes), an array `[height, width]`, `[..., 1]`, `[..., 3]` (RGB) or `[..., 4]` (with
            alpha), or a PIL image, which is turned as its EXIF says. An array `[pictures, height,
            width, channels]` and a tensor of contents are taken too. Numbers are from 0 to 255:
            floats are rounded, and refused if they look like a scale from 0 to 1.

    Returns:
        String tensor `[pictures]`: contents of files, and arrays as PNG.

    Raises:
        FileNotFoundError: If there is no file at a path.
        IsADirectoryError: If a path is that of a folder.
        TypeError: If an entry is nothing of this kind.
        ValueError: If there are no entries, or one holds no picture. The message names the entry.

    Example:
        >>> read_pictures("images", np.zeros([30, 40, 3], np.uint8)).shape
        TensorShape([1])
    """
    entries = entries_of(name, entries, is_picture, WANTED)
    if isinstance(entries, tf.Tensor | np.ndarray) and entries.dtype.name != "object":
        _check_rank(name, entries)
    contents = [_content(f"{name}[{row}]", entry) for row, entry in enumerate(entries)]
    if not contents:
        raise ValueError(f"`{name}` must hold at least one picture. Received: none")
    return tf.constant(contents, tf.string)


def is_picture(value: object) -> bool:
    """Whether a user gave one picture rather than a list of them.

    Args:
        value: Anything; see `read_pictures`.
    """
    if isinstance(value, str | bytes | os.PathLike) or _is_pil(value):
        return True
    shape = getattr(value, "shape", None)
    if shape is None or getattr(value, "dtype", None) is None or not hasattr(value, "__array__"):
        return False
    return len(shape) == 0 if _is_text(value) else len(shape) in (2, 3)


def _is_text(value: tf.Tensor | np.ndarray) -> bool:
    """Whether these are paths or contents of files, not pixels."""
    return value.dtype == tf.string or getattr(value.dtype, "kind", None) in ("O", "S", "U")


def _is_pil(value: object) -> bool:
    # There can be no such image before its module was imported.
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def _check_rank(name: str, entries: tf.Tensor | np.ndarray) -> None:
    if len(entries.shape) != (1 if _is_text(entries) else 4):
        raise ValueError(
            f"`{name}` must be one picture [height, width, 3], or some [pictures, height, width, "
            f"3]; or paths or contents of files, [pictures]. Received: shape {list(entries.shape)}"
        )


def _content(name: str, entry: object) -> bytes:
    """One entry as the content of a file; `name` is as `images[2]`."""
    entry = unwrapped(entry)
    if file := named_content(name, entry, ".jpg"):
        return _known(*file)
    if _is_pil(entry):
        return _array(name, _from_pil(entry))
    if hasattr(entry, "__array__"):
        return _array(name, np.asarray(entry))
    raise TypeError(f"`{name}` must be one of {WANTED}. Received: a {type(entry).__name__}")


def _known(name: str, content: bytes) -> bytes:
    """Refuses what is no picture at all; the graph looks at it more closely."""
    if not content:
        raise ValueError(f"`{name}` must hold a picture. Received: no bytes")
    if not content.startswith(tuple(magic for magics, _ in FORMATS for magic in magics)):
        raise ValueError(
            f"`{name}` must hold a picture; {TAKEN}. Received: {len(content)} bytes that begin "
            f"with {content[:12]!r}. What PIL can open may be handed over as PIL.Image.open(path)"
        )
    return content


def _from_pil(image: "PIL.Image.Image") -> np.ndarray:
    """The pixels as they look: turned as EXIF says, with alpha if there is any."""
    from PIL import ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        return (np.asarray(image) >> 8).astype(np.uint8)
    if image.mode in ("I", "F"):
        return np.asarray(image)
    clear = image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if clear else "RGB"))


def _array(name: str, array: np.ndarray) -> bytes:
    shaped = array[..., None] if array.ndim == 2 else array
    if shaped.ndim != 3 or shaped.shape[-1] not in CHANNELS or 0 in shaped.shape:
        raise ValueError(
            f"`{name}` must have shape [height, width], [height, width, 3] (RGB) or [height, "
            f"width, 4] (with alpha). Received: shape {list(array.shape)}"
        )
    if array.dtype.kind not in "uif":
        raise TypeError(f"`{name}` must hold numbers from 0 to 255. Received: {array.dtype}")
    if array.dtype != np.uint8:
        shaped = _rounded(name, shaped)
    return tf.io.encode_png(shaped, compression=1).numpy()


def _rounded(name: str, array: np.ndarray) -> np.ndarray:
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 255):  # in this form NaN is refused
        raise ValueError(
            f"`{name}` must hold numbers from 0 to 255. Received: {low:g} to {high:g}. Undo the "
            "normalization before"
        )
    if array.dtype.kind == "f" and 0 < high <= 1:
        raise ValueError(
            f"`{name}` must hold numbers from 0 to 255. Received: {array.dtype} from {low:g} to "
            f"{high:g}, as on a scale from 0 to 1: multiply by 255"
        )
    return np.round(array).astype(np.uint8)
