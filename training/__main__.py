"""The command line ``zoo-train``: train a preset from its recipe, measure it, plot it."""

import dataclasses
import os
import shlex
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

# TensorFlow leaves oneDNN off on CPUs without AVX-512. Back-propagation multiplies by transposed
# matrices, and there oneDNN is faster: [64, 1024] by [2048, 1024] transposed ran at 68 instead of
# 10 GFLOP/s on one Zen 3 core. It must be set before TensorFlow is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder with the corpus. [default: downloaded once from its public home]",
)
ANY_DATA = click.option(
    "--any-data",
    is_flag=True,
    help="Take --data-dir even when its files are not the published corpus, byte for byte.",
)

WORD_VECTORS = click.option(
    "--word-vectors",
    type=click.Path(path_type=Path),
    help="File or folder with GloVe's vectors, for a model of words. "
    "[default: downloaded once from their public home]",
)


class _Commands(click.Group):
    """``zoo-train nmt_attention`` is short for ``zoo-train train nmt_attention``."""

    def parse_args(self, ctx, args):
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["train", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Commands)
def main():
    """Train the zoo's models from their recipes and measure them.

    \b
    zoo-train nmt_attention --data-dir multi30k --out runs/nmt_attention
    zoo-train evaluate runs/nmt_attention/preset --data-dir multi30k
    """


@main.command()
@click.argument("name")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of the run. If it holds a stopped run of the same recipe, that run goes on.",
)
@DATA_DIR
@ANY_DATA
@click.option("--epochs", type=click.IntRange(min=1), help="Instead of the recipe's.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Instead of the recipe's.")
@click.option("--seed", type=int, help="Instead of the recipe's.")
@click.option(
    "--vocabulary-size", type=click.IntRange(min=300), help="Sub-words, instead of the recipe's."
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_bfloat16"]),
    help="Precision of the arithmetic; weights stay float32. [default: float32]",
)
@WORD_VECTORS
@click.option(
    "--pretraining",
    type=click.Path(path_type=Path),
    help="Folder of a language model that another run has trained, for `sentiment_pretrained`.",
)
@click.option(
    "--words-of",
    type=click.Path(path_type=Path),
    help="Preset that a run of `sentiment_pretrained` has left, for `sentiment_sst`.",
)
def train(name, out, data_dir, any_data, word_vectors, pretraining, words_of, **changes):
    """Train the model NAME; stopped at any moment, the same command goes on.

    OUT gets `preset/` (the best epoch so far by the dev score, for `zoo.load`), `logs/` for
    TensorBoard and the checkpoint of the last finished epoch.
    """
    from training import recipes

    try:
        recipe = _changed(recipes.recipe(name), changes)
        inputs = {
            "word_vectors": word_vectors,
            "pretraining": pretraining,
            "words_of": words_of,
        }
        inputs = {key: value for key, value in inputs.items() if value is not None}
        preset = recipes.train(
            recipe, out, data_dir, verify=not any_data, command=_command(), **inputs
        )
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException(f"stopped; the same command goes on from {out}") from None
    click.echo(f"The best epoch is in {preset}: zoo-train evaluate {preset}")


@main.command()
@click.argument("name_or_folder")
@DATA_DIR
@ANY_DATA
@click.option(
    "--split",
    "splits",
    multiple=True,
    help="A split to measure, may be repeated. [default: dev and test]",
)
@click.option("--beam-size", type=click.IntRange(min=1), help="Of a translator. [default: 5]")
def evaluate(name_or_folder, data_dir, any_data, splits, beam_size):
    """Measure a model on its corpus; write metrics.json and card.md into its folder.

    NAME_OR_FOLDER is a preset (`zoo list` names them) or a folder written by `zoo.save`.
    """
    from training.evaluation import report as evaluate
    from zoo.presets import preset_folder, read_config

    options = {} if beam_size is None else {"beam_size": beam_size}
    try:
        folder = preset_folder(name_or_folder)
        if not os.access(folder, os.W_OK):
            raise OSError(f"{folder} cannot be written to. Measure a copy of it")
        task = evaluate.task_of(read_config(name_or_folder))
        if beam_size is not None and task.__name__ != "training.evaluation.translation":
            raise ValueError(f"--beam-size is for translators. Received: {name_or_folder}")
        metrics = evaluate.evaluate(
            name_or_folder, data_dir, splits, verify=not any_data, **options
        )
        path = evaluate.write_report(name_or_folder, metrics, _command())
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    header, rows = task.table(metrics)
    table = Table(*header, box=None)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    click.echo(f"Written: {path} and the card beside it")


@main.command("plot-lengths")
@click.argument("names_or_folders", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help=".png, .svg or .pdf")
def plot_lengths(names_or_folders, out):
    """Plot BLEU against the source's length for models that `evaluate` has measured."""
    from training.experiments.plots import plot_bleu_by_source_length
    from zoo.presets import preset_folder

    try:
        plot_bleu_by_source_length([preset_folder(name) for name in names_or_folders], out)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Written: {out}")


@main.command()
@click.argument("names_or_folders", nargs=-1, required=True)
@click.option(
    "--figure",
    "figures",
    multiple=True,
    required=True,
    help="Heading and place in metrics.json: 'test F1=splits.conll2003_test.f1'. May be repeated.",
)
def compare(names_or_folders, figures):
    """Print mean and deviation over the seeds of models that `evaluate` has measured.

    \b
    zoo-train compare runs/ner-*/preset --figure "test F1=splits.conll2003_test.f1"
    """
    from training.evaluation.card import markdown_table
    from training.experiments.comparison import comparison
    from zoo.presets import preset_folder

    try:
        places = dict(figure.rsplit("=", 1) for figure in figures)
    except ValueError:
        raise click.UsageError(f"--figure must be HEADING=PLACE. Received: {figures}") from None
    try:
        folders = [preset_folder(name) for name in names_or_folders]
        click.echo(markdown_table(*comparison(folders, places)))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@main.command("compare-readouts")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder of the nine runs."
)
@click.option("--plot", type=click.Path(path_type=Path), help=".png, .svg or .pdf")
@DATA_DIR
@ANY_DATA
@WORD_VECTORS
def compare_readouts(out, plot, data_dir, any_data, word_vectors):
    """Train last, average and attention read-outs alike on IMDB, three seeds each.

    Stopped at any moment, the same command goes on. Prints accuracy by length of the review.
    """
    from training.experiments import readouts
    from zoo.drawing.plotting import check_target

    try:
        if plot:
            check_target(plot)  # now rather than after hours
        result = readouts.compare_readouts(out, data_dir, not any_data, word_vectors)
        if plot:
            readouts.plot_readouts(result, plot)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException(f"stopped; the same command goes on from {out}") from None
    click.echo(readouts.comparison_table(result))


def _changed(recipe, changes):
    """The recipe with the options that were given."""
    changes = {key: value for key, value in changes.items() if value is not None}
    known = {field.name for field in dataclasses.fields(recipe)}
    for key in changes:
        if key not in known:
            raise ValueError(f"--{key.replace('_', '-')} means nothing to the recipe {recipe.name}")
    return dataclasses.replace(recipe, **changes)


def _command():
    """The command line as typed, for the model card."""
    return shlex.join(["zoo-train", *sys.argv[1:]])


if __name__ == "__main__":
    main(prog_name="zoo-train")
