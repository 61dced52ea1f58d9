"""Large tables in bytes: how exact they are, what is one, and that files of them load."""

import json
import shutil

import h5py
import hypothesis.extra.numpy as arrays
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from tests.corpus import tiny_ner
from zoo.weights import load_weights, save_weights
from zoo.weights.int8_tables import decode, encode, exactly, is_table
from zoo.weights.shrink import shrink

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=20)
FLOATS = st.floats(-65504, 65504, width=32)


@given(arrays.arrays(np.float32, SHAPES, elements=FLOATS))
def test_no_number_is_off_by_more_than_half_a_step_of_its_row(table):
    values, steps = encode(table)
    assert values.dtype == np.int8
    assert np.abs(values.astype(int)).max(initial=0) <= 127
    largest = np.abs(table).max(axis=1, initial=0)
    # Steps are float16: up by one part in 1,024 at most, or by its smallest number.
    assert (steps <= largest / 127 * (1 + 2**-10) + 6e-8).all()
    error = np.abs(decode(values, steps) - table)
    half_steps = steps.astype(np.float32)[:, np.newaxis] / 2
    assert (error <= half_steps * 1.00001 + np.finfo(np.float32).tiny).all()


def test_what_was_decoded_is_encoded_the_same_again():
    table = np.random.default_rng(1).normal(size=[500, 40]) * np.logspace(-2, 3, 500)[:, np.newaxis]
    values, steps = encode(table)
    values_again, steps_again = encode(decode(values, steps))
    np.testing.assert_array_equal(values_again, values)
    np.testing.assert_array_equal(steps_again, steps)


@given(arrays.arrays(np.float32, SHAPES, elements=FLOATS | st.floats(-(2**-7), 2**-7, width=32)))
def test_what_was_decoded_is_taken_apart_exactly(table):
    decoded = decode(*encode(table))
    values, steps = exactly(decoded)
    assert (values.dtype, steps.dtype) == (np.int8, np.float16)
    np.testing.assert_array_equal(decode(values, steps), decoded)


def test_a_table_that_was_trained_is_no_longer_in_bytes():
    table = np.random.default_rng(1).normal(size=[50, 20]).astype(np.float32)
    assert exactly(table) is None
    decoded = decode(*encode(table))
    decoded[7, 3] += 1e-6
    assert exactly(decoded) is None


def test_a_row_of_zeros_stays_zero_and_a_huge_value_costs_its_own_row_only():
    table = np.full([4, 40], 0.01, np.float32)
    table[1] = 0
    table[2, 7] = 60000
    decoded = decode(*encode(table))
    np.testing.assert_array_equal(decoded[1], 0)
    np.testing.assert_allclose(decoded[[0, 3]], 0.01, rtol=1e-3)
    assert decoded[2, 7] == pytest.approx(60000, rel=1e-3)


@pytest.mark.parametrize("shape", [(0, 40), (3, 0)])
def test_an_empty_table_stays_empty(shape):
    assert decode(*encode(np.zeros(shape, np.float32))).shape == shape


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 7e4])
def test_numbers_that_are_none_or_too_large_are_refused(value):
    table = np.zeros([3, 4], np.float32)
    table[1, 2] = value
    with pytest.raises(ValueError, match="must be finite and within float16"):
        encode(table)


def test_steps_that_are_not_one_a_row_are_refused():
    with pytest.raises(ValueError, match=r"`steps` \[rows\]\. Received: int8 \(3, 4\) and \(2,\)"):
        decode(np.zeros([3, 4], np.int8), np.ones(2, np.float16))


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((182567, 50), np.float32, True),
        ((50000, 128), np.float16, True),
        ((20000, 256), np.float32, True),
        ((19999, 50), np.float32, False),  # a small table
        ((640, 768), np.float32, False),  # a kernel
        ((25088, 4096), np.float32, False),  # a kernel over a flat image
        ((128, 8000), np.float32, False),  # a kernel with an output a word
        ((50000,), np.float32, False),
        ((10000, 3, 3), np.float32, False),
        ((50000, 100), np.int32, False),
        ((50000, 100), np.float64, False),
    ],
)
def test_a_table_is_told_by_its_shape(shape, dtype, expected):
    assert is_table(shape, np.dtype(dtype)) == expected


ROWS = 20_000


def model_with_table(seed=1):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Embedding(ROWS, 40), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input([3], dtype="int32"), *layers])
    model.compile("adam", "mse")
    return model


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.weights.h5"


