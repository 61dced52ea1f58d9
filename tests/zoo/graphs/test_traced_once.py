"""Parts of graphs that are traced once: how often, with which shapes, gradients and options."""

import pytest
import tensorflow as tf

from zoo.graphs.traced_once import traced_once


@pytest.fixture
def part():
    """A part of a graph, and the shapes of `x` that it was traced with."""
    traced = []

    @traced_once
    def scaled(parts, *others, by=2.0):
        traced.append(tuple(parts["x"].shape))
        return {"y": by * parts["x"] + sum(others), "of": [tf.shape(parts["x"])[0]]}

    return scaled, traced


def graph(call):
    return tf.function(call, autograph=False).get_concrete_function


def test_graphs_share_a_trace_for_all_sizes_but_the_last(part):
    scaled, traced = part
    for rows in (2, 3):
        for _ in range(2):
            made = graph(lambda x: scaled({"x": x})["y"])(tf.TensorSpec([rows, 4]))
            assert made(tf.ones([rows, 4])).numpy().tolist() == [[2.0] * 4] * rows
    assert traced == [(None, 4)]
    graph(lambda x: scaled({"x": x}))(tf.TensorSpec([2, 5]))
    graph(lambda x: scaled({"x": x}, by=3.0))(tf.TensorSpec([2, 5]))
    graph(lambda x: scaled({"x": x}, x))(tf.TensorSpec([2, 5]))
    graph(lambda x: scaled({"x": x}))(tf.TensorSpec([2, 5], tf.float64))
    assert traced == [(None, 4)] + 4 * [(None, 5)]


def test_vectors_and_scalars_have_no_last_dimension_that_stays(part):
    scaled, traced = part
    for size in (2, 3):
        graph(lambda x: scaled({"x": x}))(tf.TensorSpec([size]))
    assert traced == [(None,)]


def test_eagerly_it_runs_as_it_stands(part):
    scaled, traced = part
    for rows in (2, 3):
        assert scaled({"x": tf.ones([rows, 1])})["of"][0] == rows
    assert traced == [(2, 1), (3, 1)]


def test_ragged_tensors_come_and_go():
    @traced_once
    def lengths(pair):
        return pair[0].with_values(tf.strings.length(pair[0].flat_values)), pair[1] + 1

    texts = tf.ragged.constant([["a", "bcd"], [], ["ef"]])
    numbers = tf.ragged.constant([[[1, 2]], []], ragged_rank=1, row_splits_dtype=tf.int32)
    for call in (lengths, tf.function(lengths)):
        found, more = call((texts, numbers))
        assert found.to_list() == [[1, 3], [], [2]]
        assert more.to_list() == [[[2, 3]], []]
        assert more.row_splits.dtype == tf.int32


def test_its_gradients_are_those_of_what_stands_in_it(part):
    scaled, _ = part

    @tf.function
    def gradients(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = scaled({"x": x}, x**3)["y"]
            first = inner.gradient(y, x)
        return first, outer.gradient(first, x)

    first, second = gradients(tf.constant([[2.0]]))
    assert (float(first[0, 0]), float(second[0, 0])) == (2.0 + 3 * 4, 6 * 2.0)
