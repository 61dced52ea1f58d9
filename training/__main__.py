"""The command line `zoo-train`: train a preset from its recipe, measure it, plot it."""

import inspect
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from zoo.extras import MissingExtraError
from zoo.training.recipes.declared import check_declared
from zoo.training.recipes.options import WORD_VECTORS, TrainCommand, with_options

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


class _Commands(click.Group):
    """Takes `zoo-train nmt_attention` for short for `zoo-train train nmt_attention`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["train", *args]
        if args[:1] == ["train"] and args[1:] and not args[1].startswith("-"):
            try:
                check_declared(args[1])  # the recipes themselves bring TensorFlow
            except ValueError as error:
                raise click.ClickException(str(error)) from error
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; that an extra is not installed is told without a traceback."""
        try:
            return super().invoke(ctx)
        except MissingExtraError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands)
def main() -> None:
    """Train the zoo's models from their recipes and measure them.

    \b
    zoo-train nmt_attention --data-dir multi30k --out runs/nmt_attention
    zoo-train evaluate runs/nmt_attention/preset --data-dir multi30k
    """


@main.command(cls=TrainCommand)
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
    "--precision",
    type=click.Choice(["float32", "mixed_bfloat16"]),
    help="Precision of the arithmetic; weights stay float32. [default: float32]",
)
def train(name: str, out: Path, data_dir: Path | None, any_data: bool, **options: Any) -> None:
    """Train the model NAME; stopped at any moment, the same command goes on.

    OUT gets `preset/` (the best epoch so far by the dev score, for `zoo.load`), `logs/` for
    TensorBoard and the checkpoint of the last finished epoch.

    `zoo-train NAME --help` has the options of that recipe, too.
    """
    from zoo.training import recipes

    options = {key: value for key, value in options.items() if value is not None}
    try:
        recipe, inputs = with_options(recipes.recipe(name), options)
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
@click.option(
    "--input",
    "source",
    type=click.Path(path_type=Path),
    help="Measure on your own rows instead: .csv or .tsv with a header, .jsonl; of a tagger also "
    "tokens and tags in columns.",
)
@click.option("--x", help="Which column of --input the model reads. [default: by its name]")
@click.option("--y", help="Which column of --input it is compared with. [default: by its name]")
@click.option(
    "--label-separator", help="Between the labels of a row, of a model that gives several."
)
@click.option(
    "--labels-are-numbers",
    is_flag=True,
    default=None,
    help="Take numbers as places in the model's labels, from 0.",
)
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to a .json file.")
@click.option(
    "--plot", type=click.Path(path_type=Path), help="Draw the report: .png, .svg or .pdf."
)
@click.option(
    "--card", is_flag=True, help="Put the report on --input into the card of the model's folder."
)
def evaluate(
    name_or_folder: str,
    data_dir: Path | None,
    any_data: bool,
    splits: tuple[str, ...],
    beam_size: int | None,
    source: Path | None,
    card: bool,
    **own: Any,
) -> None:
    """Measure a model: on its corpus, or on your own rows with --input.

    NAME_OR_FOLDER is a preset (`zoo list` names them) or a folder written by `zoo.save`.

    Without --input metrics.json and card.md are written into the model's folder. With it nothing
    is, unless --card asks for it: the report is shown, and written to --output and --plot.

    \b
    zoo-train evaluate my_model --input test.csv --x message --y topic --plot report.png
    zoo-train evaluate ner --input test.conll --output report.json
    """
    own = {name: value for name, value in own.items() if value is not None}
    options = {} if beam_size is None else {"beam_size": beam_size}
    if source is not None:
        if data_dir or any_data or splits:
            raise click.UsageError("--input is in place of --data-dir, --any-data and --split")
        _evaluate_own(name_or_folder, source, card=card, **own, **options)
    elif own or card:
        name = next(iter([*own, "card"])).replace("_", "-")
        raise click.UsageError(f"--{name} needs --input")
    else:
        _evaluate_corpus(name_or_folder, data_dir, any_data, splits, options)


