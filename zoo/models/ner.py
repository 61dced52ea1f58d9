"""Named entities: Lample et al. (2016), arXiv:1603.01360, "Neural Architectures for NER".

The lecture's sequence labelling on a bidirectional LSTM, with a conditional random field on top::

    x_t = [vector of the word; last outputs of two LSTMs over its characters]
    h_t = [forward LSTM; backward LSTM] over x_1 ... x_T, at token t
    s_t = W h_t + b                       a score for every tag of the token
    p(y | x) = CRF(s_1 ... s_T)           one probability for the whole tag sequence

Tags are IOBES, and transitions that make no entity are not allowed, see `zoo.text.tags`. Dropout
is on the inputs and on the outputs of the sentence's LSTMs, as in Ma and Hovy (2016).
"""

from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from zoo.layers import CRF, BasicLSTMCell, BidirectionalRNN
from zoo.models.base import Signature, ZooModel
from zoo.models.checks import check_choice, check_kind, read_texts
from zoo.models.columns import Column
from zoo.models.entities import entities_by_text, find_entities, token_outputs
from zoo.models.entity_f1 import EntityF1
from zoo.models.groups import read_in_groups
from zoo.models.reads_spans import ReadsSpans
from zoo.models.tagged_columns import check_lengths, checked_types, read_tokens, tagged_columns
from zoo.models.tags_in_graph import bio_tags, sentence_starts, split_tokens, tag_numbers
from zoo.models.token_encoder import TOKEN_INPUTS, TokenEncoder, token_inputs
from zoo.models.type_weights import tag_weights
from zoo.registry import register
from zoo.text.tags import PREFIXES, iobes_tags, iobes_transitions
from zoo.text.vocabulary import CharacterVocabulary, WordVocabulary
from zoo.text.words import Words, WordTokenizer, by_sentence

OUTPUTS = ("crf", "softmax")


