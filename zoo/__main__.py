"""The command line `zoo`: list, show and run pretrained models."""

import contextlib
import inspect
import json
import os
import shlex
import sys
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from zoo.batch_run import BatchRun, answered_or_refused
from zoo.drawing.answers import OPTIONS, PAGE_SUFFIXES, Answer, printable
from zoo.entry_file import EntryFile, Row
from zoo.presets import CONFIG, file_sha256, preset_folder, read_config
from zoo.startup import import_tensorflow

if TYPE_CHECKING:
    from zoo.models.base import ZooModel
    from zoo.shipped import Score

# Columns of a terminal in which a list of presets has room for languages and the names of splits.
WIDE = 100


@click.group()
@click.version_option(package_name="rnn-zoo")
def main() -> None:
    """Recurrent networks to load by name, look into and run.

    \b
    zoo list
    zoo run nmt_attention "A dog runs through the snow."
    zoo run sentiment "A warm and funny film."
    """


@main.command("list")
@click.option(
    "--task",
    help="Only those that do this: caption, classify, complete, forecast, tag, translate.",
)
@click.option("--language", help="Only those of this language: en, de.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_presets(task: str | None, language: str | None, as_json: bool) -> None:
    """Name the pretrained models that ship: what they do, how well, and under what terms.

    \b
    zoo list --task classify --language en
    """
    from zoo.presets import list_models
    from zoo.shipped import shipped

    console = Console()
    wide = console.width >= WIDE
    table = Table(box=None, padding=(0, 2, 0, 0) if wide else (0, 1, 0, 0))
    for column in ("name", "task", *(["in"] if wide else []), "score"):
        table.add_column(column, no_wrap=True)
    table.add_column("licence of the data")
    table.add_column("size", justify="right", no_wrap=True)
    with _told():
        names = list_models(task, language)
    for name in names:
        try:
            preset = shipped(name)
        except (OSError, ValueError) as error:
            table.add_row(name, "damaged")
            if as_json:
                click.echo(json.dumps({"name": name, "error": str(error)}))
            else:
                _note(f"{name}: {error}")
            continue
        score = preset.score
        if as_json:
            row = {**preset._asdict(), "score": score and score._asdict()}
            click.echo(json.dumps(row, ensure_ascii=False))
        table.add_row(
            name,
            preset.task,
            *([" ".join(preset.languages)] if wide else []),
            _scored(score, wide),
            preset.licence,
            _size(preset.megabytes),
        )
    if not as_json:
        console.print(table)
        click.echo("\nMore of one: zoo show NAME")


def _scored(score: "Score | None", wide: bool) -> str:
    if score is None:
        return "not measured"
    figure = f"{score.metric} {score.value:.1f}"
    return f"{figure} ({score.split})" if wide else figure


@main.command()
@click.argument("name_or_folder")
def show(name_or_folder: str) -> None:
    """Print a model's card: data, licence, figures and limits.

    NAME_OR_FOLDER is a preset (`zoo list` names them) or a folder written by `zoo.save`.
    """
    import zoo

    try:
        Console().print(Markdown(zoo.card(name_or_folder)))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("name_or_folder")
@click.argument("texts", nargs=-1)
@click.option(
    "--beam-size",
    type=click.IntRange(min=1),
    help="Translate, caption: 5 unless told; 1 is greedy. Complete: search instead of drawing.",
)
@click.option(
    "--attention",
    type=click.Path(path_type=Path),
    help="Translate, classify, caption: draw what the model looked at, a .png, .svg or .pdf file; "
    "of a model that classifies also an .html page. One text or picture only.",
)
@click.option(
    "--page",
    type=click.Path(path_type=Path),
    help="Tag: write the texts with their entities marked, an .html page.",
)
@click.option("--max-tokens", type=click.IntRange(min=1), help="Complete: the most words; 30.")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    help="Complete: below 1 keeps to what is likely, 0 takes the most probable; 1 unless told.",
)
@click.option(
    "--top-k", type=click.IntRange(min=0), help="Complete: draw from so many words only; 0 is all."
)
@click.option(
    "--top-p",
    type=click.FloatRange(min=0, max=1, min_open=True),
    help="Complete: draw from the likeliest words that together have this share.",
)
@click.option("--seed", type=int, help="Complete: another one draws other words.")
@click.option(
    "--score",
    is_flag=True,
    default=None,
    help="Complete: paint each word of TEXTS by how little it was foreseen, and write nothing.",
)
@click.option(
    "--steps", type=click.IntRange(min=1), help="Forecast: how many steps; all it can unless told."
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0, max=0.99, min_open=True),
    help="Forecast: the probability of lying in the interval of each step; 0.9 unless told.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Forecast: draw one series and how it goes on, a .png, .svg or .pdf file. Of a model that "
    "hears: one recording's spectrogram, and what weighed in the answer.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the scores.")
