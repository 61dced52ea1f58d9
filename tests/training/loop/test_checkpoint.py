"""A run's state on disk: exact when restored, whole at any moment, refused when it is not ours."""

import errno
import json
import os

import keras
import numpy as np
import pytest

import zoo.training.loop.checkpoint
from zoo.training.loop.checkpoint import Checkpoint, averaged_weights

RECIPE = {"model": "nmt_attention", "seed": 1, "network": {"units": 8}}


def new_model(seed):
    """Not a translator: a checkpoint takes any Keras model, and this one is quick to train."""
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(6), keras.layers.Dropout(0.5), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input([4]), *layers])
    model.compile(keras.optimizers.AdamW(0.01, use_ema=True, ema_momentum=0.9), loss="mse")
    return model


def train(model, steps=3):
    rng = np.random.default_rng(0)
    for _ in range(steps):
        model.train_on_batch(rng.normal(size=[5, 4]), rng.normal(size=[5, 3]))


@pytest.fixture(scope="module")
def trained():
    model = new_model(1)
    train(model)
    return model


def state_of(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]


def assert_same_state(model, state):
    for array, expected in zip(state_of(model), state, strict=True):
        np.testing.assert_array_equal(array, expected)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_empty_folder_starts_from_nothing(tmp_path, trained):
    before = state_of(trained)
    assert Checkpoint(tmp_path / "new", RECIPE).restore(trained) == (0, None)
    assert_same_state(trained, before)


def test_weights_optimizer_and_seeds_come_back_bit_for_bit(tmp_path, trained):
    Checkpoint(tmp_path / "run", RECIPE).save(trained, 3, 21.5)
    other = new_model(2)
    assert Checkpoint(tmp_path / "run", RECIPE).restore(other) == (3, 21.5)
    # Metrics are no part of it: they start anew at each epoch.
    for model in (trained, other):
        model.reset_metrics()
    assert_same_state(other, state_of(trained))
    assert any(v.name == "seed_generator_state" and v[1] > 0 for v in other.variables)


def test_a_restored_model_goes_on_as_the_other_one_does(tmp_path):
    one, other = new_model(1), new_model(2)
    train(one)
    Checkpoint(tmp_path, RECIPE).save(one, 1, None)
    Checkpoint(tmp_path, RECIPE).restore(other)
    for model in (one, other):
        train(model)
    for weight, expected in zip(other.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)


def test_a_checkpoint_from_before_seeds_were_kept_still_loads(tmp_path, trained):
    Checkpoint(tmp_path, RECIPE).save(trained, 1, 2.0)
    state = json.loads((tmp_path / "checkpoint.json").read_text())
    del state["seeds"]
    (tmp_path / "checkpoint.json").write_text(json.dumps(state))
    other = new_model(2)
    assert Checkpoint(tmp_path, RECIPE).restore(other) == (1, 2.0)
    np.testing.assert_array_equal(other.get_weights()[0], trained.get_weights()[0])


def test_only_the_newest_epoch_stays_and_no_litter(tmp_path, trained):
    for left in (
        "partial-checkpoint-1.weights.h5",
        ".checkpoint.json.x7",
        "checkpoint-0.weights.h5",
    ):
        (tmp_path / left).write_bytes(b"left by a kill")
    (tmp_path / "notes.txt").write_text("mine")
    for epoch in (1, 2):
        Checkpoint(tmp_path, RECIPE).save(trained, epoch, None)
    assert names(tmp_path) == ["checkpoint-2.weights.h5", "checkpoint.json", "notes.txt"]


