"""How `fit` of a tagger reads its data: texts with spans, or tokens with tags.

What was given tells which: `x` holds strings, or lists of strings. Either way a model is trained on
the tokens that `tag` will find in raw text, which are those of its own tokenizer.
"""

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from zoo.data.conll import Tagged
from zoo.models.checks import check_choice, short
from zoo.models.raw_rows import is_in_memory, split_rows
from zoo.models.spans import (
    BAD_SPANS,
    Misfit,
    cut_rows,
    describe,
    describe_joined,
    describe_unknown,
    fit_spans,
    read_spans_of,
)
from zoo.models.text_rows import (
    SPANS,
    SentenceRows,
    TextRows,
    sentence_stream,
    text_rows,
    validation_rows,
)
from zoo.models.type_weights import balanced_type_weights, type_weights

if TYPE_CHECKING:
    from zoo.reports.base import Report

# Texts that are split into words at once.
GROUP = 256

_Way = tuple[str, tuple[float, ...] | None]
_BY_DEFAULT: _Way = ("split", None)
# How models read by their `id`, in this thread: what another one is at meanwhile is its own.
_ways: ContextVar[Mapping[int, _Way]] = ContextVar("ways to read", default=MappingProxyType({}))


class ReadsSpans:
    """What a `ZooModel` of tagged tokens has before it.

    It has the columns `tokens` and `tags`, `types` and a `tokenizer`; its `preprocess` goes by
    `reading`, its loss by `type_weights`.
    """

    @property
    def reading(self) -> str:
        """Whether `preprocess` splits tokens as the tokenizer does, "split", or takes "whole"."""
        return _ways.get().get(id(self), _BY_DEFAULT)[0]

    @property
    def type_weights(self) -> tuple[float, ...] | None:
        """How much each type counts in the loss; None: all alike."""
        return _ways.get().get(id(self), _BY_DEFAULT)[1]

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int = 32,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        sample_weight: Any = None,
        *,
        bad_spans: str = "error",
        split_tokens: bool = True,
        class_weight: dict[str, float] | str | None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains on texts with spans, or on tokens with tags.

        Args:
            x: Texts: a list, array or pandas Series of strings. Each is cut into sentences as `tag`
                cuts it, and a batch is of sentences. Or tokens: lists of strings, each a sentence.
                Or both columns by name, `texts` and `spans` or `tokens` and `tags`: a dict or a
                data frame. Or a generator of rows or batches of either. Or a data set of tokens and
                tags, as of `ZooModel.fit`; to make one of texts there is `align`.
            y: With texts their spans: for each a list of `(start, end, type)` in characters, the
                end exclusive; or of dicts with `start`, `end` and `label`; or of what `tag`
                returns. With tokens their tags, in BIO, IOB1 or IOBES.
            batch_size: Sentences in a batch.
            validation_split: Share of the rows, the last ones, that is kept for validation.
            validation_data: `(x, y)`, `(x, y, sample_weight)`, or what `x` may be.
            shuffle: Shuffle at each epoch what is in memory.
            sample_weight: How much each row of `x` counts in the loss; a text's weight is that of
                each of its sentences.
            bad_spans: What to do about spans that cut tokens, overlap, are empty or leave their
                text. `"error"`: an error that lists them. `"snap"`: take all tokens that a span
                touches, of spans that overlap the longest, and list in a warning what was changed.
                `"skip"`: leave them out, so that their tokens are trained to be of no entity, and
                list them in a warning.
            split_tokens: Whether tokens are split as the model's own tokenizer splits them, which
                is how `tag` will see them: "$999" is "$" and "999", and an entity of the one is one
                of both. False: they are taken as they are, as by `tag_tokens`.
            class_weight: How much the tokens of a type's entities count in the loss: a dict by
                type, in which a type that is left out weighs 1, as tokens of no entity do; or
                `"balanced"`: entities / (types * entities of the type), of lists or arrays. What
                this means to a CRF stands at `zoo.models.type_weights`.
            **kwargs: As of `ZooModel.fit`.

        Returns:
            The history of losses and metrics.

        Raises:
            TypeError: Entries of a wrong type.
            ValueError: Spans or tags that do not fit, each of them named; or what `ZooModel.fit`
                refuses.

        Example:
            >>> model = zoo.load("ner_open", types=["DISH"])
            >>> model.fit(["Two bowls of ramen, please."], [[(13, 18, "DISH")]])
        """
        check_choice("bad_spans", bad_spans, BAD_SPANS)
        train = self._sentence_rows(text_rows(x, y, sample_weight), bad_spans)
        held = self._sentence_rows(validation_rows(validation_data), bad_spans, "validation spans")
        if train and validation_split and validation_data is None:
            train, held = train.split(validation_split)
        x, y, sample_weight, own = self._rows(x, y, sample_weight, train, bad_spans)
        held_own = held is not None or validation_data is None
        if held:
            validation_data = tuple(column for column in held.columns() if column is not None)
        elif isinstance(validation_data, Iterator):
            validation_data, _, _, held_own = self._rows(
                validation_data, None, None, None, bad_spans
            )
        # The tokens of texts are the tokenizer's own already.
        whole = not split_tokens or (own and held_own)
        weights = self._weights(class_weight, x, y, validation_split, validation_data)
        with self._reading("whole" if whole else "split", weights):
            return super().fit(
                x,
                y,
                batch_size,
                validation_split,
                validation_data,
                shuffle,
                sample_weight,
                **kwargs,
            )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int = 32,
        sample_weight: Any = None,
        *,
        bad_spans: str = "error",
        split_tokens: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on texts with spans or tokens with tags; arguments as of `fit`."""
        if kwargs.get("_use_cached_eval_dataset"):  # Keras, from `fit`
            return super().evaluate(x, y, batch_size, sample_weight, **kwargs)
        check_choice("bad_spans", bad_spans, BAD_SPANS)
        rows = self._sentence_rows(text_rows(x, y, sample_weight), bad_spans)
        x, y, sample_weight, own = self._rows(x, y, sample_weight, rows, bad_spans)
        with self._reading("whole" if own or not split_tokens else "split"):
            return super().evaluate(x, y, batch_size, sample_weight, **kwargs)

    def evaluate_report(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 64,
        progress: bool = True,
        *,
        bad_spans: str = "error",
    ) -> "Report":
        """As `ZooModel.evaluate_report`, on texts with spans too.

        Entities are compared on the tokens that are given, or on the tokenizer's own of texts.

        Args:
            x: As of `fit`.
            y: As of `fit`.
            batch_size: As of `ZooModel.evaluate_report`.
            progress: As of `ZooModel.evaluate_report`.
            bad_spans: As of `fit`.

        Returns:
            A `zoo.reports.tagging.TaggingReport`.

        Raises:
            TypeError: Entries of a wrong type.
            ValueError: Spans or tags that do not fit, each of them named.
        """
        check_choice("bad_spans", bad_spans, BAD_SPANS)
        rows = self._sentence_rows(text_rows(x, y, None), bad_spans)
        x, y, *_ = self._rows(x, y, None, rows, bad_spans)
        return super().evaluate_report(x, y, batch_size, progress)

    def align(self, texts: Any, spans: Any, bad_spans: str = "error") -> Tagged:
        """The tokens and tags that `fit` makes of texts with spans, to look at or to store.

        Args:
            texts: As `x` of `fit`.
            spans: As `y` of `fit`.
            bad_spans: As of `fit`.

        Returns:
            `Tagged(tokens, tags)`: a row for each sentence of the texts, tags in BIO. `fit` takes
            it with `split_tokens=False`.

        Raises:
            TypeError: Entries of a wrong type.
            ValueError: Spans that do not fit, each of them named.

        Example:
            >>> zoo.load("ner").align(["Ann Lee ran."], [[(0, 7, "PER")]])
            Tagged(tokens=[['Ann', 'Lee', 'ran', '.']], tags=[['B-PER', 'I-PER', 'O', 'O']])
        """
        check_choice("bad_spans", bad_spans, BAD_SPANS)
        rows = text_rows({"texts": texts, SPANS: spans})
        tokens, tags, _ = self._sentence_rows(rows, bad_spans).columns()
        return Tagged(tokens, tags)

    def _rows(
        self, x: Any, y: Any, sample_weight: Any, rows: SentenceRows | None, bad_spans: str
    ) -> tuple[Any, Any, Any, bool]:
        """What Keras reads, and whether its tokens are the tokenizer's own already."""
        if rows is not None:
            return (*rows.columns(), True)
        if not isinstance(x, Iterator):
            return x, y, sample_weight, False
        x, own = sentence_stream(x, lambda of: self._sentence_rows(of, bad_spans))
        return x, y, sample_weight, own

    def _weights(
        self, class_weight: Any, x: Any, y: Any, validation_split: float, validation_data: Any
    ) -> tuple[float, ...] | None:
        if class_weight is None:
            return None
        if not isinstance(class_weight, str) or class_weight != "balanced":
            return type_weights(self.types, class_weight)
        if not is_in_memory(x):
            raise ValueError(
                '`class_weight="balanced"` needs lists or arrays, to count their entities: with a '
                f"data set or generator give a dict of weights by type. Received: x={short(x)}"
            )
        columns = self._raw_data().in_memory(x, y, None)
        if validation_split and validation_data is None:
            columns, _ = split_rows(columns, validation_split)
        return balanced_type_weights(self.types, columns[1])

    @contextlib.contextmanager
    def _reading(self, reading: str, weights: tuple[float, ...] | None = None) -> Iterator[None]:
        """Within the block, data is read in this way and types weigh so much."""
        token = _ways.set({**_ways.get(), id(self): (reading, weights)})
        if weights is not None:
            self.train_function = None  # Keras keeps it, with the weights that it was made with
        try:
            yield
        finally:
            _ways.reset(token)
            if weights is not None:
                self.train_function = None

    # From spans to tags.

    def _sentence_rows(
        self, rows: TextRows | None, bad_spans: str, name: str = SPANS
    ) -> SentenceRows | None:
        """The sentences of texts with spans; None of nothing.

        Raises:
            ValueError: Spans of other types, or that do not fit and are not to be mended.
        """
        if rows is None:
            return None
        spans = [read_spans_of(name, row, of) for row, of in enumerate(rows.spans)]
        self._check_types(name, spans)
        sentences, misfits, joined = [], [], []
        for row, (text, tokens, places, counts) in enumerate(self._split_texts(rows.texts)):
            fitting, bad = fit_spans(row, text, spans[row], *places, snap=bad_spans != "skip")
            misfits += bad
            cut, crossed = cut_rows(tokens, fitting, counts)
            sentences.append(cut)
            joined += [(row, text[start:end]) for start, end, _ in crossed]
        self._tell(name, misfits, joined, sum(map(len, spans)), bad_spans)
        return SentenceRows(sentences, rows.weights)

    def _tell(
        self, name: str, misfits: list[Misfit], joined: list, spans: int, bad_spans: str
    ) -> None:
        if misfits and bad_spans == "error":
            raise ValueError(describe(name, misfits, spans, bad_spans))
        if misfits:
            warnings.warn(describe(name, misfits, spans, bad_spans), stacklevel=4)
        if joined:
            warnings.warn(describe_joined(name, joined), stacklevel=4)

    def _check_types(self, name: str, spans: list[list]) -> None:
        unknown = {}
        for row, of_text in enumerate(spans):
            for *_, kind in of_text:
                if kind not in self.types:
                    unknown.setdefault(kind, []).append(row)
        if unknown:
            raise ValueError(describe_unknown(name, unknown, self.types))

    def _split_texts(self, texts: list[bytes]) -> Iterator[tuple]:
        """For each text: itself, its tokens, where they start and end, words of each sentence."""
        for group in range(0, len(texts), GROUP):
            part = texts[group : group + GROUP]
            cut = self.run_graph(self._words_and_sentences, tf.constant(part))
            token = sentence = 0
            for text, tokens, sentences in zip(
                part, cut["counts"], cut["sentence_counts"], strict=True
            ):
                of = slice(token, token := token + tokens)
                counts = cut["sentences"][sentence : (sentence := sentence + sentences)]
                yield (
                    text.decode("utf-8", "replace"),
                    [word.decode() for word in cut["tokens"][of]],
                    (cut["starts"][of].tolist(), cut["ends"][of].tolist()),
                    counts.tolist(),
                )

    def _words_and_sentences(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        words = self.tokenizer.tokenize(text)
        sentences = self.tokenizer.sentences(words)
        return {
            "tokens": words.tokens.flat_values,
            "starts": words.starts.flat_values,
            "ends": words.ends.flat_values,
            "counts": words.tokens.row_lengths(),
            "sentences": sentences.flat_values,
            "sentence_counts": sentences.row_lengths(),
        }
