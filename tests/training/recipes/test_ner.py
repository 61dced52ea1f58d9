"""The tagger's recipe from corpus to preset: vocabulary, vectors, batches, a run that learns."""

import dataclasses
import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.text.vocabulary import UNK_ID, normal_form
from zoo.training.corpora.catalogue import load_tagged
from zoo.training.corpora.columns import Tagged
from zoo.training.corpora.word_vectors import WordVectors
from zoo.training.loop.schedule import changed
from zoo.training.recipes import ner

PEOPLE = ["Ann", "Bob", "Rex", "Kim"]
PLACES = ["Oslo", "Rome", "Ulm", "York"]
FRAMES = [["{}", "met", "{}", "2", "times", "."], ["From", "{}", ",", "{}", "said"]]
WORDS = ["the", ".", ",", "met", "said", "oslo", "rome", "from", "Rome", "lima", "bob"]

TINY = changed(
    ner.RECIPES["ner"],
    public_words=10,
    least_character=1,
    network={
        "character_units": 4,
        "spelling_units": 4,
        "units": 12,
        "word_dropout": 0.0,
        "input_dropout": 0.0,
        "output_dropout": 0.0,
    },
    epochs=3,
    batch_size=8,
    learning_rate=0.05,
    warmup_steps=2,
    average_momentum=0.5,
)


def sentences():
    """32 sentences, a person and a place in each: learnt in a second."""
    tokens, tags = [], []
    for frame, *names in itertools.product(FRAMES, PEOPLE, PLACES):
        kinds = iter(["B-PER", "B-LOC"])
        names = iter(names)
        tags.append([next(kinds) if word == "{}" else "O" for word in frame])
        tokens.append([next(names) if word == "{}" else word for word in frame])
    return Tagged(tokens, tags)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """CoNLL-2003's files, word vectors, and the tweets, under one folder."""
    folder = tmp_path_factory.mktemp("corpus")
    columns = "\n\n".join(
        "\n".join(f"{token} X X {tag}" for token, tag in zip(*row, strict=True))
        for row in zip(*sentences(), strict=True)
    )
    for name in ("eng.train", "eng.testa", "eng.testb"):
        (folder / name).write_text(columns + "\n")
    random = np.random.default_rng(0)
    lines = [" ".join([word, *map(str, random.normal(size=50).round(3))]) for word in WORDS]
    (folder / "glove.6B.50d.txt").write_text("\n".join(lines) + "\n")
    for name, tag in (("wnut17train.conll", "B-corporation"), ("emerging.dev.conll", "B-product")):
        (folder / name).write_text(f"ACME\t{tag}\n")
    for name in ("btc.train", "btc.dev"):
        (folder / name).write_text("ACME\tB-ORG\nAnn\tB-PER\n")
    return folder


class Losses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.logs = []

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append(dict(logs))


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    """A finished run: its folder and what each epoch logged."""
    out = tmp_path_factory.mktemp("run")
    losses = Losses()
    preset = ner.train(
        TINY, out, corpus, False, command="zoo-train x", callbacks=[losses], word_vectors=corpus
    )
    assert preset == out / "preset"
    return out, losses.logs


def test_a_run_learns_and_leaves_a_preset_that_tags(run):
    out, logs = run
    assert logs[-1]["loss"] < logs[0]["loss"] / 4
    assert logs[-1]["best_dev_f1"] == 100
    training = json.loads((out / "preset" / "config.json").read_text())["training"]
    assert training["command"] == "zoo-train x"
    assert training["recipe"]["name"] == "ner"
    model = zoo.load(out / "preset")
    assert model.tag_tokens([["Bob", "met", "Oslo"]]) == [["B-PER", "O", "B-LOC"]]
    (entity,) = (e for e in model.tag("From Ann, Ulm said") if e.type == "LOC")
    assert (entity.text, entity.start, entity.end) == ("Ulm", 10, 13)


def test_every_sentence_is_in_each_epoch_once_and_order_follows_from_the_epoch(run):
    model = zoo.load(run[0] / "preset")
    data = sentences()
    batches = ner.batches_of(model, TINY, data)
    first, second = list(batches(range(1, 2))), list(batches(range(2, 3)))
    assert len(first) == 4
    lengths = np.concatenate([inputs["lengths"] for inputs, _ in first])
    assert sorted(lengths) == sorted(len(tokens) for tokens in data.tokens)
    for (inputs, tags), (again, tags_again) in zip(
        [*first, *second], batches(range(1, 3)), strict=True
    ):
        np.testing.assert_array_equal(tags, tags_again)
        for name, values in inputs.items():
            np.testing.assert_array_equal(values, again[name], err_msg=name)
    assert any(
        one.shape != two.shape or (one.numpy() != two.numpy()).any()
        for (_, one), (_, two) in zip(first, second, strict=True)
    )


