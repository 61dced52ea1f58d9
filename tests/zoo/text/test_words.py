"""Words: every offset is a place in the original, whatever the text holds."""

import time
import unicodedata

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zoo.text.cleaning import visible
from zoo.text.words import WordTokenizer, by_sentence

TOKENIZER = WordTokenizer()
AWKWARD = ["<br />", "\n\n", "don't", "'s ", "U.S.", "J.", "http://", "a@b", "\u200d", "👍🏽", "🇩🇪"]
AWKWARD += [
    "\ufe0f",
    "漢",
    "ー",
    "\u0301",
    "e\u0301",
    "\x00",
    "\u3000",
    "\u2029",
    "ﷺ",
    "'",
    "-",
    "1.",
    *("U.S.À0", "U.S.Àx", "'ſx", "n.é.", "\u00ad", "\ufeff", "❤\ufe0f", "با\u200c"),
]
texts = st.lists(st.sampled_from(AWKWARD) | st.text(max_size=4), max_size=12).map("".join)
raw_texts = texts.map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=20)


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
def in_graph(texts):
    words = TOKENIZER.tokenize(texts)
    return words, TOKENIZER.sentences(words, longest=3)


def rows(words):
    columns = [[token.decode() for token in row] for row in words.tokens.to_list()]
    starts, ends = words.starts.to_list(), words.ends.to_list()
    return [list(zip(*row, strict=True)) for row in zip(columns, starts, ends, strict=True)]


def split(text):
    return [token for token, _, _ in rows(TOKENIZER.tokenize(tf.constant([text])))[0]]


def is_white(character):
    return character.isspace() or unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp")


def seen(text):
    """The text without what nobody sees."""
    return visible(tf.constant([text]))[0].numpy().decode()


def is_gap(text):
    return all(map(is_white, seen(text).replace("<br />", "")))


@settings(max_examples=150, deadline=None)
@given(batch=st.lists(raw_texts, max_size=4))
@example(batch=[])
@example(batch=["U.S.À0".encode(), "It 'ſx".encode(), "a.b.é9 don't".encode()])
@example(batch=[b"", b" \n "])
@example(batch=[b"\xed\xa0\x80 \xf0\x9f\x98 end", b"caf\xe9", b"\xc3"])
def test_tokens_partition_the_original(batch):
    words, _ = in_graph(tf.constant(batch, tf.string))
    for raw, row in zip(batch, rows(words), strict=True):
        text = raw.decode("utf-8", "replace")
        reached = 0
        for token, start, end in row:
            assert token == seen(text[start:end])
            assert not any(map(is_white, token))
            assert is_gap(text[reached:start])
            assert start < end
            reached = end
        assert is_gap(text[reached:])


@settings(max_examples=60, deadline=None)
@given(batch=st.lists(raw_texts, min_size=1, max_size=4))
def test_batch_mates_do_not_matter(batch):
    words, sentences = in_graph(tf.constant(batch))
    for row, raw in enumerate(batch):
        alone, cut = in_graph(tf.constant([raw]))
        for together, single in zip((*words, sentences), (*alone, cut), strict=True):
            np.testing.assert_array_equal(together[row], single[0])


