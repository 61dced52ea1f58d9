"""Both translators: learning, searching, raw data, and everything a user may hand in wrongly."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import corpus
from zoo.decoding import greedy
from zoo.models.translation import MAX_SOURCE_LENGTH

pytestmark = pytest.mark.usefixtures("few_steps")

TEXTS = ["A dog runs in the park.", "A woman reads.", "A boy waits at home."]


@pytest.mark.usefixtures("many_steps")
def test_learns_a_small_language(tokenizer):
    """The whole way: raw strings in, loss falls, and unseen sentences come out right."""
    keras.utils.set_random_seed(0)
    model = corpus.tiny_attention(
        tokenizer, embedding_dropout=0.0, encoder_dropout=0.0, readout_dropout=0.0
    )
    pairs = corpus.sentence_pairs()
    held_out, train = pairs[::8], [pair for row, pair in enumerate(pairs) if row % 8]
    model.compile(keras.optimizers.Adam(0.02, global_clipnorm=1.0), loss=model.loss)
    history = model.fit(*map(list, zip(*train, strict=True)), batch_size=8, epochs=25, verbose=0)
    losses = history.history["loss"]
    assert losses[-1] < losses[0] / 2
    sources, targets = zip(*held_out, strict=True)
    translated = model.translate(list(sources))
    right = sum(got == expected for got, expected in zip(translated, targets, strict=True))
    assert right >= len(targets) // 2, list(zip(translated, targets, strict=True))


def test_teacher_forcing_and_steps_give_the_same_logits(model):
    """What is trained is what is searched with."""
    inputs, targets, _ = model.preprocess(tf.constant(TEXTS), tf.constant(TEXTS))
    forced = model(inputs)
    memory = model.memory_of(inputs)
    step, state = model.make_step(memory), model.start_state(memory)
    for time in range(targets.shape[1]):
        logits, state, _ = step(state, inputs["target"][:, time])
        np.testing.assert_allclose(logits, forced[:, time], rtol=1e-4, atol=1e-4)


def test_the_lstm_searches_with_what_it_was_trained_with(tokenizer):
    test_teacher_forcing_and_steps_give_the_same_logits(
        corpus.tiny_attention(tokenizer, cell="lstm")
    )


def test_an_unknown_cell_is_named(tokenizer):
    with pytest.raises(ValueError, match=r"`cell` must be one of .*cell='elman'"):
        corpus.tiny_attention(tokenizer, cell="elman")


def test_source_is_read_in_lower_case(model):
    """With all of a text that follows a NUL, where TensorFlow's own lower casing would stop."""
    texts = ["A dog\x00RUNS ÜBER den Park", "a dog\ufffdruns über den park"]
    ids, lengths = model.encode_source(tf.constant(texts))
    np.testing.assert_array_equal(ids[0], ids[1])
    assert lengths[0] == lengths[1] > 4
    assert model.translate(texts[0]) == model.translate(texts[1])


def test_eager_graph_and_verb_agree(model):
    texts = tf.constant(TEXTS)
    eager = model.search(texts, beam_size=3)[1]
    graph = tf.function(model.search, autograph=False)(texts, beam_size=3)[1]
    np.testing.assert_array_equal(eager.ids, graph.ids)
    np.testing.assert_allclose(eager.scores, graph.scores, rtol=1e-4, atol=1e-5)
    verb = model.translate(TEXTS, beam_size=3)
    assert verb == [text.decode() for text in model.texts_of(eager)[:, 0].numpy()]


def test_signatures_say_what_the_verb_says(model):
    texts = tf.constant([*TEXTS, "  "])
    signatures = model.signatures()
    assert set(signatures) == {"serving_default", "beam"} | (
        {"attention"} if model.has_attention else set()
    )
    expected = model.translate([*TEXTS, "  "], return_attention=True)
    best = signatures["serving_default"].function(text=texts)
    assert [t.decode() for t in best["translation"].numpy()] == [t.text for t in expected]
    np.testing.assert_allclose(best["score"], [t.score for t in expected], rtol=1e-4, atol=1e-5)
    beams = signatures["beam"].function(text=texts)
    np.testing.assert_array_equal(beams["translations"][:, 0], best["translation"])
    assert (np.diff(beams["scores"], axis=1) <= 0).all()
    for signature in signatures.values():
        outputs = signature.function(text=tf.zeros([0], tf.string))
        assert all(output.shape[0] == 0 for output in outputs.values())


