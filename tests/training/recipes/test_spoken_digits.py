"""The recipe of `spoken_digits` on made-up digits: trained, kept, measured beside a linear one."""

import numpy as np
import pytest

import zoo
from tests.training.recipes.made_up_digits import write_folder
from zoo.training import recipes
from zoo.training.corpora.fsdd import load_fsdd
from zoo.training.evaluation import recordings
from zoo.training.evaluation.report import evaluate, write_report
from zoo.training.loop.schedule import changed
from zoo.training.recipes import spoken_digits

RECIPE = recipes.recipe("spoken_digits")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("digits") / "fsdd")


@pytest.fixture(scope="module")
def preset(folder, tmp_path_factory):
    network = {**RECIPE.network, "bands": 10, "units": 3, "attention_units": 3}
    recipe = changed(RECIPE, epochs=1, network=network, without_speaker="theo")
    return recipes.train(recipe, tmp_path_factory.mktemp("run"), folder, verify=False)


def test_it_is_measured_beside_a_linear_one_and_by_speaker(preset, folder):
    metrics = evaluate(preset, folder, ["fsdd_test"], verify=False)
    figures = metrics["splits"]["fsdd_test"]
    assert figures["recordings"] == 20
    assert figures["published_data"] is False
    model, spoken = zoo.load(preset), load_fsdd(folder, "test", False)
    answers = [answer.label for answer in model.classify(spoken.audio)]
    right = np.array(answers) == np.array(spoken.labels)
    assert figures["accuracy"] == pytest.approx(100 * right.mean(), abs=0.01)
    theo = np.array(spoken.speakers) == "theo"
    by_speaker = figures["methods"]["model"]["by_speaker"]
    assert by_speaker["theo"] == pytest.approx(100 * right[theo].mean(), abs=0.01)
    # Each digit is a band: the linear one, which knew one of the two speakers, hears that.
    linear = figures["methods"]["linear"]["by_speaker"]
    assert linear["george"] >= 50
    assert linear["theo"] >= 30
    write_report(preset, metrics, "zoo-train evaluate")
    card = zoo.card(preset)
    assert f"| fsdd_test | BiLSTM | 20 | {figures['accuracy']:.2f} |" in card
    assert "Neither was trained on theo" in card
    assert "recordings a second" in card


def test_who_is_left_out_is_not_trained_on(folder):
    spoken = load_fsdd(folder, "train", False)
    kept = spoken_digits._without(spoken, "theo")
    assert {*kept.speakers} == {"george"}
    assert len(kept.audio) == len(spoken.audio) // 2
    with pytest.raises(ValueError, match=r"must be one of george, theo.*without_speaker='lucas'"):
        spoken_digits._without(spoken, "lucas")


def test_recordings_are_drawn_by_seed_and_epoch_alone():
    wave = np.sin(np.arange(800) / 3).astype(np.float32)

    def drawn(*seed):
        return spoken_digits.drawn(wave, np.random.default_rng(seed), RECIPE, 8000)

    np.testing.assert_array_equal(drawn(1, 2), drawn(1, 2))
    lengths = {len(drawn(1, epoch)) for epoch in range(30)}
    assert len(lengths) > 20
    assert min(lengths) >= 800 / 1.15 - 2
    assert max(lengths) <= 800 / 0.85 + 2 * 0.3 * 8000
    calm = changed(RECIPE, speed=0.0, silence=0.0, noise=(90.0, 90.0))
    same = spoken_digits.drawn(wave, np.random.default_rng(0), calm, 8000)
    np.testing.assert_allclose(same, wave[:-1], atol=1e-3)


def test_what_the_linear_one_knows_has_no_order(preset, folder):
    model, audio = zoo.load(preset), load_fsdd(folder, "dev", False).audio[:3]
    found = recordings.features(model, audio)
    assert found.shape == (3, 20)
    frames = model.listen(audio[1]).frames
    expected = np.concatenate([frames.mean(0), frames.std(0)])
    np.testing.assert_allclose(found[1], expected, atol=1e-4)
