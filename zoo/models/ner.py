"""Named entities: Lample et al. (2016), arXiv:1603.01360, "Neural Architectures for NER".

The lecture's sequence labelling on a bidirectional LSTM, with a conditional random field on top::

    x_t = [vector of the word; last outputs of two LSTMs over its characters]
    h_t = [forward LSTM; backward LSTM] over x_1 ... x_T, at token t
    s_t = W h_t + b                       a score for every tag of the token
    p(y | x) = CRF(s_1 ... s_T)           one probability for the whole tag sequence

Tags are IOBES, and moves that make no entity are not allowed, see :mod:`zoo.text.tags`. Dropout
is on the inputs and on the outputs of the sentence's LSTMs, as in Ma and Hovy (2016).
"""

import keras
import numpy as np
import tensorflow as tf

from zoo.layers import CRF, BasicLSTMCell, BidirectionalRNN
from zoo.models.base import Signature, ZooModel, batched_by_length
from zoo.models.entities import entities_by_text, find_entities
from zoo.models.entity_f1 import EntityF1
from zoo.models.raw_data import check_count, check_texts
from zoo.models.tagged_columns import check_tags, check_tokens
from zoo.models.token_encoder import TokenEncoder
from zoo.text.tags import PREFIXES, chunk_edges, iobes_ids, iobes_tags, iobes_transitions
from zoo.text.vocabulary import PAD_ID, CharacterVocabulary, WordVocabulary
from zoo.text.words import WordTokenizer, by_sentence

OUTPUTS = ("crf", "softmax")
# Tokens, padding included, that the network reads at once: the memory that a long text takes.
GROUP_TOKENS = 4096


