"""Training with the state carried on: what is learnt, what is cut off, and that a run goes on."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.training.recipes.made_up_ptb import LINES, write_ptb
from zoo.models import LanguageModel
from zoo.text.vocabulary import WordVocabulary
from zoo.training.evaluation import report
from zoo.training.loop.aligned_batches import AlignedText
from zoo.training.loop.runs import decaying_sgd
from zoo.training.loop.schedule import Schedule, changed
from zoo.training.loop.truncated_bptt import TruncatedBPTT
from zoo.training.metrics.perplexity import stream_perplexity
from zoo.training.recipes import language_model_ptb

TINY = {"embedding_units": 12, "units": [16, 12]}
DROPPED = ["dropout", "input_dropout", "output_dropout", "word_dropout", "drop_connect"]
RECIPE = changed(
    language_model_ptb.RECIPES["language_model"],
    network={
        **language_model_ptb.RECIPES["language_model"].network,
        **TINY,
        **dict.fromkeys(DROPPED, 0.1),
    },
    steps=5,
    epochs=2,
    batch_size=4,
    learning_rate=0.1,
    clip_norm=1.0,
    warmup_steps=2,
    average_momentum=0.5,
)


class Killed(BaseException):
    """Nothing of ours catches it, as nothing catches a kill."""


class KillAt(keras.callbacks.Callback):
    """Kills at a batch of an epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.place, self.epoch = (epoch, batch), None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            raise Killed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_ptb(tmp_path_factory.mktemp("ptb"))


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    """The folder of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    language_model_ptb.train(RECIPE, out, folder, verify=False, command="zoo-train x")
    return out


def test_a_run_learns_and_is_measured(whole, folder):
    preset = whole / "preset"
    state = json.loads((whole / "checkpoint.json").read_text())
    model = zoo.load(preset)
    assert model.vocabulary.size == 16  # 14 words, the end of a line and the unknown word
    assert model.vocabulary.words[0] == "N"
    metrics = report.evaluate(preset, folder, verify=False)
    for name, split in (("valid", "ptb_validation"), ("test", "ptb_test")):
        assert metrics["splits"][split]["words"] == sum(len(line) + 1 for line in LINES[name])
    dev = metrics["splits"]["ptb_validation"]["perplexity"]
    assert dev < 8  # of 16 when nothing is known
    # Read in many rows at once, as training does, it is nearly the same.
    assert state["best"] == pytest.approx(dev, rel=0.2)
    report.write_report(preset, metrics, "zoo-train evaluate x")
    card = zoo.card(preset)
    assert "Not for commercial use" in card
    assert "| **this one** | **" in card
    # What a user types is read as the corpus is: numbers alike, without marks, after a line's end.
    ids = model.ids_of(tf.constant(["Ford, said: it rose 3.5 %!", "IBM will n't say"])).to_list()
    words = ["", "<unk>", *model.vocabulary.words]
    assert [words[i] for i in ids[0]] == ["", "ford", "said", "it", "rose", "N", "%"]
    assert [words[i] for i in ids[1]] == ["", "ibm", "will", "n't", "say"]


def test_a_run_that_is_killed_goes_on_to_the_same_weights(whole, folder, tmp_path, monkeypatch):
    """Killed in the midst of the second epoch, a batch after the last checkpoint."""
    monkeypatch.setattr(language_model_ptb, "SAVE_EVERY", 5)
    with pytest.raises(Killed):
        language_model_ptb.train(RECIPE, tmp_path, folder, False, callbacks=[KillAt(1, 5)])
    state = json.loads((tmp_path / "checkpoint.json").read_text())
    assert (state["epoch"], state["step"]) == (1, 5)
    language_model_ptb.train(RECIPE, tmp_path, folder, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in whole.iterdir()
    )
    one, other = zoo.load(tmp_path / "preset"), zoo.load(whole / "preset")
    for weight, expected in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.fixture(scope="module")
def model():
    """Untrained, and without dropout."""
    keras.utils.set_random_seed(2)
    words = WordVocabulary(list("abcdefgh"))
    return LanguageModel(words, dropout=0.0, negatives=0, projection=False, after_end=True, **TINY)


IDS = np.random.default_rng(0).integers(0, 10, 45).astype(np.int32)


def test_the_state_is_carried_without_its_gradient(model):
    """Two batches through `fit` are one long row, but for the gradient from one to the other."""
    text = AlignedText(IDS, rows=3, steps=8)
    trainer = TruncatedBPTT(model, rows=3)
    trainer.compile(keras.optimizers.SGD(0.0))
    assert [variable.shape for variable in trainer.carried] == [(3, 16), (3, 16), (3, 12), (3, 12)]
    history = trainer.fit(text.dataset([1, 2]), steps_per_epoch=2, epochs=2, verbose=0).history
    tokens, targets = (
        np.concatenate(of, axis=1) for of in list(zip(*text.epoch(1), strict=True))[:2]
    )
    lengths = np.full(3, text.length, np.int32)
    losses, state = model.known_words(tokens, targets, lengths, model.start_state(3))
    # The second epoch starts anew: its loss is the same.
    np.testing.assert_allclose(history["loss"], [tf.reduce_mean(losses)] * 2, rtol=1e-5)
    np.testing.assert_allclose(history["perplexity"][1], math.exp(history["loss"][1]), rtol=1e-5)
    for carried, expected in zip(trainer.carried, tf.nest.flatten(state.cells), strict=True):
        np.testing.assert_allclose(carried, expected, rtol=1e-4, atol=1e-6)

    # The gradient of the second batch, from a state that is a constant.
    first, second = text.epoch(1)
    _, state = model.read(first[0], None)
    with tf.GradientTape() as tape:
        outputs, _ = model.read(second[0], state)
        features = model.features(tf.reshape(outputs, [-1, outputs.shape[-1]]))
        loss = tf.reduce_mean(model.token_loss(features, tf.reshape(second[1], [-1])))
    expected = [tf.convert_to_tensor(g) for g in tape.gradient(loss, model.trainable_variables)]
    trainer.compile(keras.optimizers.SGD(1.0))
    weights = model.get_weights()
    trained = [weight.numpy() for weight in model.trainable_variables]
    for carried, value in zip(trainer.carried, tf.nest.flatten(state), strict=True):
        carried.assign(value)
    inputs = {"tokens": tf.constant(second[0]), "fresh": tf.constant(second[2])}
    trainer.train_step((inputs, tf.constant(second[1])))
    for before, weight, gradient in zip(trained, model.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(before - weight.numpy(), gradient, atol=1e-5)
    model.set_weights(weights)


def test_perplexity_is_that_of_the_words_one_by_one(model):
    state, total, before = model.start_state(1), 0.0, 0
    for word in IDS:
        logits, state = model.next_word(state, tf.constant([before]))
        total -= float(tf.nn.log_softmax(logits)[0, word])
        before = word
    assert stream_perplexity(model, IDS) == pytest.approx(math.exp(total / len(IDS)), rel=1e-4)
    # Many rows start without their past, and still no word is left out.
    assert stream_perplexity(model, IDS, rows=7) == pytest.approx(
        stream_perplexity(model, IDS), rel=0.05
    )


def test_the_small_recipe_is_the_papers():
    recipe = language_model_ptb.RECIPES["language_model_zaremba_small"]
    vocabulary = WordVocabulary(["N", *map(str, range(100, 9_000))])
    keras.utils.set_random_seed(1)
    model = language_model_ptb.new_model(recipe, vocabulary)
    # Embedding and output matrix, two layers of 4 gates with their biases, the output's bias.
    size = vocabulary.size
    assert model.count_params() == 2 * size * 200 + 2 * (400 * 800 + 800) + size
    scales = [np.abs(weight).max() for weight in model.get_weights() if weight.dtype == np.float32]
    assert max(scales) == pytest.approx(0.1, rel=1e-3)
    optimizer = language_model_ptb.optimizer_of(recipe, steps=10)
    rates = [float(optimizer._learning_rate(step)) for step in (0, 39, 40, 49, 50, 129)]
    np.testing.assert_allclose(rates, [20, 20, 10, 10, 5, 20 / 2**9], rtol=1e-6)


def test_few_epochs_keep_the_whole_rate():
    schedule = Schedule(epochs=3, learning_rate=2.0)
    assert float(decaying_sgd(schedule, 10, full_epochs=4, decay=0.5).learning_rate) == 2.0


def test_what_is_missing_is_told_and_writes_nothing(tmp_path):
    for data_dir in (None, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"ptb\.train\.txt"):
            language_model_ptb.train(RECIPE, tmp_path / "run", data_dir)
    assert not list(tmp_path.iterdir())