@click.option(
    "--input",
    "source",
    type=click.Path(path_type=Path),
    help="Run on a file of any size: lines of text, .csv or .tsv with a header, or .jsonl.",
)
@click.option("--column", help="Which column of --input to read; `text` unless told.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Where the answers to --input go: JSON lines, or its columns and more if it ends in .csv.",
)
@click.option("--resume", is_flag=True, help="Go on with an --output whose run was stopped.")
def run(
    name_or_folder: str,
    texts: tuple[str, ...],
    as_json: bool,
    source: Path | None,
    column: str | None,
    output: Path | None,
    resume: bool,
    **options: Any,
) -> None:
    """Run a model on TEXTS, on each line of standard input, or on a file.

    NAME_OR_FOLDER is a preset (`zoo list` names them) or a folder written by `zoo.save`. With `-`
    in place of TEXTS each line of standard input is answered as it comes. For a model that
    captions pictures or hears recordings, TEXTS are the names of their files. For one that
    forecasts, each is a series: a .csv file, whose last column is read, or numbers with commas
    between them.

    \b
    zoo run nmt_attention "A dog runs." --attention table.png
    zoo run sentiment "A warm, funny film." --attention page.html
    zoo run ner < news.txt
    zoo run show_attend_tell photo.jpg --attention maps.png
    zoo run forecast sales.csv --plot forecast.png
    zoo run spoken_digits seven.wav --plot heard.png
    zoo run runs/zaremba/preset "the company said" --temperature 0.7
    tail -f news.txt | zoo run ner -
    zoo run sentiment --input reviews.csv --column review --output answers.csv
    """
    options = {name: value for name, value in options.items() if value is not None}
    live = texts == ("-",)
    _check_combination(texts, source, column, output, resume, options)
    # As bytes: what is not UTF-8 is the tokenizer's to mend.
    entries = [os.fsencode(text) for text in texts]
    if not entries and not source:
        entries = [] if sys.stdin.isatty() else list(_lines())
        if not entries:
            raise click.UsageError(
                "nothing to do: give TEXTS, lines on standard input, or --input FILE"
            )
    for name, what in ("attention", "text"), ("plot", "series or recording"):
        if name in options and len(entries) != 1:
            raise click.UsageError(f"--{name} draws one {what}. Received: {len(entries)} texts")
    with _told():
        _check_options(name_or_folder, options)
        file = EntryFile(source.expanduser(), column) if source else None
        batch = _batch(file, output, name_or_folder, options, resume) if file and output else None
        model = _loaded(name_or_folder, options)
        for text in texts:
            if os.path.isfile(text) and not model.verb_column.reads_files:
                _note(
                    f"{text!r} is read as a text, though a file has this name. To run on what is "
                    f"in it: zoo run {name_or_folder} --input {shlex.quote(text)}"
                )

        def answers(texts: list[bytes]) -> list:
            return model.console_answers(texts, **options)

        if batch:
            _run_batch(batch, answers)
        elif live or file:
            chunks = ([Row(n, {}, line)] for n, line in enumerate(_lines(), 1))
            _show_chunks(chunks if live else file.chunks(), answers, as_json)
        elif not as_json and hasattr(model, "console_stream"):
            for text in entries:
                if (pieces := model.console_stream(text, **options)) is None:
                    _show(text, *answers([text]), as_json)
                else:
                    _show_stream(pieces)
        else:
            for text, answer in zip(entries, answers(entries), strict=True):
                _show(text, answer, as_json)


def _check_combination(
    texts: tuple[str, ...],
    source: Path | None,
    column: str | None,
    output: Path | None,
    resume: bool,
    options: dict[str, Any],
) -> None:
    """Which arguments of `run` exclude or need each other."""
    if source and texts:
        raise click.UsageError(f"give TEXTS or --input, not both. Received: {len(texts)} texts")
    for name, given, needs, there in (
        ("--column", column, "--input", source),
        ("--output", output, "--input", source),
        ("--resume", resume, "--output", output),
    ):
        if given and not there:
            raise click.UsageError(f"{name} needs {needs}")
    if "-" in texts and len(texts) > 1:
        raise click.UsageError("`-`, standard input, stands alone in place of TEXTS")
    for name in ("attention", "page", "plot"):
        if name in options and (source or texts == ("-",)):
            raise click.UsageError(f"--{name} is for TEXTS: it draws nothing of --input or `-`")


