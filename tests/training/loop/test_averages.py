"""The mean of presets: its weights, what is recorded, and what cannot be averaged."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import zoo
from tests.zoo.models.tiny_captioners import captioner
from zoo.models import ShowAndTell
from zoo.training.__main__ import main
from zoo.training.loop.averages import average

TRAINING = {"command": "zoo-train x", "recipe": {"name": "show_and_tell", "seed": 1}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    out, models = tmp_path_factory.mktemp("presets"), [captioner(ShowAndTell) for _ in range(2)]
    return [
        zoo.save(model, out / str(number), half=False, training={**TRAINING, "epoch": number})
        for number, model in enumerate(models)
    ]


def test_the_weights_are_the_mean_and_all_are_told(folders, tmp_path):
    out = tmp_path / "mean"
    arguments = ["average", *map(str, folders), "--out", str(out)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    first, second, mean = (zoo.load(folder).get_weights() for folder in (*folders, out))
    for one, other, of_both in zip(first, second, mean, strict=True):
        np.testing.assert_allclose(of_both, (one + other) / 2, rtol=1e-3, atol=1e-4)
    training = json.loads((out / "config.json").read_text())["training"]
    assert training["epoch"] == 1
    assert [of["epoch"] for of in training["averaged"]] == [0, 1]


def test_other_networks_have_no_mean(folders, tmp_path):
    other = zoo.save(captioner(ShowAndTell, units=8), tmp_path / "other")
    with pytest.raises(ValueError, match="whose arguments are not those of"):
        average([other, folders[0]], tmp_path / "out")
    with pytest.raises(ValueError, match="`folders` must be two or more"):
        average(folders[:1], tmp_path / "out")
    assert not (tmp_path / "out").exists()
