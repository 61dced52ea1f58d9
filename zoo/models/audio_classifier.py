"""Labels of a recording, such as the word that was said: the lecture's *audio sequences*.

Sound is cut into frames of a hundredth of a second, of which an LSTM reads one after the other in
both directions; attention makes one vector of them, a softmax probabilities::

    x_1 ... x_T = log-mel frames                     zoo.audio.log_mel
    h_1 ... h_T = BiLSTM(x_1 ... x_T)                Graves and Schmidhuber (2005)
    v = sum_t a_t h_t                                zoo.layers.AttentionPooling
    p(label) = softmax(W v + b)         or sigmoid, if a recording may have several labels

It is the network of `zoo.models.TextClassifier` with frames in place of embedded words, and all of
it is in the graph: the bytes of a WAV in, a label out.
"""

from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.audio import decode_recordings, log_mel
from zoo.audio.example import example_recording
from zoo.audio.wav import RATES
from zoo.layers import AttentionPooling, BasicLSTMCell, BidirectionalRNN
from zoo.models.audio_column import audio_column
from zoo.models.base import Signature, ZooModel
from zoo.models.checks import check_count, check_kind
from zoo.models.classifications import Classification, MultiClassification
from zoo.models.file_faults import TellsFaults, told_of
from zoo.models.label_heads import OneLabel, SeveralLabels
from zoo.models.labels import checked_labels
from zoo.models.progress import progress_bar
from zoo.models.raw_data import RawData
from zoo.models.read_once import ReadOnce
from zoo.models.reads_labels import ReadsLabels
from zoo.models.thresholds import HasThresholds
from zoo.registry import register

AT_ONCE = 64  # recordings that are made frames together before training
MOST_BYTES = 2_000_000_000  # of frames that are kept: 35 hours in 40 bands
SCALE = 0.3  # about one over the standard deviation of log-mel values
DIGITS = tuple("0123456789")


class Heard(NamedTuple):
    """What a model heard of a recording, and where it listened.

    Attributes:
        answer: The label, or labels.
        frames: float32 `[time, bands]`, log-mel, one for each hundredth of a second.
        weights: float32 `[time]`: the share of each frame in the decision; they sum to 1.
    """

    answer: Classification | MultiClassification
    frames: np.ndarray
    weights: np.ndarray


