"""Options of the command line that more than one recipe understands."""

from pathlib import Path

import click

WORD_VECTORS = click.Option(
    ["--word-vectors"],
    type=click.Path(path_type=Path),
    help="File or folder with GloVe's vectors, for a model of words. "
    "[default: downloaded once from their public home]",
)
