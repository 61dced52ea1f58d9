"""Weight files: exact or half precision, nothing but weights, and none that are not numbers."""

import warnings

import h5py
import keras
import numpy as np
import pytest

from zoo.weights import copy_weights, load_weights, save_weights


def small_model(units=5, seed=1):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(units), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input([3]), *layers])
    model.compile("adam", "mse")
    return model


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.weights.h5"


def test_full_precision_comes_back_bit_for_bit(path):
    model, other = small_model(), small_model(seed=2)
    save_weights(model, path)
    load_weights(other, path)
    for weight, expected in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.parametrize("half", [False, True])
def test_nothing_is_said_of_each_weight_that_is_loaded(path, half):
    other = small_model(seed=2)
    save_weights(small_model(), path, half)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_weights(other, path)


def test_half_precision_is_half_the_size_and_close(path, tmp_path):
    model, other = small_model(400), small_model(400, seed=2)
    before = model.get_weights()
    save_weights(model, path, half=True)
    save_weights(model, tmp_path / "full.weights.h5")
    load_weights(other, path)
    for weight, now, expected in zip(other.get_weights(), model.get_weights(), before, strict=True):
        assert weight.dtype == np.float32
        np.testing.assert_allclose(weight, expected, rtol=5e-4, atol=1e-7)
        np.testing.assert_array_equal(now, expected)
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["full.weights.h5", path.name]
    with h5py.File(path) as file:
        kinds = set()
        file.visititems(lambda _, item: kinds.add(getattr(item, "dtype", None)))
    assert kinds == {None, np.dtype("float16")}


@pytest.mark.parametrize("half", [True, False])
def test_a_compiled_models_optimizer_stays_where_it_is(path, half):
    model = small_model()
    model.train_on_batch(np.ones([2, 3]), np.ones([2, 2]))
    optimizer = model.optimizer
    save_weights(model, path, half)
    with h5py.File(path) as file:
        assert "optimizer" not in file
    load_weights(model, path)
    assert model.optimizer is optimizer
    assert int(optimizer.iterations) == 1


@pytest.mark.parametrize("half", [True, False])
def test_weights_of_another_architecture_are_refused(path, half):
    save_weights(small_model(units=6), path, half)
    with pytest.raises(ValueError, match="does not hold the weights of this model"):
        load_weights(small_model(units=5), path)


@pytest.mark.parametrize("content", [None, b"", b"not a weight file", "cut"])
def test_what_is_no_weight_file_is_refused(path, content):
    if content == "cut":
        save_weights(small_model(), path)
        path.write_bytes(path.read_bytes()[:3000])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.weights\.h5 does not hold the weights"):
        load_weights(small_model(), path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("half", [True, False])
def test_weights_that_are_no_numbers_are_neither_saved_nor_loaded(path, value, half):
    model = small_model()
    save_weights(model, path, half)
    with h5py.File(path, "r+") as file:
        file["layers/dense/vars/1"][0] = value
    with pytest.raises(ValueError, match=r"holds weights that are not finite: .*bias"):
        load_weights(small_model(), path)
    model.layers[0].bias.assign([0, 0, value, 0, 0])
    with pytest.raises(ValueError, match=r"not finite or above .*bias"):
        save_weights(model, path, half)


def test_a_weight_too_large_for_half_precision_is_not_saved_as_infinity(path):
    model = small_model()
    model.layers[0].bias.assign([0, 0, -7e4, 0, 0])
    with pytest.raises(ValueError, match=r"above 65504: .*bias"):
        save_weights(model, path, half=True)
    assert not path.exists()
    save_weights(model, path)
    load_weights(model, path)


def named(units, head):
    """A model whose layers are attributes."""
    model = keras.Model(inputs := keras.Input([3]), inputs)
    model.body, model.head = keras.layers.Dense(units), keras.layers.Dense(head)
    model.body.build((None, 3))
    model.head.build((None, 5))
    return model


def test_weights_are_copied_but_for_the_head():
    keras.utils.set_random_seed(1)
    source, target = named(5, 2), named(5, 3)
    head = target.head.kernel.numpy()
    copy_weights(source, target, but=("head",))
    np.testing.assert_array_equal(target.body.kernel, source.body.kernel)
    np.testing.assert_array_equal(target.head.kernel, head)
    before = [weight.numpy() for weight in target.weights]
    for other in (named(6, 3), source):
        with pytest.raises(ValueError, match=r"one has .*kernel of shape .* the other .*kernel of"):
            copy_weights(other, target)
    for weight, value in zip(target.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
