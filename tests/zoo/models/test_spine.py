"""What every model has from its base, on a small one of numbers: weights, generators, graphs."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from zoo.models.base import ZooModel
from zoo.models.checks import read_arrays, read_texts
from zoo.models.columns import Column, rank_of
from zoo.models.raw_data import RawData
from zoo.models.tagged_columns import read_tokens

X = [[1.0, 2.0], [3.0, 4.0], [0.0, 1.0], [2.0, 2.0]]
Y = [1.0, 0.0, 2.0, 3.0]
WEIGHTS = [1.0, 0.5, 3.0, 2.0]


class Line(ZooModel):
    """Two numbers to one; its own weights are of rows."""

    task = "solve"
    columns = (
        Column("points", tf.float32, (2,), read_arrays(tf.float32, (2,))),
        Column("values", tf.float32, (), read_arrays(tf.float32, ())),
    )
    network_inputs = {"points": tf.TensorSpec([None, 2], tf.float32)}  # noqa: RUF012

    def __init__(self, own_weights=False):
        super().__init__()
        self.layer = keras.layers.Dense(1, kernel_initializer="ones")
        self.own_weights = own_weights
        self.finish(1e-3, loss="mse")
        self.compile(keras.optimizers.SGD(0.0), loss="mse")

    def preprocess(self, points, values):
        weights = [tf.ones_like(values)] if self.own_weights else []
        return {"points": points}, values[:, tf.newaxis], *weights

    def call(self, inputs):
        return self.layer(inputs["points"])

    def double(self, points):
        return {"result": 2.0 * points}


@pytest.fixture(scope="module")
def line():
    return Line()


def loss_of(model, *data, **arguments):
    return model.evaluate(*data, verbose=0, return_dict=True, **arguments)["loss"]


def expected(weights=(1.0, 1.0, 1.0, 1.0)):
    return np.mean(np.square(np.sum(X, axis=1) - Y) * weights)


def test_weights_of_rows_meet_a_models_own_weights_of_rows():
    assert loss_of(Line(True), X, Y) == pytest.approx(expected())
    model = Line(True)
    inputs, targets, weights = model._prepare(*map(tf.constant, (X, Y, WEIGHTS)))
    np.testing.assert_array_equal(weights, WEIGHTS)
    for own in (tf.ones([4, 3]), tf.ones([4, 3, 2])):
        model.preprocess = lambda points, values, own=own: (inputs, targets, own)
        weights = model._prepare(*map(tf.constant, (X, Y, WEIGHTS)))[2]
        assert weights.shape == own.shape
        for row, weight in zip(weights, WEIGHTS, strict=True):
            assert set(row.numpy().flat) == {weight}


@pytest.mark.parametrize(
    "weights", [[1.0, None, 1.0, 1.0], pd.Series([1.0, np.nan, 1, 1]), ["1"] * 4, [[1.0]] * 4]
)
def test_missing_weights_and_no_weights_are_refused(line, weights):
    with pytest.raises(ValueError, match="`sample_weight` must hold finite numbers"):
        line.evaluate(X, Y, sample_weight=weights, verbose=0)


def test_weights_of_a_data_set_are_of_rows(line):
    for weights in (np.ones([4, 1], np.float32), np.ones([4, 2], np.float32)):
        data = tf.data.Dataset.from_tensor_slices((np.float32(X), np.float32(Y), weights))
        with pytest.raises(ValueError, match="sample_weight"):
            line.evaluate(data.batch(2), verbose=0)
    data = tf.data.Dataset.from_tensor_slices((np.float32(X), np.float32(Y), ["a"] * 4))
    with pytest.raises(TypeError, match="`sample_weight` must be numbers"):
        line.evaluate(data, verbose=0)
    data = tf.data.Dataset.from_tensor_slices((np.float32(X), np.float32(Y), [2, 1, 0, 1]))
    assert loss_of(line, data.batch(4)) == pytest.approx(expected([2, 1, 0, 1]))


def test_what_is_given_twice_is_refused(line):
    by_name = {"points": X, "values": Y, "sample_weight": WEIGHTS}
    assert loss_of(line, by_name) == pytest.approx(expected(WEIGHTS))
    with pytest.raises(ValueError, match="`values` must be given once"):
        line.fit(by_name, Y, verbose=0)
    with pytest.raises(ValueError, match="`sample_weight` must be given once"):
        line.fit(by_name, sample_weight=WEIGHTS, verbose=0)
    del by_name["values"]
    assert loss_of(line, by_name, Y) == pytest.approx(expected(WEIGHTS))


def batches(model, count, prepared):
    for _ in range(count):
        raw = np.float32(X), np.float32(Y)
        yield model.preprocess(*map(tf.constant, raw)) if prepared else raw


@pytest.mark.parametrize("prepared", [True, False])
def test_a_generator_for_validation_is_read_once_and_whole(line, prepared):
    validation = batches(line, 6, prepared)
    with pytest.raises(ValueError, match="read once: as `validation_data` of several epochs"):
        line.fit(X, Y, epochs=2, validation_data=validation, verbose=0)
    count = keras.callbacks.Callback()
    seen = []
    count.on_test_batch_end = lambda batch, logs=None: seen.append(batch)
    history = line.fit(X, Y, validation_data=validation, callbacks=[count], verbose=0).history
    assert history["val_loss"] == pytest.approx([expected()])
    assert len(seen) == 6


class Epochs(keras.utils.PyDataset):
    """Raw batches that are made anew when an epoch begins."""

    def __init__(self):
        super().__init__()
        self.begun, self.ended = 0, 0

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return X[2 * index : 2 * index + 2], Y[2 * index : 2 * index + 2]

    def on_epoch_begin(self):
        self.begun += 1

    def on_epoch_end(self):
        self.ended += 1


def test_a_py_dataset_knows_when_an_epoch_begins_and_ends(line):
    data = Epochs()
    line.fit(data, epochs=2, verbose=0)
    assert (data.begun, data.ended) == (2, 2)


def test_a_graph_is_of_one_function_whatever_its_name(line):
    points = tf.constant(X)

    def named(factor):
        def function(batch, **options):
            return {"result": factor * batch}

        return function

    double, triple = named(2.0), named(3.0)
    np.testing.assert_array_equal(line.run_graph(double, points)["result"], 2 * points)
    np.testing.assert_array_equal(line.run_graph(triple, points)["result"], 3 * points)
    before = len(line._graphs)
    line.run_graph(double, points[:1])
    assert len(line._graphs) == before
    line.run_graph(line.double, points)
    line.run_graph(line.double, points[:1])
    assert len(line._graphs) == before + 1


def test_rows_of_data_sets_are_entries():
    texts = tf.data.Dataset.from_tensor_slices(["a", "b"])
    assert list(read_texts("texts", list(texts)).numpy()) == [b"a", b"b"]
    assert read_texts("texts", [np.array("a")]).numpy() == [b"a"]
    column = Column("texts", tf.string, (), read_texts)
    for one in ("a", b"a", np.str_("a")):
        assert column.is_entry(one)
    for many in (["a"], np.array(["a"]), tf.constant(["a"]), pd.Series(["a"])):
        assert not column.is_entry(many)


def test_sentences_of_one_length_may_be_an_array():
    tokens = [["a", "b"], ["c", "d"]]
    for given in (tokens, np.array(tokens), np.array(tokens, dtype=object), tf.constant(tokens)):
        assert read_tokens("tokens", given).to_list() == [[b"a", b"b"], [b"c", b"d"]]


def test_a_series_of_lists_is_a_batch_of_them():
    assert rank_of(pd.Series([["a", "b"], ["c"]])) == 2
    assert rank_of(pd.Series(["a", "b"])) == 1


def test_a_column_of_unknown_rank_is_as_the_others(line):
    raw = np.float32(X), np.float32(Y)
    rows = tf.data.Dataset.from_tensor_slices(raw)

    def forget(points, values):
        return points, tf.numpy_function(lambda of: of, [values], tf.float32)

    def first(points, values):
        return points, tf.numpy_function(lambda of: of[0], [values], tf.float32)

    for data in (rows.map(forget), rows.batch(4).map(forget)):
        assert loss_of(line, data, batch_size=4) == pytest.approx(expected())
    with pytest.raises(tf.errors.InvalidArgumentError, match="shape"):
        line.evaluate(rows.batch(4).map(first), verbose=0)


def test_errors_of_a_generator_are_of_its_own_call(line):
    raw = RawData(line.columns, line.raw_columns, line.network_inputs, line._prepare)
    with pytest.raises(tf.errors.InvalidArgumentError), raw.errors():
        raise tf.errors.InvalidArgumentError(None, None, "no generator had a part in it")


def test_a_model_is_built_by_running_its_network_once(monkeypatch):
    calls, call = [], Line.call

    def counted(self, inputs):
        calls.append(inputs)
        return call(self, inputs)

    monkeypatch.setattr(Line, "call", counted)
    model = Line()
    assert len(calls) == 1
    assert tf.is_tensor(calls[0]["points"])
    assert model.built
    assert [weight.shape for weight in model.weights] == [(2, 1), (1,)]
