"""The recipe of sentiment: from a made-up corpus to a preset, with and without pre-training."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.training.recipes.small_run import as_recorded
from zoo.models.language_model import LanguageModel, next_word
from zoo.models.losses import sampled_cross_entropy
from zoo.text.vocabulary import PAD_ID, UNK_ID, WordVocabulary
from zoo.training.corpora.corpus_words import CorpusWords, cut_rows
from zoo.training.evaluation import report
from zoo.training.loop.schedule import changed
from zoo.training.metrics.perplexity import perplexity
from zoo.training.recipes import language_model, sentiment

ADJECTIVES = {"neg": ["dull", "bad", "cold", "stale"], "pos": ["witty", "good", "warm", "fresh"]}
NOUNS = ["film", "story", "plot", "cast", "score"]
TEXTS = {
    kind: [f"A {a} {n}, {a} in {y}." for a in adjectives for n in NOUNS for y in (1990, 2005)]
    for kind, adjectives in ADJECTIVES.items()
}
NETWORK = {
    "embedding_units": 8,
    "units": 12,
    "attention_units": 6,
    "embedding_dropout": 0.1,
    "readout_dropout": 0.1,
}
PRETRAINING = changed(
    language_model.RECIPES["language_model_imdb"],
    vocabulary_size=40,
    row_tokens=6,
    parts=2,
    network={"embedding_units": 8, "units": 12, "dropout": 0.1, "negatives": 8},
    epochs=4,
    batch_size=8,
    warmup_steps=2,
    average_momentum=0.5,
)
RECIPE = changed(
    sentiment.RECIPES["sentiment_labelled"],
    min_count=2,
    word_dropout=0.05,
    vector_words=3,
    network={**NETWORK, "bidirectional": False},
    epochs=3,
    batch_size=8,
    learning_rate=0.03,
    warmup_steps=2,
    average_momentum=0.5,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """IMDB's folders with 80 labelled and 40 unlabelled reviews, and vectors of some words."""
    root = tmp_path_factory.mktemp("corpus")
    for side, kind, texts in [
        *(("train", kind, texts) for kind, texts in TEXTS.items()),
        ("train", "unsup", [text.replace("A", "The") for text in TEXTS["pos"]]),
    ]:
        into = root / "aclImdb" / side / kind
        into.mkdir(parents=True)
        for i, text in enumerate(texts):
            (into / f"{i}_1.txt").write_text(text)
    vectors = [f"{word} {' '.join(['0.5'] * 8)}\n" for word in ("good", "film", "elsewhere")]
    (root / "glove.8d.txt").write_text("".join(vectors))
    return root


def run(recipe, out, folder, **more):
    if not recipe.pretraining:
        more["word_vectors"] = folder / "glove.8d.txt"
    return sentiment.train(recipe, out, folder, verify=False, **more)


class Losses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.losses = []

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    """The preset of a run that nothing disturbed, and its losses."""
    losses = Losses()
    out = tmp_path_factory.mktemp("whole")
    return run(RECIPE, out, folder, command="zoo-train x", callbacks=[losses]), losses.losses


def test_a_run_learns_and_leaves_a_preset(whole):
    preset, losses = whole
    assert losses[-1] < losses[0]
    training = json.loads((preset / "config.json").read_text())["training"]
    assert training["recipe"] == as_recorded(RECIPE)
    model = zoo.load(preset)
    assert model.vocabulary.words[:5] == [",", ".", "0000", "a", "in"]
    assert "elsewhere" in model.vocabulary.words  # which the word vectors know
    right = [
        answer.label.startswith(kind)
        for kind, texts in TEXTS.items()
        for answer in model.classify(texts)
    ]
    assert sum(right) >= 70  # of 80; the dev reviews are so easy that the first epoch is kept


def test_a_stopped_run_goes_on_to_the_same_losses(whole, folder, tmp_path):
    parts = Losses()

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(RECIPE, tmp_path, folder, callbacks=[parts, Stop()])
    run(RECIPE, tmp_path, folder, callbacks=[parts])
    np.testing.assert_allclose(parts.losses, whole[1], rtol=1e-3)


