"""The zoo's cells give what the lecture's TF1 code gives: outputs, states, gradients, dropout."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import (
    BasicLSTMCell,
    BasicRNNCell,
    DropoutWrapper,
    DynamicRNN,
    GRUCell,
    MultiRNNCell,
    RecurrentCell,
)

UNITS, INPUTS, TIME = 5, 3, 7
LENGTHS = np.arange(TIME + 1, dtype=np.int32)  # one row of each length from 0 to T
STATES = {"lstm": 4, "gru": 1, "rnn": 1}


@pytest.fixture(scope="module")
def given():
    random = np.random.default_rng(0)

    def normal(*shape):
        return random.normal(size=shape).astype(np.float32)

    arrays = {
        "inputs": normal(len(LENGTHS), TIME, INPUTS),
        "weights": normal(len(LENGTHS), TIME, UNITS),
        "lengths": LENGTHS,
    }
    for name, states in STATES.items():
        arrays[f"{name}/states"] = states
        for i in range(states):
            arrays[f"{name}/state{i}"] = normal(len(LENGTHS), UNITS)
    return arrays


@pytest.fixture(scope="module")
def tf1(given, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tf1")
    np.savez(folder / "inputs.npz", **given)
    script = pathlib.Path(__file__).with_name("tf1_oracle.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder / "inputs.npz"), str(folder / "results.npz")],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(folder / "results.npz") as stored:
        return dict(stored)


def from_tf1_lstm(kernel, bias):
    """TF1 fuses `[x, h]` and orders the gates i, g, f, o; ours are split and i, f, g, o."""

    def reorder(array):
        i, g, f, o = np.split(array, 4, axis=-1)
        return np.concatenate([i, f, g, o], -1)

    kernel = reorder(kernel)
    return [kernel[:-UNITS], kernel[-UNITS:], reorder(bias)]


def from_tf1_gru(gates, gates_bias, candidate, candidate_bias):
    """TF1 keeps the gates (in the order r, z) apart from the candidate; ours are z, r, g."""

    def reorder(gates, candidate):
        r, z = np.split(gates, 2, axis=-1)
        return np.concatenate([z, r, candidate], -1)

    kernel = reorder(gates, candidate)
    return [kernel[:-UNITS], kernel[-UNITS:], reorder(gates_bias, candidate_bias)]


def from_tf1(name, arrays):
    if name == "lstm":
        return from_tf1_lstm(*arrays[:2]) + from_tf1_lstm(*arrays[2:])
    if name == "gru":
        return from_tf1_gru(*arrays)
    kernel, bias = arrays
    return [kernel[:-UNITS], kernel[-UNITS:], bias]


def make_cell(name):
    if name == "lstm":
        return MultiRNNCell(
            [
                DropoutWrapper(BasicLSTMCell(UNITS, forget_bias=bias), output_keep_prob=1.0)
                for bias in (0.0, 1.0)
            ]
        )
    return {"gru": GRUCell, "rnn": BasicRNNCell}[name](UNITS)


def to_tf1_order(name, flat):
    """TF1's LSTM state is `(c, h)`, ours `[h, c]`."""
    return [flat[i] for i in (1, 0, 3, 2)] if name == "lstm" else flat


def stored(tf1, key):
    """The arrays `key0`, `key1`, ... of the oracle."""
    return [tf1[f"{key}{i}"] for i in range(sum(k.startswith(key) for k in tf1))]


def compute(name, given, tf1):
    rnn = DynamicRNN(make_cell(name))
    inputs = tf.constant(given["inputs"])
    flat = [tf.constant(given[f"{name}/state{i}"]) for i in range(STATES[name])]
    initial = tf.nest.pack_sequence_as(rnn.cell.state_size, to_tf1_order(name, flat))
    rnn(inputs)
    rnn.set_weights(from_tf1(name, stored(tf1, f"{name}/weight")))

    @tf.function(autograph=False)
    def run():
        with tf.GradientTape() as tape:
            tape.watch([inputs, *flat])
            outputs, state = rnn(inputs, given["lengths"], initial, training=True)
            state = to_tf1_order(name, tf.nest.flatten(state))
            loss = tf.reduce_sum(outputs * given["weights"])
            loss += tf.add_n([tf.reduce_sum(tf.sin(s) * (i + 1)) for i, s in enumerate(state)])
        gradients = tape.gradient(loss, [inputs, *flat, *rnn.trainable_weights])
        return outputs, state, gradients

    return run()


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
def test_outputs_states_and_gradients_are_those_of_tf1(name, given, tf1):
    outputs, state, (d_inputs, *others) = compute(name, given, tf1)
    states = STATES[name]
    near = {"rtol": 1e-5, "atol": 2e-6}
    np.testing.assert_allclose(outputs, tf1[f"{name}/outputs"], **near)
    np.testing.assert_allclose(d_inputs, tf1[f"{name}/d_inputs"], **near)
    for ours, theirs in (
        (state, stored(tf1, f"{name}/state")),
        (others[:states], stored(tf1, f"{name}/d_state")),
        (others[states:], from_tf1(name, stored(tf1, f"{name}/d_weight"))),
    ):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, **near)


class Identity(RecurrentCell):
    """Passes its input through and keeps its state."""

    state_size, output_size = [2000], 2000

    def call(self, inputs, states, training=None):
        return inputs, list(states)


@pytest.mark.parametrize("variational", [False, True])
def test_dropout_has_the_statistics_of_tf1(tf1, variational):
    cell = DropoutWrapper(Identity(), 0.8, 0.5, 0.9, variational=variational, seed=1)
    outputs, (state,) = DynamicRNN(cell)(
        tf.ones([2, 3, 2000]), initial_state=[tf.ones([2, 2000])], training=True
    )
    # Survivors of both masks are scaled by both inverses: 1 / (0.8 * 0.5).
    for values in (outputs.numpy(), tf1["dropout/outputs"]):
        np.testing.assert_allclose(np.unique(values), [0.0, 2.5], rtol=1e-6)
        assert np.mean(values > 0) == pytest.approx(0.4, abs=0.02)
    per_step = [0.0, 0.9**-3]
    np.testing.assert_allclose(np.unique(tf1["dropout/state"]), per_step, rtol=1e-5)
    np.testing.assert_allclose(np.unique(state), per_step, rtol=1e-5)
    # Three independent masks, or one mask three times.
    expected = 0.9 if variational else 0.9**3
    assert np.mean(tf1["dropout/state"] > 0) == pytest.approx(0.9**3, abs=0.03)
    assert np.mean(state.numpy() > 0) == pytest.approx(expected, abs=0.03)
