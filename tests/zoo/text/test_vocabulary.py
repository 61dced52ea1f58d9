"""Vocabularies: the graph's normal form is Python's, and tables outlive seeds and exports."""

import sys
import time
import unicodedata

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text as tf_text

from zoo.text.vocabulary import CharacterVocabulary, WordVocabulary, normal_form


@pytest.fixture(scope="module")
def vocabulary():
    return WordVocabulary(["the", "dog", "0000", "usa", "00th", "strasse", "10th"])


def test_words_are_found_in_their_normal_form(vocabulary):
    tokens = ["The", "DOG", "1996", "ＵＳＡ", "11th", "Straße", "10TH", "cat", "", "\u200d"]
    assert vocabulary.ids(tf.constant(tokens)).numpy().tolist() == [2, 3, 4, 5, 6, 7, 8, 1, 0, 1]
    assert vocabulary.size == 9


def test_ids_have_the_shape_of_the_tokens(vocabulary):
    ragged = tf.ragged.constant([[["the"], []], [["dog", "x"]], []], tf.string, ragged_rank=2)
    assert vocabulary.ids(ragged).to_list() == [[[2], []], [[3, 1]], []]
    assert vocabulary.ids(tf.constant([["the", ""]])).numpy().tolist() == [[2, 0]]
    assert vocabulary.ids(tf.zeros([0, 3], tf.string)).shape == (0, 3)
    assert vocabulary.ids(tf.constant("the")).shape == ()
    assert vocabulary.ids(tf.constant([b"\xff"])).numpy().tolist() == [1]


def test_normal_form_is_the_same_in_python_and_graph():
    """Over every character that Python's Unicode assigns, alone and within a word."""
    characters = [
        chr(code)
        for code in range(1, sys.maxunicode + 1)
        if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")
    ]
    # Hangul syllables and Han are a hundred thousand characters without case: a sample will do.
    tokens = [
        c if ord(c) % 3 else f"Aß{c}\u0301" for c in characters[:: 1 + len(characters) // 40000]
    ]
    tokens += [f"x{c}" for c in characters if not c.isalpha() or c.isupper() or c.islower()]
    folded = tf_text.case_fold_utf8(tf.constant(tokens)).numpy()
    different = [
        token
        for token, form in zip(tokens, folded, strict=True)
        if normal_form(token) != form.decode()
    ]
    assert different == []


def test_words_come_back_from_bytes(vocabulary):
    back = WordVocabulary.from_bytes(vocabulary.to_bytes())
    assert back.words == vocabulary.words
    assert WordVocabulary.from_bytes("a\u2028b\nc\n".encode()).words == ["a\u2028b", "c"]


@pytest.mark.parametrize("last", ["don't", "a\rb"])
def test_words_are_the_same_out_of_a_file(last):
    # The last one would lose its carriage return on the way through a file.
    vocabulary = WordVocabulary(["the", " two  words ", "a\tb", "日本", "0000", last])
    tokens = tf.constant(["The", " two  words ", "a\tb", "日本", "1996", last, "", "cat"])
    own = vocabulary.ids(tokens).numpy().tolist()
    assert own == [2, 3, 4, 5, 6, 7, 0, 1]
    table = vocabulary._table
    with vocabulary.in_a_file():
        assert (vocabulary._table is table) == (last == "a\rb")
        assert vocabulary.ids(tokens).numpy().tolist() == own
    assert vocabulary._table is table
    assert vocabulary.ids(tokens).numpy().tolist() == own


@pytest.mark.parametrize("words", [[], ["a", "a"], ["a", ""], ["a\nb"], [b"a"]])
def test_bad_words_are_named(words):
    with pytest.raises(ValueError, match="`words`"):
        WordVocabulary(words)


def test_outlives_a_new_random_seed(vocabulary):
    """TensorFlow drops its kernels at a new seed; the table must not go with them."""
    ids = tf.function(vocabulary.ids)
    tokens = tf.constant(["the", "dog"])
    before = [vocabulary.ids(tokens).numpy().tolist(), ids(tokens).numpy().tolist()]
    tf.random.set_seed(1)
    keras.utils.set_random_seed(2)
    assert [vocabulary.ids(tokens).numpy().tolist(), ids(tokens).numpy().tolist()] == before


def test_runs_in_the_session_of_tf_serving(vocabulary, tmp_path):
    characters = CharacterVocabulary("dog")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="tokens")])
    def serve(tokens):
        return {"ids": vocabulary.ids(tokens), "characters": characters.ids(tokens).to_tensor()}

    module = tf.Module()
    module.vocabulary = vocabulary
    tf.saved_model.save(module, str(tmp_path), signatures=serve)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(tmp_path))
        signature = loaded.signature_def["serving_default"]
        fetches = {name: info.name for name, info in signature.outputs.items()}
        out = session.run(fetches, {signature.inputs["tokens"].name: ["Dog", "1812", "?"]})
    assert out["ids"].tolist() == [3, 4, 1]
    assert out["characters"].tolist() == [[1, 4, 3, 0], [1, 1, 1, 1], [1, 0, 0, 0]]


def test_a_hundred_thousand_words_load_at_once():
    data = "".join(f"word{i}\n" for i in range(100_000)).encode()
    start = time.process_time()
    vocabulary = WordVocabulary.from_bytes(data)
    assert vocabulary.ids(tf.constant(["word99999"])).numpy()[0] == 100_001
    assert time.process_time() - start < 2


def test_characters():
    vocabulary = CharacterVocabulary("cabé漢")
    assert vocabulary.size == 7
    tokens = tf.ragged.constant([["cab", "xa"], [], ["漢", "e\u0301", "ａ", ""]])
    assert vocabulary.ids(tokens).to_list() == [[[4, 2, 3], [1, 2]], [], [[6], [5], [2], []]]
    assert vocabulary.ids(tf.constant([b"\xffa"])).to_list() == [[1, 2]]
    assert vocabulary.ids(tf.zeros([0], tf.string)).shape[0] == 0
    assert CharacterVocabulary.from_bytes(vocabulary.to_bytes()).characters == list("abcé漢")


def test_the_rest_of_a_monster_is_not_read():
    vocabulary = CharacterVocabulary("ab")
    ids = vocabulary.ids(tf.constant(["ab" * 500_000, "ﷺ" * 3, "a"]), longest=5)
    assert ids.to_list() == [[2, 3, 2, 3, 2], [1, 1, 1, 1, 1], [2]]


def test_characters_are_the_same_in_a_graph():
    vocabulary = CharacterVocabulary("ab")
    tokens = tf.ragged.constant([["ab"], ["c", "b"]])
    graph = tf.function(vocabulary.ids)(tokens)
    np.testing.assert_array_equal(graph.to_tensor(), vocabulary.ids(tokens).to_tensor())


@pytest.mark.parametrize("characters", ["", ["ab"], [""]])
def test_bad_characters_are_named(characters):
    with pytest.raises(ValueError, match="`characters`"):
        CharacterVocabulary(characters)
    with pytest.raises(ValueError, match="`longest`"):
        CharacterVocabulary("a").ids(tf.constant(["a"]), longest=0)