@register
class AudioClassifier(ReadsLabels, HasThresholds, TellsFaults, ZooModel):
    """Log-mel frames, a bidirectional LSTM, attention, a softmax or as many sigmoids as labels.

    Args:
        labels: The names of the classes, at least two different strings; with `multi_label` one
            will do.
        sample_rate: Samples a second that the network hears, an int of at least 4,000. Recordings
            of another rate are resampled; frequencies above half of it are not heard.
        bands: Mel bands of a frame.
        units: Units of the LSTM, in each direction.
        attention_units: Hidden units that score a frame.
        input_dropout: Share of the frames' values dropped in training.
        readout_dropout: Share of the read-out vector's units dropped in training.
        max_seconds: How much of a recording is heard, from its beginning. It bounds memory and
            time.
        multi_label: A recording may have several of the labels, or none: each is decided by itself.
        thresholds: For `multi_label`, as of `zoo.models.TextClassifier`.

    Call arguments:
        inputs: Dict of `frames` float32 `[batch, time, bands]` and `lengths` int32 `[batch]`, see
            `make_inputs`.
        training: Whether units are dropped.

    Returns:
        Logits, float32 `[batch, labels]`.

    Raises:
        TypeError: `labels` are no strings.
        ValueError: A number that is too small, or labels that are alike.

    Example:
        >>> model = zoo.load("spoken_digits")
        >>> model.classify("seven.wav").label
        >>> model = zoo.load("spoken_digits", labels=["bark", "meow"])
        >>> model.fit(["rex.wav", "tom.wav"], ["bark", "meow"])
    """

    task = "classify"
    head_arguments = ("labels", "multi_label")
    head_defaults: ClassVar = {"thresholds": None}
    head_layers = ("classifier",)

    def __init__(
        self,
        labels: list[str] | tuple[str, ...] = DIGITS,
        sample_rate: int = 8000,
        bands: int = 40,
        units: int = 64,
        attention_units: int = 64,
        input_dropout: float = 0.0,
        readout_dropout: float = 0.3,
        max_seconds: float = 10.0,
        multi_label: bool = False,
        thresholds: dict[str, float] | float | None = None,
    ) -> None:
        super().__init__()
        check_kind("multi_label", multi_label, bool)
        labels = checked_labels(labels, fewest=1 if multi_label else 2)
        for name, count in ("sample_rate", sample_rate), ("bands", bands), ("units", units):
            check_count(name, count)
        _check_sizes(sample_rate, max_seconds)
        self.head = _head(labels, multi_label, thresholds)
        # Layers.
        self.input_dropout = keras.layers.Dropout(input_dropout)
        self.encoder = BidirectionalRNN(BasicLSTMCell(units), BasicLSTMCell(units))
        self.pooling = AttentionPooling(attention_units)
        self.readout_dropout = keras.layers.Dropout(readout_dropout)
        self.classifier = keras.layers.Dense(len(labels))
        # Configuration.
        self.configuration = {
            "labels": labels,
            "sample_rate": int(sample_rate),
            "bands": int(bands),
            "units": int(units),
            "attention_units": attention_units,
            "input_dropout": input_dropout,
            "readout_dropout": readout_dropout,
            "max_seconds": float(max_seconds),
            "multi_label": multi_label,
            "thresholds": self.head.thresholds,
        }
        self.labels = labels
        self.sample_rate, self.bands = int(sample_rate), int(bands)
        self.max_seconds = float(max_seconds)
        # Preprocessing.
        self.columns = (audio_column(self.sample_rate), self.head.column())
        self.finish(1e-3, **self.head.compile_arguments())

    # Data.

    @property
    def network_inputs(self) -> dict[str, tf.TensorSpec]:
        """Frames and how many of them are real."""
        return {
            "frames": tf.TensorSpec([None, None, self.bands], tf.float32),
            "lengths": tf.TensorSpec([None], tf.int32),
        }

    def preprocess(self, audio: tf.Tensor | tf.RaggedTensor, labels: tf.Tensor) -> tuple:
        """Raw pairs to what `call` and the loss take.

        Args:
            audio: As of `make_inputs`.
            labels: String or integer `[batch]`; with `multi_label` as of
                `zoo.models.TextClassifier.preprocess`.

        Returns:
            `(inputs, targets)`: what `make_inputs` gives; label numbers, int32 `[batch]`, or with
            `multi_label` 0 and 1, float32 `[batch, labels]`.
        """
        return self.make_inputs(audio), self.head.targets(labels)

    def make_inputs(self, audio: tf.Tensor | tf.RaggedTensor) -> dict[str, tf.Tensor]:
        """What `call` takes.

        Args:
            audio: Contents of WAV files, string `[batch]`; or frames that were made of them,
                float32 `[batch, (time), bands]`.

        Raises:
            tf.errors.InvalidArgumentError: A recording cannot be read; see
                `zoo.audio.decode_recordings`.
        """
        if isinstance(audio, tf.RaggedTensor):
            lengths = tf.cast(audio.row_lengths(), tf.int32)
            return {"frames": audio.to_tensor(), "lengths": lengths}
        return self.frames_of(**self.decode(audio))

    def decode(self, audio: tf.Tensor) -> dict[str, tf.Tensor]:
        """`samples` float32 `[batch, samples]` of files, and their `lengths`, int32 `[batch]`."""
        samples, lengths = decode_recordings(audio, self.sample_rate, self.max_seconds)
        return {"samples": samples, "lengths": lengths}

    def frames_of(self, samples: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `make_inputs`, of samples float32 `[batch, samples]`, and how many are real."""
        frames, lengths = log_mel(samples, lengths, self.sample_rate, self.bands)
        return {"frames": frames, "lengths": lengths}

    # Network.

    def call(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """Logits, float32 `[batch, labels]`, of what `make_inputs` gives."""
        return self._read(inputs, training)[0]

    def _read(
        self, inputs: dict[str, tf.Tensor], training: bool | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits, and the weights of the frames, float `[batch, time]`."""
        lengths = inputs["lengths"]
        frames = self.input_dropout(inputs["frames"] * SCALE, training=training)
        outputs, _ = self.encoder(frames, lengths, training=training)
        vector, weights = self.pooling(outputs, lengths)
        logits = self.classifier(self.readout_dropout(vector, training=training))
        return tf.cast(logits, tf.float32), weights

    # Training.

    def _raw_data(self, labels_are_numbers: bool = False) -> RawData:
        raw = super()._raw_data(labels_are_numbers)
        return ReadOnce(
            raw.rows.columns,
            raw.rows.read,
            raw.streams.network_inputs,
            raw.prepare,
            look=self._listen,
        )

    def _listen(self, contents: tf.Tensor) -> tf.RaggedTensor | None:
        """The frames of recordings; None if there are too many to be kept."""
        count, size, parts = len(contents), 0, []
        with progress_bar("listen", count) as advance:
            for start in range(0, count, AT_ONCE):
                with told_of(lambda place, start=start: f"recording {start + place} of {count}"):
                    found = self.run_graph(self.make_inputs, contents[start : start + AT_ONCE])
                parts.append(tf.RaggedTensor.from_tensor(found["frames"], found["lengths"]))
                size += 4 * self.bands * int(found["lengths"].sum())
                if size > MOST_BYTES:
                    return None
                advance(len(found["lengths"]))
        return tf.concat(parts, axis=0)

    # The verb.

    def classify(self, audio: Any, batch_size: int = 64, progress: bool = True) -> Any:
        """The label of each recording, or its labels.

        Args:
            audio: A list of recordings, or one: the path of a WAV file, its content as `bytes`, an
                array `[samples]` or `[samples, channels]` of the model's sampling rate, or a tuple
                `(array, sampling rate)`, as `soundfile.read` and `librosa.load` give it. Floats are
                from -1 to 1. Channels are mixed down, and another rate is resampled.
            batch_size: Recordings read together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            A list of `Classification`, with `multi_label` of `MultiClassification`; one of them if
            `audio` is one recording.

        Raises:
            FileNotFoundError: There is no file at a path.
            IsADirectoryError: A path is that of a folder.
            TypeError: Something is no recording.
            ValueError: An empty list, a recording that cannot be read or has no samples, or
                `batch_size` below 1.

        Example:
            >>> zoo.load("spoken_digits").classify(["seven.wav", (samples, 44100)])
        """

        def run(batch: tf.Tensor, places: np.ndarray) -> list:
            return [self.head.answer(row) for row in self._rows(self._classify, batch)]

        return self.answers(audio, run, batch_size, progress)

    def listen(self, audio: Any, batch_size: int = 64, progress: bool = True) -> Any:
        """As `classify`, with what the model heard and which frames weighed in the decision.

        Args:
            audio: As of `classify`.
            batch_size: As of `classify`.
            progress: As of `classify`.

        Returns:
            A list of `Heard`, or one.
        """

        def run(batch: tf.Tensor, places: np.ndarray) -> list[Heard]:
            return [self._heard(row) for row in self._rows(self._attend, batch)]

        return self.answers(audio, run, batch_size, progress)

    def _heard(self, row: dict[str, np.ndarray]) -> Heard:
        frames, weights, length = (row.pop(name) for name in ("frames", "weights", "lengths"))
        return Heard(self.head.answer(row), frames[:length], weights[:length])

    def _rows(self, function: Any, batch: tf.Tensor) -> list[dict[str, np.ndarray]]:
        columns = self.run_graph(function, batch)
        rows = zip(*columns.values(), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def console_answers(self, entries: list, plot: Path | None = None) -> list:
        """As `ZooModel.console_answers`, of paths; `plot`: the file to draw the only one into."""
        from zoo.drawing.answers import heard_answers

        return heard_answers(self, entries, plot)

    # Serving.

    def signatures(self) -> dict[str, Signature]:
        """What goes over the wire: the contents of WAV files, `audio_bytes`.

        - `serving_default`: `label`, `score`, `probabilities` and the `labels` these are of; with
          `multi_label` whether each is `chosen`, and the `thresholds`, in place of `label` and
          `score`.
        - `attention`: also `frames`, log-mel `[batch, time, bands]`, `weights` `[batch, time]` of
          each frame in the decision, and `lengths`.
        """
        functions = {"serving_default": self._classify, "attention": self._attend}
        examples = [example_recording(self.sample_rate)]
        return {name: self.signature(function, examples) for name, function in functions.items()}

    def _classify(self, audio_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.head.outputs(self(self.make_inputs(audio_bytes), training=False))

    def _attend(self, audio_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = self.make_inputs(audio_bytes)
        logits, weights = self._read(inputs)
        return {**self.head.outputs(logits), **inputs, "weights": tf.cast(weights, tf.float32)}

    # Files.

    def assets(self) -> dict[str, bytes]:
        """There are none beside the weights."""
        return {}

    @classmethod
    def from_assets(cls, config: dict[str, Any], assets: dict[str, bytes]) -> "AudioClassifier":
        """The model of `get_config`, with fresh weights."""
        return cls(**config)


def _head(labels: list[str], multi_label: bool, thresholds: object) -> OneLabel | SeveralLabels:
    if multi_label:
        return SeveralLabels(labels, thresholds)
    if thresholds is not None:
        raise ValueError(
            "`thresholds` needs `multi_label=True`: of one label the most probable is taken. "
            f"Received: thresholds={thresholds!r}"
        )
    return OneLabel(labels)


def _check_sizes(sample_rate: int, max_seconds: float) -> None:
    low, high = RATES
    if not low <= sample_rate <= high:
        raise ValueError(
            f"`sample_rate` must be from {low:,} to {high:,}. Received: sample_rate={sample_rate}"
        )
    if not 0 < max_seconds < float("inf"):
        raise ValueError(
            f"`max_seconds` must be a number above 0. Received: max_seconds={max_seconds!r}"
        )
