"""A tagger's own data: texts with spans, tokens to be split further, and what does not fit."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tests import corpus
from zoo.data import Tagged
from zoo.models.entities import Entity

pytestmark = pytest.mark.usefixtures("few_steps")

TYPES = ["LOC", "PER"]
TEXTS = ["😀 Ann Lee was in Ulm.  She left!", "Nobody isn't here", "", "Rio, Ulm"]
SPANS = [[(2, 9, "PER"), (17, 20, "LOC")], [], [], [(0, 3, "LOC"), (5, 8, "LOC")]]
ROWS = Tagged(
    [
        ["😀", "Ann", "Lee", "was", "in", "Ulm", "."],
        ["She", "left", "!"],
        ["Nobody", "is", "n't", "here"],
        [],
        ["Rio", ",", "Ulm"],
    ],
    [
        ["O", "B-PER", "I-PER", "O", "O", "B-LOC", "O"],
        ["O"] * 3,
        ["O"] * 4,
        [],
        ["B-LOC", "O", "B-LOC"],
    ],
)
OF_TEXT = [0, 0, 1, 2, 3]  # which text a row is of
WEIGHTS = [1.0, 2.0, 3.0, 0.5]


@pytest.fixture(scope="module")
def model():
    """`fit` leaves it as it is, so that its losses are those of `evaluate`."""
    keras.utils.set_random_seed(4)
    still = {"word_dropout": 0.0, "input_dropout": 0.0, "output_dropout": 0.0}
    model = corpus.loud(corpus.tiny_ner(types=TYPES, **still))
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)  # tracing takes longer
    return model


def loss_of(model, *data, **arguments):
    return model.evaluate(*data, verbose=0, return_dict=True, **arguments)["loss"]


@pytest.fixture(scope="module")
def losses(model):
    """Of each text, from its rows as tokens and tags."""
    by_row = [
        loss_of(model, [tokens], [tags], split_tokens=False)
        for tokens, tags in zip(*ROWS, strict=True)
    ]
    assert len({*np.round(by_row, 3)}) == len(by_row)
    return by_row


def test_spans_are_tags_of_the_sentences_that_tag_reads(model):
    assert model.align(TEXTS, SPANS) == ROWS
    words = model._tokens(tf.constant(TEXTS))
    read = [[t.decode() for t in row if t] for row in words["tokens"].numpy()]
    assert read == [[*ROWS.tokens[0], *ROWS.tokens[1]], *ROWS.tokens[2:]]


def of_entities():
    """As `tag` returns them."""
    return [
        [Entity(text[start:end], kind, start, end, 0.9) for start, end, kind in spans]
        for text, spans in zip(TEXTS, SPANS, strict=True)
    ]


FORMS = {
    "lists": (TEXTS, SPANS),
    "lists of JSON": (TEXTS, [[list(span) for span in row] for row in SPANS]),
    "dicts": (TEXTS, [[{"start": s, "end": e, "label": t} for s, e, t in row] for row in SPANS]),
    "entities": (TEXTS, of_entities()),
    "arrays": (np.array(TEXTS), np.array([*SPANS, None], dtype=object)[:-1]),
    "bytes": ([text.encode() for text in TEXTS], SPANS),
    "tensor": (tf.constant(TEXTS), SPANS),
    "series": (pd.Series(TEXTS), pd.Series(SPANS)),
    "frame": (pd.DataFrame({"texts": TEXTS, "spans": SPANS, "id": range(4)}),),
    "dict": ({"texts": TEXTS, "spans": SPANS},),
    "blanks at the ends": (
        TEXTS,
        [[(1, 10, "PER"), (17, 20, "LOC")], [], [], [(0, 3, "LOC"), (4, 8, "LOC")]],
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_means_the_same(model, losses, form):
    assert loss_of(model, *FORMS[form]) == pytest.approx(np.mean(losses), rel=1e-4)


def test_generators_of_rows_and_batches(model, losses):
    rows = list(zip(TEXTS, SPANS, strict=True))
    batches = [(TEXTS[i : i + 2], SPANS[i : i + 2]) for i in (0, 2)]
    by_name = [{"texts": text, "spans": spans} for text, spans in rows]
    for elements in (rows, by_name):
        assert loss_of(model, iter(elements)) == pytest.approx(np.mean(losses), rel=1e-4)
    # Keras takes the mean over batches by their rows.
    assert loss_of(model, iter(batches)) == pytest.approx(np.mean(losses), rel=1e-4)
    tokens = zip(*ROWS, strict=True)
    assert loss_of(model, tokens) == pytest.approx(np.mean(losses), rel=1e-4)
    weighted = [(*row, weight) for row, weight in zip(rows, WEIGHTS, strict=True)]
    expected = np.mean([WEIGHTS[text] * loss for text, loss in zip(OF_TEXT, losses, strict=True)])
    assert loss_of(model, iter(weighted)) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match=r"1 misaligned(?s:.*)'A\[n\]n'"):
        loss_of(model, iter([("Ann", [(1, 2, "PER")])]))


def test_a_texts_weight_is_that_of_its_sentences(model, losses):
    expected = np.mean([WEIGHTS[text] * loss for text, loss in zip(OF_TEXT, losses, strict=True)])
    for data, arguments in (
        ((TEXTS, SPANS), {"sample_weight": WEIGHTS}),
        (({"texts": TEXTS, "spans": SPANS, "sample_weight": WEIGHTS},), {}),
        ((TEXTS, SPANS), {"sample_weight": np.array(WEIGHTS)}),
    ):
        assert loss_of(model, *data, **arguments) == pytest.approx(expected, rel=1e-4)


def test_validation_is_of_whole_texts(model, losses):
    """The last half of the texts, which is not the last half of the sentences."""
    expected = [np.mean(losses[:3]), np.mean(losses[3:])]
    half = {"texts": TEXTS[2:], "spans": SPANS[2:]}
    for data, arguments in (
        ((TEXTS, SPANS), {"validation_split": 0.5}),
        ((TEXTS[:2], SPANS[:2]), {"validation_data": (TEXTS[2:], SPANS[2:])}),
        ((TEXTS[:2], SPANS[:2]), {"validation_data": half}),
        ((TEXTS[:2], SPANS[:2]), {"validation_data": zip(TEXTS[2:], SPANS[2:], strict=True)}),
        ((TEXTS[:2], SPANS[:2]), {"validation_data": (ROWS.tokens[3:], ROWS.tags[3:])}),
        ((ROWS.tokens[:3], ROWS.tags[:3]), {"validation_data": half}),
    ):
        history = model.fit(*data, **arguments, verbose=0).history
        assert [history["loss"][0], history["val_loss"][0]] == pytest.approx(expected, rel=1e-4)


def test_tokens_are_split_as_the_tokenizer_splits_them(model):
    tokens = [["$999", "isn't", "Ann-Lee's", "<br />", "Ulm"]]
    tags = [["B-LOC", "I-LOC", "S-PER", "O", "E-LOC"]]
    parts = ["$", "999", "is", "n't", "Ann-Lee", "'s", "<br />", "Ulm"]
    names = ["B-LOC", "I-LOC", "I-LOC", "E-LOC", "B-PER", "E-PER", "O", "S-LOC"]
    inputs, ids = model.preprocess(*model.raw_columns(tokens, tags))
    expected, _ = model.preprocess(*model.raw_columns([parts], [names]))
    assert [model.tags[i] for i in ids[0].numpy()] == names
    for name, value in inputs.items():
        np.testing.assert_array_equal(value, expected[name], name)
    split, whole = (
        loss_of(model, [parts], [names]),
        loss_of(model, tokens, tags, split_tokens=False),
    )
    assert loss_of(model, tokens, tags) == pytest.approx(split, rel=1e-4)
    assert whole != pytest.approx(split, rel=1e-2)
    data = tf.data.Dataset.from_tensor_slices(model.raw_columns(tokens, tags))
    assert loss_of(model, data) == pytest.approx(split, rel=1e-4)
    assert loss_of(model, data, split_tokens=False) == pytest.approx(whole, rel=1e-4)
    history = model.fit(tokens, tags, split_tokens=False, verbose=0).history
    assert history["loss"] == pytest.approx([whole], rel=1e-4)
    assert len(model.tag_tokens(tokens)[0]) == 5


BAD_TEXT = "Albert Einstein was born in Ulm and left."
BAD = [
    (7, 12, "PER"),  # cuts Einstein
    (0, 15, "PER"),  # right, and longer
    (28, 31, "LOC"),  # right
    (28, 31, "LOC"),  # again
    (31, 32, "LOC"),  # a blank
    (36, 99, "LOC"),  # past the end
    (5, 5, "LOC"),
]


def test_all_spans_that_do_not_fit_are_listed_at_once(model):
    texts = ["Ann", BAD_TEXT]
    with pytest.raises(ValueError, match="`spans` must be of whole tokens") as raised:
        model.fit(texts, [[(0, 3, "PER")], BAD])
    message = str(raised.value)
    assert "5 of 8 spans, in 1 text, are not: 2 empty, 2 overlapping, 1 out of range." in message
    for line in (
        "spans[1]: (5, 5, 'LOC') is empty: 'Alber[]t Einstein was born ...'",
        "spans[1]: (7, 12, 'PER') is overlapping: 'Albert [Einst]ein was born in Ulm ...'",
        "spans[1]: (28, 31, 'LOC') is overlapping: '...instein was born in [Ulm] and left.'",
        "spans[1]: (31, 32, 'LOC') is empty",
        "spans[1]: (36, 99, 'LOC') is out of range: '...was born in Ulm and [left.]'",
        "whole tokens are (36, 41)",
        'bad_spans="snap"',
    ):
        assert line in message
    with pytest.raises(ValueError, match=r"`validation spans` .*1 misaligned.*\n.*\[0\]: \(1, 3"):
        model.fit(["Ann"], [[]], validation_data=(["Ann"], [[(1, 3, "PER")]]))
    many = [[(1, 2, "PER")]] * 30
    with pytest.raises(
        ValueError, match=r"30 of 30 spans, in 30 texts(?s:.*)and 22 more"
    ) as raised:
        model.evaluate(["Ann"] * 30, many)
    assert "(1, 2, 'PER') is misaligned: 'A[n]n'; whole tokens are (0, 3)" in str(raised.value)


def test_spans_that_do_not_fit_may_be_mended_or_left_out_and_are_listed(model):
    spans = [*BAD[1:], (16, 18, "LOC")]
    with pytest.warns(UserWarning, match=r"5 of 7 spans.*(?s:.*)'LOC'\) is misaligned.*taken \(16"):
        tags = model.align([BAD_TEXT], [spans], bad_spans="snap").tags
    assert tags == [["B-PER", "I-PER", "B-LOC", "O", "O", "B-LOC", "O", "B-LOC", "I-LOC"]]
    with pytest.warns(UserWarning, match=r"(?s:.*)is misaligned: .*; left out"):
        tags = model.align([BAD_TEXT], [spans], bad_spans="skip").tags
    assert tags == [["B-PER", "I-PER", "O", "O", "O", "B-LOC", "O", "O", "O"]]
    # Left out, a long span does not stand in the way of a short one.
    for mode, expected in (("skip", ["B-LOC", "O"]), ("snap", ["B-PER", "I-PER"])):
        with pytest.warns(UserWarning, match="misaligned"):
            rows = model.align(["Ann Lee"], [[(0, 6, "PER"), (0, 3, "LOC")]], bad_spans=mode)
        assert rows.tags == [expected]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.align(TEXTS, SPANS, bad_spans="snap")


def test_an_entity_over_the_end_of_a_sentence_stays_one_and_is_told(model):
    text = "It was Who? Me! by Ann. Yes."
    with pytest.warns(UserWarning, match=r"1 of the `spans` go over .*spans\[0\] 'Who\? Me!'"):
        rows = model.align([text], [[(7, 15, "LOC"), (19, 22, "PER")]])
    assert [" ".join(row) for row in rows.tokens] == ["It was Who ? Me ! by Ann .", "Yes ."]
    assert rows.tags[0][2:6] == ["B-LOC", "I-LOC", "I-LOC", "I-LOC"]


def test_types_that_the_model_lacks_are_counted(model):
    spans = [[(0, 3, "PER")], [(0, 3, "DISH")], [(0, 3, "DISH")]]
    message = r"model's types, LOC, PER\. Received: 'DISH' 2 times, first in spans\[1\].*types="
    with pytest.raises(ValueError, match=message):
        model.fit(["Ann"] * 3, spans)


@pytest.mark.parametrize(
    ("texts", "spans", "error", "message"),
    [
        (["Ann"], None, ValueError, "`spans` must be given beside `texts`"),
        (["Ann"], [[], []], ValueError, "`texts` and `spans` .* 1 and 2 entries"),
        (["Ann", 3], [[], []], TypeError, r"texts\[1\]=3"),
        (["Ann"], ["PER"], TypeError, r"\[\] for one without entities. Received: spans\[0\]='PER'"),
        (["Ann"], [float("nan")], TypeError, r"spans\[0\]=nan"),
        (["Ann"], [(0, 3, "PER")], ValueError, r"`spans\[0\]\[0\]` is no span of a text.*: 0\."),
        (["Ann"], [[(0, 3)]], ValueError, r"`spans\[0\]\[0\]` is no span"),
        (["Ann"], [[("PER", 0, 3)]], ValueError, r"must be \(start, end, type\)"),
        ({"texts": ["Ann"]}, None, ValueError, "`spans` must be given beside `texts`"),
    ],
)
def test_bad_columns_are_named(model, texts, spans, error, message):
    with pytest.raises(error, match=message):
        model.fit(texts, spans)


def test_bad_options_are_named(model):
    for verb in (model.fit, model.evaluate, model.align):
        with pytest.raises(ValueError, match="`bad_spans` must be one of error, snap, skip"):
            verb(TEXTS, SPANS, bad_spans="drop")
    with pytest.raises(ValueError, match=r"`texts` and `sample_weight` .* 4 and 1 entries"):
        model.fit(TEXTS, SPANS, sample_weight=[1.0])


def test_how_a_call_reads_is_its_own(model):
    """What one thread trains on says nothing of what another one evaluates meanwhile."""

    def seen():
        return model.reading, model.type_weights

    with model._reading("whole", (2.0, 1.0)), ThreadPoolExecutor(1) as pool:
        assert seen() == ("whole", (2.0, 1.0))
        assert pool.submit(seen).result(60) == ("split", None)
    assert seen() == ("split", None)


@pytest.mark.usefixtures("many_steps")
def test_it_learns_spans_of_a_type_of_its_own():
    """From raw texts to entities with the right offsets in texts that it has not seen."""
    keras.utils.set_random_seed(2)
    model = corpus.tiny_ner(types=["TOWN"], input_dropout=0.1, output_dropout=0.1, units=12)
    model.compile(keras.optimizers.Adam(0.03))
    names = ["Ulm", "Rio", "Lima", "Essen", "Trier", "Minden"]
    texts = [f"the {a} was in {name}." for name in names[:4] for a in ("sun", "dog", "one")]
    spans = [[(15, len(text) - 1, "TOWN")] for text in texts]
    model.fit(texts, spans, epochs=25, batch_size=4, verbose=0)
    new = [f"the man was in {name}." for name in names[4:]]
    assert [[(e.start, e.end, e.type) for e in found] for found in model.tag(new)] == [
        [(15, len(text) - 1, "TOWN")] for text in new
    ]