class NER(ZooModel):
    """Words and their characters, a bidirectional LSTM, a CRF.

    Args:
        words: a ``WordVocabulary``. Words of the training data come first.
        characters: a ``CharacterVocabulary``.
        types: the types of entities, different strings.
        trained_words: how many words, the first of ``words``, have vectors that are trained; the
            others keep those of :meth:`assign_words`. None: all are trained.
        word_units: width of the word vectors.
        character_units: width of the character vectors.
        spelling_units: units of each of the two LSTMs over a token's characters.
        units: units of each of the two LSTMs over a sentence.
        word_dropout: share of words taken for unknown in training.
        input_dropout: share of the units of ``x_t`` dropped in training.
        output_dropout: share of the units of ``h_t`` dropped in training.
        output: ``"crf"``, or ``"softmax"``: every tag is chosen for itself. (That is a CRF all of
            whose moves are free and score 0.)

    ``fit`` and ``evaluate`` give the loss and ``f1``, the strict F1 of entities from 0 to 1.

    Example:
        >>> model = zoo.load("ner")
        >>> model.tag("Albert Einstein was born in Ulm.")
    """

    task = "tag"
    raw_names = ("tokens", "tags")
    raw_rank = 1
    head_arguments = ("types",)
    head_layers = ("projection", "crf")

    def __init__(
        self,
        words,
        characters,
        types=("LOC", "MISC", "ORG", "PER"),
        trained_words=None,
        word_units=100,
        character_units=25,
        spelling_units=25,
        units=200,
        word_dropout=0.05,
        input_dropout=0.5,
        output_dropout=0.5,
        output="crf",
    ):
        super().__init__()
        for name, value, kind in (
            ("words", words, WordVocabulary),
            ("characters", characters, CharacterVocabulary),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"`{name}` must be a {kind.__name__}. Received: {value!r}")
        if output not in OUTPUTS:
            raise ValueError(
                f"`output` must be one of {', '.join(OUTPUTS)}. Received: output={output!r}"
            )
        types = _checked_types(types)
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
        self.input_dropping = keras.layers.Dropout(input_dropout)
        self.encoder = BidirectionalRNN(BasicLSTMCell(units), BasicLSTMCell(units))
        self.output_dropping = keras.layers.Dropout(output_dropout)
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
        self._finish()

    def _finish(self):
        """Create all variables and compile with defaults that suit fine-tuning."""
        self(self.inputs_of(tf.ragged.constant([["word"]])))
        self.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))

    def assign_words(self, vectors):
        """Take over pretrained vectors: float ``[words.size, word_units]``, in order of the ids."""
        self.token_encoder.assign_words(vectors)

    # Data.

    def raw_columns(self, tokens, tags):
        """Tokens and tags of each sentence, as tensors.

        Args:
            tokens: list of lists of strings.
            tags: list of lists of strings, in BIO, IOB1 or IOBES.

        Returns:
            Two ragged string tensors ``[rows, (tokens)]``; tags in IOBES.

        Raises:
            TypeError: not lists of lists, or a token that is not a string.
            ValueError: no rows, a tag of no scheme or of no type of the model, or tags that are
                not as many as their tokens.
        """
        tokens = check_tokens(tokens)
        return tokens, check_tags(tags, tokens.row_lengths().numpy(), self.types)

    def preprocess(self, tokens, tags):
        """Raw pairs to what ``call`` and the loss take.

        Args:
            tokens: string ``[batch, (tokens)]``, ragged.
            tags: string ``[batch, (tokens)]``, ragged, in BIO, IOB1 or IOBES.

        Returns:
            ``(inputs, tag ids)``: as of :meth:`inputs_of`; int32 ``[batch, time]``, in IOBES.
        """
        # Rows that are known to be equally long come dense out of a data set.
        tokens, tags = (
            column if isinstance(column, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(column)
            for column in (tokens, tags)
        )
        ids = self.tag_ids.lookup(tags.flat_values)
        unknown = tf.boolean_mask(tags.flat_values, ids < 0)
        checks = [
            tf.debugging.Assert(
                tf.reduce_all(tokens.row_splits == tags.row_splits),
                ["`tags` must have a tag for each token. Received tags:", tags.flat_values],
            ),
            tf.debugging.Assert(
                tf.size(unknown) == 0,
                [f"`tags` must hold {', '.join(self.tags)}. Received:", unknown],
            ),
        ]
        with tf.control_dependencies(checks):
            ids = tags.with_values(iobes_ids(ids, _opens(tags)))
        return self.inputs_of(tokens), ids.to_tensor(0)

    def inputs_of(self, tokens):
        """What ``call`` takes, of tokens (string ``[batch, (tokens)]``, ragged).

        Returns:
            dict of ``words`` int32 ``[batch, time]``, ``lengths`` int32 ``[batch]``, and of the
            characters of each different token: ``spellings`` int32 ``[different, characters]``,
            ``spelling_lengths`` int32 ``[different]``, and which of them is where,
            ``spelling_of`` int32 ``[batch, time]``.
        """
        different, place = tf.unique(tokens.flat_values)
        spellings = self.characters.ids(different)
        word_ids = tf.gather(self.words.ids(different), place)
        return {
            "words": tokens.with_values(word_ids).to_tensor(PAD_ID),
            "lengths": tf.cast(tokens.row_lengths(), tf.int32),
            "spellings": spellings.to_tensor(PAD_ID),
            "spelling_lengths": tf.cast(spellings.row_lengths(), tf.int32),
            "spelling_of": tokens.with_values(place).to_tensor(0),
        }

    # Network.

    def call(self, inputs, training=None):
        """Scores of the tags, float ``[batch, time, tags]``, of what :meth:`inputs_of` gives."""
        tokens = self.token_encoder(inputs, training=training)
        tokens = self.input_dropping(tokens, training=training)
        outputs, _ = self.encoder(tokens, inputs["lengths"], training=training)
        return self.projection(self.output_dropping(outputs, training=training))

    def compile(self, optimizer="adam", loss=None, **kwargs):
        """As ``keras.Model.compile``, without a loss: that is the CRF's, see ``compute_loss``.

        Raises:
            ValueError: a ``loss``.
        """
        if loss is not None:
            raise ValueError(
                "`loss` must be left out: the loss of a tagger is the negative log-likelihood of "
                f"its CRF. Received: loss={loss!r}"
            )
        super().compile(optimizer, **kwargs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Negative log-likelihood of a sentence's tags, the mean over sentences."""
        losses = -self.crf.log_likelihood(y_pred, y, x["lengths"])
        if sample_weight is not None:
            losses *= tf.cast(sample_weight, losses.dtype)
        return tf.reduce_mean(losses)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """The loss, ``f1`` of the entities found, and the metrics given to ``compile``.

        The latter get the real tokens alone: tag ids ``[tokens]`` and scores ``[tokens, tags]``.
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

    def _read(self, sentences, decode, dtypes):
        """Runs the network over sentences, in groups that bound the memory.

        Args:
            sentences: string ``[sentences, (tokens)]``, ragged.
            decode: ``(scores, lengths) -> list of [batch, time]``, of ``dtypes``.

        Returns:
            What ``decode`` gave at all tokens: a list of ``[tokens]``, in order.
        """
        lengths = tf.cast(sentences.row_lengths(), tf.int32)
        # Sentences of like length together, the longest first.
        order = tf.argsort(lengths, direction="DESCENDING", stable=True)
        sentences, lengths = tf.gather(sentences, order), tf.gather(lengths, order)
        count = tf.size(lengths)

        def group(first, found):
            rows = tf.maximum(GROUP_TOKENS // tf.maximum(lengths[first], 1), 1)
            last = tf.minimum(first + rows, count)
            inputs = self.inputs_of(sentences[first:last])
            scores = self(inputs, training=False)
            real = tf.sequence_mask(inputs["lengths"], tf.shape(scores)[1])
            decoded = decode(scores, inputs["lengths"])
            more = [tf.boolean_mask(values, real) for values in decoded]
            return last, [tf.concat(pair, 0) for pair in zip(found, more, strict=True)]

        _, found = tf.while_loop(
            lambda first, _: first < count,
            group,
            (0, [tf.zeros([0], dtype) for dtype in dtypes]),
            shape_invariants=(tf.TensorShape([]), [tf.TensorShape([None])] * len(dtypes)),
            parallel_iterations=1,
        )
        back = tf.math.invert_permutation(order)
        return [
            tf.gather(tf.RaggedTensor.from_row_lengths(values, lengths), back).values
            for values in found
        ]

    def _best_tags(self, sentences):
        """Tag ids of all tokens, int32 ``[tokens]``."""
        (ids,) = self._read(sentences, lambda *read: [self.crf.viterbi(*read)[0]], [tf.int32])
        return ids

    def _tags_with_probabilities(self, sentences):
        """Tag ids, their probabilities, and those given the tag before, ``[tokens]`` each."""

        def decode(scores, lengths):
            tags, _ = self.crf.viterbi(scores, lengths)
            chances = self.crf.path_probabilities(scores, tags, lengths)
            return [tags, *(tf.cast(chance, tf.float32) for chance in chances)]

        return self._read(sentences, decode, [tf.int32, tf.float32, tf.float32])

    def _bio(self, ids, sentences):
        """Tags in BIO of the ids of all tokens, string ``[tokens]``."""
        starts, _ = chunk_edges(ids, _opens(sentences))
        kind = tf.gather(tf.constant(["", *self.types]), (ids + 3) // len(PREFIXES))
        tags = tf.where(starts, "B-", "I-") + kind
        return tf.where(ids > 0, tags, "O")

    def tag(self, texts, batch_size=64):
        """The entities of each text.

        Args:
            texts: a list of strings, or one string. A long one is read sentence by sentence.
            batch_size: texts read together. It changes speed and memory, never a result.

        Returns:
            A list of :class:`zoo.models.entities.Entity` for each text; one list if ``texts`` is
            one string.

        Raises:
            TypeError: something is not a string.
            ValueError: an empty list, or ``batch_size`` below 1.

        Example:
            >>> zoo.load("ner").tag(["Angela Merkel was born in Hamburg."])
        """
        if isinstance(texts, (str, bytes)):
            return self.tag([texts], batch_size)[0]
        texts = check_texts("texts", texts)
        check_count("batch_size", batch_size)

        def run(batch):
            return entities_by_text(self.run_graph(self._entities, batch))

        return batched_by_length(texts, [len(text) for text in texts], batch_size, run)

    def tag_tokens(self, tokens):
        """The tags of sentences that are split into tokens already.

        Args:
            tokens: list of lists of strings, each one sentence; it is not split further.

        Returns:
            A list of tags in BIO for each.

        Raises:
            TypeError: not a list of lists of strings.
            ValueError: an empty list.

        Example:
            >>> zoo.load("ner").tag_tokens([["EU", "rejects", "German", "call"]])
        """
        tokens = check_tokens(tokens)
        if "_tag_sentences" not in self._graphs:
            spec = tf.RaggedTensorSpec([None, None], tf.string)
            # Without AutoGraph, which has nothing to convert here and doubles the time of tracing.
            self._graphs["_tag_sentences"] = tf.function(
                self._tag_sentences, input_signature=[spec], autograph=False
            )
        tags = self._graphs["_tag_sentences"](tokens)
        return [[tag.decode() for tag in row] for row in tags.to_list()]

    def _tag_sentences(self, sentences):
        return sentences.with_values(self._bio(self._best_tags(sentences), sentences))

    # Serving.

    def signatures(self):
        """``serving_default``: the tag of every token; ``entities``: what there is to know."""
        spec = {"text": tf.TensorSpec([None], tf.string, name="text")}
        texts = [b"Albert Einstein was born in Ulm. He left for Princeton.", b"Nobody is here."]
        examples = {"text": np.array(texts, dtype=object)}
        functions = {"serving_default": self._tokens, "entities": self._entities}
        return {name: Signature(function, spec, examples) for name, function in functions.items()}

    def _tokens(self, text):
        words, sentences = self._sentences(text)
        ids = self._best_tags(sentences)
        return {
            "tokens": words.tokens.to_tensor(""),
            "tags": words.tokens.with_values(self._bio(ids, sentences)).to_tensor(""),
            "starts": words.starts.to_tensor(0),
            "ends": words.ends.to_tensor(0),
            "lengths": tf.cast(words.tokens.row_lengths(), tf.int32),
        }

    def _entities(self, text):
        words, sentences = self._sentences(text)
        ids, *chances = self._tags_with_probabilities(sentences)
        return find_entities(text, words, _opens(sentences), ids, chances, self.types)

    def _sentences(self, text):
        words = self.tokenizer.tokenize(text)
        return words, by_sentence(words.tokens, self.tokenizer.sentences(words))

    # Files.

    def assets(self):
        """Files beside the weights: name -> bytes."""
        return {"words.txt": self.words.to_bytes(), "characters.txt": self.characters.to_bytes()}

    @classmethod
    def from_assets(cls, config, assets):
        """The model of :meth:`get_config` and :meth:`assets`, with fresh weights."""
        words = WordVocabulary.from_bytes(assets["words.txt"])
        characters = CharacterVocabulary.from_bytes(assets["characters.txt"])
        return cls(words, characters, **config)


def _opens(sentences):
    """True at the first token of each row: bool ``[tokens]``."""
    rows = sentences.value_rowids()
    return tf.concat([[-1], rows], 0)[:-1] != rows


def _checked_types(types):
    if isinstance(types, (str, bytes)) or not all(isinstance(x, str) and x for x in types):
        raise TypeError(f"`types` must be a list of strings. Received: types={types!r}")
    if not types or len(set(types)) < len(types):
        raise ValueError(f"`types` must be different strings. Received: types={types!r}")
    return list(types)