def stored(path):
    """The types of all data sets of a file, by their paths."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: getattr(item, "dtype", None)}))
    return {name: dtype for name, dtype in found.items() if dtype is not None}


def test_a_large_table_is_stored_in_bytes_and_comes_back(path):
    model, other = model_with_table(), model_with_table(seed=2)
    before = model.get_weights()
    save_weights(model, path, half=True)
    assert stored(path) == {
        "layers/embedding/int8_tables/0/vars/values": np.int8,
        "layers/embedding/int8_tables/0/vars/steps": np.float16,
        "layers/dense/vars/0": np.float16,
        "layers/dense/vars/1": np.float16,
    }
    assert path.stat().st_size < ROWS * (40 + 2) + 30_000
    load_weights(other, path)
    for weight, now, expected in zip(other.get_weights(), model.get_weights(), before, strict=True):
        assert weight.dtype == np.float32
        np.testing.assert_allclose(weight, expected, rtol=5e-4, atol=0.05 / 254)
        np.testing.assert_array_equal(now, expected)


def test_exact_weights_stay_exact(path):
    model, other = model_with_table(), model_with_table(seed=2)
    save_weights(model, path)
    assert set(stored(path).values()) == {np.dtype(np.float32)}
    load_weights(other, path)
    for weight, expected in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_a_table_that_is_not_finite_is_neither_saved_nor_loaded(path):
    model = model_with_table()
    save_weights(model, path, half=True)
    with h5py.File(path, "r+") as file:
        file["layers/embedding/int8_tables/0/vars/steps"][7] = np.nan
    with pytest.raises(ValueError, match=r"holds weights that are not finite: .*embedding"):
        load_weights(model, path)
    table = model.layers[0].get_weights()[0]
    table[8, 9] = np.inf
    model.layers[0].set_weights([table])
    with pytest.raises(ValueError, match=r"not finite or above .*embedding"):
        save_weights(model, path, half=True)


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
def test_keras_alone_refuses_the_file_rather_than_take_bytes_for_weights(path):
    model = model_with_table()
    save_weights(model, path, half=True)
    with pytest.raises(ValueError, match="expected 1 variables, but received 0"):
        model.load_weights(path)


@pytest.mark.parametrize("damage", ["no steps", "fewer steps", "other width"])
def test_a_damaged_table_is_refused(path, damage):
    save_weights(model_with_table(), path, half=True)
    with h5py.File(path, "r+") as file:
        table = file["layers/embedding/int8_tables/0/vars"]
        name, shape = ("values", (ROWS, 39)) if damage == "other width" else ("steps", (9,))
        dtype = table[name].dtype
        del table[name]
        if damage != "no steps":
            table[name] = np.zeros(shape, dtype)
    with pytest.raises(ValueError, match="does not hold the weights of this model"):
        load_weights(model_with_table(), path)


def old_folder(folder, half):
    """A preset as it was before tables were stored in bytes."""
    model = tiny_ner()
    zoo.save(model, folder, half=False)
    if half:
        names = stored(folder / "model.weights.h5")
        with h5py.File(folder / "model.weights.h5", "r+") as file:
            for name in names:
                value = file[name][()].astype(np.float16)
                del file[name]
                file[name] = value
        config = json.loads((folder / "config.json").read_text())
        config["files"]["model.weights.h5"] = zoo.presets.file_sha256(folder / "model.weights.h5")
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return model


@pytest.mark.parametrize("half", [True, False])
def test_a_folder_is_shrunk_and_all_else_stays(tmp_path, half, monkeypatch):
    monkeypatch.setattr("zoo.weights.int8_tables.LEAST_ROWS", 5)
    monkeypatch.setattr("zoo.weights.int8_tables.LEAST_ROWS_FOR_A_COLUMN", 1)
    folder = tmp_path / "preset"
    model = old_folder(folder, half)
    files = zoo.presets.read_config(folder)["files"]
    (folder / "card.md").write_text(f"A card of {files['model.weights.h5']}.")
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    zoo.load(folder)

    before, after = shrink(folder)
    assert (before, after) == tuple(
        (of / "model.weights.h5").stat().st_size for of in (old, folder)
    )
    assert np.dtype(np.int8) in stored(folder / "model.weights.h5").values()
    assert sorted(tmp_path.iterdir()) == [old, folder]
    for path in old.rglob("*"):
        if path.is_file() and path.name not in ("card.md", "config.json", "model.weights.h5"):
            assert (folder / path.relative_to(old)).read_bytes() == path.read_bytes()
    configs = [json.loads((of / "config.json").read_text()) for of in (old, folder)]
    own, new = (config["files"].pop("model.weights.h5") for config in configs)
    assert own != new
    card = (old / "card.md").read_text()
    assert own in card
    assert (folder / "card.md").read_text() == card.replace(own, new)
    assert configs[0] == configs[1]
    for weight, expected in zip(zoo.load(folder).weights, model.weights, strict=True):
        largest = np.abs(expected).max(initial=0)
        np.testing.assert_allclose(weight, expected, rtol=5e-4, atol=largest / 250)

    once = zoo.load(folder).get_weights()
    assert shrink(folder)[0] == after
    for weight, expected in zip(zoo.load(folder).get_weights(), once, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-6)


@pytest.mark.parametrize("damage", ["changed", "missing", "too large"])
def test_what_cannot_be_shrunk_stays_as_it_is(tmp_path, damage):
    folder = tmp_path / "preset"
    model = tiny_ner()
    if damage == "too large":
        model.token_encoder.trained_table.assign(model.token_encoder.trained_table + 1e5)
    zoo.save(model, folder, half=False)
    weights = folder / "model.weights.h5"
    if damage == "changed":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif damage == "missing":
        weights.unlink()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises((ValueError, FileNotFoundError), match=r"model\.weights\.h5|float16"):
        shrink(folder)
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert after == before
    assert [path.name for path in tmp_path.iterdir()] == ["preset"]
