"""What nobody sees is dropped, and every place in the original is kept."""

import sys
import time
import unicodedata

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zoo.text.cleaning import (
    plain,
    plain_mark_codes,
    plain_marks,
    visible,
    visible_with_places,
)
from zoo.text.vocabulary import normal_form

HIDDEN = ["\u00ad", "\u200b", "\u2060", "\ufeff", "\u200e", "\u202b", "\ufe0f", "\U000e0101"]
words = st.text(st.sampled_from("abÄ漢1. "), max_size=4)
texts = st.lists(st.tuples(words, st.sampled_from([*HIDDEN, ""])), max_size=6)


def one(function, text):
    return function(tf.constant([text]))[0].numpy().decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s\u00adoft", "soft"),
        ("\ufeffzero\u200bwidth\u2060\u200c\u200d", "zerowidth"),
        ("\u202bleft\u202c \u200eright\u200f\u2066", "left right"),
        ("a\ufe0fb\u034fc\u180bd\U000e0100e\ufff9f", "abcdef"),
        ("漢\U000e0101字", "漢字"),
        ("\u200b\u00ad\ufeff", ""),
        ("👨\u200d👩\u200d👧 👍🏽 ❤\ufe0f\u200d🔥 1\ufe0f⃣", None),
        ("🏴\U000e0067\U000e0062\U000e007f 🇩🇪 🏃🏽\u200d♀\ufe0f", None),
        ("👍\u200d!", "👍!"),
        ("می\u200cخواهم क्\u200dष", None),
        ("a\u200cb ab\u200dc", "ab abc"),
        ("tab\tline\nnbsp\u00a0", None),
    ],
)
def test_what_is_seen(text, shown):
    assert one(visible, text) == (text if shown is None else shown)


def test_nothing_that_nfkc_casefold_drops_is_seen():
    """Over all of Unicode, against the form of words, whose oracle is ICU."""
    assigned = (c for c in map(chr, range(1, sys.maxunicode + 1)) if not c.isspace())
    dropped = [c for c in assigned if unicodedata.category(c) != "Cs" and not normal_form(c)]
    assert len(dropped) > 300
    seen = visible(tf.constant([f"a{c}b" for c in dropped])).numpy()
    assert set(seen) == {b"ab"}


@settings(max_examples=60, deadline=None)
@given(batch=st.lists(texts, max_size=3))
@example(batch=[])
@example(batch=[[], [("", "\u00ad")], [("a", "\u00ad")], [("", "\u00ad"), ("b", "")]])
def test_stretches_go_back_to_the_original(batch):
    """Each visible character alone, and each whole text, is found where it stands."""
    raw = ["".join(word + hidden for word, hidden in parts) for parts in batch]
    shown, original = visible_with_places(tf.constant(raw, tf.string))
    expected = ["".join(word for word, _ in parts) for parts in batch]
    assert [text.decode() for text in shown.numpy()] == expected
    everything, visible_text = "".join(raw), "".join(expected)
    places = np.arange(len(visible_text), dtype=np.int32)
    starts, ends = (of.numpy() for of in original(tf.constant(places), tf.constant(places + 1)))
    assert [everything[s:e] for s, e in zip(starts, ends, strict=True)] == list(visible_text)
    if visible_text:
        start, end = (int(of[0]) for of in original(tf.constant([0]), [len(visible_text)]))
        stretch = everything[start:end]
        assert one(visible, stretch) == visible_text
        assert stretch[0] == visible_text[0]
        assert stretch[-1] == visible_text[-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A man’s “dog” – a ‘pug’ — «here»", 'A man\'s "dog" - a \'pug\' - "here"'),
        ("man´s", "man's"),
        ("𝐀 ｆｕｌｌ ﬁn ①\u00a0x", "A full fin 1 x"),
        ("A\u00ad\u0308", "Ä"),
        ("nul\x00", "nul\ufffd"),
    ],
)
def test_plain(text, expected):
    assert one(plain, text) == expected
    assert one(plain, expected) == expected


def test_plain_is_valid_utf8():
    assert plain(tf.constant([b"caf\xe9"]))[0].numpy().decode() == "caf\ufffd"


def test_codes_have_the_marks_of_texts():
    marks = [c for c in map(chr, range(0x20, 0xFFFF)) if unicodedata.category(c) != "Cs"]
    expected = [ord(text.decode()) for text in plain_marks(tf.constant(marks)).numpy()]
    codes = plain_mark_codes(tf.constant([ord(mark) for mark in marks]))
    np.testing.assert_array_equal(codes, expected)
    assert sum(ord(mark) != code for mark, code in zip(marks, expected, strict=True)) > 20


@pytest.mark.parametrize("unit", ["\u200b", "👍\u200d", "a\u00ad", "ا\u200c"])
def test_time_is_linear_in_the_text(unit):
    """Four times the text may take ten times as long, but not the sixteen of a square."""
    seconds = []
    for size in (20_000, 80_000):
        text = tf.constant([unit * size])
        start = time.process_time()
        visible_with_places(text)
        plain(text)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 10 * seconds[0] + 0.05
