"""Going on and scoring: all at once is word by word, by verb, stream and signature alike."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.models import LanguageModel
from zoo.models.language_model import END_ID
from zoo.models.next_word import ReadingState
from zoo.text.vocabulary import UNK_ID, WordVocabulary

WORDS = ["N", "rose", "fell", "the", "company", "said", "it", "n't", "%", "did"]
TEXTS = ["the company said", "", "It DID n't, rose 3.5%", "xyz the", "said it fell N %"]


@pytest.fixture(scope="module")
def model():
    """Untrained, but sure enough of itself for texts that end and words that differ."""
    keras.utils.set_random_seed(5)
    model = LanguageModel(
        WordVocabulary(WORDS),
        embedding_units=8,
        units=[9, 8],
        projection=False,
        after_end=True,
        number_word="N",
        marks=False,
        cache_size=4,
        cache_flatness=2.0,
        cache_weight=0.2,
    )
    for weight in model.trainable_variables:
        weight.assign(2 * keras.random.normal(weight.shape, seed=len(weight.shape)))
    return model


def word_by_word(model, ids):
    """Log-probabilities of the words after each of `ids`, `[len(ids), vocabulary]`."""
    state, found = model.start_state(1), []
    for word in ids:
        logits, state = model.next_word(state, tf.constant([word]))
        found.append(tf.nn.log_softmax(logits)[0].numpy())
    return np.array(found)


# Scores.


def test_words_are_scored_each_by_those_before_it(model):
    scored = model.score(TEXTS)
    for text, of in zip(TEXTS, scored, strict=True):
        ids = model.ids_of(tf.constant([text]))[0].numpy()
        assert ids[0] == END_ID
        expected = [row[next_] for row, next_ in zip(word_by_word(model, ids), ids[1:])]  # noqa: B905
        np.testing.assert_allclose(of.log_probabilities, expected, rtol=1e-4, atol=1e-4)
        assert of.log_probability == pytest.approx(sum(expected), rel=1e-4, abs=1e-6)
        mean = sum(expected) / max(1, len(expected))
        assert of.perplexity == pytest.approx(math.exp(-mean), rel=1e-3)
        assert [text[start:end] for start, end in of.spans] == of.tokens
    assert scored[0].tokens == ["the", "company", "said"]
    assert scored[2].tokens == ["It", "DID", "n't", "rose", "3.5", "%"]  # without the comma
    assert scored[2].known == [True] * 6
    assert scored[3].known == [False, True]
    assert (scored[1].tokens, scored[1].log_probability, scored[1].perplexity) == ([], 0, 1)
    assert model.score(TEXTS[0], batch_size=1).tokens == scored[0].tokens
    html = scored[2]._repr_html_()
    assert html.count("bits") == 6
    assert "perplexity" in html


def test_a_text_may_be_longer_than_any(model):
    """Longer than the scores that are held at once."""
    short, long = model.score(["said it " * 4, "said it " * 700])
    assert len(long.tokens) == 1400
    np.testing.assert_allclose(long.log_probabilities[:8], short.log_probabilities, rtol=1e-4)
    assert model.complete("said it " * 700, max_tokens=2, temperature=0)


def test_offsets_count_characters(model):
    of = model.score("🙂 “THE” é the")
    assert [of.text[start:end] for start, end in of.spans] == ["THE", "é", "the"]
    assert of.known == [True, False, True]
    damaged = model.score(b"the \xff company")
    assert damaged.text == "the \ufffd company"
    assert [damaged.text[start:end] for start, end in damaged.spans][-1] == "company"


@pytest.mark.parametrize("cell", ["gru", "rnn", "convolution"])
def test_other_cells_read_all_at_once_as_word_by_word(cell):
    keras.utils.set_random_seed(1)
    sizes = {"embedding_units": 6, "units": [6, 5], "tied": False, "kernel_size": 3}
    model = LanguageModel(WordVocabulary(WORDS), cell=cell, **sizes)
    ids = np.random.default_rng(0).integers(0, 12, [1, 9]).astype(np.int32)
    expected = [row[word] for row, word in zip(word_by_word(model, ids[0, :-1]), ids[0, 1:])]  # noqa: B905
    state, found = model.start_state(1), []
    for piece in (slice(0, 3), slice(3, 8)):  # the state handed on
        tokens, targets = ids[:, :-1][:, piece], ids[:, 1:][:, piece]
        losses, state = model.known_words(tokens, targets, tf.constant([tokens.shape[1]]), state)
        found.append(-losses[0].numpy())
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-4, atol=1e-5)
    assert model.projection is None
    assert model.table.shape == (12, 5)


# Writing.


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0},
        {"temperature": 1.5, "seed": 3},
        {"top_k": 3, "top_p": 0.8, "seed": -4},
    ],
    ids=["greedy", "drawn", "of the likeliest"],
)
def test_a_stream_gives_what_complete_gives(model, options):
    for text in TEXTS[:3]:
        assert " ".join(model.stream(text, max_tokens=7, **options)) == model.complete(
            text, max_tokens=7, **options
        )


def test_steps_from_a_state_are_one_call_bit_for_bit(model):
    """What a client of a server does, which keeps nothing."""
    signatures = model.signatures()
    start, step = (signatures[name].function for name in ("start", "step"))
    found = model.continuations(
        tf.constant(TEXTS[:1]), None, max_tokens=9, seed=0, temperature=1.0, top_p=1.0
    )
    given = start(text=tf.constant(TEXTS[:1]))
    ids, state, words, total = given["ids"], given["state"], [], np.float32(0)
    for _ in range(9):
        answer = step(ids=ids, state=state)
        ids, state = answer["ids"], answer["state"]
        total += answer["log_probability"].numpy()[0]
        if ids[0] == END_ID:
            break
        words.append(answer["token"].numpy()[0].decode())
    assert " ".join(words) == model.complete(TEXTS[0], max_tokens=9, temperature=0)
    assert total == found.log_probs.numpy()[0, 0]
    # What else might come, most probable first: all but the unknown word.
    likely = answer["likely_log_probabilities"].numpy()[0]
    assert likely[0] == answer["log_probability"].numpy()[0]
    assert len(likely) == model.vocabulary.size - 1
    assert sorted(likely, reverse=True) == likely.tolist()
    assert np.exp(likely).sum() == pytest.approx(1, rel=1e-4)
    assert UNK_ID not in answer["likely_ids"].numpy()


def test_rows_of_a_step_do_not_see_each_other(model):
    signatures = model.signatures()
    together = signatures["start"].function(text=tf.constant(TEXTS))
    answers = signatures["step"].function(ids=together["ids"], state=together["state"])
    for row, text in enumerate(TEXTS):
        alone = signatures["start"].function(text=tf.constant([text]))
        answer = signatures["step"].function(ids=alone["ids"], state=alone["state"])
        for name, of in answer.items():
            if of.dtype == tf.string or of.dtype.is_integer:
                np.testing.assert_array_equal(of[0], answers[name][row])
            else:
                np.testing.assert_allclose(of[0], answers[name][row], rtol=1e-4, atol=1e-5)


def test_a_packed_state_is_the_state(model):
    _, state, _ = model.started(tf.constant(TEXTS))
    again = model.unpack_state(model.pack_state(state))
    assert isinstance(again, ReadingState)
    tf.nest.assert_same_structure(state, again)
    for one, other in zip(tf.nest.flatten(state), tf.nest.flatten(again), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_a_beam_finds_what_is_at_least_as_probable(model):
    arguments = (None, 6, 0, 1.0, 1.0)
    greedy = model.continuations(tf.constant(TEXTS), *arguments)
    beam = model.continuations(tf.constant(TEXTS), *arguments, beam_size=4)
    assert (beam.scores >= greedy.scores - 1e-5).numpy().all()
    assert model.complete(TEXTS, max_tokens=6, beam_size=1) == model.complete(
        TEXTS, max_tokens=6, temperature=0
    )


def test_a_cache_needs_no_weights(model, tmp_path):
    folder = zoo.save(model, tmp_path / "folder", half=False)
    without = zoo.load(folder, cache_size=0)
    assert without.start_state(1).cache == ()
    repeated = "said it fell " * 3
    assert without.score(repeated).perplexity != model.score(repeated).perplexity
    same = zoo.load(folder)
    np.testing.assert_array_equal(
        same.score(repeated).log_probabilities, model.score(repeated).log_probabilities
    )


# What cannot be.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tokens": 0}, "`max_tokens` must be an int of at least 1"),
        ({"temperature": -1.0}, "`temperature` must be a number of at least 0"),
        ({"temperature": math.nan}, "`temperature` must be a number of at least 0"),
        ({"temperature": "warm"}, "`temperature` must be a number of at least 0"),
        ({"top_p": None}, "`top_p` must be above 0 and at most 1"),
        ({"top_k": -1}, "`top_k` must be a number of words of the 12 that there are"),
        ({"top_k": 13}, r"`top_k` must be .* Received: top_k=13"),
        ({"top_k": 2.5}, "`top_k` must be"),
        ({"top_p": 0.0}, "`top_p` must be above 0 and at most 1"),
        ({"top_p": 1.01}, "`top_p` must be above 0 and at most 1"),
        ({"seed": 2**31}, "`seed` must be an int of 32 bits"),
        ({"beam_size": 0}, "`beam_size` must be an int of at least 1"),
        ({"beam_size": 2, "top_k": 3}, "`beam_size` searches .* draws nothing"),
    ],
)
def test_bad_options_are_named(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.complete("the", **options)
    if "beam_size" not in options:
        with pytest.raises(ValueError, match=message):
            model.stream("the", **options)


def test_a_stream_is_of_one_text(model):
    with pytest.raises(TypeError, match="`text` must be one string"):
        model.stream(["the"])


def test_states_and_ids_that_are_none_are_told(model):
    step = model.signatures()["step"].function
    ids, state = tf.constant([3]), model.pack_state(model.start_state(1))
    for wrong in (state[:, 1:], state[0], tf.cast(state, tf.float64)):
        with pytest.raises(ValueError, match=r"`state` must be float32 \[batch, \d+\], as `start`"):
            step(ids=ids, state=wrong)
    for wrong in ([12], [-1]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="`ids` must be from 0 to 11"):
            step(ids=tf.constant(wrong), state=state)
    for ids, states in ([3, 3], 1), ([3], 2), ([], 1):
        states = tf.repeat(state, states, axis=0)
        with pytest.raises(tf.errors.InvalidArgumentError, match="as many rows: a state for each"):
            step(ids=tf.constant(ids, tf.int32), state=states)


def test_contexts_without_a_known_word_are_gone_on_from(model):
    options = {"max_tokens": 4, "temperature": 0}
    *nothing, unknown, other = model.complete(["", " \n", ",", "xyzzy", "qqq"], **options)
    assert len(set(nothing)) == 1  # from the end of another text
    assert unknown == other
    assert {word for text in (*nothing, unknown) for word in text.split()} <= set(WORDS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "elman"}, "`cell` must be one of lstm, gru, rnn"),
        ({"units": []}, "`units` must be an int of at least 1"),
        ({"units": [4, 0]}, "`units` must be an int of at least 1"),
        ({"units": 5, "projection": False}, "as wide as the embedding"),
        ({"cache_weight": 1.0}, r"`cache_weight` must be in \[0, 1\)"),
        ({"drop_connect": 1.0}, r"`drop_connect` must be in \[0, 1\)"),
        ({"number_word": "0"}, "`number_word` must be a word of the vocabulary"),
    ],
)
def test_networks_that_cannot_be_are_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        LanguageModel(WordVocabulary(["a", "b"]), **{"embedding_units": 4, "units": 4, **arguments})
