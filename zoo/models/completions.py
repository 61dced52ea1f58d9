"""How a language model writes: all at once, or one token after the other with the state in between.

Both ways take the same steps from the same state, so that they give the same text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.decoding import Hypotheses, beam_search, draw_ids, greedy, sample
from zoo.decoding.hypotheses import log_normaliser
from zoo.models.base import Signature
from zoo.models.checks import check_count
from zoo.models.next_word import ReadingState
from zoo.models.written_text import first_of

SHOWN = 20  # words that might come next, in an answer of `step`
_SEEDS = np.iinfo(np.int32)


@dataclass(frozen=True)
class Writing:
    """How to go on; the arguments of `LanguageModel.complete`."""

    max_tokens: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    beam_size: int | None = None
    seed: int = 0

    def check(self, vocabulary_size: int) -> None:
        """Raises ValueError for an option that cannot be, by its name."""
        check_count("max_tokens", self.max_tokens)
        for name, right, what in (
            (
                "temperature",
                _is_number(self.temperature) and 0 <= self.temperature < float("inf"),
                "a number of at least 0",
            ),
            (
                "top_k",
                isinstance(self.top_k, int | np.integer) and 0 <= self.top_k <= vocabulary_size,
                f"a number of words of the {vocabulary_size:,} that there are, or 0: all",
            ),
            (
                "top_p",
                _is_number(self.top_p) and 0 < self.top_p <= 1,
                "above 0 and at most 1, which draws from all",
            ),
            (
                "seed",
                isinstance(self.seed, int | np.integer) and _SEEDS.min <= self.seed <= _SEEDS.max,
                "an int of 32 bits",
            ),
        ):
            if not right:
                raise ValueError(
                    f"`{name}` must be {what}. Received: {name}={getattr(self, name)!r}"
                )
        if self.beam_size is None:
            return
        check_count("beam_size", self.beam_size)
        if self.temperature not in (0, 1) or self.top_k or self.top_p < 1:
            raise ValueError(
                "`beam_size` searches for the most probable text and draws nothing: leave out "
                "`temperature`, `top_k` and `top_p`. "
                f"Received: beam_size={self.beam_size}, temperature={self.temperature}, "
                f"top_k={self.top_k}, top_p={self.top_p}"
            )

    # Options have a graph each; numbers are told to one.
    specs = (
        tf.TensorSpec([], tf.int32),
        tf.TensorSpec([], tf.int32),
        tf.TensorSpec([], tf.float32),
        tf.TensorSpec([], tf.float32),
    )

    @property
    def numbers(self) -> tuple[tf.Tensor, ...]:
        """`max_tokens`, `seed`, `temperature` and `top_p`, as `specs` has them."""
        values = (self.max_tokens, self.seed, self.temperature or 1.0, self.top_p)
        return tuple(
            tf.constant(value, spec.dtype) for value, spec in zip(values, self.specs, strict=True)
        )

    @property
    def options(self) -> dict[str, Any]:
        """What else there is, plain values."""
        if self.beam_size is not None:
            return {"beam_size": int(self.beam_size)}
        if not self.temperature:
            return {}
        return {"drawn": True, "top_k": int(self.top_k), "nucleus": self.top_p < 1}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number)


class Completions:
    """What a `NextWordNetwork` of texts has to write with; a mixin.

    The class gives `ids_of`, `written`, `end_id` and `unknown_id`, which is never written.
    """

    end_id: int
    unknown_id: int

    def started(self, texts: tf.Tensor) -> tuple[tf.Tensor, ReadingState, tf.Tensor]:
        """What to go on from: the last word of each text, the state before it, and the lengths.

        A text without words goes on from the end of a text.
        """
        ids = self.ids_of(texts)
        lengths = tf.cast(ids.row_lengths(), tf.int32)
        tokens = tf.pad(ids.to_tensor(self.end_id), [[0, 0], [0, 1]], constant_values=self.end_id)
        read = tf.maximum(lengths - 1, 0)
        last = tf.gather(tokens, read, batch_dims=1)
        state = self.read_state(tokens, read)
        return last, state, lengths

    def read_state(self, tokens: tf.Tensor, lengths: tf.Tensor) -> ReadingState:
        """The state after so many of the tokens, int32 `[batch, time]` and `[batch]`."""
        state = self.start_state(tf.shape(tokens)[0])
        if state.cache:
            return self.known_words(tokens, tf.roll(tokens, -1, axis=1), lengths, state)[1]
        return ReadingState(self.read(tokens, state.cells, lengths)[1], state.cache)

    def next_scores(self, state: ReadingState, ids: tf.Tensor) -> tuple[tf.Tensor, ReadingState]:
        """As `next_word`; the unknown word has no probability."""
        logits, state = self.next_word(state, ids)
        size = logits.shape[-1]
        return logits + tf.one_hot(self.unknown_id, size, -np.inf, 0.0), state

    def continuations(
        self,
        texts: tf.Tensor,
        rows: tf.Tensor | None,
        max_tokens: int | tf.Tensor,
        seed: int | tf.Tensor,
        temperature: float | tf.Tensor,
        top_p: float | tf.Tensor,
        beam_size: int | None = None,
        drawn: bool = False,
        top_k: int = 0,
        nucleus: bool = False,
    ) -> Hypotheses:
        """What may follow each text, in the graph; see `LanguageModel.complete`.

        Args:
            texts: String `[batch]`.
            rows: The place of each in a larger batch, see `zoo.decoding.sample`.
            max_tokens: Scalar.
            seed: Scalar.
            temperature: Scalar, above 0.
            top_p: Scalar; it counts if `nucleus`.
            beam_size: Search with so many hypotheses; None: do not search.
            drawn: Draw words rather than take the most probable.
            top_k: As of `complete`.
            nucleus: Whether `top_p` is less than all.
        """
        last, state, lengths = self.started(texts)
        batch = tf.size(last)

        def step(state: ReadingState, ids: tf.Tensor) -> tuple:
            logits, state = self.next_scores(state, ids)
            return logits, state, None

        arguments = {
            "start_id": last,
            "end_id": self.end_id,
            "max_lengths": tf.where(lengths > 0, max_tokens, 1),
        }
        if beam_size is not None:
            found = beam_search(step, state, batch, beam_size=beam_size, **arguments)
            found = first_of(found)
        elif drawn:
            limit = top_p if nucleus else None
            drawing = {"temperature": temperature, "top_k": top_k, "top_p": limit, "seed": seed}
            found = sample(step, state, batch, rows=rows, **drawing, **arguments)
        else:
            found = greedy(step, state, batch, **arguments)
        real = (lengths > 0)[:, tf.newaxis]
        return found._replace(
            lengths=tf.where(real, found.lengths, 0), scores=tf.where(real, found.scores, 0.0)
        )

    def _written(
        self, text: tf.Tensor, rows: tf.Tensor | None, *numbers: tf.Tensor, **options: Any
    ) -> dict[str, tf.Tensor]:
        found = self.continuations(text, rows, *numbers, **options)
        ids, lengths = found.ids[:, 0], found.lengths[:, 0]
        words = tf.RaggedTensor.from_tensor(self.written(ids), lengths=lengths)
        return {
            "completion": tf.strings.reduce_join(words, axis=1, separator=" "),
            "score": found.scores[:, 0],
        }

    # One token after the other.

    def _streamed(self, text: str | bytes, writing: Writing) -> Iterator[str]:
        """The words of one text as they come."""
        begun = self.run_graph(self._serve_start, tf.constant([text]))
        if not begun["goes_on"][0]:
            return
        ids, state = begun["ids"], begun["state"]
        specs = (tf.TensorSpec([None], tf.int32), self.packed_state_spec)
        specs += (tf.TensorSpec([], tf.int32), *writing.specs[1:])
        for time in range(writing.max_tokens):
            batch = (tf.constant(ids), tf.constant(state), tf.constant(time), *writing.numbers[1:])
            answer = self.run_graph(self._draw_next, batch, specs, **writing.options)
            ids, state = answer["ids"], answer["state"]
            if ids[0] == self.end_id:
                return
            yield answer["tokens"][0].decode()

    def _draw_next(
        self,
        ids: tf.Tensor,
        state: tf.Tensor,
        time: tf.Tensor,
        seed: tf.Tensor,
        temperature: tf.Tensor,
        top_p: tf.Tensor,
        drawn: bool = False,
        top_k: int = 0,
        nucleus: bool = False,
    ) -> dict[str, tf.Tensor]:
        logits, after = self.next_scores(self.unpack_state(state), ids)
        if drawn:
            limit = top_p if nucleus else None
            chosen, _ = draw_ids(logits, time, seed, temperature, top_k, limit)
        else:
            chosen = tf.math.top_k(logits, 1).indices
        ids = chosen[:, 0]
        return {"ids": ids, "tokens": self.written(ids), "state": self.pack_state(after)}

    def _serve_start(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        last, state, lengths = self.started(text)
        return {"ids": last, "state": self.pack_state(state), "goes_on": lengths > 0}

    def _serve_step(self, ids: tf.Tensor, state: tf.Tensor) -> dict[str, tf.Tensor]:
        spec, size = self.packed_state_spec, self.embedding.input_dim
        if state.dtype != spec.dtype or not spec.shape.is_compatible_with(state.shape):
            raise ValueError(
                f"`state` must be float32 [batch, {spec.shape[1]}], as `start` and `step` give it. "
                f"Received: {state.dtype.name} {state.shape}"
            )
        checks = (
            tf.debugging.assert_equal(
                tf.reduce_all((ids >= 0) & (ids < size)),
                True,
                f"`ids` must be from 0 to {size - 1}, as `start` and `step` give them",
            ),
            tf.debugging.assert_equal(
                tf.size(ids),
                tf.shape(state)[0],
                "`ids` and `state` must have as many rows: a state for each id",
            ),
        )
        with tf.control_dependencies([check for check in checks if check is not None]):
            ids = tf.identity(ids)
        logits, after = self.next_scores(self.unpack_state(state), ids)
        values, likely = tf.math.top_k(logits, min(SHOWN, size - 1))
        log_probabilities = values - log_normaliser(logits, values[:, :1])
        return {
            "ids": likely[:, 0],
            "token": self.written(likely[:, 0]),
            "log_probability": log_probabilities[:, 0],
            "likely_ids": likely,
            "likely_tokens": self.written(likely),
            "likely_log_probabilities": log_probabilities,
            "state": self.pack_state(after),
        }

    def _step_signature(self) -> Signature:
        state = tf.TensorSpec(self.packed_state_spec.shape, tf.float32, name="state")
        return Signature(
            self._serve_step,
            {"ids": tf.TensorSpec([None], tf.int32, name="ids"), "state": state},
            {"ids": np.zeros([1], np.int32), "state": np.zeros([1, state.shape[1]], np.float32)},
        )
