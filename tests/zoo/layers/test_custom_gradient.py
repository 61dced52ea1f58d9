"""Gradients by hand: the same as TensorFlow's `custom_gradient`, and no graph stays behind."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.leaks import assert_nothing_stays, live_graphs
from zoo.layers import (
    CRF,
    AttentionCell,
    BahdanauAttention,
    BasicLSTMCell,
    BasicRNNCell,
    BidirectionalRNN,
    DynamicRNN,
    GRUCell,
)
from zoo.layers.custom_gradient import custom_gradient, unregistered_gradients


def tripled(decorate):
    """`x ** 2` and `x + y`, with a gradient that is three times the right one: it can be told."""

    @decorate
    def run(x, y):
        square = x * x

        def gradient(d_square, d_sum):
            return 3 * (2 * x * d_square + d_sum), 3 * d_sum

        return {"square": square, "sum": x + y}, gradient

    return run


def by_tape(run, x, y):
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        results = run(x, y)
        loss = results["square"] + 2 * results["sum"]
    return [loss, *tape.gradient(loss, [x, y])]


def by_graph(run, x, y):
    results = run(x, y)
    loss = results["square"] + 2 * results["sum"]
    return [loss, *tf.gradients(loss, [x, y])]


def in_a_function_of_its_own(run, x, y):
    return by_tape(tf.function(run, autograph=False), x, y)


def in_a_loop(run, x, y):
    def step(i, x):
        return i + 1, run(x, y)["square"]

    with tf.GradientTape() as tape:
        tape.watch(x)
        _, result = tf.while_loop(lambda i, _: i < 3, step, (0, x))
    return [result, tape.gradient(result, x)]


def in_a_branch(run, x, y):
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        result = tf.cond(x > 0, lambda: run(x, y)["square"], lambda: x)
    return [result, *tape.gradient(result, [x, y])]


def of_one_result(run, x, y):
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        result = run(x, y)["sum"]
    return [result, *tape.gradient(result, [x, y])]


def of_the_gradient(run, x, y):
    with tf.GradientTape() as outer:
        outer.watch([x, y])
        _, d_x, _ = by_tape(run, x, y)
    return [d_x, *outer.gradient(d_x, [x, y], unconnected_gradients="zero")]


WAYS = [
    *(by_tape, by_graph, in_a_function_of_its_own, in_a_loop, in_a_branch),
    *(of_one_result, of_the_gradient),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("traced", [True, False], ids=["traced", "eager"])
def test_is_that_of_tensorflow(way, traced):
    traced = traced or way is by_graph
    arguments = tf.constant(1.5), tf.constant(-2.0)

    def compute(decorate):
        run = tripled(decorate)
        compute = functools.partial(way, run)
        return (tf.function(lambda x, y: compute(x, y)) if traced else compute)(*arguments)

    np.testing.assert_array_equal(compute(custom_gradient), compute(tf.custom_gradient))


def test_an_exported_graph_needs_no_gradient_by_hand(tmp_path):
    module = tf.Module()
    module.run = tf.function(tripled(custom_gradient), autograph=False).get_concrete_function(
        *[tf.TensorSpec([], tf.float32)] * 2
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    x, y = tf.constant(1.5), tf.constant(-2.0)
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        results = loaded.run(x, y)
        loss = results["square"] + 2 * results["sum"]
    assert loss == 1.5**2 - 1
    assert [float(gradient) for gradient in tape.gradient(loss, [x, y])] == [5.0, 2.0]


def train_a_crf():
    crf = CRF(3)
    return crf, lambda x, lengths: crf.log_likelihood(x, tf.zeros([2, 4], tf.int32), lengths)


def train_an_rnn(make_layer):
    def make():
        layer = make_layer()
        return layer, lambda x, lengths: layer(x, lengths)[0]

    return make


def train_a_decoder(cell):
    def make():
        decoder = AttentionCell(cell(5), BahdanauAttention(3))

        def run(x, lengths):
            states = [tf.zeros([2, 5]) for _ in decoder.state_size]
            return decoder.unroll(x, states, decoder.attention.keys(x), x, lengths)[0]

        decoder.build_for(3, 3)
        return decoder, run

    return make


LAYERS = {
    "crf": train_a_crf,
    "lstm": train_an_rnn(lambda: DynamicRNN(BasicLSTMCell(5))),
    "gru": train_an_rnn(lambda: DynamicRNN(GRUCell(5))),
    "both ways": train_an_rnn(lambda: BidirectionalRNN(BasicRNNCell(5), BasicLSTMCell(5))),
    "decoder, lstm": train_a_decoder(BasicLSTMCell),
    "decoder, gru": train_a_decoder(GRUCell),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_graphs_die_with_their_layer(make):
    """TensorFlow's registry kept every traced graph, and with it the layer's weights."""

    def train():
        layer, run = make()

        @tf.function(autograph=False)
        def step(x, lengths):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(run(x, lengths))
            return tape.gradient(loss, layer.trainable_variables)

        arguments = tf.ones([2, 4, 3]), tf.constant([4, 2])
        run(*arguments)  # makes the variables
        gradients = step(*arguments)
        assert len(gradients) >= 3
        assert any(graph is step.get_concrete_function(*arguments).graph for graph in live_graphs())

    assert_nothing_stays(train)


def test_a_training_step_of_keras_leaves_nothing_behind():
    """An optimizer's sum over replicas is registered by TensorFlow, again at every trace."""

    def train():
        layer, optimizer = DynamicRNN(GRUCell(5)), keras.optimizers.Adam()
        layer(tf.ones([2, 4, 3]))
        optimizer.build(layer.trainable_variables)

        @tf.function(autograph=False)
        def step(x):
            with unregistered_gradients():
                with tf.GradientTape() as tape:
                    loss = tf.reduce_sum(layer(x)[0])
                gradients = tape.gradient(loss, layer.trainable_variables)
                optimizer.apply(gradients, layer.trainable_variables)
            return loss

        x = tf.ones([2, 4, 3])
        losses = [step(x) for _ in range(3)]
        assert losses[2] < losses[0]
        assert any(graph is step.get_concrete_function(x).graph for graph in live_graphs())

    assert_nothing_stays(train)


def test_registrations_from_before_stay():
    x = tf.constant(1.5)
    run = tripled(tf.custom_gradient)
    kept = tf.function(lambda x: run(x, x)["square"]).get_concrete_function(x)
    with unregistered_gradients():
        tf.function(lambda x: run(x, x)["square"]).get_concrete_function(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        result = kept(x)
    assert tape.gradient(result, x) == 3 * 2 * x
