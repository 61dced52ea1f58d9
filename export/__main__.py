"""The command line `zoo-export`."""

import time
from pathlib import Path

import click
from rich.console import Console

from zoo.export.errors import ExportError


@click.command()
@click.argument("name_or_folder")
@click.option(
    "--base",
    required=True,
    type=click.Path(path_type=Path),
    help="Directory of the model's versions, as TensorFlow Serving's --model_base_path. "
    "Made when missing.",
)
@click.option(
    "--version",
    type=click.IntRange(min=1),
    default=None,
    help="Number of the version. [default: the highest in --base plus 1]",
)
@click.option(
    "--verify/--no-verify",
    default=True,
    show_default=True,
    help="Run the result in a fresh process and compare it with the model before publishing.",
)
def main(name_or_folder: str, base: Path, version: int | None, verify: bool) -> None:
    """Export a model as a SavedModel for TensorFlow Serving.

    NAME_OR_FOLDER is a preset (`zoo list` names them) or a folder written by `zoo.save`.

    The version is written beside the published ones and appears under --base in one step, so a
    running server that watches --base picks it up whole. An existing version is never overwritten.

    \b
    zoo-export my_model --base models/my_model
    """
    import zoo
    from zoo import export
    from zoo.export import card
    from zoo.export.publication import Publication
    from zoo.presets import check_files, preset_folder, read_config
    from zoo.startup import import_tensorflow

    console = Console()
    start = time.monotonic()
    try:
        # What is wrong with them is told at once: TensorFlow takes seconds to import.
        check_files(preset_folder(name_or_folder), read_config(name_or_folder))
        Publication(base, version)
        with console.status(f"Exporting {name_or_folder}"):
            import_tensorflow()
            model = zoo.load(name_or_folder)
            text = card.of_preset(name_or_folder)
            path = export.saved_model(model, base, version=version, verify=verify, card=text)
    except (ExportError, ImportError, OSError, TypeError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    names = ", ".join(model.signatures())
    console.print(f"Published [bold]{path}[/bold]: {size / 1e6:.1f} MB, signatures {names}")
    checked = "verified in a fresh process" if verify else "not verified"
    console.print(f"{checked}, {time.monotonic() - start:.0f} s in all")


if __name__ == "__main__":
    main(prog_name="zoo-export")
