"""Sub-words: nothing is lost on the way from text to ids and back."""

import re
import unicodedata

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.text.cleaning import visible
from zoo.text.subwords import END_ID, PAD_ID, SubwordTokenizer

LINE_END = "[\t\n\v\f\r\x85\u2028\u2029]"


def seen(text):
    """The text without what nobody sees."""
    return visible(tf.constant([text]))[0].numpy().decode()


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), max_size=30))
def test_any_text_comes_back_normalised(tokenizer, text):
    ids, lengths = tokenizer.encode(tf.constant([text]))
    back = tokenizer.decode(ids, lengths - 1).numpy()[0].decode()
    expected = unicodedata.normalize("NFKC", re.sub(LINE_END, " ", seen(text)))
    expected = " ".join(expected.split())
    # U+2581 is SentencePiece's own mark of a blank, which text cannot keep apart from one.
    assert back.replace("▁", " ").split() == expected.replace("▁", " ").split()


@pytest.mark.parametrize(
    ("raw", "back"),
    [
        (b"", ""),
        (b"   ", ""),
        (b" \n\t\r", ""),
        (b"two\nlines", "two lines"),
        ("smile 😀 漢字".encode(), "smile 😀 漢字"),
        (b"nul \x00 inside", "nul \x00 inside"),
        (b"\xff\xfe broken", "\ufffd\ufffd broken"),
        ("ｆｕｌｌ".encode(), "full"),
        ("a\x0bb\x0cc\x85d\u2028e\u2029f".encode(), "a b c d e f"),
        ("\ufefft\u00ador\u2060n\u200b".encode(), "torn"),
        ("\u200b\u00ad\u200e".encode(), ""),
        ("👩\u200d🚀 ❤\ufe0f".encode(), "👩\u200d🚀 ❤\ufe0f"),
    ],
)
def test_hard_cases(tokenizer, raw, back):
    ids, lengths = tokenizer.encode(tf.constant([raw]))
    assert ids[0, lengths[0] - 1] == END_ID
    assert tokenizer.decode(ids, lengths - 1).numpy()[0].decode() == back


def test_same_ids_as_sentencepiece(tokenizer):
    reference = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.model)
    texts = ["A dog runs in the park.", "Ein Hund läuft.", "", "unseen words, äöü"]
    ids, lengths = tokenizer.encode(tf.constant(texts))
    for text, row, length in zip(texts, ids.numpy(), lengths.numpy(), strict=True):
        assert row[: length - 1].tolist() == reference.encode(text)
        assert (row[length:] == PAD_ID).all()


def test_decode_gives_valid_utf8_from_any_ids(tokenizer):
    ids = np.random.default_rng(0).integers(
        0, tokenizer.vocabulary_size, size=(50, 8), dtype=np.int32
    )
    for text in tokenizer.decode(tf.constant(ids), tf.fill([50], 8)).numpy():
        text.decode("utf-8")


def test_outlives_a_new_random_seed(tokenizer):
    """TensorFlow drops its kernels at a new seed; the tokenizer must not go with them."""
    before = tokenizer.encode(tf.constant(["A dog runs."]))[0].numpy()
    tf.random.set_seed(1)
    np.testing.assert_array_equal(tokenizer.encode(tf.constant(["A dog runs."]))[0], before)


def test_empty_batch(tokenizer):
    ids, lengths = tokenizer.encode(tf.zeros([0], tf.string))
    assert ids.shape[0] == 0
    assert lengths.shape == (0,)
    assert tokenizer.decode(ids, lengths).shape == (0,)


@pytest.mark.parametrize("model", [b"", b"no model", "text", None])
def test_bad_model_is_named(model):
    with pytest.raises(ValueError, match="`model`"):
        SubwordTokenizer(model)
