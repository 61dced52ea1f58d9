"""From the bytes of picture files to pixels, in the graph, as a server gets them."""

import tensorflow as tf

from zoo.pictures import bmp, gif, jpeg, png
from zoo.pictures.header import Header, check_faults, first_fault

MAX_PIXELS = 50_000_000
# What features that are kept depend on besides the encoder: change it when pixels change.
PREPROCESSING = "JPEG INTEGER_ACCURATE; squashed: bilinear, antialias, rounded to uint8; 1"
AT_ONCE = 2  # pictures that are decoded at the same time: one of MAX_PIXELS may take 700 MB

FORMATS = (
    ((jpeg.MAGIC,), jpeg),
    ((png.MAGIC,), png),
    (gif.MAGICS, gif),
    ((bmp.MAGIC,), bmp),
)
TAKEN = "JPEG, PNG, GIF and BMP are decoded"
# (where, what stands there, what it is)
OTHERS = (
    (8, b"WEBP", f"is a WebP picture: {TAKEN}. Convert it"),
    (4, b"ftyp", f"is a HEIC or AVIF picture, or a film: {TAKEN}. Convert it"),
    (0, b"II*\0", f"is a TIFF: {TAKEN}. Convert it"),
    (0, b"MM\0*", f"is a TIFF: {TAKEN}. Convert it"),
    (0, b"%PDF", f"is a PDF: {TAKEN}. Convert it"),
    (0, b"<", f"is a text in XML or HTML, maybe an SVG: {TAKEN}"),
    (0, b"http://", "is an address: fetch it, and hand over the bytes that it gives"),
    (0, b"https://", "is an address: fetch it, and hand over the bytes that it gives"),
    (0, b"data:", "is a data URL: hand over the bytes that it encodes"),
    (0, b"/9j/", 'is a JPEG in base64: hand over its bytes (JSON: {"b64": "..."})'),
    (0, b"iVBORw0KGgo", 'is a PNG in base64: hand over its bytes (JSON: {"b64": "..."})'),
)


# Eagerly `tf.map_fn` would have Autograph read the source of all that is called: 4 s.
@tf.autograph.experimental.do_not_convert
def decode_pictures(
    contents: tf.Tensor, size: int, name: str = "instances", max_pixels: int = MAX_PIXELS
) -> tf.Tensor:
    """Decodes pictures of any size and squashes them to squares, in operations of TensorFlow.

    JPEG (grey and CMYK too, turned as EXIF says), PNG (transparent pixels over white, 16 bits, a
    palette), GIF (the first frame) and BMP. The aspect is not kept: what an encoder was trained on
    was squashed too. Shrinking is bilinear with antialiasing; a picture of the right size keeps its
    pixels exactly.

    Args:
        contents: String `[batch]`, the contents of files; the batch may be empty.
        size: Height and width of what is returned, in pixels.
        name: What the pictures are called in an error.
        max_pixels: A picture of more is refused by its header, before memory is taken for it.

    Returns:
        uint8 `[batch, size, size, 3]`, RGB.

    Raises:
        tf.errors.InvalidArgumentError: If a picture cannot be decoded. The message names every such
            picture by its place, and says why: `instances[2] is a JPEG whose end is missing`.

    Example:
        >>> content = tf.io.encode_png(tf.zeros([30, 40, 3], tf.uint8))
        >>> decode_pictures(content[None], 224).shape
        TensorShape([1, 224, 224, 3])
    """
    contents = tf.convert_to_tensor(contents)
    kinds = _kinds(contents)
    # Eagerly pictures come one after the other, and to ask for more is warned of.
    at_once = None if tf.executing_eagerly() else AT_ONCE
    headers = tf.map_fn(
        lambda row: _look(*row, max_pixels),
        (contents, kinds),
        fn_output_signature=Header(tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int32)),
        parallel_iterations=at_once,
    )
    with tf.control_dependencies([check_faults(headers.fault, name)]):
        contents = tf.identity(contents)
    return tf.map_fn(
        lambda row: _square(*row, size),
        (contents, kinds, headers.orientation),
        fn_output_signature=tf.TensorSpec([size, size, 3], tf.uint8),
        parallel_iterations=at_once,
    )


def _kinds(contents: tf.Tensor) -> tf.Tensor:
    """The place in `FORMATS` of each picture's format, `len(FORMATS)` for none; int32 `[batch]`."""
    kinds = tf.fill(tf.shape(contents), len(FORMATS))
    for place, (magics, _) in enumerate(FORMATS):
        for magic in magics:
            begins = tf.strings.substr(contents, 0, len(magic)) == magic
            kinds = tf.where(begins, place, kinds)
    return kinds


def _look(content: tf.Tensor, kind: tf.Tensor, max_pixels: int) -> Header:
    """What a picture's header says."""
    data = tf.io.decode_raw(content, tf.uint8)
    branches = [lambda m=module: m.header(data, max_pixels) for _, module in FORMATS]
    branches.append(lambda: Header(_what_else(content, data), tf.constant(1)))
    return Header(*tf.switch_case(kind, branches))


def _square(content: tf.Tensor, kind: tf.Tensor, orientation: tf.Tensor, size: int) -> tf.Tensor:
    """One picture, decoded, squashed and turned: uint8 `[size, size, 3]`."""
    branches = [lambda m=module: m.decode(content) for _, module in FORMATS]
    pixels = tf.switch_case(kind, branches)

    def squashed() -> tf.Tensor:
        resized = tf.image.resize(pixels, [size, size], antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)

    fits = tf.reduce_all(tf.shape(pixels)[:2] == size)
    square = tf.ensure_shape(tf.cond(fits, lambda: pixels, squashed), [size, size, 3])
    # A square turns into a square, so that turning what is small gives the same.
    return tf.cond(orientation == 1, lambda: square, lambda: _upright(square, orientation))


def _what_else(content: tf.Tensor, data: tf.Tensor) -> tf.Tensor:
    """What something is that is no picture, and what to do."""
    length = tf.strings.length(content)
    beginnings = [
        (tf.strings.substr(content, tf.minimum(at, length), len(magic)) == magic, told)
        for at, magic, told in OTHERS
    ]
    size = tf.strings.join(["is no picture (", tf.as_string(tf.size(data)), " bytes): "])
    return first_fault(
        (length == 0, "is empty: hand over the content of a picture's file"),
        *beginnings,
        (tf.constant(True), tf.strings.join([size, TAKEN])),
    )


def _upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns a square picture as EXIF's orientation says (its table of 1 to 8)."""

    def any_of(*values: int) -> tf.Tensor:
        return tf.reduce_any(orientation == tf.constant(values))

    pixels = tf.where(orientation >= 5, tf.transpose(pixels, [1, 0, 2]), pixels)
    pixels = tf.where(any_of(2, 3, 6, 7), tf.reverse(pixels, [1]), pixels)
    return tf.where(any_of(3, 4, 7, 8), tf.reverse(pixels, [0]), pixels)
