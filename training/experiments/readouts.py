"""Is average pooling silly? The lecture's three read-outs under equal conditions.

The last relevant output, the average of all outputs, and their mean weighted by attention: the same
network, data, schedule and number of runs for each; only the read-out differs (attention has a
small hidden layer more). Accuracy is that of IMDB's test split, whole and by length of the review.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

import zoo
from zoo.drawing.plotting import save_figure
from zoo.files import write_atomically
from zoo.models.text_classifier import READOUTS
from zoo.training.evaluation import classification
from zoo.training.evaluation.base import markdown_table
from zoo.training.evaluation.card import bucket_label
from zoo.training.experiments.comparison import plus_minus, spread
from zoo.training.loop.schedule import changed, recorded
from zoo.training.recipes import sentiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPLIT = "imdb_test"
SEEDS = (1, 2, 3)
# Nine runs shall take an hour, so it is `sentiment_labelled` in one direction, with shorter word
# vectors and fewer epochs. Of a long review the same tokens are read in training and in the test:
# else the last output alone would have to stand for longer sequences than it has ever met.
LONGEST = 400
RECIPE = changed(
    sentiment.RECIPES["sentiment_labelled"],
    name="readouts",
    train_tokens=LONGEST,
    network={
        **sentiment.RECIPES["sentiment_labelled"].network,
        "bidirectional": False,
        "embedding_units": 50,
        "max_tokens": LONGEST,
    },
    epochs=4,
)
RESULT, RUN = "readouts.json", "result.json"


def compare_readouts(
    out: str | Path,
    data_dir: str | Path | None = None,
    verify: bool = True,
    word_vectors: str | Path | None = None,
    recipe: sentiment.Recipe = RECIPE,
    seeds: Sequence[int] = SEEDS,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, Any]:
    """Trains and measures each read-out with each seed; stopped at any moment, it can go on.

    Args:
        out: A folder; each run gets one of its own there, and `readouts.json` has the result.
        data_dir: A folder with IMDB; None downloads it.
        verify: Whether the data must be the published corpus.
        word_vectors: A file or folder with word vectors; None downloads GloVe.
        recipe: What all runs have in common.
        seeds: One run of each read-out for each.
        callbacks: Further Keras callbacks of the runs.

    Returns:
        Plain values: the common `recipe`, the `seeds`, and under `readouts` for each read-out the
        accuracy in percent on the test split and by length of the review, each as `{"mean",
        "deviation"}` over the seeds (`comparison.spread`); lengths that no
        review has lack both.

    Raises:
        ValueError: `out` holds runs of another recipe.
    """
    out = Path(out)
    common = json.loads(json.dumps(recorded(recipe)))
    result = {"split": SPLIT, "seeds": list(seeds), "recipe": common, "readouts": {}}
    # One seed of all read-outs after the other: a comparison that is stopped compares something.
    measured = {readout: [] for readout in READOUTS}
    for seed in seeds:
        for readout in READOUTS:
            one = changed(recipe, seed=seed, network={**recipe.network, "readout": readout})
            folder = out / f"{readout}-{seed}"
            preset = sentiment.train(
                one, folder, data_dir, verify, callbacks=callbacks, word_vectors=word_vectors
            )
            measured[readout].append(_measured(folder / RUN, preset, data_dir, verify))
    for readout, runs in measured.items():
        buckets = [dict(bucket) for bucket in runs[0]["by_length"]]
        for i, bucket in enumerate(buckets):
            del bucket["accuracy"]
            if bucket["texts"]:
                bucket |= spread([run["by_length"][i]["accuracy"] for run in runs])
        accuracy = spread([run["accuracy"] for run in runs])
        result["readouts"][readout] = {"accuracy": accuracy, "by_length": buckets}
    write_atomically(out / RESULT, (json.dumps(result, indent=2) + "\n").encode())
    return result


def comparison_table(result: dict[str, Any]) -> str:
    """What `compare_readouts` gave, as a Markdown table: a column for each read-out."""
    readouts = result["readouts"]
    rows = [["all", *(plus_minus(of["accuracy"]) for of in readouts.values())]]
    for i, bucket in enumerate(next(iter(readouts.values()))["by_length"]):
        cells = [
            plus_minus(of["by_length"][i]) if bucket["texts"] else "-" for of in readouts.values()
        ]
        rows.append([f"{bucket_label(bucket)} ({bucket['texts']:,})", *cells])
    return markdown_table(["words (reviews)", *readouts], rows)


def plot_readouts(result: dict[str, Any], path: str | Path) -> "Figure":
    """Draws accuracy over the length of the review, a line with error bars for each read-out.

    Args:
        result: What `compare_readouts` gave.
        path: Where to write the figure: `.png`, `.svg` or `.pdf`.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        ValueError: Another suffix.
        OSError: `path` cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for readout, marker in zip(result["readouts"], "os^", strict=True):
        of = result["readouts"][readout]
        buckets = [bucket for bucket in of["by_length"] if bucket["texts"]]
        axes.errorbar(
            range(len(buckets)),
            [bucket["mean"] for bucket in buckets],
            yerr=[bucket["deviation"] or 0 for bucket in buckets],
            marker=marker,
            capsize=3,
            label=f"{readout}: {plus_minus(of['accuracy'])} % of all",
        )
    axes.set_xticks(
        range(len(buckets)),
        [f"{bucket_label(bucket)}\n{bucket['texts']:,} reviews" for bucket in buckets],
        fontsize=8,
    )
    axes.set_xlabel("words in the review")
    axes.set_ylabel("accuracy, percent")
    seeds = len(result["seeds"])
    axes.set_title(f"IMDB test, mean and standard deviation of {seeds} runs", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)
    return figure


def _measured(
    path: Path, preset: Path, data_dir: str | Path | None, verify: bool
) -> dict[str, Any]:
    """The figures of a run on the test split; measured once."""
    if not path.exists():
        metrics = classification.evaluate(zoo.load(preset), data_dir, [SPLIT], verify)
        write_atomically(path, json.dumps(metrics, indent=2).encode())
    return json.loads(path.read_text(encoding="utf-8"))["splits"][SPLIT]
