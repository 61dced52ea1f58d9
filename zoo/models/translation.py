"""What the two translators share: from text to ids and back, the verb and the signatures."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.decoding import beam_search, greedy
from zoo.models.base import Signature, ZooModel, batched_by_length
from zoo.models.losses import TokenCrossEntropy
from zoo.models.raw_data import check_count, check_texts
from zoo.models.readout import TiedReadout, scaled_embedding
from zoo.text.subwords import END_ID, START_ID, SubwordTokenizer

MAX_SOURCE_LENGTH = 512
LENGTH_PENALTY = 1.0
DEFAULT_BEAM_SIZE = 5


class Translation(NamedTuple):
    """One translation with what the model looked at.

    Attributes:
        text: the translation.
        score: length-normalised log-probability, natural logarithm; nearer to 0 is surer.
        source_tokens: sub-words of the source, the end mark ``</s>`` last.
        target_tokens: sub-words of the translation.
        attention: float32 ``[len(target_tokens), len(source_tokens)]``, each row sums to 1; None
            from a model without attention.
    """

    text: str
    score: float
    source_tokens: list[str]
    target_tokens: list[str]
    attention: np.ndarray | None


class TranslationModel(ZooModel):
    """A sequence-to-sequence model from strings to strings.

    A subclass builds its layers, calls :meth:`_finish`, and gives ``encode``, ``teacher_force``,
    ``start_state`` and ``step``; what they take and return is told there. The ends are shared: an
    embedding of the source, and one of the target that is the output matrix too.

    The source is read in lower case: a capital says little in English, and each word then has one
    spelling to learn. The target keeps its case.

    Args:
        tokenizer: a ``SubwordTokenizer``, one vocabulary for both languages.
        embedding_units: width of the token embeddings.
        embedding_dropout: share of embedding units dropped in training.
        readout_dropout: share of read-out units dropped in training.
        **network: the subclass's own arguments, kept for :meth:`get_config`.
    """

    task = "translate"
    raw_names = ("sources", "targets")
    has_attention = False

    def __init__(self, tokenizer, embedding_units, embedding_dropout, readout_dropout, **network):
        super().__init__()
        if not isinstance(tokenizer, SubwordTokenizer):
            raise TypeError(f"`tokenizer` must be a SubwordTokenizer. Received: {tokenizer!r}")
        self.tokenizer = tokenizer
        self.source_embedding = scaled_embedding(tokenizer.vocabulary_size, embedding_units)
        self.embedding = scaled_embedding(tokenizer.vocabulary_size, embedding_units)
        self.embedding_dropping = keras.layers.Dropout(embedding_dropout)
        self.readout = TiedReadout(self.embedding, readout_dropout)
        self.configuration = {
            "embedding_units": embedding_units,
            "embedding_dropout": embedding_dropout,
            "readout_dropout": readout_dropout,
            **network,
        }

    def _finish(self):
        """Create all variables and compile with defaults that suit fine-tuning."""
        one = tf.ones([1, 1], tf.int32)
        self({"source": one, "source_lengths": one[0], "target": one})
        self.compile(
            optimizer=keras.optimizers.Adam(1e-4, global_clipnorm=1.0),
            loss=TokenCrossEntropy(label_smoothing=0.1),
            weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="token_accuracy")],
        )

    # What a subclass gives.

    def encode(self, source, lengths, training=None):
        """``source`` int32 ``[batch, time]``, ``lengths`` int32 ``[batch]`` -> memory, any nest."""
        raise NotImplementedError

    def teacher_force(self, target, memory, training=None):
        """``target`` int32 ``[batch, time]`` (start id first) -> logits ``[batch, time, V]``."""
        raise NotImplementedError

    def start_state(self, memory):
        """State before the first target token: a nest of tensors ``[batch, ...]``."""
        raise NotImplementedError

    def step(self, memory):
        """A function ``step(state, ids)`` for :mod:`zoo.decoding`."""
        raise NotImplementedError

    # Data.

    def preprocess(self, sources, targets):
        """Raw pairs to what ``call`` and the loss take.

        Args:
            sources: string ``[batch]``.
            targets: string ``[batch]``.

        Returns:
            ``(inputs, target ids, weights)``: a dict of ``source`` int32 ``[batch, source]``,
            ``source_lengths`` int32 ``[batch]`` and ``target`` int32 ``[batch, time]`` (start id
            first); the ids to predict, int32 ``[batch, time]``; 1 at real ids, else 0, float32.
        """
        source, source_lengths = self.encode_source(sources)
        return self.training_batch(source, source_lengths, *self.tokenizer.encode(targets))

    def encode_source(self, texts):
        """Ids of sources: string ``[batch]`` -> as ``SubwordTokenizer.encode``, in lower case."""
        return self.tokenizer.encode(lower_case(texts))

    def training_batch(self, source, source_lengths, target, target_lengths):
        """As :meth:`preprocess`, from ids: each row ends with the end id, padding is 0."""
        shifted = tf.pad(target[:, :-1], [[0, 0], [1, 0]], constant_values=START_ID)
        weights = tf.sequence_mask(target_lengths, tf.shape(target)[1], tf.float32)
        inputs = {"source": source, "source_lengths": source_lengths, "target": shifted}
        return inputs, target, weights

    # Network.

    def embed_source(self, ids, training=None):
        """``ids`` int32 ``[batch, time]`` -> embeddings, dropped in training."""
        return self.embedding_dropping(self.source_embedding(ids), training=training)

    def embed_target(self, ids, training=None):
        """``ids`` int32 ``[batch, time]`` -> embeddings, dropped in training."""
        return self.embedding_dropping(self.embedding(ids), training=training)

    def call(self, inputs, training=None):
        memory = self.encode(inputs["source"], inputs["source_lengths"], training=training)
        return self.teacher_force(inputs["target"], memory, training=training)

    # The verb.

    def search(self, texts, beam_size=DEFAULT_BEAM_SIZE):
        """Text to hypotheses, in the graph.

        Args:
            texts: string ``[batch]``.
            beam_size: int.

        Returns:
            ``(source, source_lengths, hypotheses)``: int32 ``[batch, source]``, int32 ``[batch]``
            and :class:`zoo.decoding.Hypotheses`. A blank text has one empty hypothesis.
        """
        source, lengths = self.encode_source(texts)
        long_rows = tf.where(lengths > MAX_SOURCE_LENGTH)[:, 0]
        check = tf.debugging.Assert(
            tf.size(long_rows) == 0,
            [
                f"`text` must have at most {MAX_SOURCE_LENGTH} sub-words in each entry: translate "
                "sentence by sentence. Received: too many in the entries",
                long_rows,
            ],
        )
        with tf.control_dependencies([check]):
            memory = self.encode(source, lengths)
        arguments = {
            "step": self.step(memory),
            "state": self.start_state(memory),
            "batch_size": tf.shape(source)[0],
            "start_id": START_ID,
            "end_id": END_ID,
            # Room for German compounds and a slip of the model; a hard stop for a runaway.
            "max_lengths": 2 * lengths + 10,
        }
        if beam_size == 1:
            hypotheses = greedy(**arguments)
        else:
            hypotheses = beam_search(
                **arguments, beam_size=beam_size, length_penalty=LENGTH_PENALTY
            )
        blank = (lengths <= 1)[:, tf.newaxis]
        hypotheses = hypotheses._replace(
            lengths=tf.where(blank, 0, hypotheses.lengths),
            scores=tf.where(blank, 0.0, hypotheses.scores),
            log_probs=tf.where(blank, 0.0, hypotheses.log_probs),
        )
        return source, lengths, hypotheses

    def texts_of(self, hypotheses):
        """Detokenised hypotheses: string ``[batch, beam]``, best first."""
        shape = tf.shape(hypotheses.ids)
        flat = self.tokenizer.decode(
            # -1 would be ambiguous where every hypothesis is empty.
            tf.reshape(hypotheses.ids, [shape[0] * shape[1], shape[2]]),
            tf.reshape(hypotheses.lengths, [-1]),
        )
        return tf.reshape(flat, shape[:2])

    def translate(self, texts, beam_size=DEFAULT_BEAM_SIZE, return_attention=False, batch_size=64):
        """Translate raw texts.

        Args:
            texts: a list of strings, or one string.
            beam_size: hypotheses kept at each step, an int of at least 1; 1 is greedy search.
            return_attention: return :class:`Translation` tuples instead of strings.
            batch_size: texts translated together. It changes speed and memory, never a result.

        Returns:
            A list of strings, or of ``Translation``; one of them if ``texts`` is one string. A
            blank text gives an empty translation.

        Raises:
            TypeError: something is not a string.
            ValueError: an empty list, a text of more than 512 sub-words, or ``beam_size`` below 1.

        Example:
            >>> zoo.load("nmt_attention").translate(["A dog runs."])
        """
        if isinstance(texts, (str, bytes)):
            return self.translate([texts], beam_size, return_attention, batch_size)[0]
        texts = check_texts("texts", texts)
        check_count("beam_size", beam_size)
        check_count("batch_size", batch_size)
        lengths = self.encode_source(tf.constant(texts))[1].numpy()
        longest = int(lengths.argmax())
        if lengths[longest] > MAX_SOURCE_LENGTH:
            raise ValueError(
                f"`texts` must have at most {MAX_SOURCE_LENGTH} sub-words each: translate "
                f"sentence by sentence. Received: texts[{longest}] of {lengths[longest]} sub-words"
            )

        def run(batch):
            for result in self._translate_batch(batch, int(beam_size)):
                yield result if return_attention else result.text

        return batched_by_length(texts, lengths, batch_size, run)

    def _translate_batch(self, batch, beam_size):
        best = self.run_graph(self._best, batch, beam_size=beam_size)
        for row, text in enumerate(best["translation"]):
            width, height = best["source_lengths"][row], best["target_lengths"][row]
            yield Translation(
                text.decode(),
                float(best["score"][row]),
                [token.decode() for token in best["source_tokens"][row, :width]],
                [token.decode() for token in best["target_tokens"][row, :height]],
                best["attention"][row, :height, :width] if self.has_attention else None,
            )

    def _best(self, text, beam_size=DEFAULT_BEAM_SIZE):
        """The best hypothesis of each text with its tokens and, if there is one, its attention."""
        source, source_lengths, hypotheses = self.search(text, beam_size)
        target_lengths = hypotheses.lengths[:, 0]
        # The other hypotheses of the beam, which may be longer, are left out.
        longest = tf.maximum(tf.reduce_max(target_lengths), 0)
        target = hypotheses.ids[:, 0, :longest]
        result = {
            "translation": self.texts_of(first_of(hypotheses))[:, 0],
            "score": hypotheses.scores[:, 0],
            "source_tokens": self._tokens(source, source_lengths),
            "target_tokens": self._tokens(target, target_lengths),
            "source_lengths": source_lengths,
            "target_lengths": target_lengths,
        }
        if self.has_attention:
            mask = tf.sequence_mask(target_lengths, longest, tf.float32)
            result["attention"] = hypotheses.attention[:, 0, :longest] * mask[:, :, tf.newaxis]
        return result

    def _tokens(self, ids, lengths):
        real = tf.sequence_mask(lengths, tf.shape(ids)[1])
        return tf.where(real, self.tokenizer.pieces(ids), "")

    # Serving.

    def signatures(self):
        """``serving_default`` and ``beam``; with attention also ``attention``."""
        spec = {"text": tf.TensorSpec([None], tf.string, name="text")}
        examples = {"text": np.array([b"A dog runs through the snow."], dtype=object)}
        functions = {"serving_default": self._serve_best, "beam": self._serve_beam}
        if self.has_attention:
            functions["attention"] = self._best
        return {name: Signature(function, spec, examples) for name, function in functions.items()}

    def _serve_best(self, text):
        _, _, hypotheses = self.search(text)
        best = first_of(hypotheses)
        return {"translation": self.texts_of(best)[:, 0], "score": best.scores[:, 0]}

    def _serve_beam(self, text):
        _, _, hypotheses = self.search(text)
        return {"translations": self.texts_of(hypotheses), "scores": hypotheses.scores}

    # Files.

    def assets(self):
        """Files beside the weights: name -> bytes."""
        return {"subwords.model": self.tokenizer.model}

    @classmethod
    def from_assets(cls, config, assets):
        """The model of :meth:`get_config` and :meth:`assets`, with fresh weights."""
        return cls(SubwordTokenizer(assets["subwords.model"]), **config)


def lower_case(texts):
    """Sources as the translators read them: string of any shape -> the same in lower case."""
    # TensorFlow's lower casing ends a text at its first NUL.
    texts = tf.strings.regex_replace(texts, r"\x00", "\ufffd")
    return tf.strings.lower(texts, encoding="utf-8")


def first_of(hypotheses):
    """The best hypothesis of each row alone, so that no other is detokenised for nothing."""
    return type(hypotheses)(*(part if part is None else part[:, :1] for part in hypotheses))
