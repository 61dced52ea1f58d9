"""From the bytes of sound files to samples, in the graph, as a server gets them."""

import tensorflow as tf

from zoo.audio import wav
from zoo.audio.resampling import resample
from zoo.pictures.header import check_faults, first_fault

TAKEN = "WAV is decoded"
CONVERT = f"{TAKEN}. Convert it, such as with `ffmpeg -i sound sound.wav`"
AT_ONCE = 8  # recordings that are decoded at the same time
# (where, what stands there, what it is)
OTHERS = (
    (0, b"ID3", f"is an MP3: {CONVERT}"),
    (0, b"\xff\xfb", f"is an MP3: {CONVERT}"),
    (0, b"fLaC", f"is a FLAC: {CONVERT}"),
    (0, b"OggS", f"is an Ogg file: {CONVERT}"),
    (0, b"\x1aE\xdf\xa3", f"is a WebM or Matroska file: {CONVERT}"),
    (4, b"ftyp", f"is an M4A or MP4 file: {CONVERT}"),
    (0, b"FORM", f"is an AIFF: {CONVERT}"),
    (0, b"RF64", f"is a WAV of 64 bits (RF64): {CONVERT}"),
    (0, b"RIFX", f"is a big-endian WAV (RIFX): {CONVERT}"),
    (0, b"http://", "is an address: fetch it, and hand over the bytes that it gives"),
    (0, b"https://", "is an address: fetch it, and hand over the bytes that it gives"),
    (0, b"data:", "is a data URL: hand over the bytes that it encodes"),
    (0, b"UklGR", 'is a WAV in base64: hand over its bytes (JSON: {"b64": "..."})'),
)


# Eagerly `tf.map_fn` would have Autograph read the source of all that is called.
@tf.autograph.experimental.do_not_convert
def decode_recordings(
    contents: tf.Tensor, sample_rate: int, max_seconds: float, name: str = "instances"
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes recordings of any rate and length, in operations of TensorFlow.

    WAV of 8, 16, 24 and 32 bits, and of floats. Channels are mixed down to their mean, and another
    sampling rate becomes `sample_rate`.

    Args:
        contents: String `[batch]`, the contents of files; the batch may be empty.
        sample_rate: Samples a second of what is returned.
        max_seconds: How much of a recording is read, from its beginning.
        name: What the recordings are called in an error.

    Returns:
        float32 `[batch, samples]`, from -1 to 1, zeros behind the end of each; and int32 `[batch]`,
        how many samples each has.

    Raises:
        tf.errors.InvalidArgumentError: If a recording cannot be decoded. The message names every
            such recording by its place, and says why: `instances[2] is a WAV without samples`.

    Example:
        >>> content = tf.audio.encode_wav(tf.zeros([800, 1]), 8000)
        >>> samples, lengths = decode_recordings(content[None], 8000, 10.0)
        >>> lengths
        <tf.Tensor: shape=(1,), dtype=int32, numpy=array([800], dtype=int32)>
    """
    faults, samples = tf.map_fn(
        lambda content: _decoded(content, sample_rate, max_seconds),
        tf.convert_to_tensor(contents),
        fn_output_signature=(
            tf.TensorSpec([], tf.string),
            tf.RaggedTensorSpec([None], tf.float32, ragged_rank=0),
        ),
        # Eagerly they come one after the other, and to ask for more is warned of.
        parallel_iterations=None if tf.executing_eagerly() else AT_ONCE,
    )
    with tf.control_dependencies([check_faults(faults, name)]):
        lengths = tf.cast(samples.row_lengths(), tf.int32)
        return samples.to_tensor(), lengths


def _decoded(
    content: tf.Tensor, sample_rate: int, max_seconds: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """What is wrong with one recording, or nothing, and its samples."""
    data = tf.io.decode_raw(content, tf.uint8)
    is_wav = tf.strings.substr(content, 0, len(wav.MAGIC)) == wav.MAGIC
    nothing = tf.zeros([0])

    def read() -> tuple[tf.Tensor, tf.Tensor]:
        of = wav.layout(data)
        most = tf.cast(tf.math.ceil(max_seconds * tf.cast(of.rate, tf.float32)), tf.int64)
        whole = of.fault == ""
        samples = tf.cond(whole, lambda: wav.decode(data, of, most), lambda: nothing)
        finite = tf.reduce_all(tf.math.is_finite(samples))
        told = "is a WAV with samples that are no numbers (NaN or infinite). Save it anew"
        fault = tf.where(finite, of.fault, told)
        usable = whole & finite & (of.rate != sample_rate)
        return fault, tf.cond(
            usable, lambda: resample(samples, of.rate, sample_rate), lambda: samples
        )

    return tf.cond(is_wav, read, lambda: (_what_else(content, data), nothing))


def _what_else(content: tf.Tensor, data: tf.Tensor) -> tf.Tensor:
    """What something is that is no WAV, and what to do."""
    length = tf.strings.length(content)
    beginnings = [
        (tf.strings.substr(content, tf.minimum(at, length), len(magic)) == magic, told)
        for at, magic, told in OTHERS
    ]
    size = tf.strings.join(["is no recording (", tf.as_string(tf.size(data)), " bytes): "])
    return first_fault(
        (length == 0, "is empty: hand over the content of a .wav file"),
        *beginnings,
        (tf.constant(True), tf.strings.join([size, TAKEN])),
    )
