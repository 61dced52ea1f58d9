"""`split_pieces` against `tf_text.regex_split`, which checks what its kernel gave."""

import hypothesis
import pytest
import tensorflow as tf
import tensorflow_text as tf_text
from hypothesis import strategies

from zoo.text.pieces import split_pieces

TEXTS = ["", "one, two,,three", ",", "no comma", "a,b c"]


@pytest.mark.parametrize("kept", ["", ",", ".*"])
def test_texts_are_split_as_by_tf_text(kept):
    expected = tf_text.regex_split(TEXTS, ",", kept)
    assert split_pieces(tf.constant(TEXTS), ",", kept).to_list() == expected.to_list()


@hypothesis.settings(max_examples=20, deadline=None)
@hypothesis.given(strategies.lists(strategies.text("ä, b", max_size=9), max_size=5))
def test_pieces_are_split_within_their_text(texts):
    texts = tf.constant(texts, tf.string)
    expected = tf_text.regex_split(tf_text.regex_split(texts, ",", ","), " ").merge_dims(1, 2)
    pieces = split_pieces(split_pieces(texts, ",", ","), " ", "")
    assert pieces.to_list() == expected.to_list()
    assert pieces.nrows() == len(texts)


def test_there_are_no_branches():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def split(texts):
        return split_pieces(split_pieces(texts, ",", ","), " ", " ")

    graph = split.get_concrete_function().graph
    assert not graph.as_graph_def().library.function
    assert not [operation for operation in graph.get_operations() if operation.type == "Assert"]
