"""Raw strings <-> sub-word ids with SentencePiece, inside the graph (TF Text)."""

import hashlib

import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow_text.python.ops.sentencepiece_tokenizer import gen_sentencepiece_tokenizer

from zoo.text.cleaning import LINE_END, valid_utf8, visible

PAD_ID, UNK_ID, START_ID, END_ID = 0, 1, 2, 3


class SubwordTokenizer(tf.Module):
    """A SentencePiece model as graph operations: the same code in `fit`, the verbs and exports.

    Kudo and Richardson (2018), "SentencePiece". Text is NFKC normalised by the model itself,
    invisible characters are dropped (`zoo.text.cleaning`), every end of a line is a blank, invalid
    UTF-8 becomes U+FFFD, and what the vocabulary does not hold is spelt in bytes, so that nothing
    is unknown: emoji and other scripts come through.

    The ids 0 to 3 are padding, unknown, start and end; a model trained with other ids is refused.

    Args:
        model: The serialised SentencePiece model, `bytes` (the content of a `.model` file).

    Raises:
        ValueError: `model` is not a SentencePiece model, or has other special ids.

    Example:
        >>> tokenizer = SubwordTokenizer(Path("subwords.model").read_bytes())
        >>> ids, lengths = tokenizer.encode(tf.constant(["A dog runs."]))
        >>> tokenizer.decode(ids, lengths)
    """

    def __init__(self, model: bytes) -> None:
        super().__init__(name="subword_tokenizer")
        if not isinstance(model, bytes) or not model:
            raise ValueError(
                "`model` must be the bytes of a SentencePiece model. "
                f"Received: {type(model).__name__} of length {len(model) if model else 0}"
            )
        self.model = model
        try:
            self._tokenizer = tf_text.SentencepieceTokenizer(model=model, out_type=tf.int32)
            self._tokenizer._model_resource = _SharedModel(model)
            self.vocabulary_size = int(self._tokenizer.vocab_size())
        except tf.errors.OpError as error:
            raise ValueError(
                "`model` is not a readable SentencePiece model; make one with "
                "`zoo.training.corpora.subwords.train_subwords`. "
                f"Received: {len(model)} bytes: {error}"
            ) from error
        end = int(self._tokenizer.string_to_id("</s>"))
        start = int(self._tokenizer.string_to_id("<s>"))
        if (start, end) != (START_ID, END_ID):
            raise ValueError(
                f"`model` must have the ids <s>={START_ID} and </s>={END_ID}. "
                f"Received: <s>={start}, </s>={end}"
            )

    def encode(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Sub-word ids of each text, the end id last.

        Args:
            texts: `[batch]` string.

        Returns:
            `(ids, lengths)`: `[batch, time]` int32 padded with 0, and `[batch]` int32, the
            end id counted. An empty or blank text has length 1: the end id alone.
        """
        ragged = self.encode_ragged(texts)
        return ragged.to_tensor(PAD_ID), tf.cast(ragged.row_lengths(), tf.int32)

    def encode_ragged(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """As `encode`, without padding: int32 `[batch, (time)]`."""
        # SentencePiece's NFKC takes only the blank for one; a line break in a text is no word.
        texts = tf.strings.regex_replace(visible(valid_utf8(texts)), LINE_END, " ")
        ragged = self._tokenizer.tokenize(texts)
        ends = tf.fill([ragged.nrows(), 1], END_ID)
        return tf.concat([ragged, tf.RaggedTensor.from_tensor(ends)], axis=1)

    def decode(self, ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Text of each row of ids.

        Args:
            ids: `[batch, time]` int32.
            lengths: `[batch]` int32, ids to read in each row (start, end and padding left out).

        Returns:
            `[batch]` string, always valid UTF-8: bytes that make no character become U+FFFD.
        """
        ragged = tf.RaggedTensor.from_tensor(ids, lengths=lengths)
        texts = self._tokenizer.detokenize(ragged)
        return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")

    def pieces(self, ids: tf.Tensor) -> tf.Tensor:
        """The vocabulary entry of every id, such as `"▁dog"`: string, of the shape of `ids`."""
        flat = self._tokenizer.id_to_string(tf.reshape(ids, [-1]))
        return tf.reshape(flat, tf.shape(ids))


class _SharedModel(tf.saved_model.experimental.TrackableResource):
    """The SentencePiece model as a named resource of the runtime.

    TF Text ties the resource to the kernel that made it, and TensorFlow throws its kernels away in
    `tf.random.set_seed`: every tokenizer made before would stop working. A named resource stays.
    """

    def __init__(self, model: bytes) -> None:
        super().__init__()
        self._model = model
        self._name = f"subwords-{hashlib.sha256(model).hexdigest()}"
        _ = self.resource_handle  # reading it creates the resource

    def _create_resource(self) -> tf.Tensor:
        return gen_sentencepiece_tokenizer.sentencepiece_op(
            model=self._model, shared_name=self._name
        )
