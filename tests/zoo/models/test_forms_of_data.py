"""All forms of raw data mean the same: of texts, of lists of tokens, of pictures, of one column."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tests import corpus
from tests.zoo.models.toy_captioner import ToyCaptioner
from zoo.models import LanguageModel
from zoo.text.vocabulary import WordVocabulary

pytestmark = pytest.mark.usefixtures("few_steps")

TEXTS = ["The film was good.", "a dull ending", "", "The music was clever."]
LABELS = ["positive", "negative", "negative", "positive"]
TOKENS = [["Ada", "was", "in", "Ulm", "."], ["Nobody"], [], ["Ulm", "was", "there"]]
TAGS = [["B-PER", "O", "O", "B-LOC", "O"], ["O"], [], ["B-LOC", "O", "O"]]
IMAGES = np.random.default_rng(0).integers(0, 256, [4, 6, 6], dtype=np.uint8)
CAPTIONS = ["ein Hund", "eine Frau liest.", "ein Mann", "Ein Junge wartet."]
WEIGHTS = [1.0, 0.5, 3.0, 2.0]


def still(model):
    """The model, whose weights `fit` does not move; with a loss that is the same at every call."""
    model.compile(keras.optimizers.SGD(0.0), loss=getattr(model, "loss", None))
    return model


def language_model():
    model = LanguageModel(
        WordVocabulary(["the", "film", "was", "a", "."]),
        embedding_units=4,
        units=5,
        dropout=0.0,
        negatives=3,
    )
    exact = lambda x, y, y_pred, sample_weight=None, training=True: tf.reduce_mean(  # noqa: E731
        tf.nn.sparse_softmax_cross_entropy_with_logits(y, model.scores(y_pred))
        * (1.0 if sample_weight is None else tf.repeat(sample_weight, x["lengths"]))
    )
    model.compute_loss = exact  # in place of the one that draws words
    return model


MODELS = {
    "classifier": (
        lambda: corpus.tiny_sentiment(embedding_dropout=0.0, readout_dropout=0.0),
        (TEXTS, LABELS),
    ),
    "tagger": (
        lambda: corpus.tiny_ner(word_dropout=0.0, input_dropout=0.0, output_dropout=0.0),
        (TOKENS, TAGS),
    ),
    "captioner": (lambda: ToyCaptioner(corpus.tiny_tokenizer()), (list(IMAGES), CAPTIONS)),
    "language model": (language_model, (TEXTS,)),
}


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    """A model, its columns, and what they are prepared to, unweighted and weighted."""
    make, columns = MODELS[request.param]
    keras.utils.set_random_seed(1)
    model = still(corpus.loud(make()))
    inputs, targets, *weights = model.preprocess(*model.raw_columns(*columns))
    rows = np.array(WEIGHTS, np.float32)
    weighted = [weights[0] * rows[:, None]] if weights else [rows]
    return (
        model,
        columns,
        arrays_of((inputs, targets, *weights)),
        arrays_of((inputs, targets, *weighted)),
    )


def arrays_of(batch):
    return [np.asarray(tensor) for tensor in tf.nest.flatten(batch)]


def check(model, expected, *data, **arguments):
    """Whatever was given is prepared to this one batch."""
    (batch,) = model._raw_data().batches(*data, **arguments)
    for found, wanted in zip(arrays_of(batch), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def loss_of(model, *data, **arguments):
    return model.evaluate(*data, verbose=0, return_dict=True, **arguments)["loss"]


def column_names(model):
    return [column.name for column in model.columns]


def data_set(model, columns, weights=None):
    tensors = model.raw_columns(*columns)
    if weights is not None:
        tensors += (tf.constant(weights),)
    return tf.data.Dataset.from_tensor_slices(tensors)


class Batches(keras.utils.PyDataset):
    """Batches of two rows, as tuples or by name; counts the epochs."""

    def __init__(self, columns, names=None):
        super().__init__()
        self.columns, self.names, self.epochs = columns, names, 0

    def __len__(self):
        return 2

    def __getitem__(self, index):
        rows = slice(2 * index, 2 * index + 2)
        batch = tuple(column[rows] for column in self.columns)
        return dict(zip(self.names, batch, strict=True)) if self.names else batch

    def on_epoch_end(self):
        self.epochs += 1


def test_lists_arrays_and_frames_mean_the_same(case):
    model, columns, expected, weighted = case
    by_name = dict(zip(column_names(model), columns, strict=True))
    arrays = [np.array(column, dtype=object) for column in columns if column is not TOKENS]
    forms = [
        (by_name,),
        (pd.DataFrame({name: list(column) for name, column in by_name.items()}),),
        tuple(pd.Series(list(column)) for column in columns),
        tuple(map(tuple, columns)),
        model.raw_columns(*columns) if model.task != "classify" else columns,
    ]
    if model.task != "tag" and model.task != "caption":
        forms.append(tuple(arrays))
    if model.task == "caption":
        forms.append((IMAGES, np.array(CAPTIONS)))
    for form in forms:
        check(model, expected, *form)
    with_weights = {**by_name, "sample_weight": WEIGHTS}
    for form in (with_weights, pd.DataFrame({k: list(v) for k, v in with_weights.items()})):
        check(model, weighted, form)


def test_data_sets_of_rows_and_batches_mean_the_same(case):
    model, columns, expected, weighted = case
    for weights, wanted in ((None, expected), (WEIGHTS, weighted)):
        rows = data_set(model, columns, weights)
        names = [*column_names(model), *(["sample_weight"] if weights else [])]
        named = rows.map(lambda *of: dict(zip(names, of, strict=True)))  # noqa: B023
        more = named.map(lambda of: {**of, "id": tf.constant(7)})
        for data in (rows, rows.ragged_batch(4), named, named.ragged_batch(4), more):
            check(model, wanted, data)


def test_generators_of_rows_and_batches_mean_the_same(case):
    model, columns, expected, weighted = case
    names = column_names(model)
    alone = len(names) == 1
    rows = [row[0] if alone else row for row in zip(*columns, strict=True)]
    batch = tuple(list(column) for column in columns)
    weighted_rows = list(zip(*columns, WEIGHTS, strict=True))
    for elements, wanted in (
        (rows, expected),
        ([batch[0] if alone else batch], expected),
        ([dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)], expected),
        (weighted_rows, weighted),
        ([(*batch, WEIGHTS)], weighted),
    ):
        check(model, wanted, iter(elements))


def test_a_py_dataset_is_read_whole_in_every_epoch(case):
    model, columns, *_ = case
    halves = [[column[rows] for column in columns] for rows in (slice(0, 2), slice(2, 4))]
    wanted = [arrays_of(model.preprocess(*model.raw_columns(*half))) for half in halves]
    for names in (None, column_names(model)):
        data = Batches(columns, names)
        batches = model._raw_data().batches(data)
        for epoch in (1, 2):
            for batch, arrays in zip(batches, wanted, strict=True):
                for found, array in zip(arrays_of(batch), arrays, strict=True):
                    np.testing.assert_allclose(found, array, rtol=1e-6)
            assert data.epochs == epoch


def test_preprocessed_data_goes_past_the_preprocessing(case):
    model, columns, expected, _ = case
    prepared = model.preprocess(*model.raw_columns(*columns))
    data = tf.data.Dataset.from_tensors(prepared)
    check(model, expected, data)
    check(model, expected, iter([prepared]))


def test_fit_takes_what_evaluate_takes(case):
    model, columns, *_ = case
    expected = loss_of(model, *columns)
    by_name = dict(zip(column_names(model), columns, strict=True))
    history = model.fit(*columns, verbose=0, validation_data=by_name).history
    assert history["loss"] == pytest.approx([expected], rel=1e-4)
    assert history["val_loss"] == pytest.approx([expected], rel=1e-4)
    weighted = loss_of(model, *columns, sample_weight=WEIGHTS)
    assert loss_of(model, {**by_name, "sample_weight": WEIGHTS}) == pytest.approx(weighted)
    assert weighted != pytest.approx(expected, rel=1e-3)


def test_the_last_rows_are_split_off(case):
    model, columns, *_ = case
    train, held_out = model._raw_data().split(
        *(*columns, None)[:2], None, 0.5, batch_size=4, shuffle=False, validation_batch_size=4
    )
    for part, rows in ((train, slice(0, 2)), (held_out, slice(2, 4))):
        (batch,) = part
        wanted = model.preprocess(*model.raw_columns(*(column[rows] for column in columns)))
        for found, array in zip(arrays_of(batch), arrays_of(wanted), strict=True):
            np.testing.assert_allclose(found, array, rtol=1e-6)


def test_a_generator_is_read_once_or_by_steps(case):
    model, columns, *_ = case
    elements = [tuple(list(column) for column in columns)] * 4
    with pytest.raises(ValueError, match=r"read once: .*`steps_per_epoch`.*epochs=2"):
        model.fit(iter(elements), epochs=2, verbose=0)
    history = model.fit(iter(elements), epochs=2, steps_per_epoch=2, verbose=0).history
    assert len(history["loss"]) == 2
    with pytest.raises(ValueError, match="at least one element"):
        model.fit(iter([]), verbose=0)


def test_what_fits_no_column_is_named_with_what_is_expected():
    model = still(MODELS["captioner"][0]())
    images = tf.constant(IMAGES)
    for data, error, message in (
        ((tf.cast(images, tf.float32), CAPTIONS), TypeError, r"`images` must be uint8: .*\[6, 6\]"),
        ((images[:, :5], CAPTIONS), ValueError, r"`images` uint8 \[6, 6\]"),
        ((images, [[text] for text in CAPTIONS]), ValueError, "`captions` rows of rank 0"),
        ((images, [1, 2, 3, 4]), TypeError, "`captions` must be string"),
    ):
        with pytest.raises(error, match=message):
            model.fit(tf.data.Dataset.from_tensor_slices(data), verbose=0)
    named = tf.data.Dataset.from_tensor_slices({"pictures": images, "captions": CAPTIONS})
    with pytest.raises(ValueError, match=r"`images` is missing.*`images` uint8.*: pictures"):
        model.fit(named, verbose=0)
    for given, error, message in (
        ((images.numpy().astype(float) + 0.5, CAPTIONS), ValueError, r"images\[0\] of shape"),
        ((["a", "b"], CAPTIONS[:2]), TypeError, r"`images` must hold uint8 of shape \[6, 6\]"),
        (({"images": IMAGES},), ValueError, "Column `captions` is missing"),
        ((pd.DataFrame({"text": TEXTS}),), ValueError, "Column `images` is missing"),
        ((IMAGES, CAPTIONS[:2]), ValueError, "4 and 2 entries"),
        (([], []), ValueError, "`images` must not be empty"),
    ):
        with pytest.raises(error, match=message):
            model.fit(*given, verbose=0)


def test_what_a_generator_raises_comes_out_as_it_was_raised():
    model = still(MODELS["classifier"][0]())

    def rows():
        yield "good", "positive"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(rows(), verbose=0)
    with pytest.raises(ValueError, match="`labels` must hold 'negative', 'positive'"):
        model.fit(iter([("good", "positive"), ("bad", "so-so")]), verbose=0)
    with pytest.raises(TypeError, match=r"`texts` must hold strings only. Received: texts\[1\]=3"):
        model.fit(iter([("good", "positive"), (3, "negative")]), verbose=0)
    with pytest.raises(ValueError, match="`texts` of a generator must be entries, or batches"):
        model.fit(iter([([["good"]], ["positive"])]), verbose=0)


def test_one_column_takes_no_second():
    model = still(MODELS["language model"][0]())
    with pytest.raises(ValueError, match="`y` must be left out: `texts` is all"):
        model.fit(TEXTS, LABELS)
