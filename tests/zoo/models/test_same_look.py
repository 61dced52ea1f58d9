"""Texts that look the same get the same answers, whatever is invisible in them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import corpus

HIDDEN = ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u200e", "\u202a", "\ufe0f"]
TEXT = "Nina was in the U.S. with a man's 👩\u200d🚀 film. The plot was bad-ish, 3.5 of 5!"
# Where nothing can be inserted without being seen: within the emoji.
GAPS = [
    place for place in range(len(TEXT) + 1) if TEXT[place - 1 : place] not in ("👩", "\u200d", "🚀")
]


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(1)
    return corpus.loud(corpus.tiny_sentiment())


@pytest.fixture(scope="module")
def tagger():
    keras.utils.set_random_seed(2)
    return corpus.loud(corpus.tiny_ner())


def with_hidden(places):
    """`TEXT` with invisible characters, and where each of its characters went."""
    text, new_places = "", []
    for place, character in enumerate((*TEXT, "")):
        text += "".join(hidden for at, hidden in places if GAPS[at % len(GAPS)] == place)
        new_places.append(len(text))
        text += character
    return text, new_places


insertions = st.lists(
    st.tuples(st.integers(0, len(TEXT)), st.sampled_from(HIDDEN)), min_size=1, max_size=12
).map(with_hidden)


@settings(max_examples=30, deadline=None)
@given(inserted=insertions)
def test_sources_of_translations(model, inserted):
    ids, lengths = model.encode_source(tf.constant([TEXT, inserted[0]]))
    np.testing.assert_array_equal(ids[0], ids[1])
    assert lengths[0] == lengths[1] > 20


@settings(max_examples=8, deadline=None)
@given(inserted=insertions)
def test_translations(model, inserted):
    clean, hidden = model.translate([TEXT, inserted[0]], beam_size=2, return_attention=True)
    assert hidden.source_tokens == clean.source_tokens
    assert (hidden.text, hidden.low_confidence) == (clean.text, clean.low_confidence)
    assert hidden.score == pytest.approx(clean.score, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(inserted=insertions)
def test_classes_and_the_weights_of_words(classifier, inserted):
    text, places = inserted
    clean, hidden = classifier.classify([TEXT, text], return_attention=True)
    np.testing.assert_allclose(
        list(hidden.probabilities.values()), list(clean.probabilities.values()), rtol=1e-4
    )
    for before, after in zip(clean.tokens, hidden.tokens, strict=True):
        assert after.text == before.text
        assert after.weight == pytest.approx(before.weight, rel=1e-3, abs=1e-6)
        assert (after.start, after.end) == (places[before.start], places[before.end - 1] + 1)


@settings(max_examples=30, deadline=None)
@given(inserted=insertions)
def test_names(tagger, inserted):
    text, places = inserted
    clean, hidden = tagger.tag([TEXT, text])
    assert clean
    for before, after in zip(clean, hidden, strict=True):
        assert after.type == before.type
        assert (after.start, after.end) == (places[before.start], places[before.end - 1] + 1)
        assert after.text == text[after.start : after.end]
        assert after.score == pytest.approx(before.score, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A man’s dog", "A man's dog"),
        ("“Run” – now", '"Run" - now'),
        ("The film\u2028was\u2029bad\x85and\x0bdull\x0c", "The film was bad and dull"),
        ("𝐀 𝗳𝗶𝗹𝗺 ＷＡＳ bad", "A film WAS bad"),
        ("well\u2011known", "well-known"),
    ],
)
def test_marks_line_ends_and_forms(model, classifier, tagger, one, other):
    ids, _ = model.encode_source(tf.constant([one, other]))
    np.testing.assert_array_equal(ids[0], ids[1])
    first, second = classifier.classify([one, other])
    assert first.score == pytest.approx(second.score, rel=1e-4)
    scores = [
        tagger(tagger.make_inputs(tagger.tokenizer.tokenize(tf.constant([text])).tokens))
        for text in (one, other)
    ]
    np.testing.assert_allclose(*scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("text", ["\u200b", "\u00ad \ufeff\u2060", "\u2028\x85\u200e"])
def test_nothing_to_see_is_blank(model, classifier, tagger, text):
    assert model.translate(text) == ""
    assert model.translate(text, split_sentences=False) == ""
    nothing, empty = classifier.classify([text, ""], return_attention=True)
    assert nothing.tokens == []
    assert nothing.score == pytest.approx(empty.score, rel=1e-5)
    assert tagger.tag(text) == []
