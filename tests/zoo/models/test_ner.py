"""The tagger: learning, tagging, raw data, and everything a user may hand in wrongly."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from zoo.models import NER, groups
from zoo.models.entities import Entity
from zoo.text.tags import chunks, to_bio
from zoo.text.vocabulary import CharacterVocabulary, WordVocabulary

PEOPLE = ["Ada", "Kurt Gödel", "Emmy Noether", "Max"]
PLACES = ["Ulm", "New York", "Vienna", "Rio de Janeiro"]
FRAMES = ["{} lives in {} .", "Was {} in {} ?", "{} left for {} , they say .", "From {} to {}"]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZöéA0123456789.,?"
SIZES = {"word_units": 8, "character_units": 5, "spelling_units": 4, "units": 8}
TEXTS = [
    "Ada lives in New York. Was Kurt Gödel in Vienna?\n\nMax left for Rio de Janeiro, they say.",
    "Nobody is here",
    "  ",
    "Emmy Noether 😀 (Ulm) 漢字 in Vienna!",
]


def corpus():
    """Sentences with one person and one place each: ``(tokens, BIO tags)``."""
    tokens, tags = [], []
    for frame, *names in itertools.product(FRAMES, PEOPLE, PLACES):
        entities = iter(zip(names, ["PER", "LOC"], strict=True))
        rows = []
        for word in frame.split():
            name, kind = next(entities) if word == "{}" else (word, None)
            for place, part in enumerate(name.split()):
                rows.append((part, f"{'I' if place else 'B'}-{kind}" if kind else "O"))
        tokens.append([word for word, _ in rows])
        tags.append([tag for _, tag in rows])
    return tokens, tags


def tiny(**arguments):
    words = sorted({word.casefold() for row in corpus()[0] for word in row})
    arguments = {**SIZES, "types": ["LOC", "PER"], **arguments}
    return NER(WordVocabulary(words), CharacterVocabulary(LETTERS), **arguments)


def shaken(model, seed=0, scale=1.0):
    """The model with weights large enough that tags differ from token to token."""
    random = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign(scale * random.normal(size=variable.shape))
    return model


@pytest.fixture(scope="module")
def model():
    """Untrained. Tests leave its weights alone."""
    keras.utils.set_random_seed(1)
    return shaken(tiny())


@pytest.fixture(scope="module")
def learnt():
    keras.utils.set_random_seed(0)
    model = tiny(input_dropout=0.1, output_dropout=0.1, word_units=16, units=16)
    model.compile(keras.optimizers.Adam(0.02, global_clipnorm=1.0))
    history = model.fit(*corpus(), batch_size=16, epochs=8, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 10
    assert history["f1"][0] < 0.7 < history["f1"][-1]
    return model


def test_learns_a_small_corpus(learnt):
    tokens, tags = corpus()
    assert learnt.tag_tokens(tokens) == tags
    figures = learnt.evaluate(tokens, tags, verbose=0, return_dict=True)
    assert figures["loss"] < 0.5
    assert figures["f1"] == 1


def test_finds_entities_in_raw_text_with_offsets_of_the_original(learnt):
    text = "Was Kurt Gödel in New York? 😀 Ada left for Rio de Janeiro , they say ."
    found = learnt.tag(text)
    assert [(entity.text, entity.type) for entity in found] == [
        ("Kurt Gödel", "PER"),
        ("New York", "LOC"),
        ("Ada", "PER"),
        ("Rio de Janeiro", "LOC"),
    ]
    for entity in found:
        assert text[entity.start : entity.end] == entity.text
        assert 0.3 < entity.score <= 1


def test_the_score_is_the_probability_of_the_entity(model):
    """Against all tag sequences of a sentence, one by one."""
    text = "Ada in Ulm ."
    inputs = model.make_inputs(tf.ragged.constant([text.split()]))
    scores, length = model(inputs), inputs["lengths"]
    paths = list(itertools.product(range(len(model.tags)), repeat=4))
    likelihood = model.crf.log_likelihood(
        tf.repeat(scores, len(paths), 0), tf.constant(paths), tf.repeat(length, len(paths))
    )
    share = np.exp(likelihood.numpy().astype(float))
    assert share.sum() == pytest.approx(1, abs=1e-4)
    found = model.tag(text)
    assert found
    starts = [0, 4, 7, 11]
    for entity in found:
        first = starts.index(entity.start)
        span = (entity.type, first, first + len(entity.text.split()))
        expected = sum(
            p
            for p, path in zip(share, paths, strict=True)
            if p > 0 and span in chunks([model.tags[tag] for tag in path])
        )
        assert entity.score == pytest.approx(expected, rel=1e-3)


def test_softmax_takes_each_tag_by_itself():
    model = shaken(tiny(output="softmax"))
    assert len(model.trainable_variables) == len(tiny().trainable_variables) - 3
    for variable in model.crf.weights:
        variable.assign(tf.zeros_like(variable))
    tokens, tags = corpus()
    inputs, ids = model.preprocess(*model.raw_columns(tokens[:3], tags[:3]))
    scores = model(inputs)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(ids, scores)
    mask = tf.sequence_mask(inputs["lengths"], tf.shape(ids)[1], tf.float32)
    expected = tf.reduce_mean(tf.reduce_sum(entropy * mask, 1))
    assert float(model.compute_loss(inputs, ids, scores)) == pytest.approx(
        float(expected), rel=1e-4
    )
    names = np.array(model.tags)[tf.argmax(scores, -1).numpy()]
    expected = [to_bio(list(row[: len(t)])) for row, t in zip(names, tokens[:3], strict=True)]
    assert model.tag_tokens(tokens[:3]) == expected


def test_fine_tunes_to_other_types(learnt, tmp_path):
    """Saved, loaded with types of one's own: the encoder stays, the head is learnt anew."""
    zoo.save(learnt, tmp_path / "tiny", half=False)
    same = zoo.load(tmp_path / "tiny")
    inputs = learnt.make_inputs(tf.ragged.constant(corpus()[0][:5]))
    np.testing.assert_array_equal(same(inputs), learnt(inputs))
    for mine, theirs in zip(learnt.crf.weights, same.crf.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    other = zoo.load(tmp_path / "tiny", types=["TOWN", "HUMAN"])
    tables = [m.token_encoder.trained_table.numpy() for m in (learnt, other)]
    np.testing.assert_array_equal(*tables)
    tokens, tags = corpus()
    renamed = [[t.replace("LOC", "TOWN").replace("PER", "HUMAN") for t in row] for row in tags]
    assert not np.allclose(other(inputs), learnt(inputs), atol=0.1)
    other.compile(keras.optimizers.Adam(0.02))
    other.fit(tokens, renamed, batch_size=16, epochs=4, verbose=0)
    assert other.tag_tokens(tokens) == renamed


def test_half_of_the_words_may_keep_their_vectors(tmp_path):
    model = tiny(trained_words=10)
    vectors = np.random.default_rng(0).normal(size=(model.words.size, 8)).astype("float32")
    model.assign_words(vectors)
    ids = tf.range(model.words.size)[tf.newaxis]
    np.testing.assert_array_equal(model.token_encoder._look_up(ids, False)[0], vectors)
    model.train_step(model.preprocess(*model.raw_columns(*corpus())))
    after = model.token_encoder._look_up(ids, False)[0].numpy()
    assert (after[12:] == vectors[12:]).all()
    assert (after[2:12] != vectors[2:12]).any(axis=1).all()
    zoo.save(model, tmp_path / "tiny", half=False)
    np.testing.assert_array_equal(
        zoo.load(tmp_path / "tiny").token_encoder._look_up(ids, False)[0], after
    )


def test_an_unknown_word_is_read_by_its_characters(model):
    tokens = [["Xyz", "abc", "xyz"]]
    words = model.make_inputs(tf.ragged.constant(tokens))["words"].numpy()
    assert (words == 1).all()
    scores = model(model.make_inputs(tf.ragged.constant(tokens)))[0].numpy()
    assert not np.allclose(scores[0], scores[2])  # so is its case


def test_word_dropout_only_in_training():
    model = tiny(word_dropout=0.9, input_dropout=0.0, output_dropout=0.0)
    inputs = model.make_inputs(tf.ragged.constant(corpus()[0][:8]))
    np.testing.assert_array_equal(model(inputs), model(inputs, training=False))
    assert not np.allclose(model(inputs), model(inputs, training=True))


@settings(max_examples=10, deadline=None)
@given(mates=st.lists(st.sampled_from([*TEXTS, "x " * 40]), max_size=3), place=st.integers(0, 3))
def test_batch_mates_change_nothing(model, mates, place):
    alone = model.tag(TEXTS[0])
    among = model.tag([*mates[:place], TEXTS[0], *mates[place:]])[min(place, len(mates))]
    assert alone
    assert [entity[:4] for entity in among] == [entity[:4] for entity in alone]
    np.testing.assert_allclose([e.score for e in among], [e.score for e in alone], rtol=1e-3)


def test_loss_ignores_padding_and_batch_mates(model):
    tokens, tags = corpus()
    alone = [
        model.evaluate([t], [y], verbose=0)[0] for t, y in zip(tokens[:3], tags[:3], strict=True)
    ]
    together, _ = model.evaluate([*tokens[:3]], [*tags[:3]], verbose=0)
    assert together == pytest.approx(np.mean(alone), rel=1e-4)
    inputs, ids = model.preprocess(*model.raw_columns(tokens[:3], tags[:3]))
    wide = {n: tf.pad(v, [[0, 0], [0, 4]]) if v.shape.rank == 2 else v for n, v in inputs.items()}
    loss = model.compute_loss(wide, tf.pad(ids, [[0, 0], [0, 4]]), model(wide))
    assert float(loss) == pytest.approx(together, rel=1e-4)


@pytest.mark.usefixtures("few_steps")
def test_metrics_of_the_user_count_real_tokens_only():
    model = shaken(tiny())
    model.compile(metrics=["accuracy"], weighted_metrics=["accuracy"])
    tokens, tags = corpus()
    tokens, tags = [*tokens[:6], ["Ada"]], [*tags[:6], ["B-PER"]]
    right = []
    for row, wanted in zip(tokens, tags, strict=True):
        inputs, ids = model.preprocess(*model.raw_columns([row], [wanted]))
        found = np.argmax(model(inputs), -1)
        right.append((found == ids.numpy())[0])
    weights = np.arange(1.0, len(tokens) + 1)
    figures = model.evaluate(
        tokens, tags, sample_weight=weights, batch_size=3, verbose=0, return_dict=True
    )
    assert figures["accuracy"] == pytest.approx(np.mean(np.concatenate(right)))
    weighted = np.average(
        np.concatenate(right), weights=np.repeat(weights, [len(row) for row in right])
    )
    assert figures["weighted_accuracy"] == pytest.approx(weighted)
    assert 0 < figures["accuracy"] < 1


def test_f1_is_that_of_the_tags_found_whatever_the_batches(model):
    tokens, tags = corpus()
    found = [chunks(row) for row in model.tag_tokens(tokens)]
    given = [chunks(row) for row in tags]
    right = sum(len({*a} & {*b}) for a, b in zip(given, found, strict=True))
    assert right > 0
    expected = 2 * right / (sum(map(len, given)) + sum(map(len, found)))
    for batch_size in (3, 64):
        figures = model.evaluate(tokens, tags, batch_size, verbose=0, return_dict=True)
        assert set(figures) == {"loss", "f1"}
        assert figures["f1"] == pytest.approx(expected)


def test_a_long_document_is_its_sentences_alone(model, monkeypatch):
    sentences = ["Ada lives in Ulm.", "Was Max in New York?", "They say: Vienna!", "In Rio."] * 30
    document = " ".join(sentences)
    expected, offset = [], 0
    for sentence, found in zip(sentences, model.tag(sentences), strict=True):
        expected += [(e.text, e.type, e.start + offset, e.end + offset) for e in found]
        offset += len(sentence) + 1
    assert expected
    assert [entity[:4] for entity in model.tag(document)] == expected
    # In small groups too.
    monkeypatch.setattr(groups, "GROUP_TOKENS", 20)
    monkeypatch.setattr(model, "_graphs", {})
    assert [entity[:4] for entity in model.tag(document)] == expected


def test_a_text_of_20000_words_without_an_end(model):
    text = "Ada in Ulm " * 7000
    found = model.tag(text)
    assert len(found) > 1000
    assert all(text[entity.start : entity.end] == entity.text for entity in found)
    assert len(model.tag_tokens([text.split()])[0]) == 21000


def test_signatures_say_what_the_verb_says(model):
    texts = tf.constant(TEXTS)
    found = model.tag(TEXTS)
    signatures = model.signatures()
    assert set(signatures) == {"serving_default", "entities"}
    tagged = {k: v.numpy() for k, v in signatures["serving_default"].function(text=texts).items()}
    served = {k: v.numpy() for k, v in signatures["entities"].function(text=texts).items()}
    for row, text in enumerate(TEXTS):
        count, length = served["counts"][row], tagged["lengths"][row]
        names = [kind.decode() for kind in served["types"][row, :count]]
        spans = list(zip(served["starts"][row, :count], served["ends"][row, :count], strict=True))
        assert [tuple(entity[:4]) for entity in found[row]] == [
            (text[start:end], kind, start, end)
            for kind, (start, end) in zip(names, spans, strict=True)
        ]
        np.testing.assert_allclose(
            served["scores"][row, :count], [entity.score for entity in found[row]], rtol=1e-4
        )
        starts, ends = tagged["starts"][row], tagged["ends"][row]
        tags = [tag.decode() for tag in tagged["tags"][row, :length]]
        assert [(kind, (starts[a], ends[b - 1])) for kind, a, b in chunks(tags)] == list(
            zip(names, spans, strict=True)
        )
        places = zip(starts[:length], ends[:length], strict=True)
        expected = [text[start:end] for start, end in places]
        assert [token.decode() for token in tagged["tokens"][row, :length]] == expected
        for name in ("tokens", "tags"):
            assert (tagged[name][row, length:] == b"").all()
    for signature in signatures.values():
        outputs = signature.function(text=tf.zeros([0], tf.string))
        assert {output.shape[0] for output in outputs.values()} == {0}
        outputs = signature.function(text=tf.constant([""]))
        assert {output.shape[0] for output in outputs.values()} == {1}


def test_text_and_tokens_are_tagged_alike(model):
    text = "Ada lives in New York ."
    (tags,) = model.tag_tokens([text.split()])
    found = [(entity.type, entity.text) for entity in model.tag(text)]
    assert found == [(k, " ".join(text.split()[a:b])) for k, a, b in chunks(tags)]
    assert model.tag_tokens([[], ["Ada"], []])[::2] == [[], []]


def test_every_scheme_and_form_of_raw_data(model):
    tokens, tags = corpus()
    tokens, tags = tokens[:6], tags[:6]
    expected = model.evaluate(tokens, tags, verbose=0)
    columns = model.raw_columns(tokens, tags)
    iobes = columns[1].to_list()
    iobes = [[tag.decode() for tag in row] for row in iobes]
    assert iobes != tags
    pairs = tf.data.Dataset.from_tensor_slices(columns)
    bio = tf.data.Dataset.from_tensor_slices((columns[0], tf.ragged.constant(tags)))
    for data in (
        (tokens, iobes),
        ([np.array(row) for row in tokens], [tuple(row) for row in tags]),
        ([tf.constant(row) for row in tokens], [tf.constant(row) for row in tags]),
        (columns[0], columns[1]),
        (columns[0].to_list(), columns[1].to_list()),
        (pairs.ragged_batch(6),),
        (pairs,),
        (bio,),
    ):
        assert model.evaluate(*data, verbose=0) == pytest.approx(expected, rel=1e-4), data


def test_one_text_gives_one_list(model):
    assert model.tag(TEXTS[0]) == model.tag([TEXTS[0]])[0]
    assert all(isinstance(entity, Entity) for entity in model.tag(TEXTS[0]))


def test_hard_texts_come_out_as_text(model):
    texts = [
        "",
        " \n\t",
        "Ada 😀 Ulm",
        b"Ada \xff\xfe Ulm",
        "nul \x00 Ada",
        "\ud800 Ada",
        "漢字かな",
    ]
    for text, found in zip(texts, model.tag(texts), strict=True):
        raw = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        for entity in found:
            assert raw.decode("utf-8", "replace")[entity.start : entity.end] == entity.text
    assert model.tag(texts)[:2] == [[], []]


def test_survives_a_new_seed(model):
    before = model.tag(TEXTS), model.tag_tokens([["Ada", "in", "Ulm"]])
    keras.utils.set_random_seed(5)
    assert (model.tag(TEXTS), model.tag_tokens([["Ada", "in", "Ulm"]])) == before


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_other_precisions(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = tiny()
        batch = model.preprocess(*model.raw_columns(*corpus()))
        losses = [float(model.train_step(batch)["loss"]) for _ in range(4)]
        assert losses[-1] < losses[0]
        served = model.signatures()["entities"].function(text=tf.constant(TEXTS))
        assert served["scores"].dtype == tf.float32
        assert np.isfinite(served["scores"]).all()
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize(
    ("tokens", "tags", "error", "message"),
    [
        ([], [], ValueError, "`tokens` must not be empty"),
        ([["a"]], None, ValueError, "`tags` must be given beside `tokens`"),
        ("ab", [["O"]], TypeError, "`tokens` must be a list of lists of tokens"),
        (["ab"], [["O"]], ValueError, r"`spans\[0\]\[0\]` is no span .*'O'.*lists of tokens"),
        ([["a"], "b"], [["O"], ["O"]], TypeError, r"tokens\[1\]='b'"),
        ([["a"], ["b", 3]], [["O"], ["O", "O"]], TypeError, r"tokens\[1\]\[1\]=3"),
        ([["a"], ["b"]], [["O"]], ValueError, "2 and 1 entries"),
        ([["a"]], [["O"], ["O"]], ValueError, "1 and 2 entries"),
        ([["a"], ["b"]], [["O"], ["O", "O"]], ValueError, r"`tags\[1\]` .* 1 tokens.* 2 tags"),
        ([["a"], ["b"]], [["O"], "O"], TypeError, r"tags\[1\]='O'"),
        ([["a"], ["b"]], [["O"], ["B-FOO"]], ValueError, r"LOC, PER.*tags\[1\]\[0\]='B-FOO'.*zoo"),
        ([["a", "b"]], [["O", "LOC"]], ValueError, r"`tags\[0\]`.*'LOC' at position 1"),
    ],
)
def test_bad_training_data_is_named(model, tokens, tags, error, message):
    with pytest.raises(error, match=message):
        model.fit(tokens, tags)


@pytest.mark.parametrize(
    ("tags", "message"),
    [(["X", "O"], "must hold O, B-LOC"), (["O"], "a tag for each token")],
)
def test_bad_tags_in_a_data_set_are_named(model, tags, message):
    row = tf.data.Dataset.from_tensors((tf.constant(["a", "b"]), tf.constant(tags)))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        model.evaluate(row, verbose=0)


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ([], ValueError, "`texts` must not be empty"),
        (3, TypeError, "`texts` must be a list of strings. Received: 3"),
        (["a", 5], TypeError, r"texts\[1\]=5 \(int\)"),
    ],
)
def test_bad_texts_are_named(model, texts, error, message):
    with pytest.raises(error, match=message):
        model.tag(texts)