def _check_options(name_or_folder: str, options: dict[str, Any]) -> None:
    """Refuses what cannot be done before TensorFlow, which takes seconds, is imported."""
    model = read_config(name_or_folder)["model"]
    if model in OPTIONS:  # one of another package is asked when it is there
        task, known = OPTIONS[model]
        _check_known(options, known, task)
    if options.keys() & {"attention", "page", "plot"}:
        from zoo.drawing.plotting import SUFFIXES, check_target

        for name, suffixes in (
            ("attention", SUFFIXES + PAGE_SUFFIXES),
            ("page", PAGE_SUFFIXES),
            ("plot", SUFFIXES),
        ):
            if name in options:
                check_target(options[name], suffixes)


def _check_known(options: dict[str, Any], known: Container[str], task: str) -> None:
    for name in sorted(options):
        if name not in known:
            raise click.UsageError(f"--{name.replace('_', '-')} is not for a model that can {task}")


def _loaded(name_or_folder: str, options: dict[str, Any]) -> "ZooModel":
    import zoo

    with Console(stderr=True).status(f"Loading {name_or_folder}"):
        import_tensorflow()
        model = zoo.load(name_or_folder)
    _check_known(options, inspect.signature(model.console_answers).parameters, model.task)
    return model


def _batch(
    file: EntryFile, output: Path, name_or_folder: str, options: dict[str, Any], resume: bool
) -> BatchRun:
    # The file names all others of the preset with their SHA-256.
    fingerprint = file_sha256(preset_folder(name_or_folder) / CONFIG)
    return BatchRun(file, output.expanduser(), {"model": fingerprint, **options}, resume)


def _run_batch(batch: BatchRun, answers: Callable[[list[bytes]], list]) -> None:
    shown = contextlib.nullcontext()
    if sys.stderr.isatty():
        # Not of rich, which can show one live bar only: that of the chunk.
        shown = click.progressbar(length=batch.source.size, file=sys.stderr)
    try:
        with shown as bar:
            batch.answer(
                lambda texts: [row for _, row in answers(texts)],
                bar.update if bar else lambda count: None,
            )
    except (KeyboardInterrupt, OSError):
        _note(f"Stopped after {batch.answered:,} answers. Go on with the same command and --resume")
        raise
    _note(f"{batch.answered:,} answers: {batch.output}")
    if batch.refused:
        _note(f"{batch.refused:,} rows could not be answered: {batch.errors} tells why")


def _show_chunks(
    chunks: Iterable[list[Row]], answers: Callable[[list[bytes]], list], as_json: bool
) -> None:
    """Shows answers as they come; a row that has none is told, and is an empty line."""
    refused = 0
    for chunk in chunks:
        for row, answer in answered_or_refused(answers, chunk):
            if isinstance(answer, str):
                refused += 1
                _note(f"Row {row.number}: {answer}")
                answer = Answer("", {"error": answer})
            _show(row.text, answer, as_json)
    if refused:
        raise click.ClickException(f"{refused} rows could not be answered")


def _size(megabytes: float) -> str:
    return f"{megabytes:.1f} MB" if megabytes >= 0.1 else f"{1000 * megabytes:.0f} kB"


def _show(text: bytes, answer: Answer, as_json: bool) -> None:
    line, row = answer
    if as_json:
        entry = {} if row.keys() & {"audio", "image", "series"} else {"text": printable(text)}
        click.echo(json.dumps({**entry, **row}, ensure_ascii=False))
    elif isinstance(line, str):
        click.echo(line)
    else:
        Console().print(line, soft_wrap=True)


def _show_stream(pieces: Iterable[str]) -> None:
    """Prints words as they come, with blanks between them."""
    for number, piece in enumerate(pieces):
        click.echo(f" {piece}" if number else piece, nl=False)
    click.echo()


def _lines() -> Iterator[bytes]:
    """Lines of standard input as they come, without their ends."""
    return (line.rstrip(b"\r\n") for line in click.get_binary_stream("stdin"))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Errors that a person can read in place of a traceback."""
    try:
        yield
    except BrokenPipeError:  # `| head`: click ends without a word
        raise
    except (OSError, TypeError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _note(message: str) -> None:
    click.echo(message, err=True)


if __name__ == "__main__":
    main(prog_name="zoo")
