"""The gradient laboratory: tasks that are what they say, autodiff's flows, and the bound."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from zoo.layers import BasicLSTMCell, BasicRNNCell
from zoo.training.__main__ import main
from zoo.training.experiments import gradients
from zoo.training.experiments.gradients import error_flow, pascanu_bound
from zoo.training.experiments.sequence_tasks import CELLS, LastOutput, adding, batches, copying


def test_tasks_are_what_they_say():
    rng = np.random.default_rng(0)
    inputs, sums = adding(rng, rows=50, length=7)
    assert (inputs[..., 1].sum(1) == 2).all()
    assert (inputs[:, :3, 1].sum(1) == 1).all()
    np.testing.assert_allclose((inputs[..., 0] * inputs[..., 1]).sum(1), sums[:, 0], rtol=1e-6)
    inputs, symbols = copying(rng, rows=50, length=7)
    np.testing.assert_array_equal(inputs[:, 0, :8], symbols)
    assert not inputs[:, 1:, :8].any()
    assert (inputs[:, -1, 8] == 1).all()
    data = batches("adding", 5, 3, seed=4)
    one, other = (next(iter(data.skip(2)))[0] for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("make", [BasicRNNCell, BasicLSTMCell])
def test_a_flow_is_the_gradient_of_the_state(make):
    """Against the gradient of an initial state, by the kernel for whole sequences."""
    keras.utils.set_random_seed(1)
    model = LastOutput(make(5), "adding")
    batch = adding(np.random.default_rng(1), rows=1, length=6)
    flow = error_flow(model, batch)
    assert flow.shape == (7,)
    start = [tf.zeros([1, 5]) for _ in model.rnn.cell.state_size]
    for distance in (6, 4):
        first, rest = batch.inputs[:, : 6 - distance], batch.inputs[:, 6 - distance :]
        state = model.rnn(first, initial_state=start)[1] if distance < 6 else start
        with tf.GradientTape() as tape:
            tape.watch(state)
            outputs, _ = model.rnn(rest, initial_state=state)
            error = tf.square(model.dense(outputs[:, -1]) - batch.targets)
        expected = np.sqrt(sum(np.sum(of**2) for of in map(np.array, tape.gradient(error, state))))
        assert flow[distance] == pytest.approx(expected, rel=1e-3)


def test_a_plain_cell_stays_below_the_bound():
    keras.utils.set_random_seed(1)
    model = LastOutput(CELLS["RNN, eta 0.8"](8), "adding")
    flow = error_flow(model, adding(np.random.default_rng(1), rows=16, length=20))
    bound = pascanu_bound(model.rnn.cell, flow)
    np.testing.assert_allclose(bound[1:] / bound[:-1], 0.8, rtol=1e-4)
    assert (flow <= bound * (1 + 1e-5)).all()
    assert flow[20] < 0.02 * flow[0]


def test_the_command_goes_on_and_draws(tmp_path, monkeypatch):
    """A laboratory of one cell, which has learnt next to nothing."""
    for name, value in {"UNITS": 4, "ROWS": 4, "FLOW_LENGTH": 5, "EXPLOSION_STEPS": 3}.items():
        monkeypatch.setattr(gradients, name, value)
    monkeypatch.setattr(gradients, "CELLS", {"RNN, eta 1.6": CELLS["RNN, eta 1.6"]})
    arguments = ["gradients", "--out", str(tmp_path / "lab"), "--steps", "2", "--length", "3"]
    result = CliRunner().invoke(main, [*arguments, "--plot", str(tmp_path / "lab.png")])
    assert result.exit_code == 0, result.output
    assert "| RNN, eta 1.6 | " in result.output
    assert "adds 3" in result.output
    assert (tmp_path / "lab.png").read_bytes().startswith(b"\x89PNG")
    measured = json.loads((tmp_path / "lab" / "gradients.json").read_text())
    assert set(measured["flow"]) == {"adding", "copying"}
    assert len(measured["flow"]["copying"]["RNN, eta 1.6"]["trained"]["norms"]) == 6
    assert "bound" in measured["flow"]["adding"]["RNN, eta 1.6"]["start"]
    exploded, clipped = measured["explosion"].values()
    assert len(exploded["losses"]) == len(exploded["norms"]) == 3
    # Norms are those before the cut: the first step's are the same.
    assert clipped["norms"][0] == pytest.approx(exploded["norms"][0], rel=1e-3)
    # All is measured: nothing is again.
    monkeypatch.setattr(gradients, "trained", None)
    monkeypatch.setattr(gradients, "explosion", None)
    assert CliRunner().invoke(main, arguments).exit_code == 0
    result = CliRunner().invoke(main, [*arguments[:4], "7"])
    assert "holds a measurement with steps=2" in result.output