@register
class NER(ReadsSpans, ZooModel):
    """Words and their characters, a bidirectional LSTM, a CRF.

    Args:
        words: A `WordVocabulary`. Words of the training data come first.
        characters: A `CharacterVocabulary`.
        types: The types of entities, different strings.
        trained_words: How many words, the first of `words`, have vectors that are trained; the
            others keep those of `assign_words`. None: all are trained.
        word_units: Width of the word vectors.
        character_units: Width of the character vectors.
        spelling_units: Units of each of the two LSTMs over a token's characters.
        units: Units of each of the two LSTMs over a sentence.
        word_dropout: Share of words taken for unknown in training.
        input_dropout: Share of the units of `x_t` dropped in training.
        output_dropout: Share of the units of `h_t` dropped in training.
        output: `"crf"`, or `"softmax"`: every tag is chosen for itself, as by a CRF all of whose
            transitions are free and score 0.

    `fit` and `evaluate` give the loss and `f1`, the strict F1 of entities from 0 to 1.

    Example:
        >>> model = zoo.load("ner")
        >>> model.tag("Albert Einstein was born in Ulm.")
        >>> model = zoo.load("ner", types=["DISH"])
        >>> model.fit(["Two bowls of ramen, please."], [[(13, 18, "DISH")]])
    """

    task = "tag"
    verb_column = Column("texts", tf.string, (), read_texts, wire_name="text")
    network_inputs = TOKEN_INPUTS
    head_arguments = ("types",)
    head_layers = ("projection", "crf")
    former_weights: ClassVar = {
        "layers/token_encoder/speller": "layers/token_encoder/character_encoder",
    }

    def __init__(
        self,
        words: WordVocabulary,
        characters: CharacterVocabulary,
        types: list[str] | tuple[str, ...] = ("LOC", "MISC", "ORG", "PER"),
        trained_words: int | None = None,
        word_units: int = 100,
        character_units: int = 25,
        spelling_units: int = 25,
        units: int = 200,
        word_dropout: float = 0.05,
        input_dropout: float = 0.5,
        output_dropout: float = 0.5,
        output: str = "crf",
    ) -> None:
        super().__init__()
        check_kind("words", words, WordVocabulary)
        check_kind("characters", characters, CharacterVocabulary)
        check_choice("output", output, OUTPUTS)
        types = checked_types(types)
        trained_words = len(words.words) if trained_words is None else trained_words
        # Layers.
        self.token_encoder = TokenEncoder(
            words.size,
            characters.size,
            words.size - len(words.words) + trained_words,
            word_units,
            character_units,
            spelling_units,
            word_dropout,
        )
        self.input_dropout = keras.layers.Dropout(input_dropout)
        self.encoder = BidirectionalRNN(BasicLSTMCell(units), BasicLSTMCell(units))
        self.output_dropout = keras.layers.Dropout(output_dropout)
        tags = iobes_tags(types)
        self.projection = keras.layers.Dense(len(tags))
        self.crf = CRF(len(tags), iobes_transitions(types) if output == "crf" else None)
        self.crf.trainable = output == "crf"
        self.f1 = EntityF1()
        # Configuration.
        self.configuration = {
            "types": types,
            "trained_words": trained_words,
            "word_units": word_units,
            "character_units": character_units,
            "spelling_units": spelling_units,
            "units": units,
            "word_dropout": word_dropout,
            "input_dropout": input_dropout,
            "output_dropout": output_dropout,
            "output": output,
        }
        self.types = types
        # Preprocessing.
        self.words = words
        self.characters = characters
        self.tags = tags
        self.tag_ids = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tags, tf.range(len(tags))), -1
        )
        self.tokenizer = WordTokenizer()
        self.columns = tagged_columns(types)
        self.finish(1e-3)

    def assign_words(self, vectors: np.ndarray) -> None:
        """Takes over pretrained vectors: float `[words.size, word_units]`, in order of the ids."""
        self.token_encoder.assign_words(vectors)

    # Data.

    def raw_columns(self, *given: Any) -> tuple[tf.RaggedTensor, ...]:
        """As `ZooModel.raw_columns`: tokens, and as many tags in IOBES, `[rows, (tokens)]`."""
        tokens, tags = super().raw_columns(*given)
        check_lengths(tokens, tags)
        return tokens, tags

    def preprocess(self, tokens: tf.RaggedTensor, tags: tf.RaggedTensor) -> tuple:
        """Raw pairs to what `call` and the loss take.

        Tokens are split as the model's own tokenizer splits them, unless `fit` was told otherwise.

        Args:
            tokens: String `[batch, (tokens)]`, ragged.
            tags: String `[batch, (tokens)]`, ragged, in BIO, IOB1 or IOBES.

        Returns:
            `(inputs, tag ids)`: as of `make_inputs`; int32 `[batch, time]`, in IOBES.
        """
        # Rows that are known to be equally long come dense out of a data set.
        tokens, tags = (
            column if isinstance(column, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(column)
            for column in (tokens, tags)
        )
        ids = tag_numbers(tokens, tags, self.tag_ids, self.tags)
        if self.reading == "split":
            tokens, ids = split_tokens(self.tokenizer, tokens, ids)
        return self.make_inputs(tokens), ids.to_tensor(0)

    def make_inputs(self, tokens: tf.RaggedTensor) -> dict[str, tf.Tensor]:
        """What `call` takes, of tokens (string `[batch, (tokens)]`, ragged)."""
        return token_inputs(tokens, self.words, self.characters)

    # Network.

    def call(self, inputs: dict[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """Scores of the tags, float `[batch, time, tags]`, of what `make_inputs` gives."""
        tokens = self.token_encoder(inputs, training=training)
        tokens = self.input_dropout(tokens, training=training)
        outputs, _ = self.encoder(tokens, inputs["lengths"], training=training)
        return self.projection(self.output_dropout(outputs, training=training))

    def compile(self, optimizer: Any = "adam", loss: None = None, **kwargs: Any) -> None:
        """As `keras.Model.compile`, without a loss: that is the CRF's, see `compute_loss`."""
        if loss is not None:
            raise ValueError(
                "`loss` must be left out: the loss of a tagger is the negative log-likelihood of "
                f"its CRF. Received: loss={loss!r}"
            )
        super().compile(optimizer, **kwargs)

    def compute_loss(
        self,
        x: dict[str, tf.Tensor] | None = None,
        y: tf.Tensor | None = None,
        y_pred: tf.Tensor | None = None,
        sample_weight: tf.Tensor | None = None,
        training: bool = True,
    ) -> tf.Tensor:
        """Negative log-likelihood of a sentence's tags, the mean over sentences.

        What regularizers and `add_loss` give is added. In training by `fit` with `class_weight`
        each token counts as its type does, see `zoo.models.type_weights`.
        """
        if training and self.type_weights is not None:
            by_token = self.crf.log_conditionals(y_pred, y, x["lengths"])
            weights = tf.gather(tag_weights(self.type_weights, len(PREFIXES)), y)
            losses = -tf.reduce_sum(by_token * tf.cast(weights, by_token.dtype), axis=1)
        else:
            losses = -self.crf.log_likelihood(y_pred, y, x["lengths"])
        if sample_weight is not None:
            losses *= tf.cast(sample_weight, losses.dtype)
        return self.mean_loss(losses)

    def compute_metrics(
        self,
        x: dict[str, tf.Tensor],
        y: tf.Tensor,
        y_pred: tf.Tensor,
        sample_weight: tf.Tensor | None = None,
    ) -> dict:
        """The loss, `f1` of the entities found, and the metrics given to `compile`.

        The latter get the real tokens alone: tag ids `[tokens]` and scores `[tokens, tags]`.
        """
        lengths = x["lengths"]
        tags, _ = self.crf.viterbi(y_pred, lengths)
        self.f1.update_state(y, tags, lengths)
        real = tf.sequence_mask(lengths, tf.shape(y_pred)[1])
        y, y_pred = tf.boolean_mask(y, real), tf.boolean_mask(y_pred, real)
        if sample_weight is not None:
            sample_weight = tf.repeat(sample_weight, lengths)
        return super().compute_metrics(x, y, y_pred, sample_weight)

    # Tagging.

    def _decode(
        self, sentences: tf.RaggedTensor, with_probabilities: bool = False
    ) -> list[tf.Tensor]:
        """Tag ids; if wanted their probabilities, and those given the tag before: `[tokens]`."""

        def decode(sentences: tf.RaggedTensor) -> tuple:
            inputs = self.make_inputs(sentences)
            scores, lengths = self(inputs, training=False), inputs["lengths"]
            tags, _ = self.crf.viterbi(scores, lengths)
            if not with_probabilities:
                return lengths, [tags]
            probabilities = self.crf.path_probabilities(scores, tags, lengths)
            return lengths, [tags, *(tf.cast(of, tf.float32) for of in probabilities)]

        dtypes = [tf.int32, tf.float32, tf.float32]
        return read_in_groups(sentences, decode, dtypes if with_probabilities else dtypes[:1])

    def _bio(self, sentences: tf.RaggedTensor) -> tf.Tensor:
        """Tags in BIO of all tokens, string `[tokens]`."""
        (ids,) = self._decode(sentences)
        return bio_tags(ids, sentences, self.types)

    def tag(self, texts: Any, batch_size: int = 64, progress: bool = True) -> Any:
        """The entities of each text.

        Args:
            texts: A list of strings, or one string. A long one is read sentence by sentence.
            batch_size: Texts read together. It changes speed and memory, never a result.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            A list of `zoo.models.entities.Entity` for each text, which a notebook shows as the text
            with its entities marked; one list if `texts` is one string.

        Raises:
            TypeError: Something is not a string.
            ValueError: An empty list, or `batch_size` below 1.

        Example:
            >>> zoo.load("ner").tag(["Angela Merkel was born in Hamburg."])
        """

        def run(batch: tf.Tensor, places: np.ndarray) -> Any:
            return entities_by_text(batch.numpy(), self.run_graph(self._entities, batch))

        return self.answers(texts, run, batch_size, progress)

    def tag_tokens(self, tokens: Any) -> list[list[str]]:
        """The tags of sentences that are split into tokens already.

        Args:
            tokens: List of lists of strings, each one sentence; it is not split further.

        Returns:
            A list of tags in BIO for each.

        Raises:
            TypeError: Not a list of lists of strings.
            ValueError: An empty list.

        Example:
            >>> zoo.load("ner").tag_tokens([["EU", "rejects", "German", "call"]])
        """
        tokens = read_tokens("tokens", tokens)
        tags = self.run_graph(self._tag_sentences, tokens, specs=self.columns[0].batch_spec)["tags"]
        rows = tokens.with_values(tf.constant(tags)).to_list()
        return [[tag.decode() for tag in row] for row in rows]

    def _tag_sentences(self, sentences: tf.RaggedTensor) -> dict[str, tf.Tensor]:
        return {"tags": self._bio(sentences)}

    def console_answers(self, texts: list, page: Any = None) -> list:
        """As `ZooModel.console_answers`; `page`: the web page to write the marked texts into."""
        from zoo.drawing.answers import tagged_answers

        return tagged_answers(self, texts, page)

    # Serving.

    def signatures(self) -> dict[str, Signature]:
        """`serving_default`: the tag of every token; `entities`: what there is to know."""
        texts = [b"Albert Einstein was born in Ulm. He left for Princeton.", b"Nobody is here."]
        functions = {"serving_default": self._tokens, "entities": self._entities}
        return {name: self.signature(function, texts) for name, function in functions.items()}

    def _tokens(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        words, sentences = self._sentences(text)
        return token_outputs(words, self._bio(sentences))

    def _entities(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        words, sentences = self._sentences(text)
        ids, *probabilities = self._decode(sentences, with_probabilities=True)
        starts = sentence_starts(sentences)
        return find_entities(text, words, starts, ids, probabilities, self.types)

    def _sentences(self, text: tf.Tensor) -> tuple[Words, tf.RaggedTensor]:
        words = self.tokenizer.tokenize(text)
        return words, by_sentence(words.tokens, self.tokenizer.sentences(words))

    # Files.

    def assets(self) -> dict[str, bytes]:
        """Files beside the weights, by name."""
        return {"words.txt": self.words.to_bytes(), "characters.txt": self.characters.to_bytes()}

    @classmethod
    def from_assets(cls, config: dict[str, Any], assets: dict[str, bytes]) -> "NER":
        """The model of `get_config` and `assets`, with fresh weights."""
        words = WordVocabulary.from_bytes(assets["words.txt"])
        characters = CharacterVocabulary.from_bytes(assets["characters.txt"])
        return cls(words, characters, **config)
