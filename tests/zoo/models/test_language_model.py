"""The language model: it learns, goes on writing, and draws the same words in any batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.models import LanguageModel
from zoo.models.language_model import next_word
from zoo.text.vocabulary import WordVocabulary

WORDS = ["a", "b", "c", "d", "e", "f"]
TEXTS = ["a b c d e f", "b c d e f", "c d e f"] * 4


@pytest.fixture(scope="module")
def model():
    """Knows the alphabet."""
    keras.utils.set_random_seed(1)
    model = LanguageModel(
        WordVocabulary(WORDS), embedding_units=8, units=16, dropout=0.0, negatives=32
    )
    model.compile(keras.optimizers.Adam(0.03))
    history = model.fit(TEXTS, batch_size=4, epochs=30, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 2
    return model


def test_it_goes_on_with_what_it_has_learnt(model):
    texts = ["a b", "b c", "c d e", ""]
    assert model.complete(texts, temperature=0) == ["c d e f", "d e f", "f", ""]
    assert model.complete("a b", temperature=0, max_tokens=2) == "c d"
    # So little heat that it is the most probable word.
    assert model.complete(texts, temperature=1e-4, seed=5) == model.complete(texts, temperature=0)


def test_draws_depend_on_the_seed_and_not_on_the_batch(model):
    texts = ["a", "b c", "a b c d", "a"] * 3
    drawn = model.complete(texts, temperature=3.0, seed=1)
    for batch_size in (1, 5, 100):
        assert model.complete(texts, temperature=3.0, seed=1, batch_size=batch_size) == drawn
    assert model.complete(texts, temperature=3.0, seed=2) != drawn
    assert len(set(drawn)) > 3  # equal texts get different words
    known = {word for text in model.complete(texts, temperature=9.0) for word in text.split()}
    assert known <= set(WORDS)  # never the unknown word


def test_only_the_largest_are_drawn_from(model):
    texts = ["a"] * 20
    assert set(model.complete(texts, temperature=9.0, top_k=1)) == {
        model.complete("a", temperature=0)
    }


def test_signature_and_verb_agree_and_survive_a_folder(model, tmp_path):
    texts = tf.constant(["a b", "", "d"])
    answer = model.signatures()["serving_default"].function(text=texts)
    verb = model.complete(["a b", "", "d"], temperature=0)
    assert [text.decode() for text in answer["completion"].numpy()] == verb
    assert answer["score"].numpy()[1] == 0
    loaded = zoo.load(zoo.save(model, tmp_path / "folder", half=False))
    assert loaded.complete(["a b", "", "d"], temperature=0) == verb


def test_next_words_are_those_after(model):
    inputs, targets = model.preprocess(tf.constant(["a b", "", "d x"]))
    np.testing.assert_array_equal(inputs["tokens"], [[2, 3], [0, 0], [5, 1]])
    np.testing.assert_array_equal(inputs["lengths"], [2, 0, 2])
    np.testing.assert_array_equal(targets, [3, 0, 1, 0])
    losses = model.token_losses(inputs, targets)
    assert losses.shape == [4]
    alone = model.token_losses(*next_word(tf.constant([[2, 3, 0]]), tf.constant([3])))
    np.testing.assert_allclose(losses[:2], alone, rtol=1e-5)


def test_a_first_word_that_is_given_is_not_scored(model):
    a_b, blank, one = model.score(["a b x", "", "a"])
    assert (a_b.tokens, a_b.spans, a_b.known) == (["b", "x"], [(2, 3), (4, 5)], [True, False])
    inputs, targets = model.preprocess(tf.constant(["a b x"]))
    losses = model.token_losses(inputs, targets)  # the end's among them
    np.testing.assert_allclose(a_b.log_probabilities, -losses[:2], rtol=1e-5)
    assert blank.tokens == one.tokens == []
    assert list(model.stream("a b", temperature=0)) == ["c", "d", "e", "f"]
    assert list(model.stream("")) == []


def test_a_wrong_vocabulary_is_named():
    with pytest.raises(TypeError, match="`vocabulary` must be a WordVocabulary"):
        LanguageModel(["a", "b"])