def test_eager_is_as_the_graph():
    texts = tf.constant(["".join(AWKWARD), "", " ".join(AWKWARD)])
    words, sentences = in_graph(texts)
    eager = TOKENIZER.tokenize(texts)
    assert [column.to_list() for column in eager] == [column.to_list() for column in words]
    assert TOKENIZER.sentences(eager, longest=3).to_list() == sentences.to_list()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Mr. Blair isn't in the U.S.", "Mr. Blair is n't in the U.S."),
        ("\"Don’t!\" he said (I'm John's).", "\" Do n’t ! \" he said ( I 'm John 's ) ."),
        ("the dogs' 'tis 's n't O'Brien's", "the dogs ' ' tis 's n't O'Brien 's"),
        ("J. Smith and I. Then I.K. came", "J. Smith and I . Then I.K. came"),
        ("1996-08-22 6-4 3-1/2 $10,000 1:04.541", "1996-08-22 6-4 3-1/2 $ 10,000 1:04.541"),
        ("AL-AIN, 3.5%; C$ 5, .500 No.1 +44", "AL-AIN , 3.5 % ; C$ 5 , .500 No.1 +44"),
        ("U.S.-led S&P 10th 1980s", "U.S.-led S&P 10th 1980s"),
        ("great.The end...yes--no and/or", "great . The end ... yes -- no and / or"),
        ("@user #NER http://t.co/x?a=1. a.b@c.org", "@user #NER http://t.co/x?a=1 . a.b@c.org"),
        ("see google.com good.comedy", "see google.com good . comedy"),
        ("one<br />two<BR>three", "one two three"),
        ("漢字カタカナー abc漢", "漢 字 カ タ カ ナ ー abc 漢"),
        ("e\u0301te\u0301 नमस्ते שָׁלוֹם", "e\u0301te\u0301 नमस्ते שָׁלוֹם"),
        (
            "ok👨\u200d👩\u200d👧👍🏽🇩🇪🇫🇷❤\ufe0f1\ufe0f⃣!",
            "ok 👨\u200d👩\u200d👧 👍🏽 🇩🇪 🇫🇷 ❤\ufe0f 1\ufe0f⃣ !",
        ),
        ("fun :-) not :( nul\x00here", "fun :-) not :( nul here"),
        ("U.S.À0 U.S.Àx n.a É.U. d.C.", "U.S. À0 U.S. Àx n.a É.U. d.C."),
    ],
)
def test_how_words_are_split(text, tokens):
    assert split(text) == tokens.split()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He came. She left! Why?", ["He came .", "She left !", "Why ?"]),
        ("Mr. J. Smith paid 3.5 p.m. dues.", ["Mr. J. Smith paid 3.5 p.m. dues ."]),
        ('"Stop!" he said. "Go (now)." Yes', ['" Stop ! " he said .', '" Go ( now ) . "', "Yes"]),
        ("Well ... it is. and so on", ["Well ... it is . and so on"]),
        ("A title\n\nThe text\ngoes on", ["A title", "The text goes on"]),
        ("bad film<br /><br />my view", ["bad film", "my view"]),
        ('He came. "Go!" Yes', ["He came .", '" Go ! "', "Yes"]),
        ('He said " Go . " Then', ['He said " Go . "', "Then"]),
        ("猫。犬！", ["猫 。", "犬 ！"]),
        ("a b c d e f g h i", ["a b c d e f g", "h i"]),
        ("", []),
    ],
)
def test_sentences(text, sentences):
    words = TOKENIZER.tokenize(tf.constant([text]))
    cut = by_sentence(words.tokens, TOKENIZER.sentences(words, longest=12 if "." in text else 7))
    assert [b" ".join(row).decode() for row in cut.to_list()] == sentences


@settings(max_examples=40, deadline=None)
@given(batch=st.lists(raw_texts, max_size=4))
def test_sentences_partition_each_text_and_go_back(batch):
    words, sentences = in_graph(tf.constant(batch, tf.string))
    np.testing.assert_array_equal(
        tf.reduce_sum(sentences, axis=1), tf.cast(words.tokens.row_lengths(), tf.int32)
    )
    assert all(1 <= length <= 3 for length in sentences.flat_values.numpy())
    dense = by_sentence(words.starts, sentences).to_tensor(-1)
    kept = tf.RaggedTensor.from_tensor(dense, lengths=sentences.flat_values)
    back = words.tokens.with_values(kept.values)
    assert back.to_list() == words.starts.to_list()


def test_what_is_invisible_cuts_no_sentences():
    text = 'He came."\n"Go!" Yes'
    hidden = "".join(f"{character}\u200b" for character in text)
    cuts = [TOKENIZER.sentences(TOKENIZER.tokenize(tf.constant([of]))) for of in (text, hidden)]
    assert cuts[0].to_list() == cuts[1].to_list()
    assert len(cuts[0][0]) > 1


def test_a_sentence_does_not_go_on_from_the_text_before():
    words = TOKENIZER.tokenize(tf.constant(["x.", '  " A', '" B']))
    assert TOKENIZER.sentences(words).to_list() == [[2], [2], [2]]


def test_longest_must_be_positive():
    words = TOKENIZER.tokenize(tf.constant(["a"]))
    with pytest.raises(ValueError, match="`longest`"):
        TOKENIZER.sentences(words, longest=0)


@pytest.mark.parametrize("unit", ["ab.", "a+", "a.b@", "a-b_", "http://)", "'", "<br "])
def test_time_is_linear_in_the_text(unit):
    """Four times the text may take ten times as long, but not the sixteen of a square."""
    seconds = []
    for size in (20_000, 80_000):
        text = tf.constant([unit * (size // len(unit))])
        start = time.process_time()
        TOKENIZER.tokenize(text)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 10 * seconds[0] + 0.05
