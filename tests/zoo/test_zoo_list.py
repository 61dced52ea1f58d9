"""`zoo list` and `zoo.list_models`: what ships, what it does, how well, and under what terms."""

import json

import pytest
from click.testing import CliRunner

import zoo
import zoo.presets
from zoo.__main__ import main
from zoo.shipped import Score, shipped


def run(*arguments):
    return CliRunner().invoke(main, ["list", *arguments], env={"COLUMNS": "140"})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of presets to list; gives a function that puts one there."""
    monkeypatch.setattr(zoo.presets, "PRESETS_DIR", tmp_path)

    def put(name, splits=None, **fields):
        preset = tmp_path / name
        preset.mkdir()
        config = {"model": "m", "config": {}, "files": {"model.weights.h5": ""}, **fields}
        (preset / "config.json").write_text(json.dumps(config))
        (preset / "model.weights.h5").write_bytes(b"0" * 1_500_000)
        if splits is not None:
            (preset / "metrics.json").write_text(json.dumps({"splits": splits}))
        return preset

    return put


TASKS = ("caption", "classify", "complete", "forecast", "tag", "translate")


def test_every_preset_that_ships_says_all_there_is():
    names = zoo.list_models()
    for name in names:
        preset = shipped(name)
        assert preset.task in TASKS
        assert all(len(language) == 2 for language in preset.languages)
        assert len(preset.languages) == {"forecast": 0, "translate": 2}.get(preset.task, 1)
        assert preset.licence
        assert preset.megabytes > 0.01
        assert "train" not in preset.score.split
        assert "dev" not in preset.score.split
        if preset.task == "complete":  # how many words it wavers among: less is better
            assert 20 < preset.score.value < 150
            continue
        # Captions: BLEU-4 of one text for five of a picture is low for people, too.
        # Forecasts: the skill is 0 of one that is no better than saying last year's again.
        least = {"caption": 10, "forecast": 0}.get(preset.task, 20)
        assert least < preset.score.value < 100
    table = run().stdout
    for name in names:
        assert f"\n{name} " in table
        score = shipped(name).score
        assert f"{score.metric} {score.value:.1f} ({score.split})" in table


def test_the_task_is_that_of_the_class():
    from zoo.drawing.answers import OPTIONS
    from zoo.presets import read_config

    for name in zoo.list_models():
        config = read_config(name)
        assert config["task"] == OPTIONS[config["model"]][0]


def test_some_of_them_by_task_and_language():
    assert zoo.list_models(task="translate", language="de") == ["nmt_attention", "nmt_vanilla"]
    english = zoo.list_models("classify", "en")
    assert english
    wordless = set(zoo.list_models("forecast"))
    assert set(english) < set(zoo.list_models(language="en")) == set(zoo.list_models()) - wordless
    listed = run("--task", "classify", "--language", "en", "--json").stdout.splitlines()
    rows = [json.loads(line) for line in listed]
    assert [row["name"] for row in rows] == english
    assert {row["task"] for row in rows} == {"classify"}
    assert rows[0]["score"].keys() == {"metric", "value", "split"}


def test_what_no_preset_does_is_refused():
    with pytest.raises(ValueError, match=r"`task` must be one of .*Did you mean 'translate'"):
        zoo.list_models(task="translation")
    with pytest.raises(ValueError, match=r"`language` must be one of de, en.*language='fr'"):
        zoo.list_models(language="fr")
    result = run("--task", "classfy")
    assert result.exit_code == 1
    assert "Did you mean 'classify'" in result.output


def test_the_score_is_of_the_test_set(folder):
    f1 = {"f1": 80.0, "types": {"PER": {"f1": 1.0}}}
    folder("dev_and_test", {"x_validation": {"f1": 90}, "x_test": f1, "y_test": {"f1": 70}})
    folder("last_split", {"x_dev": {"accuracy": 1.0}, "x_validation": {"accuracy": 2.0}})
    folder("nested", {"test_2016": {"bleu": {"score": 37.6, "signature": "s"}}})
    folder("other", {"test": {"cider": 90.0}})
    folder("none")
    assert shipped("dev_and_test").score == Score("F1", 80.0, "x_test")
    assert shipped("last_split").score == Score("accuracy", 2.0, "x_validation")
    assert shipped("nested").score == Score("BLEU", 37.6, "test_2016")
    assert shipped("other").score is None
    assert shipped("none").score is None
    assert run().stdout.count("not measured") == 2
    assert "1.5 MB" in run().stdout


def test_one_that_is_damaged_is_told_among_the_others(folder):
    folder("whole", task="tag")
    (folder("torn") / "metrics.json").write_text("{")
    folder("odd", splits=[])
    listed = run()
    assert listed.exit_code == 0
    assert listed.stderr.count("metrics.json is damaged: ") == 2
    assert all(name in listed.stdout for name in ("whole", "torn", "odd"))
    errors = [json.loads(line).get("error", "") for line in run("--json").stdout.splitlines()]
    assert ["metrics.json is damaged" in error for error in errors] == [True, True, False]
