"""The command line `zoo`: list, show and run pretrained models."""

import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table


@click.group()
@click.version_option(package_name="rnn-zoo")
def main() -> None:
    r"""Recurrent networks to load by name, look into and run.

    \b
    zoo list
    zoo run nmt_attention "A dog runs through the snow."
    zoo run sentiment "A warm and funny film."
    """


@main.command("list")
def list_presets() -> None:
    """Name the pretrained models that ship."""
    from zoo.presets import PRESETS_DIR, list_models, read_config

    table = Table("name", "weights", "made by", box=None)
    for name in list_models():
        size = (PRESETS_DIR / name / "model.weights.h5").stat().st_size
        try:
            version = f"rnn-zoo {read_config(name)['zoo_version']}"
        except (KeyError, ValueError) as error:
            version = f"damaged: {error}"
        table.add_row(name, f"{size / 1e6:.1f} MB", version)
    Console().print(table)
    click.echo("\nMore of one: zoo show NAME")


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
    "--beam-size", type=click.IntRange(min=1), help="Translate: 5 unless told; 1 is greedy."
)
@click.option(
    "--attention",
    type=click.Path(path_type=Path),
    help="Translate, classify: draw what the model looked at, a .png, .svg or .pdf file; of a "
    "model that classifies also an .html page. One text only.",
)
@click.option(
    "--page",
    type=click.Path(path_type=Path),
    help="Tag: write the texts with their entities marked, an .html page.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the scores.")
def run(name_or_folder: str, texts: tuple[str, ...], as_json: bool, **options: Any) -> None:
    r"""Run a model on TEXTS, or on each line of standard input.

    NAME_OR_FOLDER is a preset (`zoo list` names them) or a folder written by `zoo.save`.

    \b
    zoo run nmt_attention "A dog runs." --attention table.png
    zoo run sentiment "A warm, funny film." --attention page.html
    zoo run ner < news.txt
    """
    import zoo
    from zoo.drawing.answers import printable

    # As bytes: what is not UTF-8 is the tokenizer's to mend.
    texts = [os.fsencode(text) for text in texts] or _lines()
    if not texts:
        raise click.UsageError("nothing to do: give TEXTS or lines on standard input")
    options = {name: value for name, value in options.items() if value is not None}
    if "attention" in options and len(texts) != 1:
        raise click.UsageError(f"--attention draws one text. Received: {len(texts)} texts")
    try:
        with Console(stderr=True).status(f"Loading {name_or_folder}"):
            model = zoo.load(name_or_folder)
        known = inspect.signature(model.console_answers).parameters
        for name in sorted(options.keys() - known.keys()):
            raise click.UsageError(
                f"--{name.replace('_', '-')} is not for a model that can {model.task}"
            )
        answers = model.console_answers(texts, **options)
    except (OSError, TypeError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for text, (line, row) in zip(texts, answers, strict=True):
        if as_json:
            click.echo(json.dumps({"text": printable(text), **row}, ensure_ascii=False))
        elif isinstance(line, str):
            click.echo(line)
        else:
            Console().print(line, soft_wrap=True)


def _lines() -> list[bytes]:
    """Lines of standard input, without their ends."""
    stream = click.get_binary_stream("stdin")
    return [] if sys.stdin.isatty() else [line.rstrip(b"\r\n") for line in stream]


if __name__ == "__main__":
    main(prog_name="zoo")