def test_reviews_without_labels_are_learnt_from_too(folder, tmp_path):
    class Batches(keras.callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1

    recipe = changed(RECIPE, guessed_epochs=2)
    counted = Batches()
    model = zoo.load(run(recipe, tmp_path, folder, callbacks=[counted]))
    labelled = 72  # 80 without the tenth that is held out
    assert counted.seen == recipe.schedule.epochs * labelled / recipe.schedule.batch_size
    assert "the" in model.vocabulary.words  # which only they have
    unlabelled = [text.replace("A", "The") for text in TEXTS["pos"]]
    assert {answer.label for answer in model.classify(unlabelled)} == {"positive"}


def test_words_of_a_preset_stand_beside_public_ones_and_stay(whole, folder, tmp_path):
    recipe = changed(
        RECIPE,
        words_of="sentiment_pretrained",
        fixed_words=True,
        epochs=2,
        vector_words=40,
        network={**RECIPE.network, "embedding_units": 16},
    )
    losses = Losses()
    model = zoo.load(run(recipe, tmp_path / "run", folder, callbacks=[losses], words_of=whole[0]))
    assert losses.losses[-1] < losses.losses[0]
    learnt = zoo.load(whole[0])
    rows, learnt_rows = (
        dict(zip(of.vocabulary.words, of.embedding.get_weights()[0][2:], strict=True))
        for of in (model, learnt)
    )
    assert learnt_rows.keys() == rows.keys()
    for word, row in learnt_rows.items():
        np.testing.assert_allclose(rows[word][8:], row, rtol=1e-3)  # presets are float16
    for word in ("good", "film", "elsewhere"):
        np.testing.assert_array_equal(rows[word][:8], 0.5)
    assert model.embedding.trainable  # for whoever fine-tunes it


def test_pre_training_starts_the_classifier_and_is_done_once(folder, tmp_path):
    recipe = changed(
        RECIPE,
        pretraining=PRETRAINING,
        epochs=1,
        learning_rate=0.0,
        vector_words=40,
    )
    preset = run(recipe, tmp_path / "run", folder)
    # What is there is read: no corpus is needed for it.
    pretraining = tmp_path / "run" / "pretraining"
    assert language_model.train(PRETRAINING, pretraining, "nowhere") == pretraining / "preset"
    pretrained = zoo.load(pretraining / "preset")
    model = zoo.load(preset)
    assert "the" in model.vocabulary.words  # which only the unlabelled reviews have
    places = [of.vocabulary.words.index("film") + 2 for of in (model, pretrained)]
    np.testing.assert_allclose(
        model.embedding.embeddings.numpy()[places[0]],
        pretrained.embedding.embeddings.numpy()[places[1]],
        rtol=1e-3,
    )
    for weight, expected in zip(model.encoder.weights, pretrained.encoder.weights, strict=True):
        np.testing.assert_allclose(weight.numpy(), expected.numpy(), rtol=1e-3, atol=1e-6)

    shared = pretraining.rename(tmp_path / "shared") / "preset"
    run(recipe, tmp_path / "run", folder, pretraining=shared)
    assert not pretraining.exists()
    with pytest.raises(ValueError, match="another configuration: seed=1 there and 2 here"):
        language_model.train(changed(PRETRAINING, seed=2), shared.parent)
    with pytest.raises(ValueError, match=r"of other settings: seed\."):
        run(changed(recipe, seed=2), tmp_path / "other", folder, pretraining=shared)
    with pytest.raises(ValueError, match=r"of other settings: .*negatives"):
        run(recipe, tmp_path / "other", folder, pretraining=preset)
    (tmp_path / "language_model.npz").touch()
    with pytest.raises(FileNotFoundError, match="former versions wrote: train it anew"):
        run(recipe, tmp_path / "other", folder, pretraining=tmp_path)
    path = shared / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"model\.weights\.h5 is damaged"):
        run(recipe, tmp_path / "other", folder, pretraining=shared)
    assert not (tmp_path / "other").exists()


class Perplexities(keras.callbacks.Callback):
    def __init__(self, stop_after=None):
        super().__init__()
        self.losses, self.values, self.stop_after = [], [], stop_after

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])
        self.values.append(logs["dev_perplexity"])
        if epoch == self.stop_after:
            raise KeyboardInterrupt


def test_the_language_model_learns_and_goes_on_where_it_stopped(folder, tmp_path):
    recipe = changed(PRETRAINING, epochs=8, learning_rate=0.03)
    whole, stopped = Perplexities(), Perplexities(stop_after=2)
    preset = language_model.train(recipe, tmp_path / "whole", folder, False, callbacks=[whole])
    arguments = (recipe, tmp_path / "stopped", folder, False)
    with pytest.raises(KeyboardInterrupt):
        language_model.train(*arguments, callbacks=[stopped])
    language_model.train(*arguments, callbacks=[stopped])
    assert len(stopped.values) == recipe.schedule.epochs
    assert stopped.values[-1] < 0.7 * stopped.values[0]
    np.testing.assert_allclose(stopped.losses, whole.losses, rtol=1e-3)

    # The lowest perplexity is the best one, and the preset that of its part.
    training = json.loads((preset / "config.json").read_text())["training"]
    assert training["epoch"] == 1 + np.argmin(whole.values)
    model = zoo.load(preset)
    _, dev_rows, _ = language_model.load_rows(recipe, folder, False)
    assert perplexity(model, dev_rows) == pytest.approx(min(whole.values), rel=1e-4)
    metrics = report.evaluate(preset, folder, verify=False)
    figures = metrics["splits"]["imdb_dev"]
    assert figures["perplexity"] == pytest.approx(min(whole.values), rel=1e-3)
    assert figures["words"] == sum(len(row) - 1 for row in dev_rows)
    assert metrics["parameters"] == model.count_params()
    report.write_report(preset, metrics, "zoo-train evaluate x")
    card = zoo.card(preset)
    assert f"| imdb_dev | {figures['texts']} |" in card
    assert "Maas et al. 2011" in card
    assert "## Speed" not in card  # which was not measured


