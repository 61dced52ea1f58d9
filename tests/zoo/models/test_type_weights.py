"""Weights of the types of entities in a tagger's loss: by name, balanced, and what they mean."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import corpus

TYPES = ["LOC", "ORG", "PER"]
TOKENS = [
    ["Ann", "Lee", "was", "in", "Ulm", "."],
    ["Rio", "Tinto", "left", "Rio"],
    [],
    ["Ulm"],
    ["Nobody", "left"],
]
TAGS = [
    ["B-PER", "I-PER", "O", "O", "B-LOC", "O"],
    ["B-ORG", "I-ORG", "O", "B-LOC"],
    [],
    ["B-LOC"],
    ["O", "O"],
]
ROW_WEIGHTS = [1.0, 0.5, 7.0, 2.0, 0.0]


def still(**arguments):
    """A tagger that `fit` leaves as it is, so that its losses are those of `evaluate`."""
    keras.utils.set_random_seed(3)
    none = {"word_dropout": 0.0, "input_dropout": 0.0, "output_dropout": 0.0}
    model = corpus.loud(corpus.tiny_ner(types=TYPES, **none, **arguments))
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)  # tracing takes longer
    return model


@pytest.fixture(scope="module", params=["crf", "softmax"])
def model(request):
    return still(output=request.param)


# Of what does not depend on the output.
CRF_ALONE = pytest.mark.parametrize("model", ["crf"], indirect=True)


def weighted_loss(model, weights, rows=slice(None), row_weights=None):
    """By hand, of the probabilities of each tag given the one before."""
    tokens, tags = TOKENS[rows], TAGS[rows]
    inputs, ids = model.preprocess(*model.raw_columns(tokens, tags))
    scores = model(inputs)
    _, conditionals = model.crf.path_probabilities(scores, ids, inputs["lengths"])
    sums = [
        -sum(weights.get(tag[2:], 1.0) * np.log(float(p)) for tag, p in zip(row, of, strict=False))
        for row, of in zip(tags, conditionals.numpy(), strict=True)
    ]
    return np.mean(np.multiply(sums, row_weights or 1.0))


def loss_of(model, *data, **arguments):
    return model.fit(*data, verbose=0, **arguments).history["loss"]


@pytest.mark.parametrize(
    ("class_weight", "weights"),
    [
        ({"PER": 3.0}, {"PER": 3.0}),
        ({"LOC": 0, "ORG": 0.5}, {"LOC": 0.0, "ORG": 0.5}),
        ({}, {}),
        ("balanced", {"LOC": 5 / (3 * 3), "ORG": 5 / 3, "PER": 5 / 3}),
    ],
)
def test_a_types_tokens_weigh_what_it_is_given(model, class_weight, weights):
    expected = weighted_loss(model, weights)
    assert loss_of(model, TOKENS, TAGS, class_weight=class_weight) == pytest.approx(
        [expected], 1e-4
    )
    rows = weighted_loss(model, weights, row_weights=ROW_WEIGHTS)
    found = loss_of(model, TOKENS, TAGS, sample_weight=ROW_WEIGHTS, class_weight=class_weight)
    assert found == pytest.approx([rows], 1e-4)


def test_weights_of_1_are_no_weights(model):
    plain = loss_of(model, TOKENS, TAGS)
    assert loss_of(model, TOKENS, TAGS, class_weight=dict.fromkeys(TYPES, 1)) == pytest.approx(
        plain, 1e-5
    )
    assert loss_of(model, TOKENS, TAGS, class_weight={"LOC": 9}) != pytest.approx(plain, 1e-2)
    # The weights are of one call alone.
    assert loss_of(model, TOKENS, TAGS) == pytest.approx(plain, 1e-6)
    assert model.evaluate(TOKENS, TAGS, verbose=0)[0] == pytest.approx(plain[0], 1e-5)


@CRF_ALONE
def test_validation_has_no_weights(model):
    data = (TOKENS[:2], TAGS[:2])
    history = model.fit(*data, validation_data=data, class_weight={"LOC": 9}, verbose=0).history
    assert history["val_loss"] == pytest.approx(loss_of(model, *data), 1e-4)
    assert history["loss"] == pytest.approx([weighted_loss(model, {"LOC": 9}, slice(2))], 1e-4)


@CRF_ALONE
def test_balanced_counts_the_entities_of_the_training_rows_alone(model):
    weights = {"LOC": 4 / (3 * 2), "ORG": 4 / 3, "PER": 4 / 3}
    expected = weighted_loss(model, weights, slice(3))
    found = loss_of(model, TOKENS, TAGS, class_weight="balanced", validation_split=0.4)
    assert found == pytest.approx([expected], 1e-4)


@CRF_ALONE
def test_texts_with_spans_and_streams_take_them_too(model):
    text, spans = "Ann Lee was in Ulm .", [(0, 7, "PER"), (15, 18, "LOC")]
    for class_weight, weights in (({"PER": 4.0}, {"PER": 4.0}), ("balanced", {})):
        expected = weighted_loss(model, weights, slice(1))
        found = loss_of(model, [text], [spans], class_weight=class_weight)
        assert found == pytest.approx([expected], 1e-4)
    expected = weighted_loss(model, {"PER": 4.0})
    columns = model.raw_columns(TOKENS, TAGS)
    for data in (
        tf.data.Dataset.from_tensor_slices(columns),
        iter(zip(TOKENS, TAGS, strict=True)),
    ):
        assert loss_of(model, data, class_weight={"PER": 4.0}) == pytest.approx([expected], 1e-4)


def test_padding_and_batch_mates_change_nothing(model):
    alone = [
        loss_of(model, [row], [tags], class_weight={"LOC": 2.0, "PER": 0.1})[0]
        for row, tags in zip(TOKENS, TAGS, strict=True)
    ]
    together = loss_of(model, TOKENS, TAGS, class_weight={"LOC": 2.0, "PER": 0.1})
    assert together == pytest.approx([np.mean(alone)], 1e-4)


def test_a_heavy_type_is_learnt_and_one_of_weight_0_is_not():
    """One token that is labelled in two ways: what weighs more is learnt."""
    tokens = [["in", "Ulm"]] * 8
    tags = [["O", "B-LOC"], ["O", "B-PER"]] * 4
    keras.utils.set_random_seed(1)
    model = corpus.tiny_ner(types=TYPES, input_dropout=0.0, output_dropout=0.0)
    start = model.get_weights()
    model.compile(keras.optimizers.Adam(0.05))
    for class_weight, expected in (
        ({"LOC": 5.0}, "B-LOC"),
        ({"PER": 5.0}, "B-PER"),
        ({"LOC": 0.0}, "B-PER"),
    ):
        model.set_weights(start)  # one model, so that its training is traced once
        model.fit(tokens, tags, batch_size=8, epochs=15, class_weight=class_weight, verbose=0)
        assert model.tag_tokens(tokens[:1]) == [["O", expected]], class_weight


@CRF_ALONE
@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: 2.0}, r"must name types of entities.*no numbers.*Received: \[0\]"),
        ({"B-PER": 2.0}, r"must name types of entities, of \['LOC'.*Received: \['B-PER'\]"),
        ({"PER": -1}, r"finite numbers of at least 0.*class_weight\['PER'\]=-1"),
        ({"PER": float("nan")}, "finite numbers"),
        ("even", r"`class_weight` must be a dict.*Received: class_weight='even'"),
        ([1.0, 2.0], "`class_weight` must be a dict"),
    ],
)
def test_bad_weights_are_named(model, class_weight, message):
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(TOKENS, TAGS, class_weight=class_weight)


@CRF_ALONE
def test_nothing_can_be_counted_in_what_is_read_as_it_goes(model):
    data = tf.data.Dataset.from_tensor_slices(model.raw_columns(TOKENS, TAGS))
    for given in (data, iter(zip(TOKENS, TAGS, strict=True))):
        with pytest.raises(ValueError, match=r"needs lists or arrays, to count their entities"):
            model.fit(given, class_weight="balanced")
