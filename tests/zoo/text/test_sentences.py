"""Sentences as strings: cut, and put together again."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.text.sentences import join_sentences, split_sentences, whole_texts

PARTS = [
    "A dog runs.",
    "Who?",
    " ",
    "\n\n",
    "<br /><br />",
    "Mr. Lee",
    "3.5",
    "漢字。",
    '"Go!"',
    "x",
]
texts = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)


@pytest.mark.parametrize(
    ("text", "sentences", "gaps"),
    [
        ("A dog runs. A man sleeps.", ["A dog runs.", "A man sleeps."], ["", " "]),
        ("  One only \n", ["  One only \n"], [""]),
        ("Title\n\nThe text.", ["Title", "The text."], ["", "\n\n"]),
        ("Mr. Lee paid 3.5 dollars in the U.S. then.", None, [""]),
        ("猫。犬！", ["猫。", "犬！"], ["", " "]),
        ("Go!\r\n \r\n<br />Stop. ", ["Go!", "Stop. "], ["", "\r\n \r\n<br />"]),
        ("", [], []),
        (" \n<br />", [], []),
    ],
)
def test_where_texts_are_cut(text, sentences, gaps):
    cut = split_sentences(tf.constant(["Before it. Two.", text, "x"]))
    expected = [text] if sentences is None else sentences
    assert [of.decode() for of in cut.texts[1].numpy()] == expected
    assert [of.decode() for of in cut.gaps[1].numpy()] == gaps
    assert cut.texts[2].numpy().tolist() == [b"x"]


@settings(max_examples=60, deadline=None)
@given(batch=st.lists(texts, max_size=4))
def test_joined_again_only_blanks_are_new(batch):
    cut = split_sentences(tf.constant(batch, tf.string))
    joined = join_sentences(cut.texts.flat_values, cut.gaps).numpy()
    for text, sentences, again in zip(batch, cut.texts.to_list(), joined, strict=True):
        # A text without words has no sentences, and all of it is white space.
        expected = text if sentences else ""
        assert again.decode().replace(" ", "") == expected.replace(" ", "")
        assert len(again.decode()) <= len(text) + max(len(sentences) - 1, 0)


def test_variants_are_joined_side_by_side():
    cut = split_sentences(tf.constant(["A b. C d.", "", "E f."]))
    parts = tf.constant([["a", "A"], ["b", "B"], ["c", "C"]])
    joined = join_sentences(parts, cut.gaps).numpy().tolist()
    assert joined == [[b"a b", b"A B"], [b"", b""], [b"c", b"C"]]


def test_whole_texts_are_not_cut():
    whole = whole_texts(tf.constant(["A b. C d.", ""]))
    assert whole.texts.to_list() == [[b"A b. C d."], [b""]]
    assert join_sentences(whole.texts.flat_values, whole.gaps).numpy().tolist() == [
        b"A b. C d.",
        b"",
    ]
    np.testing.assert_array_equal(whole_texts(tf.zeros([0], tf.string)).texts.row_splits, [0])