def test_a_row_predicts_each_word_after_the_first_and_the_end():
    ids = [np.arange(2, 9, dtype=np.int32), np.array([5], np.int32), np.zeros(0, np.int32)]
    rows = cut_rows(ids, longest=4)
    assert [row.tolist() for row in rows] == [[2, 3, 4, 5, 6], [6, 7, 8, 0], [5, 0]]
    tokens, lengths = tf.constant([[2, 3, 4], [5, 0, 0]]), tf.constant([3, 2])
    inputs, targets = next_word(tokens, lengths)
    np.testing.assert_array_equal(inputs["tokens"], [[2, 3], [5, 0]])
    np.testing.assert_array_equal(inputs["lengths"], [2, 1])
    np.testing.assert_array_equal(targets, [3, 4, 0])


def test_a_large_sample_gives_the_whole_softmax():
    rng = np.random.default_rng(0)
    table, bias = rng.normal(size=(20, 4)), rng.normal(size=20)
    features, ids = rng.normal(size=(6, 4)), rng.integers(0, 20, 6)
    arguments = [tf.constant(a, tf.float32) for a in (features, table, bias)]
    uniform = tf.constant((np.arange(100_000) + 0.5) / 100_000, tf.float32)
    sampled = sampled_cross_entropy(
        arguments[0], tf.constant(ids, tf.int32), *arguments[1:], uniform
    )
    scores = features @ table.T + bias
    exact = np.log(np.exp(scores).sum(-1)) - scores[np.arange(6), ids]
    np.testing.assert_allclose(sampled, exact, rtol=1e-3)


def test_perplexity_of_an_even_model_is_the_size_of_its_vocabulary():
    words = WordVocabulary([f"w{i}" for i in range(48)])
    model = LanguageModel(words, embedding_units=4, units=4, dropout=0.0, negatives=4)
    model.projection.set_weights([np.zeros((4, 4)), np.zeros(4)])
    rows = [np.arange(n, dtype=np.int32) for n in (3, 9, 2)]
    assert math.isclose(perplexity(model, rows), 50, rel_tol=1e-5)
    # Once for all batches, and all parts of a run.
    assert math.isclose(perplexity(model, rows[:1]), 50, rel_tol=1e-5)
    assert model.token_losses.experimental_get_tracing_count() == 1


def test_corpus_words_are_the_vocabularys_ids():
    texts = ["Dull in 1990, dull in 2005.", "", "A dull DULL film"]
    corpus = CorpusWords()
    read = corpus.read(texts)
    words = corpus.frequent(read, min_count=2)
    assert words == ["dull", "0000", "in"]
    ids = corpus.ids(read, WordVocabulary(words))
    unknown = UNK_ID
    assert [row.tolist() for row in ids] == [
        [2, 4, 3, unknown, 2, 4, 3, unknown],
        [],
        [unknown, 2, 2, unknown],
    ]
    assert corpus.frequent(read, min_count=1, size=1) == ["dull"]


def test_long_texts_are_cut_as_the_model_cuts_them():
    assert sentiment.cut(np.arange(10), 5).tolist() == [0, 1, 2, 8, 9]
    assert sentiment.cut(np.arange(5), 5).tolist() == [0, 1, 2, 3, 4]
    assert sentiment.cut(np.arange(3), 1).tolist() == [0]


def test_word_dropout_makes_its_share_unknown():
    texts = [np.full(n, 7, np.int32) for n in (4000, 0, 6000)]
    dropped = sentiment.drop_words(texts, 0.2, np.random.default_rng(0))
    assert [len(text) for text in dropped] == [4000, 0, 6000]
    flat = np.concatenate(dropped)
    assert flat.dtype == np.int32
    assert np.mean(flat == PAD_ID) == 0
    assert np.mean(flat == UNK_ID) == pytest.approx(0.2, abs=0.02)