def test_another_recipe_is_refused_with_what_differs(tmp_path, trained):
    Checkpoint(tmp_path, RECIPE).save(trained, 1, 2.0)
    other = {**RECIPE, "seed": 2, "network": {"units": 9}, "epochs": 5}
    before = state_of(trained)
    with pytest.raises(ValueError, match="another configuration") as caught:
        Checkpoint(tmp_path, other).restore(trained)
    message = str(caught.value)
    assert "seed=1 there and 2 here" in message
    assert "network={'units': 8} there and {'units': 9} here" in message
    assert "model=" not in message
    assert str(tmp_path) in message
    assert_same_state(trained, before)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"\xff\xfe",
        b'{"epoch": 1}',
        b'{"epoch": "one", "best": 1.0, "recipe": {}}',
        b'{"epoch": 1, "best": 1.0, "recipe": 7}',
        b'{"epoch": null, "best": 1.0, "recipe": {}}',
        b'{"epoch": 1, "best": "high", "recipe": {}}',
    ],
)
def test_a_damaged_state_is_told(tmp_path, trained, content):
    (tmp_path / "checkpoint.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"checkpoint\.json is damaged .* start anew"):
        Checkpoint(tmp_path, RECIPE).restore(trained)


@pytest.mark.parametrize("share", [None, 0.0, 0.001, 0.3, 0.99])
def test_missing_or_cut_off_weights_are_told(tmp_path, trained, share):
    Checkpoint(tmp_path, RECIPE).save(trained, 1, 2.0)
    path = tmp_path / "checkpoint-1.weights.h5"
    if share is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=r"checkpoint-1\.weights\.h5 .* damaged .* start anew"):
        Checkpoint(tmp_path, RECIPE).restore(new_model(2))


@pytest.mark.parametrize("seeds", [[], [[1, 2]] * 3, [[1]], "none", 7, [["a", "b"]], [[-1, 2]]])
def test_damaged_seeds_are_told(tmp_path, trained, seeds):
    Checkpoint(tmp_path, RECIPE).save(trained, 1, 2.0)
    state = json.loads((tmp_path / "checkpoint.json").read_text())
    (tmp_path / "checkpoint.json").write_text(json.dumps({**state, "seeds": seeds}))
    with pytest.raises(ValueError, match=r"checkpoint\.json .* damaged .* start anew"):
        Checkpoint(tmp_path, RECIPE).restore(new_model(2))


class Killed(BaseException):
    """Nothing of ours catches it, as nothing catches a kill."""


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), Killed()])
@pytest.mark.parametrize("place", ["weights", "rename", "state", "cleaning"])
def test_a_save_that_fails_anywhere_leaves_a_usable_checkpoint(
    tmp_path, trained, monkeypatch, error, place
):
    """A full disk or an interrupt, at each of the four things a save does."""
    Checkpoint(tmp_path, RECIPE).save(trained, 1, 2.0)

    def write_half(path, overwrite):
        path.write_bytes(b"half")
        raise error

    def fail(*arguments, **keywords):
        raise error

    with monkeypatch.context() as patch:
        if place == "weights":
            patch.setattr(trained, "save_weights", write_half)
        elif place == "rename":
            patch.setattr(os, "replace", fail)
        elif place == "state":
            patch.setattr(zoo.training.loop.checkpoint, "write_atomically", fail)
        else:
            patch.setattr(zoo.training.loop.checkpoint, "remove_partial", fail)
        with pytest.raises(type(error)):
            Checkpoint(tmp_path, RECIPE).save(trained, 2, 3.0)
    expected = (2, 3.0) if place == "cleaning" else (1, 2.0)
    assert Checkpoint(tmp_path, RECIPE).restore(new_model(2)) == expected
    Checkpoint(tmp_path, RECIPE).save(trained, 2, 3.0)
    assert names(tmp_path) == ["checkpoint-2.weights.h5", "checkpoint.json"]


def test_averaged_weights_hold_within_the_block_only(trained):
    raw = state_of(trained)
    averages = [
        keras.ops.convert_to_numpy(average)
        for average in trained.optimizer._model_variables_moving_average
    ]
    with averaged_weights(trained):
        for variable, average in zip(trained.trainable_variables, averages, strict=True):
            np.testing.assert_allclose(variable, average, rtol=1e-6)
        assert not np.allclose(trained.get_weights()[0], raw[0])
    assert_same_state(trained, raw)
    with pytest.raises(KeyError), averaged_weights(trained):
        raise KeyError
    assert_same_state(trained, raw)


def test_a_run_may_be_planned_longer_and_remembers_it(tmp_path, trained):
    Checkpoint(tmp_path, {**RECIPE, "epochs": 2}).save(trained, epoch=2, best=1.0)
    longer = Checkpoint(tmp_path, {**RECIPE, "epochs": 5})
    assert longer.restore(trained) == (2, 1.0)
    assert longer.plans == [[1, 2], [3, 5]]
    longer.save(trained, epoch=3, best=2.0)
    again = Checkpoint(tmp_path, {**RECIPE, "epochs": 5})
    again.restore(trained)
    assert again.plans == [[1, 2], [3, 5]]
