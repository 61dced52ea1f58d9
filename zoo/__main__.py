"""The command line ``zoo``: list, show and run pretrained models."""

import json
import os
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table


@click.group()
@click.version_option(package_name="rnn-zoo")
def main():
    """Recurrent networks to load by name, look into and run.

    \b
    zoo list
    zoo run nmt_attention "A dog runs through the snow."
    """


@main.command("list")
def list_presets():
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
def show(name_or_folder):
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
    "--beam-size", type=click.IntRange(min=1), default=5, show_default=True, help="1 is greedy."
)
@click.option(
    "--attention",
    type=click.Path(path_type=Path),
    help="Draw what the model looked at: a .png, .svg or .pdf file. One text only.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the scores.")
def run(name_or_folder, texts, beam_size, attention, as_json):
    """Run a model on TEXTS, or on each line of standard input.

    NAME_OR_FOLDER is a preset (`zoo list` names them) or a folder written by `zoo.save`.

    \b
    zoo run nmt_attention "A dog runs." --attention table.png
    zoo run nmt_vanilla < captions.txt
    """
    import zoo

    # As bytes: what is not UTF-8 is the tokenizer's to mend.
    texts = [os.fsencode(text) for text in texts] or _lines()
    if not texts:
        raise click.UsageError("nothing to do: give TEXTS or lines on standard input")
    if attention and len(texts) != 1:
        raise click.UsageError(f"--attention draws one text. Received: {len(texts)} texts")
    try:
        with Console(stderr=True).status(f"Loading {name_or_folder}"):
            model = zoo.load(name_or_folder)
        if attention and not model.has_attention:
            raise ValueError(f"--attention needs a model with attention: {name_or_folder} has none")
        results = model.translate(texts, beam_size=beam_size, return_attention=True)
        if attention:
            _draw(texts[0], results[0], attention)
    except (OSError, TypeError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for text, result in zip(texts, results, strict=True):
        if as_json:
            row = {"text": _printable(text), "translation": result.text, "score": result.score}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            click.echo(result.text)


def _lines():
    """Lines of standard input, without their ends."""
    stream = click.get_binary_stream("stdin")
    return [] if sys.stdin.isatty() else [line.rstrip(b"\r\n") for line in stream]


def _printable(text):
    return text.decode("utf-8", "replace")


def _draw(text, result, path):
    from zoo.plotting import attention_table

    if not result.target_tokens:
        raise ValueError(
            f"--attention has nothing to draw for a blank text. Received: {_printable(text)!r}"
        )
    attention_table(result.source_tokens, result.target_tokens, result.attention, path)
    Console(stderr=True).print(f"Attention table: {path}")


if __name__ == "__main__":
    main(prog_name="zoo")
