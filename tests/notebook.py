"""Runs a notebook of docs/ from its start, and keeps what its cells show.

    python -m tests.notebook docs/first_steps.ipynb

writes the outputs into it anew, without what differs from run to run.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode


def executed(path: Path, folder: Path, timeout: int = 900) -> NotebookNode:
    """The notebook with the outputs of a run in a process of its own.

    Args:
        path: The notebook.
        folder: Where its code runs.
        timeout: Seconds for each cell.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed; the message has its code and error.
    """
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    # Times of the run are not kept.
    client = NotebookClient(notebook, timeout=timeout, resources=resources, record_timing=False)
    return client.execute()


if __name__ == "__main__":
    import tempfile

    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(executed(Path(name), Path(folder)), name)
