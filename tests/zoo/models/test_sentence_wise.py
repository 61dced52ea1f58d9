"""Translators read texts sentence by sentence, and tell of the whole."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.models import translation

pytestmark = pytest.mark.parametrize("model", ["nmt_attention"], indirect=True)
ONE, TWO, THREE = "A dog runs in the park.", "A woman reads!", "Who waits at home"
TEXT = f"{ONE} {TWO}\n\n{THREE}"


@pytest.fixture
def parts(model):
    return model.translate([ONE, TWO, THREE], return_attention=True)


def test_a_text_is_what_its_sentences_are(model, parts):
    whole = model.translate(TEXT, return_attention=True)
    one, two, three = (part.text for part in parts)
    assert whole.text == f"{one} {two}\n\n{three}"
    for name in ("source_tokens", "target_tokens"):
        of_parts = [token for part in parts for token in getattr(part, name)]
        assert getattr(whole, name) == of_parts
    assert whole.low_confidence == any(part.low_confidence for part in parts)


def test_the_score_is_the_mean_over_all_tokens(model, parts):
    """As of one long hypothesis: log-probabilities over tokens, those that end included."""
    _, hypotheses = model.search(tf.constant([ONE, TWO, THREE]))
    log_probs = hypotheses.log_probs[:, 0].numpy()
    tokens = np.round(log_probs / hypotheses.scores[:, 0].numpy())
    whole = model.translate(TEXT, return_attention=True)
    assert whole.score == pytest.approx(log_probs.sum() / tokens.sum(), rel=1e-4)


def test_a_sentence_looks_at_itself_alone(model, parts):
    whole = model.translate(TEXT, return_attention=True)
    expected = np.zeros_like(whole.attention)
    top = left = 0
    for part in parts:
        height, width = part.attention.shape
        expected[top : top + height, left : left + width] = part.attention
        top, left = top + height, left + width
    assert (top, left) == whole.attention.shape
    np.testing.assert_allclose(whole.attention, expected, atol=1e-5)
    # The signature has it too, beside another text and a blank one.
    outputs = model.signatures()["attention"].function(text=tf.constant([TWO, TEXT, " "]))
    np.testing.assert_allclose(outputs["attention"][1], expected, atol=1e-5)
    assert outputs["target_lengths"].numpy().tolist()[1:] == [top, 0]
    assert [of.decode() for of in outputs["source_tokens"][1].numpy()] == whole.source_tokens


def test_one_sentence_is_the_same_either_way(model):
    texts = [ONE, THREE, "a dog. a man", ""]
    split = model.translate(texts, return_attention=True)
    whole = model.translate(texts, return_attention=True, split_sentences=False)
    assert [answer.text for answer in split] == [answer.text for answer in whole]
    np.testing.assert_array_equal([of.score for of in split], [of.score for of in whole])


def test_a_text_may_be_read_as_one_sentence(model):
    whole = model.translate(TEXT, return_attention=True, split_sentences=False)
    assert whole.source_tokens.count("</s>") == 1
    assert whole.text == model.texts_of(model.search(tf.constant([TEXT]))[1])[0, 0].numpy().decode()


def test_the_beam_has_a_text_of_each_rank(model):
    beam = model.signatures()["beam"].function
    single = beam(text=tf.constant([ONE, TWO, THREE]))["translations"].numpy()
    outputs = beam(text=tf.constant([TEXT, ONE, ""]))
    expected = [b"%b %b\n\n%b" % tuple(column) for column in single.T]
    assert outputs["translations"][0].numpy().tolist() == expected
    assert (np.diff(outputs["scores"], axis=1) <= 1e-6).all()
    assert outputs["translations"][2].numpy().tolist() == [b""] * 5


def test_groups_that_bound_the_memory_change_nothing(model, monkeypatch):
    texts = tf.constant([TEXT, "", f"{TWO} {TEXT} {ONE}", THREE])
    expected = model.best(texts)
    monkeypatch.setattr(translation, "GROUP_TOKENS", 20)
    got = model.best(texts)
    assert set(got) == set(expected)
    for name, values in expected.items():
        if values.dtype.is_floating:
            np.testing.assert_allclose(got[name], values, atol=1e-5)
        else:
            np.testing.assert_array_equal(got[name], values)


def test_a_long_text_of_short_sentences_is_translated(model):
    text = f"{TWO} " * 150
    assert model.translate(text).count(model.translate(TWO)) == 150
    with pytest.raises(ValueError, match=r"in each sentence.*texts\[1\] of \d+ sub-words"):
        model.translate([TWO, text], split_sentences=False)


def test_the_sentence_that_is_too_long_is_named(model):
    texts = [TWO, f"{TWO} {'word ' * 600}. {TWO}"]
    with pytest.raises(ValueError, match=r"texts\[1\] of \d+ sub-words") as caught:
        model.translate(texts)
    with pytest.raises(tf.errors.InvalidArgumentError) as in_graph:
        model.signatures()["serving_default"].function(text=tf.constant(texts))
    assert str(caught.value) in in_graph.value.message


def test_a_table_that_would_be_too_wide_is_refused(model):
    text = tf.constant([TWO, f"{TWO} " * 400])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"table.*texts\[1\] of \d+"):
        model.signatures()["attention"].function(text=text)
