"""BLEU by source length: one line for each model, from metrics.json alone."""

import json

import pytest

from zoo.training.experiments.plots import plot_bleu_by_source_length


def write(path, model, scores, counts=(5, 0, 9)):
    buckets = [
        {"from": first, "to": last, "sentences": n, "mean_words": None, "bleu": bleu if n else None}
        for first, last, n, bleu in zip((0, 8, 10), (7, 9, None), counts, scores, strict=True)
    ]
    measured = {"splits": ["test_2016_flickr"], "buckets": buckets}
    path.write_text(json.dumps({"model": model, "splits": {}, "bleu_by_source_length": measured}))
    return path


@pytest.fixture
def files(tmp_path):
    return [
        write(tmp_path / "attention.json", "nmt_attention", [41.0, 40.0, 39.0]),
        write(tmp_path / "vanilla.json", "nmt_vanilla", [35.0, 30.0, 20.0]),
    ]


def test_each_model_is_a_line_over_the_buckets_that_hold_sentences(files, tmp_path):
    figure = plot_bleu_by_source_length(files, tmp_path / "lengths.png")
    (axes,) = figure.axes
    lines = {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()}
    assert lines == {"nmt_attention": [41.0, 39.0], "nmt_vanilla": [35.0, 20.0]}
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "up to 7\n5 sentences",
        "10 and more\n9 sentences",
    ]
    assert "test_2016_flickr" in axes.get_title()
    assert (tmp_path / "lengths.png").read_bytes().startswith(b"\x89PNG")


def test_models_measured_on_different_sentences_are_not_compared(files, tmp_path):
    other = write(tmp_path / "other.json", "nmt_vanilla", [1.0, 2.0, 3.0], counts=(5, 1, 8))
    with pytest.raises(ValueError, match=r"same splits and lengths.*other\.json"):
        plot_bleu_by_source_length([files[0], other], tmp_path / "lengths.png")
    assert not (tmp_path / "lengths.png").exists()


def test_bad_arguments_are_named(files, tmp_path):
    with pytest.raises(ValueError, match=r"at least one file\. Received: metrics_files=\[\]"):
        plot_bleu_by_source_length([], tmp_path / "lengths.png")
    with pytest.raises(ValueError, match="`metrics_files` must be a list"):
        plot_bleu_by_source_length(files[0], tmp_path / "lengths.png")
    with pytest.raises(FileNotFoundError, match=r"none\.json does not exist"):
        plot_bleu_by_source_length([tmp_path / "none.json"], tmp_path / "lengths.png")
    with pytest.raises(ValueError, match="must end with"):
        plot_bleu_by_source_length(files, tmp_path / "lengths.jpeg")
