"""Sentiment: three read-outs, labels in every form, whatever stands in the batch beside a text."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import corpus
from zoo.layers import average_pooling, last_relevant
from zoo.models import TextClassifier
from zoo.models.text_classifier import READOUTS

pytestmark = pytest.mark.usefixtures("few_steps")

TEXTS = ["The film was good.", "a dull ending, 1999", "我 看 good 😀 b\xe4d"]
LABELS = ["positive", "negative", "positive"]


@pytest.fixture(scope="module", params=READOUTS)
def model(request):
    """Each read-out, with weights large enough that every word tells."""
    keras.utils.set_random_seed(5)
    return corpus.loud(corpus.tiny_sentiment(readout=request.param))


@pytest.fixture(scope="module")
def attentive():
    keras.utils.set_random_seed(5)
    return corpus.loud(corpus.tiny_sentiment())


def probabilities(model, texts):
    return [list(result.probabilities.values()) for result in model.classify(texts)]


def test_learns_a_small_corpus():
    """The whole way: raw strings in, and the labels of unseen reviews come out right."""
    keras.utils.set_random_seed(0)
    model = corpus.tiny_sentiment(embedding_dropout=0.0, readout_dropout=0.0)
    reviews = corpus.reviews()
    train, held_out = [r for i, r in enumerate(reviews) if i % 7], reviews[::7]
    model.compile(keras.optimizers.Adam(0.05), model.loss, metrics=["accuracy"])
    model.fit(*map(list, zip(*train, strict=True)), batch_size=5, epochs=2, verbose=0)
    texts, labels = map(list, zip(*held_out, strict=True))
    assert [result.label for result in model.classify(texts)] == labels
    result = model.classify(texts[0], return_attention=True)
    assert max(result.tokens, key=lambda token: token.weight).text in corpus.BLAME


def test_readouts_are_what_the_slides_say(model):
    inputs = model.make_inputs(model.words_of(tf.constant([*TEXTS, ""])))
    lengths = inputs["lengths"]
    outputs, _ = model.encoder(model.embedding(inputs["tokens"]), lengths)
    if model.readout == "last":
        ahead, behind = tf.split(outputs, 2, axis=-1)
        vector = tf.concat([last_relevant(ahead, lengths), behind[:, 0]], axis=-1)
    elif model.readout == "average":
        vector = average_pooling(outputs, lengths)
    else:
        vector, _ = model.pooling(outputs, lengths)
    expected = vector @ model.classifier.kernel + model.classifier.bias
    np.testing.assert_allclose(model(inputs), expected, rtol=1e-5, atol=1e-6)


def test_a_forward_encoder_reads_forwards_only():
    model = corpus.tiny_sentiment(readout="last", bidirectional=False)
    inputs = model.make_inputs(model.words_of(tf.constant(TEXTS)))
    outputs, _ = model.encoder(model.embedding(inputs["tokens"]), inputs["lengths"])
    vector = last_relevant(outputs, inputs["lengths"])
    expected = vector @ model.classifier.kernel + model.classifier.bias
    np.testing.assert_allclose(model(inputs), expected, rtol=1e-5, atol=1e-6)


def test_a_result_is_whole(model):
    result = model.classify(TEXTS[0])
    assert list(result.probabilities) == ["negative", "positive"]
    assert sum(result.probabilities.values()) == pytest.approx(1)
    assert result.score == max(result.probabilities.values())
    assert result.label == max(result.probabilities, key=result.probabilities.get)
    assert result.tokens is None


def test_attention_has_the_words_of_the_original(attentive):
    texts = [*TEXTS, "", "bad \ud800 film", "ＷＩＤＥ don't"]
    for text, result in zip(texts, attentive.classify(texts, return_attention=True), strict=True):
        assert [text[t.start : t.end].replace("\ud800", "?") for t in result.tokens] == [
            t.text for t in result.tokens
        ]
        assert "".join(t.text for t in result.tokens) == "".join(text.split()).replace(
            "\ud800", "?"
        )
        total = sum(token.weight for token in result.tokens)
        assert total == pytest.approx(1 if text else 0, abs=1e-5)
    damaged = attentive.classify(b"a \xff good", return_attention=True)
    assert [tuple(t[:3]) for t in damaged.tokens][1:] == [("\ufffd", 2, 3), ("good", 4, 8)]


def test_signatures_say_what_the_verb_says(model):
    texts = [*TEXTS, " \n"]
    signatures = model.signatures()
    expected = model.classify(texts, return_attention=model.has_attention)
    assert set(signatures) == {"serving_default"} | (
        {"attention"} if model.has_attention else set()
    )
    for signature in signatures.values():
        answer = {k: v.numpy() for k, v in signature.function(text=tf.constant(texts)).items()}
        assert [label.decode() for label in answer["label"]] == [r.label for r in expected]
        np.testing.assert_allclose(answer["score"], [r.score for r in expected], rtol=1e-5)
        np.testing.assert_allclose(
            answer["probabilities"], [list(r.probabilities.values()) for r in expected], rtol=1e-5
        )
        assert answer["labels"].tolist() == [[b"negative", b"positive"]] * len(texts)
        empty = signature.function(text=tf.zeros([0], tf.string))
        assert {value.shape[0] for value in empty.values()} == {0}
    if model.has_attention:
        for row, result in enumerate(expected):
            size = answer["lengths"][row]
            assert [t.decode() for t in answer["tokens"][row, :size]] == [
                t.text for t in result.tokens
            ]
            assert (answer["tokens"][row, size:] == b"").all()
            assert not answer["weights"][row, size:].any()


@settings(max_examples=15, deadline=None)
@given(
    mates=st.lists(st.sampled_from([*TEXTS, "", "x " * 40]), max_size=4), place=st.integers(0, 4)
)
def test_batch_mates_change_nothing(model, mates, place):
    alone = probabilities(model, TEXTS[:1])[0]
    batch = [*mates[:place], TEXTS[0], *mates[place:]]
    among = probabilities(model, batch)[min(place, len(mates))]
    np.testing.assert_allclose(among, alone, atol=1e-5)


def test_padding_changes_neither_loss_nor_gradient(model):
    inputs, numbers = model.preprocess(
        tf.constant([*TEXTS, ""]), tf.constant([*LABELS, "negative"])
    )
    wide = {**inputs, "tokens": tf.pad(inputs["tokens"], [[0, 0], [0, 4]], constant_values=3)}
    results = []
    for batch in (inputs, wide):
        with tf.GradientTape() as tape:
            loss = model.loss(numbers, model(batch))
        gradients = tape.gradient(loss, model.trainable_variables)
        results.append([loss, *map(tf.convert_to_tensor, gradients)])
    for narrow, padded in zip(*results, strict=True):
        np.testing.assert_allclose(narrow, padded, rtol=1e-4, atol=1e-6)


def test_words_count_and_so_does_their_order(model):
    good, bad, turned = probabilities(model, ["film good", "film bad", "good film"])
    assert not np.allclose(good, bad, atol=1e-4)
    assert not np.allclose(good, turned, atol=1e-4)


def test_of_a_long_text_both_ends_are_read(attentive):
    model = corpus.tiny_sentiment(max_tokens=5)
    words = [f"w{i}" for i in range(9)]
    for count in (4, 5, 6, 9):
        text = " ".join(words[:count])
        result = model.classify(text, return_attention=True)
        read = [token.text for token in result.tokens]
        assert read == (words[:count] if count < 6 else [*words[:3], *words[count - 2 : count]])
        assert [text[t.start : t.end] for t in result.tokens] == read
    # 20,000 words are a text like any other, and cost no more than the 1000 that are read.
    long = attentive.classify(["good " * 20_000, "good " * 1000], return_attention=True)
    assert [len(result.tokens) for result in long] == [1000, 1000]
    assert long[0].tokens[-1].end == 5 * 20_000 - 1
    assert long[0].score == pytest.approx(long[1].score, abs=1e-6)


def test_labels_in_every_form(attentive):
    numbers = [1, 0, 1]
    pairs = tf.data.Dataset.from_tensor_slices
    expected = attentive.evaluate(TEXTS, LABELS, verbose=0)
    for x, y in (
        (np.array(TEXTS), np.array(LABELS)),
        (tf.constant(TEXTS), tf.constant(LABELS)),
        (TEXTS, [label.encode() for label in LABELS]),
        (TEXTS, np.array(numbers, np.int64)),
        (pairs((TEXTS, LABELS)), None),
        (pairs((TEXTS, numbers)).batch(3), None),
    ):
        np.testing.assert_allclose(attentive.evaluate(x, y, verbose=0), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (["a", "b"], ["positive"], ValueError, "`texts` and `labels` .* 2 and 1 entries"),
        (
            ["a"],
            ["bug"],
            ValueError,
            r"'negative', 'positive' .* labels\[0\]='bug'.*labels=\[...\]",
        ),
        (["a", "b"], [0, 2], ValueError, r"0 to 1\. Received: labels\[1\]=2"),
        (["a"], [-1], ValueError, r"labels\[0\]=-1"),
        (["a"], [True], ValueError, r"labels\[0\]=True"),
        (["a"], [0.0], ValueError, r"labels\[0\]=0\.0"),
        (["a"], [None], ValueError, r"labels\[0\]=None"),
        (["a"], [["positive"]], ValueError, r"labels\[0\]="),
        (["a"], "positive", TypeError, "`labels` must be a list"),
        (["a"], [], ValueError, "`labels` must not be empty"),
        ([], [], ValueError, "`texts` must not be empty"),
        (["a"], None, ValueError, "`labels` must be given beside `texts`"),
        (["a"], np.eye(2), ValueError, "`labels` must have one dimension"),
        ([3], [0], TypeError, r"texts\[0\]=3"),
    ],
)
def test_bad_training_data_is_named(attentive, x, y, error, message):
    with pytest.raises(error, match=message):
        attentive.fit(x, y)


@pytest.mark.parametrize("labels", [["positive", "bug"], [0, 5]])
def test_an_unknown_label_of_a_data_set_is_named(attentive, labels):
    data = tf.data.Dataset.from_tensor_slices((["a", "b"], labels))
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"must hold .*{labels[1]}"):
        attentive.evaluate(data, verbose=0)


def test_data_sets_that_are_no_pairs_are_named(attentive):
    texts = tf.data.Dataset.from_tensor_slices(["a", "b"])
    with pytest.raises(ValueError, match="two columns, `texts` and `labels`"):
        attentive.fit(texts)
    with pytest.raises(TypeError, match="`labels` must be strings or integers"):
        attentive.fit(tf.data.Dataset.from_tensor_slices((["a"], [0.5])))
    with pytest.raises(ValueError, match="`labels` must come in the data set"):
        attentive.fit(tf.data.Dataset.from_tensor_slices((["a"], [1])), [1])


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ([], ValueError, "`texts` must not be empty"),
        (None, TypeError, "`texts` must be a list"),
        (["a", 5], TypeError, r"texts\[1\]=5"),
        ({"a": 1}, TypeError, "`texts` must be a list"),
    ],
)
def test_bad_texts_are_named(attentive, texts, error, message):
    with pytest.raises(error, match=message):
        attentive.classify(texts)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": "positive"}, TypeError, "`labels` must be a list of strings"),
        ({"labels": [0, 1]}, TypeError, "`labels` must be a list of strings"),
        ({"labels": 3}, TypeError, "`labels` must be a list of strings. Received: labels=3"),
        ({"labels": ["one"]}, ValueError, "at least two different"),
        ({"labels": ["one", "one"]}, ValueError, "at least two different"),
        ({"readout": "first"}, ValueError, "last, average, attention. Received: readout='first'"),
        ({"max_tokens": 0}, ValueError, "max_tokens=0"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        corpus.tiny_sentiment(**arguments)


def test_what_cannot_be_asked_is_told(model):
    with pytest.raises(TypeError, match="must be a WordVocabulary"):
        TextClassifier(["good", "bad"])
    with pytest.raises(ValueError, match="batch_size=0"):
        model.classify(TEXTS, batch_size=0)
    if not model.has_attention:
        with pytest.raises(ValueError, match=f"Received: readout='{model.readout}'"):
            model.classify(TEXTS, return_attention=True)


def test_survives_a_new_seed(attentive):
    before = probabilities(attentive, TEXTS)
    keras.utils.set_random_seed(1)
    np.testing.assert_allclose(probabilities(attentive, TEXTS), before, atol=1e-6)
    assert len(attentive.evaluate(TEXTS, LABELS, verbose=0)) == 2