def test_attention_signature_fits_its_tokens(model):
    if not model.has_attention:
        assert model.translate(TEXTS, return_attention=True)[0].attention is None
        return
    texts = ["A dog runs in the park.", ""]
    outputs = model.signatures()["attention"].function(text=tf.constant(texts))
    source, target = outputs["source_lengths"].numpy(), outputs["target_lengths"].numpy()
    assert target[1] == 0
    assert outputs["attention"].shape == (2, target.max(), source.max())
    attention = outputs["attention"].numpy()
    np.testing.assert_allclose(attention[0, : target[0], : source[0]].sum(-1), 1, rtol=1e-5)
    assert not attention[0, target[0] :].any()
    assert not attention[1].any()
    assert outputs["source_tokens"].numpy()[0, source[0] - 1] == b"</s>"
    assert source[1] == 0
    assert (outputs["source_tokens"].numpy()[1] == b"").all()
    verb = model.translate(texts, return_attention=True)[0]
    np.testing.assert_allclose(verb.attention, attention[0, : target[0], : source[0]], atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    mates=st.lists(st.sampled_from([*TEXTS, "", "x " * 30]), max_size=4), place=st.integers(0, 4)
)
def test_batch_mates_change_nothing(model, mates, place):
    alone = model.translate([TEXTS[0]], return_attention=True)[0]
    batch = [*mates[:place], TEXTS[0], *mates[place:]]
    among = model.translate(batch, return_attention=True)[min(place, len(mates))]
    assert among.text == alone.text
    assert among.score == pytest.approx(alone.score, abs=1e-4)


def test_loss_ignores_padding(model):
    short = model.evaluate(TEXTS[:1], TEXTS[:1], verbose=0)[0]
    inputs, targets, weights = model.preprocess(tf.constant(TEXTS[:1]), tf.constant(TEXTS[:1]))
    wide = {
        name: tf.pad(v, [[0, 0], [0, 3]]) if v.shape.rank == 2 else v for name, v in inputs.items()
    }
    logits = model(wide)
    loss = model.loss(
        tf.pad(targets, [[0, 0], [0, 3]]), logits, sample_weight=tf.pad(weights, [[0, 0], [0, 3]])
    )
    assert float(loss) == pytest.approx(short, rel=1e-4)


def test_beam_of_one_is_greedy(model):
    inputs, hypotheses = model.search(tf.constant(TEXTS), beam_size=1)
    memory = model.memory_of(inputs)
    expected = greedy(
        model.make_step(memory),
        model.start_state(memory),
        len(TEXTS),
        start_id=2,
        end_id=3,
        max_lengths=2 * inputs["source_lengths"] + 10,
    )
    np.testing.assert_array_equal(hypotheses.ids, expected.ids)


def test_raw_data_in_every_form(model):
    targets = ["Ein Hund läuft.", "Eine Frau liest.", "Ein Junge wartet."]
    pairs = tf.data.Dataset.from_tensor_slices((TEXTS, targets))
    expected = model.evaluate(TEXTS, targets, verbose=0)
    for data in (
        (np.array(TEXTS), np.array(targets)),
        (np.array(TEXTS, dtype=object), tuple(targets)),
        (tf.constant(TEXTS), [target.encode() for target in targets]),
        (pairs.batch(3),),
    ):
        np.testing.assert_allclose(model.evaluate(*data, verbose=0), expected, rtol=1e-4)
    assert len(model.evaluate(pairs, batch_size=2, verbose=0)) == 2


def test_one_string_gives_one_string(model):
    assert model.translate(TEXTS[0]) == model.translate([TEXTS[0]])[0]


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ([], ValueError, "`texts` must not be empty"),
        (3, TypeError, "`texts` must be a list of strings. Received: 3"),
        (None, TypeError, "`texts` must be a list"),
        (["a", 5], TypeError, r"texts\[1\]=5 \(int\)"),
        ([["a"]], TypeError, r"texts\[0\]"),
        (np.array([["a"]]), ValueError, "one dimension"),
        (tf.constant("a"), ValueError, "one dimension"),
        (["fine", "word " * 10_000], ValueError, r"texts\[1\] of \d+ sub-words"),
    ],
)
def test_bad_texts_are_named(model, texts, error, message):
    with pytest.raises(error, match=message):
        model.translate(texts)


@pytest.mark.parametrize("name", ["beam_size", "batch_size"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "5", None])
def test_bad_sizes_are_named(model, name, value):
    with pytest.raises(ValueError, match=f"{name}="):
        model.translate(["a"], **{name: value})


def test_hard_texts_come_out_as_text(model):
    texts = ["", " \n\t", "😀", "nul \x00", b"\xff\xfe", "\ud800 lone", "漢字かな", "a" * 300]
    results = model.translate(texts)
    assert results[:2] == ["", ""]
    assert all(isinstance(result, str) for result in results)


def test_too_long_a_text_stops_the_graph_with_a_clear_error(model):
    long = tf.constant(["fine", "word " * MAX_SOURCE_LENGTH])
    with pytest.raises(tf.errors.InvalidArgumentError, match="512 sub-words in each sentence"):
        model.signatures()["serving_default"].function(text=long)


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (["a", "b"], ["c"], ValueError, "2 and 1 entries"),
        ([], [], ValueError, "`sources` must not be empty"),
        (["a"], [None], TypeError, r"targets\[0\]=None"),
        ("ab", ["c"], TypeError, "`sources` must be a list"),
        (["a"], None, ValueError, "`targets` must be given beside `sources`"),
    ],
)
def test_bad_training_data_is_named(model, x, y, error, message):
    with pytest.raises(error, match=message):
        model.fit(x, y)
