"""What the captioners share: pictures and captions as data, the verb, the signatures, the maps."""

import collections
import functools
import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.decoding import Hypotheses
from zoo.models.base import Signature
from zoo.models.caption_column import CAPTIONS, PICTURES, caption_lists
from zoo.models.decoders import Memory
from zoo.models.sees_pictures import SeesPictures
from zoo.models.text_generator import DEFAULT_BEAM_SIZE, TextGenerator
from zoo.models.written_text import first_of
from zoo.pictures import decode_pictures
from zoo.pictures.example import example_picture
from zoo.text.captions import joined_words, plain_words
from zoo.text.subwords import UNK_ID, SubwordTokenizer

MOST_WORDS = 40
MOST_UNKNOWN = 0.1  # of the words of captions, before a warning
_NO_WORDS = "`captions` must have words. Received: row {} of the batch has none: {}"


class Caption(NamedTuple):
    """What a model says of a picture, and where it looked.

    Attributes:
        text: The caption.
        score: Length-normalised log-probability, natural logarithm; nearer to 0 is surer.
        words: Its words as the model wrote them; `"dog's"` is two, `"dog"` and `"'s"`.
        maps: float32 `[len(words), rows, columns]`: where the model looked when it wrote each
            word, on the encoder's grid over the picture, from its upper left corner; each map sums
            to 1. None from a model without attention.
    """

    text: str
    score: float
    words: list[str]
    maps: np.ndarray | None


