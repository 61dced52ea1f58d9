"""The lecture's derivation is right: against finite differences, and against `zoo.layers`."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import BasicRNNCell, DynamicRNN
from zoo.training.experiments.bptt_by_hand import VanillaRNN

TIME, INPUTS, HIDDEN, OUTPUTS = 6, 3, 4, 2
_rng = np.random.default_rng(0)
RNN = VanillaRNN(
    _rng.normal(size=[HIDDEN, INPUTS]),
    _rng.normal(size=[HIDDEN, HIDDEN]),
    _rng.normal(size=[OUTPUTS, HIDDEN]),
)
X, TARGETS = _rng.normal(size=[TIME, INPUTS]), _rng.normal(size=[TIME, OUTPUTS])
START = _rng.normal(size=HIDDEN)
CASES = [(None, None), (4, None), (0, None), (None, START)]


@pytest.mark.parametrize(("length", "initial"), CASES)
def test_gradients_are_those_of_finite_differences(length, initial):
    found = RNN.steepest(X, TARGETS, length, initial)
    for which, weight in enumerate(RNN):
        for place in np.ndindex(*weight.shape):
            step = np.zeros_like(weight)
            step[place] = 1e-6
            higher, lower = (
                RNN._replace(**{RNN._fields[which]: weight + sign * step}).error(
                    X, TARGETS, length, initial
                )
                for sign in (1, -1)
            )
            assert found[which][place] == pytest.approx(-(higher - lower) / 2e-6, abs=1e-6)


@pytest.mark.parametrize(("length", "initial"), CASES)
def test_the_layers_have_the_same_outputs_and_gradients(length, initial):
    cell = BasicRNNCell(HIDDEN, dtype="float64")
    cell.build((None, INPUTS))
    cell.built = True
    cell.set_weights([RNN.w_xh.T, RNN.w_hh.T, np.zeros(HIDDEN)])
    w_hy = tf.Variable(RNN.w_hy)
    real = TIME if length is None else length
    state = None if initial is None else [tf.constant(initial[np.newaxis])]
    with tf.GradientTape() as tape:
        hidden, _ = DynamicRNN(cell, dtype="float64")(X[np.newaxis], tf.constant([real]), state)
        errors = tf.square(TARGETS - hidden[0] @ tf.transpose(w_hy))[:real]
        error = 0.5 * tf.reduce_sum(errors)
    gradients = tape.gradient(error, [cell.kernel.value, cell.recurrent_kernel.value, w_hy])
    passed = RNN.forward(X, length, initial)
    np.testing.assert_allclose(hidden[0], passed.hidden[1:], atol=1e-12)
    assert RNN.error(X, TARGETS, length, initial) == pytest.approx(float(error))
    expected = RNN.steepest(X, TARGETS, length, initial)
    for gradient, by_hand in zip(
        gradients, (expected.w_xh.T, expected.w_hh.T, expected.w_hy), strict=True
    ):
        np.testing.assert_allclose(-gradient, by_hand, atol=1e-10)


def test_padding_moves_no_weight():
    """Whatever stands in it."""
    wild = X.copy()
    wild[4:] = 1e6
    short = RNN.updated(X[:4], TARGETS[:4], rate=0.1)
    for one, other in zip(RNN.updated(wild, TARGETS, 0.1, length=4), short, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    for one, other in zip(RNN.updated(wild, TARGETS, 0.1, length=0), RNN, strict=True):
        np.testing.assert_array_equal(one, other)


def test_truncation_carries_the_state_and_not_its_gradient():
    first = RNN.forward(X[:3])
    pieces = [RNN.steepest(X[:3], TARGETS[:3])]
    pieces.append(RNN.steepest(X[3:], TARGETS[3:], initial=first.hidden[-1]))
    np.testing.assert_allclose(
        RNN.forward(X[3:], initial=first.hidden[-1]).outputs, RNN.forward(X).outputs[3:]
    )
    whole = RNN.steepest(X, TARGETS)
    # The output's weights see all; those through time miss what would flow from one to the other.
    np.testing.assert_allclose(pieces[0].w_hy + pieces[1].w_hy, whole.w_hy)
    assert np.abs(pieces[0].w_hh + pieces[1].w_hh - whole.w_hh).max() > 1e-2
