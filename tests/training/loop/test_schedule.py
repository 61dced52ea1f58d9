"""Recipes with a schedule: changed by a field's name, recorded flat, read in both forms."""

import json

import pytest

from zoo.training.loop.checkpoint import Checkpoint
from zoo.training.loop.schedule import changed, comparable, recorded
from zoo.training.recipes import ner

RECIPE = ner.RECIPES["ner_open"]


def test_a_field_of_the_schedule_is_changed_like_one_of_the_recipe():
    other = changed(RECIPE, seed=7, epochs=3, precision="mixed_bfloat16")
    assert (other.seed, other.schedule.epochs, other.schedule.precision) == (7, 3, "mixed_bfloat16")
    assert changed(other, seed=1, epochs=20, precision="float32") == RECIPE
    assert changed(RECIPE, schedule=other.schedule, batch_size=5).schedule.batch_size == 5
    with pytest.raises(ValueError, match="--label-smoothing means nothing to the recipe ner_open"):
        changed(RECIPE, label_smoothing=0.1)


def test_recorded_values_are_flat_and_the_nested_form_is_read_too():
    flat = recorded(RECIPE)
    assert flat["epochs"] == 20
    assert flat["corpora"] == ("wnut17", "btc")
    assert "schedule" not in flat
    schedule = {name: flat[name] for name in ("epochs", "batch_size")}
    outer = {name: value for name, value in flat.items() if name not in schedule}
    assert recorded({**outer, "schedule": schedule}) == flat
    assert recorded(flat) == flat


def test_a_checkpoint_of_the_nested_form_goes_on(tmp_path):
    nested = {"name": "x", "seed": 1, "schedule": {"epochs": 2, "batch_size": 8}}
    state = {"epoch": 1, "best": 2.0, "seeds": [], "recipe": nested}
    (tmp_path / "checkpoint.json").write_text(json.dumps(state))
    flat = {"name": "x", "seed": 1, "epochs": 5, "batch_size": 8}
    assert Checkpoint(tmp_path, flat).read()["epoch"] == 1
    with pytest.raises(ValueError, match="batch_size=8 there and 4 here"):
        Checkpoint(tmp_path, {**flat, "batch_size": 4}).read()


def test_a_run_of_a_model_by_its_former_name_goes_on(tmp_path):
    state = {"epoch": 1, "best": 2.0, "seeds": [], "recipe": {"model": "sentiment", "seed": 1}}
    (tmp_path / "checkpoint.json").write_text(json.dumps(state))
    assert Checkpoint(tmp_path, {"model": "text_classifier", "seed": 1}).read()["epoch"] == 1
    assert (
        comparable({"model": "of_a_package_that_is_gone"})["model"] == "of_a_package_that_is_gone"
    )
