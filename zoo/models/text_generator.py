"""What all models that write text share, whatever they read: sentences, pictures, series.

An encoder leaves a memory, a decoder (`zoo.models.decoders`) writes one token after the other, and
everything from the target's embedding to the exported beams stands here::

    memory = encode(inputs)
    s_i    = decoder(s_{i-1}, y_{i-1}, memory)
    p(y_i) = softmax(E maxout(W [s_i; y_{i-1}; ...]))
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.decoding import Hypotheses, beam_search, greedy
from zoo.models.base import Signature, ZooModel
from zoo.models.checks import check_count, check_kind
from zoo.models.decoders import AttentionDecoder, Memory, StateDecoder
from zoo.models.labels import refuse_class_weight
from zoo.models.losses import TokenCrossEntropy
from zoo.models.readout import TiedReadout, scaled_embedding
from zoo.models.written_text import WrittenText, first_of
from zoo.text.subwords import END_ID, START_ID, SubwordTokenizer

DEFAULT_BEAM_SIZE = 5
TARGET = tf.TensorSpec([None, None], tf.int32)


class TextGenerator(ZooModel):
    """A model from anything to text.

    A subclass is an encoder and a verb. It gives `columns` (the second being texts), `task`,
    `output`, `encoder_inputs`, `make_inputs` and `encode`; its `__init__` builds its encoder,
    then `decoder`, and ends with `finish`. Its verb is `write` under its own name::

        caption = TextGenerator.write

    Args:
        tokenizer: A `SubwordTokenizer` of the target.
        embedding_units: Width of the token embeddings.
        embedding_dropout: Share of embedding units dropped in training.
        readout_dropout: Share of read-out units dropped in training.
        **network: The subclass's own arguments, kept for `get_config`.

    Raises:
        TypeError: `tokenizer` is something else.
    """

    # Specs of what `encode` takes, by name, batch first.
    encoder_inputs: dict[str, tf.TensorSpec]
    # What the text is called in signatures and on the command line: `"translation"`.
    output: str
    decoder: StateDecoder | AttentionDecoder
    # What a hypothesis's log-probability is divided by: its length to this power.
    length_penalty: float = 1.0
    # Ids that are never written, such as that of unknown words.
    banned_ids: tuple[int, ...] = ()

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        embedding_units: int = 64,
        embedding_dropout: float = 0.0,
        readout_dropout: float = 0.0,
        **network: Any,
    ) -> None:
        super().__init__()
        check_kind("tokenizer", tokenizer, SubwordTokenizer)
        self.tokenizer = tokenizer
        self.embedding = scaled_embedding(tokenizer.vocabulary_size, embedding_units)
        self.embedding_dropout = keras.layers.Dropout(embedding_dropout)
        self.readout = TiedReadout(self.embedding, readout_dropout)
        self.configuration = {
            "embedding_units": embedding_units,
            "embedding_dropout": embedding_dropout,
            "readout_dropout": readout_dropout,
            **network,
        }

    def finish(self, learning_rate: float = 1e-4, **compile_arguments: Any) -> None:
        """As `ZooModel.finish`, with the loss of tokens."""
        super().finish(
            learning_rate,
            loss=TokenCrossEntropy(label_smoothing=0.1),
            weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="token_accuracy")],
            **compile_arguments,
        )

    @property
    def network_inputs(self) -> dict[str, tf.TensorSpec]:
        """What `call` takes: the encoder's inputs, and the target to force."""
        return {**self.encoder_inputs, "target": TARGET}

    @property
    def has_attention(self) -> bool:
        """Whether it looks at the source at each step, and can show where."""
        return self.decoder.has_attention

    # What a subclass gives.

    def make_inputs(self, source: tf.Tensor) -> dict[str, tf.Tensor]:
        """Raw entries `[batch, ...]` of the first column to `encoder_inputs`, in the graph."""
        raise NotImplementedError

    def search_inputs(self, source: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `make_inputs`, for a search; the place to refuse what is too long to be searched."""
        return self.make_inputs(source)

    def encode(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> Memory:
        """What the decoder gets of `encoder_inputs`, a dict: see `zoo.models.decoders`."""
        raise NotImplementedError

    def max_lengths(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor | int:
        """The most tokens to write for each row, int32 `[batch]` or one number."""
        return 60

    def is_blank(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor | None:
        """Rows whose text is empty without a search, bool `[batch]`; None: there are none."""
        return None

    def source_outputs(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What the signature `attention` says of the source, by name, batch first."""
        return {}

    def draw_attention(self, answer: Any, path: str) -> None:
        """Draws what the model looked at into a file, for `zoo run --attention`."""
        raise ValueError(f"--attention: {type(self).__name__} has no picture of its attention")

    # Data.

    def fit(self, *args: Any, class_weight: None = None, **kwargs: Any) -> keras.callbacks.History:
        """As `ZooModel.fit`, without `class_weight`: texts have no classes."""
        refuse_class_weight(
            class_weight,
            "the model writes texts, which have no classes",
            "To let some rows count more, give `sample_weight`",
        )
        return super().fit(*args, **kwargs)

    def preprocess(self, source: tf.Tensor, target: tf.Tensor) -> tuple:
        """Raw pairs to what `call` and the loss take.

        Args:
            source: Entries of the first column, `[batch, ...]`.
            target: String `[batch]`.

        Returns:
            `(inputs, target ids, weights)`: a dict of `network_inputs`; the ids to predict, int32
            `[batch, time]`; 1 at real ids, else 0, float32 `[batch, time]`.
        """
        return self.training_batch(self.make_inputs(source), *self.tokenizer.encode(target))

    def training_batch(
        self, inputs: dict[str, tf.Tensor], target: tf.Tensor, target_lengths: tf.Tensor
    ) -> tuple:
        """As `preprocess`, from ids.

        Args:
            inputs: The encoder's.
            target: int32 `[batch, time]`; each row ends with the end id, padding is 0.
            target_lengths: int32 `[batch]`, the end id counted.
        """
        shifted = tf.pad(target[:, :-1], [[0, 0], [1, 0]], constant_values=START_ID)
        weights = tf.sequence_mask(target_lengths, tf.shape(target)[1], tf.float32)
        return {**inputs, "target": shifted}, target, weights

    # Network.

    def call(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """Logits of each next token, float32 `[batch, time, vocabulary]`."""
        memory = self.memory_of(inputs, training=training)
        return self.teacher_force(inputs["target"], memory, training=training)

    def memory_of(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> Memory:
        """What is searched with: the encoder's memory, prepared for the decoder."""
        return self.decoder.prepare(self.encode(inputs, training=training))

    def teacher_force(
        self, target: tf.Tensor, memory: Memory, training: bool | None = None
    ) -> tf.Tensor:
        """Logits `[batch, time, vocabulary]` of a target, int32 `[batch, time]`, start id first."""
        embedded = self.embedding_dropout(self.embedding(target), training=training)
        return self.readout(
            self.decoder.unroll(embedded, memory, training=training), training=training
        )

    def start_state(self, memory: Memory) -> Any:
        """State before the first token: a nest of tensors `[batch, ...]`."""
        return self.decoder.start_state(memory)

    def make_step(self, memory: Memory) -> Callable:
        """A function `step(state, ids)` for `zoo.decoding`."""
        score = self.readout.scorer()
        banned = sum(tf.one_hot(i, self.tokenizer.vocabulary_size) for i in self.banned_ids)

        def step(state: Any, ids: tf.Tensor) -> tuple:
            parts, state, attention = self.decoder.step(self.embedding(ids), state, memory)
            logits = score(parts)
            if self.banned_ids:
                logits = tf.where(banned > 0, -float("inf"), logits)
            return logits, state, attention

        return step

    # The verb.

    def search(
        self, source: tf.Tensor, beam_size: int = DEFAULT_BEAM_SIZE
    ) -> tuple[dict[str, tf.Tensor], Hypotheses]:
        """Raw entries to hypotheses, in the graph.

        Args:
            source: `[batch, ...]`.
            beam_size: Hypotheses kept at each step; 1 is greedy search.

        Returns:
            The encoder's inputs, and the `Hypotheses`. A blank entry has an empty one.
        """
        inputs = self.search_inputs(source)
        return inputs, self.search_encoded(inputs, beam_size)

    def search_encoded(self, inputs: dict[str, tf.Tensor], beam_size: int) -> Hypotheses:
        """As `search`, from the encoder's inputs."""
        memory = self.memory_of(inputs)
        arguments = {
            "step": self.make_step(memory),
            "state": self.start_state(memory),
            "batch_size": tf.shape(next(iter(inputs.values())))[0],
            "start_id": START_ID,
            "end_id": END_ID,
            "max_lengths": self.max_lengths(inputs),
        }
        if beam_size == 1:
            hypotheses = greedy(**arguments)
        else:
            hypotheses = beam_search(
                **arguments, beam_size=beam_size, length_penalty=self.length_penalty
            )
        if (blank := self.is_blank(inputs)) is not None:
            blank = blank[:, tf.newaxis]
            hypotheses = hypotheses._replace(
                lengths=tf.where(blank, 0, hypotheses.lengths),
                scores=tf.where(blank, 0.0, hypotheses.scores),
                log_probs=tf.where(blank, 0.0, hypotheses.log_probs),
            )
        return hypotheses

    def texts_of(self, hypotheses: Hypotheses) -> tf.Tensor:
        """Detokenised hypotheses: string `[batch, beam]`, best first."""
        shape = tf.shape(hypotheses.ids)
        flat = self.tokenizer.decode(
            # -1 would be ambiguous where every hypothesis is empty.
            tf.reshape(hypotheses.ids, [shape[0] * shape[1], shape[2]]),
            tf.reshape(hypotheses.lengths, [-1]),
        )
        return tf.reshape(flat, shape[:2])

    def write(
        self,
        entries: Any,
        beam_size: int = DEFAULT_BEAM_SIZE,
        return_attention: bool = False,
        batch_size: int = 64,
        progress: bool = True,
    ) -> Any:
        """The text for each entry.

        Args:
            entries: A list of entries of the first column, or one.
            beam_size: Hypotheses kept at each step, at least 1; 1 is greedy search.
            return_attention: Return named tuples with the score, the tokens and the attention
                instead of strings.
            batch_size: Entries read together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            A list of strings, or of tuples; one of them for one entry.

        Raises:
            TypeError: An entry of a wrong type.
            ValueError: An empty list, an entry that is too long, or a number below 1.
        """
        check_count("beam_size", beam_size)
        return self.write_with(
            entries,
            return_attention,
            batch_size,
            progress,
            self.entry_lengths,
            beam_size=int(beam_size),
        )

    def write_with(
        self,
        entries: Any,
        return_attention: bool,
        batch_size: int,
        progress: bool,
        lengths: Callable[[tf.Tensor], np.ndarray] | None,
        **options: Any,
    ) -> Any:
        """As `write`, for verbs with options of their own: those of `best`, plain values.

        Args:
            entries: As of `write`.
            return_attention: Likewise.
            batch_size: Likewise.
            progress: Likewise.
            lengths: See `entry_lengths`.
            **options: What `best` takes beside the entries.
        """

        def run(batch: tf.Tensor, places: np.ndarray) -> list:
            answers = self.make_answers(self.run_graph(self.best, batch, **options))
            return answers if return_attention else [answer.text for answer in answers]

        return self.answers(entries, run, batch_size, progress, lengths)

    # How long entries are, for batches of like length; None: as `answers` measures them.
    entry_lengths: Callable[[tf.Tensor], np.ndarray] | None = None

    def best(self, source: tf.Tensor, beam_size: int = DEFAULT_BEAM_SIZE) -> dict[str, tf.Tensor]:
        """The best hypothesis of each row with its tokens and, if there is one, its attention."""
        inputs, hypotheses = self.search(source, beam_size)
        lengths = hypotheses.lengths[:, 0]
        # The other hypotheses of the beam, which may be longer, are left out.
        longest = tf.maximum(tf.reduce_max(lengths), 0)
        result = {
            self.output: self.texts_of(first_of(hypotheses))[:, 0],
            "score": hypotheses.scores[:, 0],
            **self.source_outputs(inputs),
            "target_tokens": self.token_names(hypotheses.ids[:, 0, :longest], lengths),
            "target_lengths": lengths,
        }
        if self.has_attention:
            mask = tf.sequence_mask(lengths, longest, tf.float32)
            result["attention"] = hypotheses.attention[:, 0, :longest] * mask[:, :, tf.newaxis]
        return result

    def make_answers(self, best: dict[str, np.ndarray]) -> list:
        """The answers of what `best` gives, one for each entry."""
        rows = range(len(best[self.output]))
        return [self.make_answer({name: of[row] for name, of in best.items()}) for row in rows]

    def make_answer(self, row: dict[str, np.ndarray]) -> Any:
        """The answer of one row of what `best` gives; a named tuple with `text` and `score`."""
        length = row["target_lengths"]
        return WrittenText(
            row[self.output].decode(),
            float(row["score"]),
            [token.decode() for token in row["target_tokens"][:length]],
            row["attention"][:length] if self.has_attention else None,
        )

    def token_names(self, ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """The pieces of ids `[batch, time]`, string; empty past the lengths."""
        real = tf.sequence_mask(lengths, tf.shape(ids)[1])
        return tf.where(real, self.tokenizer.pieces(ids), "")

    def console_answers(
        self, entries: list, beam_size: int = DEFAULT_BEAM_SIZE, attention: Any = None
    ) -> list:
        """As `ZooModel.console_answers`; `attention`: the file to draw what it looked at into."""
        from zoo.drawing.answers import written_answers

        return written_answers(self, entries, beam_size, attention)

    # Serving.

    # Entries for warm-up and verification, at least one.
    examples: tuple = ()

    def signatures(self) -> dict[str, Signature]:
        """`serving_default` and `beam`; with attention also `attention`."""
        functions = {"serving_default": self._serve_best, "beam": self._serve_beam}
        if self.has_attention:
            functions["attention"] = self._serve_attention
        return {
            name: self.signature(function, self.examples) for name, function in functions.items()
        }

    def _serve_best(self, **source: tf.Tensor) -> dict[str, tf.Tensor]:
        _, hypotheses = self.search(*source.values())
        best = first_of(hypotheses)
        return {self.output: self.texts_of(best)[:, 0], "score": best.scores[:, 0]}

    def _serve_beam(self, **source: tf.Tensor) -> dict[str, tf.Tensor]:
        _, hypotheses = self.search(*source.values())
        return {f"{self.output}s": self.texts_of(hypotheses), "scores": hypotheses.scores}

    def _serve_attention(self, **source: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.best(*source.values())

    # Files.

    def assets(self) -> dict[str, bytes]:
        """Files beside the weights, by name."""
        return {"subwords.model": self.tokenizer.model}

    @classmethod
    def from_assets(cls, config: dict[str, Any], assets: dict[str, bytes]) -> "TextGenerator":
        """The model of `get_config` and `assets`, with fresh weights."""
        return cls(SubwordTokenizer(assets["subwords.model"]), **config)
