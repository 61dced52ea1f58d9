"""Weights that were saved before layers of a model were renamed."""

import contextlib

import h5py
import keras
import numpy as np
import pytest

from zoo.weights import load_weights, save_weights
from zoo.weights.weight_file import WeightFile


class Block(keras.layers.Layer):
    """A layer whose attributes are named by the test: a layer, a list of them, dropout."""

    def __init__(self, first="first", several="several", dropout="dropout"):
        super().__init__()
        self.names = first, several, dropout
        setattr(self, first, keras.layers.Embedding(7, 4))
        setattr(self, several, [keras.layers.Dense(4), keras.layers.Dense(4)])
        setattr(self, dropout, keras.layers.Dropout(0.5, seed=1))

    def call(self, ids):
        first, several, dropout = (getattr(self, name) for name in self.names)
        outputs = first(ids)
        for layer in several:
            outputs = layer(outputs)
        return dropout(outputs)


class Network(keras.Model):
    """Two blocks; Keras stores one under its attribute's name, the other as `layers/block_1`."""

    former_weights = None

    def __init__(self, block="block", **names):
        super().__init__()
        setattr(self, block, Block(**names))
        self.zone = Block(**names)
        self.input_dropout = keras.layers.Dropout(0.5)
        self.generator = keras.random.SeedGenerator(1)
        self.block_name = block
        self.compile("adam", "mse")
        self(np.zeros([1, 3], "int32"))

    def call(self, ids):
        return getattr(self, self.block_name)(ids) + self.zone(self.input_dropout(ids))


def network(former, seed, **names):
    """A model of a class that has these former weights."""
    keras.utils.set_random_seed(seed)
    return type("Network", (Network,), {"former_weights": former})(**names)


IDS = np.arange(6).reshape([2, 3])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.weights.h5"


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize(
    ("old_names", "former"),
    [
        ({}, {}),
        ({}, {"block/speller": "block/first"}),  # the file is of today
        ({"block": "a"}, {"a": "block"}),
        ({"block": "plot"}, {"layers/block": "block"}),  # Keras's order of attributes changed
        ({"dropout": "dropping"}, {"block/dropping": "block/dropout"}),  # has no weights
        ({"dropout": "dropping"}, {}),
        (
            {"first": "speller"},
            {"block/speller": "block/first", "layers/block_1/speller": "layers/block_1/first"},
        ),
        (
            {"several": "many"},
            {"block/many": "block/several", "layers/block_1/many": "layers/block_1/several"},
        ),
        (
            {"block": "a", "first": "b", "several": "first"},  # and "first" means another today
            {
                "a": "block",
                "a/b": "block/first",
                "a/first": "block/several",
                "layers/block_1/b": "layers/block_1/first",
                "layers/block_1/first": "layers/block_1/several",
            },
        ),
    ],
)
def test_layers_are_found_under_their_old_names(path, old_names, former, half):
    old, new = network({}, seed=1, **old_names), network(former, seed=2)
    save_weights(old, path, half)
    load_weights(new, path)
    np.testing.assert_allclose(new(IDS), old(IDS), atol=1e-3 if half else 1e-6)
    # What is saved from now on has the new names, and the mapping leaves it alone.
    again = network(former, seed=3)
    save_weights(new, path, half)
    load_weights(again, path)
    np.testing.assert_allclose(again(IDS), new(IDS), atol=1e-3 if half else 1e-6)


def test_groups_without_a_layer_break_no_load(path):
    old = network({}, seed=1, block="a", dropout="dropping")
    save_weights(old, path)
    with h5py.File(path, "r+") as file:
        file.create_group("block/first/vars")  # empty, under a name of today
        file.create_group("input_dropping/vars")
        file["input_dropping/seed_generator/vars/0"] = np.array([1, 2], "uint32")
        file["a/dropping/vars/0"] = np.array([1, 2], "uint32")
        del file["input_dropout"]
    former = {"a": "block", "input_dropping": "input_dropout"}
    new = network({**former, "a/dropping": "block/dropping"}, seed=2)
    load_weights(new, path)
    np.testing.assert_allclose(new(IDS), old(IDS), atol=1e-6)


def test_a_new_layer_is_not_given_the_weights_that_belong_to_another(path):
    save_weights(network({}, seed=1, block="a"), path)
    with contextlib.closing(WeightFile(path, {"a": "block"})) as file:
        assert list(file.get("block/first")) == ["0"]
        assert file.has_path("block/first")
        assert list(file.get("layers/block_1/first")) == ["0"]
        assert not file.get("a/first")
        assert not file.has_path("a/first")


def test_weights_of_another_shape_are_refused_under_an_old_name_too(path):
    save_weights(network({}, seed=1, block="a"), path)
    with h5py.File(path, "r+") as file:
        del file["a/first/vars/0"]
        file["a/first/vars/0"] = np.zeros([7, 5], "float32")
    with pytest.raises(ValueError, match=r"1 layers do not fit, first .*embedding"):
        load_weights(network({"a": "block"}, seed=2), path)