def test_bad_arguments_are_named(model):
    words, characters = model.words, model.characters
    with pytest.raises(ValueError, match="batch_size=0"):
        model.tag(["a"], batch_size=0)
    with pytest.raises(TypeError, match="`words` must be a WordVocabulary"):
        NER(["a"], characters)
    with pytest.raises(TypeError, match="`characters` must be a CharacterVocabulary"):
        NER(words, "abc")
    with pytest.raises(TypeError, match="types='PER'"):
        NER(words, characters, types="PER")
    with pytest.raises(ValueError, match=r"types=\['A', 'A'\]"):
        NER(words, characters, types=["A", "A"])
    with pytest.raises(ValueError, match=r"the loss of a tagger is .* Received: loss='mse'"):
        model.compile("adam", loss="mse")
    with pytest.raises(ValueError, match="output='hmm'"):
        NER(words, characters, output="hmm")


def test_the_graph_has_no_checks_of_what_it_made_itself():
    """Each is a branch of two functions more to trace, to optimise and to load."""
    traced = tf.function(
        tiny()._entities, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    graph = traced.get_concrete_function().graph.as_graph_def()
    nodes = [*graph.node, *(node for body in graph.library.function for node in body.node_def)]
    kinds = {node.op for node in nodes}
    assert kinds & {"While", "StatelessWhile"}
    assert not kinds & {"If", "StatelessIf", "Assert"}