def test_tags_stay_with_their_tokens(run):
    model = zoo.load(run[0] / "preset")
    ids = {model.tag_ids.lookup(tf.constant(tag)).numpy() for tag in ("S-PER", "S-LOC")}
    for inputs, tags in ner.batches_of(model, TINY, sentences())(range(1, 2)):
        names = np.isin(tags, list(ids))
        words = model.words.ids(tf.constant([*PEOPLE, *PLACES])).numpy()
        # All names but those unknown have an id of their own.
        own = words[words != UNK_ID]
        np.testing.assert_array_equal(np.isin(inputs["words"], own), names)


def test_words_with_a_vector_or_often_there_are_known_by_digits_as_0():
    tokens = [["In", "1996", "3-1", "4-2", "1997", "rare", "in", "Oft", "oft"]]
    words = ner.trained_words(tokens, {"in", "1996", "away"}, least=2)
    # "1996" has a vector of its own; "1997" alone is too rare to share one.
    assert set(words) == {"in", "1996", "0-0", "oft"}
    assert words[0] == "in"
    assert ner.trained_words(tokens, set(), least=1)[0] == "in"
    assert all(word == normal_form(word) for word in words)


def test_the_unknown_character_is_learnt_from_rare_ones():
    assert set(ner.frequent_characters([["aab", "b"], ["ab", "ac"]], 2)) == {"a", "b"}


def test_public_vectors_stand_at_the_ids_of_their_words():
    public = WordVectors(WORDS, np.random.default_rng(0).normal(size=(len(WORDS), 50)))
    model = ner.new_model(TINY, sentences(), public)
    encoder = model.token_encoder
    table = np.concatenate([encoder.trained_table.numpy(), encoder.fixed_table.numpy()])
    for word in ("Oslo", "the", "said", "BOB"):
        row = int(model.words.ids(tf.constant([word]))[0])
        np.testing.assert_allclose(
            table[row], public.vectors[WORDS.index(word.lower())], rtol=1e-6, err_msg=word
        )
    fixed = model.words.ids(tf.constant(["the", "oslo", "lima", "xyz"])).numpy()
    trained = encoder.trained_table.shape[0]
    # "the" and "lima" are not in the training data; "xyz" is nowhere.
    np.testing.assert_array_equal(fixed >= trained, [True, False, True, False])
    assert "Rome" not in model.words.words  # not a normal form, so never looked up
    assert fixed[3] == UNK_ID
    assert (table[:2] == 0).all()


def test_public_words_are_cut_at_their_most_frequent():
    public = WordVectors(WORDS, np.ones([len(WORDS), 50], np.float32))
    few = ner.new_model(changed(TINY, public_words=1), sentences(), public)
    assert "the" in few.words.words
    assert "lima" not in few.words.words


def test_the_open_recipe_reads_both_corpora_in_common_types(corpus):
    recipe = ner.RECIPES["ner_open"]
    train = load_tagged(recipe.corpora, corpus, "train", verify=False)
    assert train == Tagged([["ACME"], ["ACME", "Ann"]], [["B-ORG"], ["B-ORG", "B-PER"]])
    dev = load_tagged(recipe.corpora, corpus, "validation", verify=False)
    assert dev.tags == [["O"], ["B-ORG", "B-PER"]]


@pytest.mark.parametrize("name", list(ner.RECIPES))
def test_every_recipe_makes_a_model(name):
    recipe = changed(ner.RECIPES[name], public_words=5, least_character=1)
    assert recipe.name == name
    public = WordVectors(WORDS, np.ones([len(WORDS), recipe.word_units], np.float32))
    data = Tagged([["Ann", "said"]], [["B-PER", "O"]])
    model = ner.new_model(recipe, data, public)
    assert model.get_config()["types"] == list(recipe.types)
    assert model.get_config()["output"] == ("softmax" if name == "ner_softmax" else "crf")


def test_the_ablation_differs_in_its_output_alone():
    crf, softmax = (dataclasses.asdict(ner.RECIPES[name]) for name in ("ner", "ner_softmax"))
    assert softmax.pop("name") == "ner_softmax"
    assert softmax["network"].pop("output") == "softmax"
    assert crf.pop("name") == "ner"
    assert crf == softmax