class ImageCaptioner(SeesPictures, TextGenerator):
    """A model from pictures to captions.

    A subclass builds a decoder, and gives `encode_features`.

    The tokenizer is one of whole words (`zoo.training.corpora.subwords.train_words`). A word that
    it does not hold is left out of the loss, and is never written.

    Args:
        tokenizer: A `SubwordTokenizer` of whole words.
        encoder: `"lite0"`, `"lite2"`, `"googlenet"` or `"googlenet_torchvision"`, see
            `zoo.layers.vision`; a new model has random weights in it, until they are loaded
            (`load_state_dict` of the layer).
        trained_from: The first of the encoder's blocks that `fit` changes, see `train_from` of the
            layer; None leaves the encoder alone.
        embedding_units: Width of the word embeddings.
        embedding_dropout: Share of embedding units dropped in training.
        readout_dropout: Share of read-out units dropped in training.
        length_penalty: For a beam's hypotheses to be compared, their log-probability is divided by
            their length to this power: 1 makes it the mean of a word, less prefers short captions.
        **network: The subclass's own arguments, kept for `get_config`.
    """

    task = "caption"
    output = "caption"
    columns = (PICTURES, CAPTIONS)
    banned_ids = (UNK_ID,)

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        encoder: str,
        trained_from: int | None,
        embedding_units: int,
        embedding_dropout: float,
        readout_dropout: float,
        length_penalty: float,
        **network: Any,
    ) -> None:
        super().__init__(
            tokenizer,
            embedding_units,
            embedding_dropout,
            readout_dropout,
            encoder=encoder,
            trained_from=trained_from,
            length_penalty=length_penalty,
            **network,
        )
        self.length_penalty = length_penalty
        self.make_encoder(encoder, trained_from)

    @property
    def length_penalty(self) -> float:
        """As the argument; when it is set, captions and exports that follow obey it."""
        return self.configuration["length_penalty"]

    @length_penalty.setter
    def length_penalty(self, power: float) -> None:
        if not 0 <= power < float("inf"):
            raise ValueError(
                "`length_penalty` must be a number of 0 or more. "
                f"Received: length_penalty={power!r}"
            )
        self.configuration["length_penalty"] = power
        self._graphs.clear()  # they hold it as a constant

    @property
    def examples(self) -> tuple[bytes]:
        """A drawn scene as JPEG."""
        return (_example(self.encoder.image_size),)

    # The network.

    def encode(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> Memory:
        """What the decoder gets of `encoder_inputs`.

        Args:
            inputs: Those of `encoder_inputs`. A `target` among them may have several rows for each
                picture, as many for each, one picture's one after the other: the picture goes
                through the encoder once.
            training: Whether units are dropped.
        """
        features = self.features_of(inputs)
        memory = self.encode_features(features, training)
        if "target" not in inputs:
            return memory
        pictures, rows = tf.shape(features)[0], tf.shape(inputs["target"])[0]
        each = rows // tf.maximum(pictures, 1)
        return tf.nest.map_structure(lambda of: tf.repeat(of, each, axis=0), memory)

    def encode_features(self, features: tf.Tensor, training: bool | None = None) -> Memory:
        """What the decoder gets of features, float32 `[batch, places, channels]`."""
        raise NotImplementedError

    # Captions.

    def raw_columns(self, *given: object) -> tuple[tf.Tensor, ...]:
        """As `ZooModel.raw_columns`; an entry of captions may be a list of several.

        Raises:
            ValueError: A picture without a caption or a caption without words, besides what
                `ZooModel.raw_columns` raises.
        """
        images, captions = given
        flat, rows = caption_lists(CAPTIONS.name, captions)
        pictures = PICTURES.read(PICTURES.name, images)
        if rows[-1] + 1 != pictures.shape[0]:
            raise ValueError(
                "`images` and `captions` must have one entry for each other. "
                f"Received: {pictures.shape[0]} and {rows[-1] + 1} entries"
            )
        if len(flat) > pictures.shape[0]:  # one row for each caption
            pictures = tf.gather(pictures, rows)
        self._warn_of_unknown(tf.constant(flat))
        return pictures, tf.constant(flat)

    def _warn_of_unknown(self, captions: tf.Tensor) -> None:
        words = tf.strings.split(plain_words(captions)).flat_values
        ids, _ = self.tokenizer.encode(words)
        unknown = words.numpy()[ids.numpy()[:, 0] == UNK_ID]
        if len(unknown) > MOST_UNKNOWN * len(words):
            frequent = collections.Counter(unknown.tolist()).most_common(5)
            warnings.warn(
                f"{len(unknown) / len(words):.0%} of the words of `captions` are not in the "
                f"vocabulary of {self.tokenizer.vocabulary_size} words, and cannot be learnt: "
                f"{', '.join(word.decode('utf-8', 'replace') for word, _ in frequent)} ...",
                UserWarning,
                stacklevel=2,
            )

    def preprocess(self, source: tf.Tensor, target: tf.Tensor) -> tuple:
        """As `TextGenerator.preprocess`; `source` is what `make_inputs` takes."""
        return self.training_batch(self.make_inputs(source), *self.encode_captions(target))

    def encode_captions(self, captions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids of the words of captions, string `[batch]`: as `SubwordTokenizer.encode`.

        Raises:
            tf.errors.InvalidArgumentError: A caption has no words.
        """
        words = plain_words(captions)
        ids, lengths = self.tokenizer.encode(words)
        first = tf.argmax(words == "")
        bad = tf.reduce_any(words == "")
        message = tf.cond(
            bad,
            lambda: tf.strings.format(_NO_WORDS, (first, captions[first])),
            lambda: tf.constant(""),
        )
        with tf.control_dependencies([tf.debugging.Assert(~bad, [message])]):
            return tf.identity(ids), lengths

    def training_batch(
        self, inputs: dict[str, tf.Tensor], target: tf.Tensor, target_lengths: tf.Tensor
    ) -> tuple:
        """As `TextGenerator.training_batch`; words unknown weigh nothing."""
        inputs, target, weights = super().training_batch(inputs, target, target_lengths)
        return inputs, target, weights * tf.cast(target != UNK_ID, weights.dtype)

    def max_lengths(self, inputs: dict[str, tf.Tensor]) -> int:
        """A hard stop for a runaway."""
        return MOST_WORDS

    def texts_of(self, hypotheses: Hypotheses) -> tf.Tensor:
        """As `TextGenerator.texts_of`, `"dog's"` in one word again."""
        return joined_words(super().texts_of(hypotheses))

    # The verb.

    def caption(
        self,
        images: Any,
        beam_size: int = DEFAULT_BEAM_SIZE,
        return_attention: bool = False,
        batch_size: int = 32,
        progress: bool = True,
    ) -> Any:
        """Says what is in pictures.

        Args:
            images: A list of pictures, or one: a file's path, its contents as `bytes`, a `uint8`
                array `[height, width]` or `[height, width, channels]`, or a PIL image. Any size:
                it is squashed to the encoder's square, as in training.
            beam_size: Hypotheses kept at each step, an int of at least 1; 1 is greedy search.
            return_attention: Return `Caption` tuples with score, words and maps instead of strings.
            batch_size: Pictures read together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            A list of strings, or of `Caption`; one of them for one picture.

        Raises:
            TypeError: Something is no picture.
            ValueError: An empty list, a picture that cannot be read, or a number below 1.

        Example:
            >>> zoo.load("show_attend_tell").caption("photo.jpg")
        """
        return self.write(images, beam_size, return_attention, batch_size, progress)

    def caption_features(
        self, features: Any, beam_size: int = DEFAULT_BEAM_SIZE, batch_size: int = 64
    ) -> list[str]:
        """Captions of pictures whose features are there already.

        Args:
            features: Float `[pictures, places, channels]`, as `features` gives them; float16 will
                do, and an array on disk (`np.memmap`).
            beam_size: As for `caption`.
            batch_size: As for `caption`.

        Returns:
            A list of strings.
        """
        texts = []
        for start in range(0, len(features), batch_size):
            batch = tf.constant(np.asarray(features[start : start + batch_size], np.float32))
            best = self.run_graph(
                self._best_of_features, batch, self.features_spec, beam_size=int(beam_size)
            )
            texts += [text.decode() for text in best[self.output]]
        return texts

    def _best_of_features(self, features: tf.Tensor, beam_size: int) -> dict[str, tf.Tensor]:
        best = first_of(self.search_encoded({"features": features}, beam_size))
        return {self.output: self.texts_of(best)[:, 0], "score": best.scores[:, 0]}

    def best(self, source: tf.Tensor, beam_size: int = DEFAULT_BEAM_SIZE) -> dict[str, tf.Tensor]:
        """As `TextGenerator.best`: `words`, `lengths`, and with attention `maps`."""
        found = super().best(source, beam_size)
        result = {
            self.output: found[self.output],
            "score": found["score"],
            "words": tf.strings.regex_replace(found["target_tokens"], "▁", ""),
            "lengths": found["target_lengths"],
        }
        if self.has_attention:
            batch, words, _ = tf.unstack(tf.shape(found["attention"]))
            grid = [batch, words, self.encoder.grid_size, self.encoder.grid_size]
            result["maps"] = tf.reshape(found["attention"], grid)
        return result

    def make_answer(self, row: dict[str, np.ndarray]) -> Caption:
        """The `Caption` of one row of what `best` gives."""
        length = row["lengths"]
        return Caption(
            row[self.output].decode(),
            float(row["score"]),
            [word.decode() for word in row["words"][:length]],
            row["maps"][:length] if self.has_attention else None,
        )

    def console_answers(
        self,
        entries: list,
        beam_size: int = DEFAULT_BEAM_SIZE,
        attention: Path | None = None,
    ) -> list:
        """As `TextGenerator.console_answers`, of the paths of pictures."""
        from zoo.drawing.answers import captioned_answers

        paths = [os.fsdecode(path) for path in entries]
        return captioned_answers(self, paths, beam_size, attention)

    def draw_attention(self, answer: Caption, path: str | Path, picture: object = None) -> None:
        """The picture once per word, with what the model looked at.

        Args:
            answer: What `caption` gave with `return_attention`.
            path: The file to draw into.
            picture: What it is the answer to.
        """
        from zoo.drawing.image_maps import attention_maps

        contents = PICTURES.read(PICTURES.name, [picture])
        pixels = decode_pictures(contents, 2 * self.encoder.image_size)[0].numpy()
        attention_maps(pixels, answer.words, answer.maps, path, title=answer.text)

    # Serving.

    def signatures(self) -> dict[str, Signature]:
        """`serving_default`, `beam`, `features`; with attention also `attention`."""
        shape = [None, self.encoder.grid_size**2, self.encoder.channels]
        spec = tf.TensorSpec(shape, tf.float32, name="features")
        of_features = Signature(
            lambda features: self._best_of_features(features, DEFAULT_BEAM_SIZE),
            {"features": spec},
            {"features": self.features(list(self.examples), progress=False)},
        )
        return {**super().signatures(), "features": of_features}


@functools.cache
def _example(size: int) -> bytes:
    return example_picture(size)