def _evaluate_own(
    name_or_folder: str,
    source: Path,
    output: Path | None = None,
    plot: Path | None = None,
    card: bool = False,
    **options: Any,
) -> None:
    from zoo.drawing.plotting import check_target
    from zoo.training.evaluation.own_data import measure_file, write_json
    from zoo.training.evaluation.report import keep_report

    try:
        # Now rather than after the work.
        output = output and check_target(output.expanduser(), (".json",))
        plot = plot and check_target(plot.expanduser())
        report, told = measure_file(name_or_folder, source, **options)
        if told:
            click.echo(told, err=True)
        click.echo(str(report))
        if output:
            write_json(report, name_or_folder, source, _command(), output)
        if plot:
            report.plot(plot)
        written = keep_report(name_or_folder, report.to_dict()) if card else None
    except (ImportError, NotImplementedError, OSError, TypeError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for path in filter(None, (output, plot, written)):
        click.echo(f"Written: {path}", err=True)


def _evaluate_corpus(
    name_or_folder: str,
    data_dir: Path | None,
    any_data: bool,
    splits: tuple[str, ...],
    options: dict[str, Any],
) -> None:
    from zoo.presets import preset_folder, read_config
    from zoo.training.evaluation import report
    from zoo.training.evaluation.lookup import evaluation_of

    try:
        folder = preset_folder(name_or_folder)
        if not os.access(folder, os.W_OK):
            raise OSError(f"{folder} cannot be written to. Measure a copy of it")
        evaluation = evaluation_of(read_config(name_or_folder))
        if options and "beam_size" not in inspect.signature(evaluation.measure).parameters:
            raise ValueError(f"--beam-size is for translators. Received: {name_or_folder}")
        metrics = report.evaluate(name_or_folder, data_dir, splits, verify=not any_data, **options)
        path = report.write_report(name_or_folder, metrics, _command())
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    header, rows = evaluation.table(metrics)
    table = Table(*header, box=None)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    click.echo(f"Written: {path} and the card beside it")


@main.command()
@click.argument("folders", nargs=-1, required=True)
def shrink(folders: tuple[str, ...]) -> None:
    """Rewrite the weights of preset FOLDERS in the least room.

    Weights become float16, and large tables of vectors int8 with a step for each row, as `zoo.save`
    stores them today; all else stays as it is. Measure a preset again afterwards.
    """
    from zoo.weights.shrink import shrink as rewrite

    for folder in folders:
        try:
            before, after = rewrite(folder)
        except (OSError, ValueError) as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{folder}: {before / 1e6:.1f} MB -> {after / 1e6:.1f} MB")


@main.command("average")
@click.argument("names_or_folders", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the result.")
def average(names_or_folders: tuple[str, ...], out: Path) -> None:
    """Write the mean of the weights of presets of one model, such as before and after a tuning.

    Measure the result: a mean of runs that did not begin alike is worth nothing.
    """
    from zoo.training.loop.averages import average as mean

    try:
        mean(names_or_folders, out, _command())
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Written: {out}")


@main.command("plot-lengths")
@click.argument("names_or_folders", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help=".png, .svg or .pdf")
def plot_lengths(names_or_folders: tuple[str, ...], out: Path) -> None:
    """Plot BLEU against the source's length for models that `evaluate` has measured."""
    from zoo.presets import preset_folder
    from zoo.training.experiments.plots import plot_bleu_by_source_length

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
def compare(names_or_folders: tuple[str, ...], figures: tuple[str, ...]) -> None:
    """Print mean and deviation over the seeds of models that `evaluate` has measured.

    \b
    zoo-train compare runs/ner-*/preset --figure "test F1=splits.conll2003_test.f1"
    """
    from zoo.presets import preset_folder
    from zoo.training.evaluation.base import markdown_table
    from zoo.training.experiments.comparison import comparison

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
def compare_readouts(
    out: Path,
    plot: Path | None,
    data_dir: Path | None,
    any_data: bool,
    word_vectors: Path | None,
) -> None:
    """Train last, average and attention read-outs alike on IMDB, three seeds each.

    Stopped at any moment, the same command goes on. Prints accuracy by length of the review.
    """
    from zoo.drawing.plotting import check_target
    from zoo.training.experiments import readouts

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


compare_readouts.params.append(WORD_VECTORS)


@main.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder of the measurements."
)
@click.option("--plot", type=click.Path(path_type=Path), help=".png, .svg or .pdf")
@click.option(
    "--steps", type=click.IntRange(min=1), default=2000, show_default=True, help="To learn a task."
)
@click.option(
    "--length",
    "lengths",
    type=click.IntRange(min=2),
    multiple=True,
    help="Of the adding task, may be repeated. [default: 25 to 750]",
)
def gradients(out: Path, plot: Path | None, steps: int, lengths: tuple[int, ...]) -> None:
    """Measure how gradients vanish, explode and flow in the plain cell, the LSTM and the GRU.

    No corpus is needed. With the defaults it takes hours; stopped at any moment, the same command
    goes on.
    """
    from zoo.drawing.plotting import check_target
    from zoo.training.experiments import gradients as laboratory

    try:
        if plot:
            check_target(plot)  # now rather than after hours
        result = laboratory.gradient_laboratory(
            out, steps, lengths or laboratory.LENGTHS, lambda what: click.echo(what, err=True)
        )
        if plot:
            laboratory.plot_laboratory(result, plot)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException(f"stopped; the same command goes on from {out}") from None
    click.echo(laboratory.laboratory_table(result))


@main.command("compare-windows")
@click.option("--model", help="A language model of the same words, a preset or a folder.")
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default="validation",
    show_default=True,
    help="What is measured on.",
)
@click.option("--plot", type=click.Path(path_type=Path), help=".png, .svg or .pdf")
@DATA_DIR
@ANY_DATA
def compare_windows(
    model: str | None, split: str, plot: Path | None, data_dir: Path | None, any_data: bool
) -> None:
    """Count n-grams of the Penn Treebank: how far back must one look to foretell a word?

    Windows of up to five words with Kneser-Ney smoothing, beside a network that has no window.
    """
    import zoo
    from zoo.drawing.plotting import check_target
    from zoo.training.experiments import windows

    try:
        if plot:
            check_target(plot)
        network = zoo.load(model) if model else None
        result = windows.compare_windows(data_dir, split, not any_data, network)
        if plot:
            windows.plot_windows(result, plot)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(windows.windows_table(result))


def _command() -> str:
    """The command line as typed, for the model card."""
    return shlex.join(["zoo-train", *sys.argv[1:]])


if __name__ == "__main__":
    main(prog_name="zoo-train")
