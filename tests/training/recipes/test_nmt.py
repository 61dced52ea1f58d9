"""The translation recipe from corpus to preset: what it writes, and that it writes it twice."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

import zoo
from tests import corpus
from tests.training.recipes.small_run import RECIPE, as_recorded, write_multi30k
from zoo.models.doubt import DoubtThresholds
from zoo.training import recipes
from zoo.training.__main__ import main
from zoo.training.loop.checkpoint import Checkpoint
from zoo.training.loop.runs import KeepBest
from zoo.training.loop.schedule import changed
from zoo.training.recipes import nmt
from zoo.weights import load_weights

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def corpus_folder(tmp_path_factory):
    return write_multi30k(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, corpus_folder):
    """The folder of a run that nothing disturbed, and its losses."""
    out = tmp_path_factory.mktemp("whole") / "run"
    history = Losses()
    preset = nmt.train(
        RECIPE, out, corpus_folder, verify=False, command="zoo-train x", callbacks=[history]
    )
    assert preset == out / "preset"
    return out, history.losses


class Losses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.losses = {}

    def on_epoch_end(self, epoch, logs=None):
        self.losses[epoch] = logs["loss"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def weights_of(folder, epoch):
    model = zoo.load(folder / "preset")
    load_weights(model, folder / f"checkpoint-{epoch}.weights.h5")
    return [keras.ops.convert_to_numpy(weight) for weight in model.weights]


def test_a_run_leaves_a_preset_logs_and_the_last_checkpoint(whole):
    out, losses = whole
    assert names(out) == ["checkpoint-3.weights.h5", "checkpoint.json", "logs", "preset"]
    assert list((out / "logs").rglob("events.out.tfevents.*"))
    assert losses[2] < losses[0]
    training = json.loads((out / "preset" / "config.json").read_text())["training"]
    assert training["command"] == "zoo-train x"
    assert training["recipe"] == as_recorded(RECIPE)
    assert 1 <= training["epoch"] <= 3
    texts = ["A dog runs.", "A boy sleeps at home."]
    model = zoo.load(out / "preset")
    assert all(isinstance(text, str) for text in model.translate(texts))
    own = {"cell": "gru", "doubt": DoubtThresholds()._asdict()}
    assert model.get_config() == {**RECIPE.network, **own}


def test_the_logs_hold_the_curves_a_person_looks_at(whole):
    events = next((whole[0] / "logs").rglob("events.out.tfevents.*"))
    tags = {
        value.tag
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    assert {"epoch_loss", "epoch_dev_bleu", "epoch_token_accuracy"} <= tags


def arguments_of(out, corpus_folder):
    return ["nmt_attention", "--out", str(out), "--data-dir", str(corpus_folder), "--any-data"]


def start(out, corpus_folder):
    with open(out.with_suffix(".log"), "wb") as log:
        return subprocess.Popen(
            [
                sys.executable,
                Path(__file__).with_name("small_run.py"),
                *arguments_of(out, corpus_folder),
            ],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=log,
            stderr=log,
        )


def kill_when(condition, process, log):
    """SIGKILL as soon as the condition holds."""
    end = time.monotonic() + 180
    while not condition():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.001)
    process.kill()
    assert process.wait() == -signal.SIGKILL


def assert_whole(out):
    """A preset and a checkpoint are there and load, or are not there."""
    if (out / "preset").exists():
        zoo.load(out / "preset")
    if (out / "checkpoint.json").exists():
        weights_of(out, json.loads((out / "checkpoint.json").read_text())["epoch"])


def test_a_run_killed_at_any_moment_goes_on_to_the_same_weights(
    whole, corpus_folder, tmp_path, monkeypatch
):
    """The real command, killed while it writes or at a random moment of the second epoch."""
    out, log, delay = tmp_path / "run", tmp_path / "run.log", random.uniform(0, 0.15)

    def in_the_second_epoch():
        if (out / "checkpoint.json").exists():
            time.sleep(delay)
            return True
        return False

    moments = {
        "the first preset is written": lambda: any(out.glob(".preset.*")),
        "the second epoch is written": lambda: any(out.glob("partial-checkpoint-2.*")),
        "the second epoch": in_the_second_epoch,
    }
    moment = random.choice(list(moments))
    kill_when(moments[moment], start(out, corpus_folder), log)
    assert_whole(out)

    # It goes on in another process: this one.
    monkeypatch.setitem(nmt.RECIPES, "nmt_attention", RECIPE)
    done = CliRunner().invoke(main, arguments_of(out, corpus_folder))
    assert done.exit_code == 0, (moment, done.output)
    assert f"zoo-train evaluate {out / 'preset'}" in done.output
    assert names(out) == ["checkpoint-3.weights.h5", "checkpoint.json", "logs", "preset"]
    assert_whole(out)
    for weight, expected in zip(weights_of(out, 3), weights_of(whole[0], 3), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-3, atol=1e-4, err_msg=moment)


def test_a_finished_run_is_left_alone(whole, corpus_folder):
    out = whole[0]
    before = {path: path.read_bytes() for path in out.rglob("*.*") if "events" not in path.name}
    losses = Losses()
    preset = nmt.train(RECIPE, out, corpus_folder, verify=False, callbacks=[losses])
    assert preset == out / "preset"
    assert not losses.losses
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_folder_of_another_recipe_is_refused_untouched(whole, corpus_folder):
    out = whole[0]
    before = (out / "checkpoint.json").read_bytes(), names(out)
    other = changed(RECIPE, seed=2, batch_size=16)
    with pytest.raises(ValueError, match="batch_size=8 there and 16 here, seed=1 there and 2 here"):
        nmt.train(other, out, corpus_folder, verify=False)
    assert ((out / "checkpoint.json").read_bytes(), names(out)) == before


def test_mixed_bfloat16_trains_and_keeps_float32_weights(corpus_folder, tmp_path):
    recipe = changed(RECIPE, precision="mixed_bfloat16", epochs=1)
    losses = Losses()
    preset = nmt.train(recipe, tmp_path, corpus_folder, verify=False, callbacks=[losses])
    assert keras.config.dtype_policy().name == "float32"  # as before the run
    assert np.isfinite(losses.losses[0])
    model = zoo.load(preset)
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}


def test_every_preset_has_a_recipe_and_unknown_names_are_told():
    assert [recipes.recipe(name).name for name in zoo.list_models()] == zoo.list_models()
    with pytest.raises(ValueError, match=r"Did you mean 'nmt_attention'.*'nmt_atention'"):
        recipes.recipe("nmt_atention")
    with pytest.raises(
        ValueError,
        match=r"no recipe\. Recipes: forecast, language_model, language_model_imdb, .*nmt_vanilla",
    ):
        recipes.recipe("zzz")


def test_the_best_epoch_is_kept_and_kept_again_if_it_went_missing(tokenizer, tmp_path):
    model = corpus.tiny_attention(tokenizer)
    model.compile(keras.optimizers.Adam(use_ema=True), loss="mse")
    model.optimizer.build(model.trainable_variables)
    preset = tmp_path / "preset"
    keep = KeepBest(
        Checkpoint(tmp_path / "run", {}), preset, lambda _: scores.pop(0), "bleu", None, {}
    )
    keep.set_model(model)
    kept = []
    scores = [0.0, 3.0, 2.0, 3.0, 1.0]
    for epoch in range(5):
        if epoch == 4:  # killed between the two renames that replace a preset
            shutil.rmtree(preset)
        logs = {}
        keep.on_epoch_end(epoch, logs)
        kept.append(json.loads((preset / "config.json").read_text())["training"]["epoch"])
    assert kept == [1, 2, 2, 2, 5]
    assert logs["dev_bleu"] == 1.0
