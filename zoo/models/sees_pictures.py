"""What models that read pictures share: the encoder under them, and pictures as training data.

A picture goes through a network that was trained to name what is in pictures (`zoo.layers.vision`),
and what this gives for each place of a grid is the network input `features`. The encoder being
frozen, `fit` on lists of pictures looks at each of them once, whatever the number of epochs.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from zoo.layers.vision import EfficientNetLite, GoogLeNet, ImageEncoder
from zoo.models.base import ZooModel
from zoo.models.file_faults import TellsFaults, told_of
from zoo.models.progress import progress_bar
from zoo.models.raw_data import RawData
from zoo.models.read_once import ReadOnce
from zoo.pictures import decode_pictures

AT_ONCE = 32  # pictures that are looked at together before training
MOST_BYTES = 2_000_000_000  # of what is kept of them: 16,000 pictures' features

_GOOGLENET = "googlenet"


class SeesPictures(TellsFaults, ZooModel):
    """A model whose first column is pictures. Its `__init__` calls `make_encoder`."""

    encoder: ImageEncoder
    trained_from: int | None

    def make_encoder(self, name: str, trained_from: int | None) -> None:
        """Makes the encoder, with random weights until some are loaded.

        Args:
            name: `"lite0"` or `"lite2"`, an `EfficientNetLite`; `"googlenet"` or
                `"googlenet_torchvision"`, a `GoogLeNet` as in the paper or as in torchvision.
            trained_from: The first of its blocks that `fit` changes, see `train_from` of the layer;
                None leaves it alone.

        Raises:
            ValueError: Another name, or a block that is not there.
        """
        if name.startswith(_GOOGLENET):
            self.encoder = GoogLeNet(name.removeprefix(_GOOGLENET).removeprefix("_") or "paper")
        else:
            self.encoder = EfficientNetLite(name)
        self.encoder.build()
        self.encoder.train_from(trained_from)
        self.trained_from = trained_from
        if trained_from is not None:
            size = self.encoder.image_size
            self._first = self.encoder.call_until(tf.zeros([1, size, size, 3]), trained_from).shape

    @property
    def encoder_inputs(self) -> dict[str, tf.TensorSpec]:
        """The encoder's features; or, of an encoder that is trained, what enters its first block.

        `features` float32 `[batch, places, channels]`; or `activations` float32 `[batch, height,
        width, channels]`.
        """
        if self.trained_from is None:
            return {"features": self.features_spec}
        return {"activations": tf.TensorSpec([None, *self._first[1:]], tf.float32)}

    @property
    def features_spec(self) -> tf.TensorSpec:
        """What the encoder gives: float32 `[batch, places, channels]`."""
        return tf.TensorSpec([None, None, self.encoder.channels], tf.float32)

    def make_inputs(self, source: tf.Tensor) -> dict[str, tf.Tensor]:
        """Contents of image files as far as the encoder is frozen, or what was made of them.

        Args:
            source: String `[batch]`; or what this function gave for it, float16 or float32 `[batch,
                ...]`.
        """
        (name,) = self.encoder_inputs
        if source.dtype != tf.string:
            return {name: tf.cast(source, tf.float32)}
        pixels = decode_pictures(source, self.encoder.image_size)
        if self.trained_from is None:
            return {name: _in_places(self.encoder(pixels))}
        return {name: self.encoder.call_until(pixels, self.trained_from)}

    def features_of(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """The features of `encoder_inputs`: float32 `[batch, places, channels]`."""
        if "features" in inputs:
            return inputs["features"]
        return _in_places(self.encoder.call_from(inputs["activations"], self.trained_from))

    def features(self, images: Any, batch_size: int = 32, progress: bool = True) -> np.ndarray:
        """What the encoder sees in pictures, for those who keep it and use it many times.

        Args:
            images: As for the model's verb.
            batch_size: Pictures read together.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            float32 `[pictures, places, channels]`, `[places, channels]` for a single picture.

        Raises:
            TypeError: Something is no picture.
            ValueError: An empty list, or a picture that cannot be read.
        """

        def run(batch: tf.Tensor, places: np.ndarray) -> np.ndarray:
            return self.run_graph(self._features, batch)["features"]

        found = self.answers(images, run, batch_size, progress)
        return np.stack(found) if isinstance(found, list) else found

    def _features(self, source: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"features": self.features_of(self.make_inputs(source))}

    # Training.

    def _raw_data(self) -> RawData:
        raw = super()._raw_data()
        return ReadOnce(
            raw.rows.columns,
            raw.rows.read,
            raw.streams.network_inputs,
            raw.prepare,
            look=self._look,
        )

    def _look(self, contents: tf.Tensor) -> tf.Tensor | None:
        """What `make_inputs` gives, float16; None if there are too many to be kept."""
        count, parts = len(contents), []
        with progress_bar("look at pictures", count) as advance:
            for start in range(0, count, AT_ONCE):
                with told_of(lambda place, start=start: f"picture {start + place} of {count}"):
                    batch = contents[start : start + AT_ONCE]
                    (seen,) = self.run_graph(self.make_inputs, batch).values()
                if seen.nbytes // len(seen) * count // 2 > MOST_BYTES:
                    return None
                parts.append(seen.astype(np.float16))
                advance(len(seen))
        return tf.concat(parts, axis=0)


def _in_places(grid: tf.Tensor) -> tf.Tensor:
    """The grid `[batch, rows, columns, channels]` as `[batch, places, channels]`."""
    batch, rows, columns, _ = tf.unstack(tf.shape(grid))
    return tf.reshape(grid, [batch, rows * columns, grid.shape[-1]])
