"""Windows of words beside a network: a longer one foretells better, and the picture shows it."""

import keras
import pytest
from click.testing import CliRunner

import zoo
from tests.training.recipes.made_up_ptb import write_ptb
from zoo.models import LanguageModel
from zoo.text.vocabulary import WordVocabulary
from zoo.training.__main__ import main
from zoo.training.corpora.running_text import frequent_words, load_ptb, stream
from zoo.training.experiments.windows import compare_windows, plot_windows, windows_table
from zoo.training.metrics.perplexity import stream_perplexity


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_ptb(tmp_path_factory.mktemp("ptb"))


def new_model(words):
    keras.utils.set_random_seed(1)
    return LanguageModel(WordVocabulary(words), 4, 4, projection=False, after_end=True)


def test_a_window_helps_and_a_network_is_beside_it(folder, tmp_path):
    words = frequent_words(load_ptb(folder, "train", verify=False))
    model = new_model(words)
    result = compare_windows(folder, "validation", False, model, orders=(1, 2, 3))
    one, two, three = (of["perplexity"] for of in result["orders"].values())
    assert one > 1.5 * two > 1.5 * three
    dev = load_ptb(folder, "validation", verify=False)
    assert result["network"] == pytest.approx(stream_perplexity(model, stream(dev, words)))
    assert result["words"] == dev.tokens
    assert f"| 2 | {three:.1f} |" in windows_table(result)
    (axes,) = plot_windows(result, tmp_path / "windows.svg").axes
    curve, line = axes.get_lines()
    assert list(curve.get_ydata()) == [one, two, three]
    assert set(line.get_ydata()) == {result["network"]}
    assert (tmp_path / "windows.svg").read_text().startswith("<?xml")


def test_the_command_prints_a_table_and_tells_what_cannot_be(folder, tmp_path):
    arguments = ["compare-windows", "--data-dir", str(folder)]
    result = CliRunner().invoke(main, [*arguments, "--any-data"])
    assert "| 4 | " in result.output
    assert "by a network" not in result.output
    other = zoo.save(new_model(["other", "words"]), tmp_path / "other")
    result = CliRunner().invoke(main, [*arguments, "--any-data", "--model", str(other)])
    assert result.exit_code == 1
    assert "The model must have the words of the Penn Treebank" in result.output
    for more, message in (
        ([], "is not the published corpus"),
        (["--plot", "windows.bmp"], "must end with .png"),
    ):
        result = CliRunner().invoke(main, [*arguments, *more])
        assert result.exit_code == 1
        assert message in result.output
