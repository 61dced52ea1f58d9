"""What the guides of `docs/` promise, taken out of them and run.

A guide's fences say what a block is:

    ```python train.py      a file of the reader's, as any fence with a file's name
    ```sh                   commands of the zoo, `python FILE.py` and `curl`, one a line
    ```                     what the block before prints

`Guide` finds the blocks, `Reader` is somebody who follows them: it writes the files into a folder
and runs the commands there, in processes of their own.
"""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving.test_process import free_port

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.M | re.S)
# Runs commands one after the other, so that TensorFlow is imported once for all of them.
RUN = """
import importlib.metadata, json, runpy, sys
entry_points = importlib.metadata.entry_points(group="console_scripts")
scripts = {script.name: script for script in entry_points}
for command in json.loads(sys.argv[1]):
    sys.argv = command[1:] if command[0] == "python" else command
    try:
        if command[0] == "python":
            code = runpy.run_path(sys.argv[0], run_name="__main__") and None
        else:
            code = scripts[command[0]].load()()
    except SystemExit as end:
        code = end.code
    if code:
        sys.exit(f"{command}: {code}")
"""


class Guide:
    """The blocks of one document.

    Args:
        name: Its file in `docs/`.

    Attributes:
        text: All of it.
        files: Content of the reader's files, by their names.
        commands: Each command of an `sh` block, as a list of words.
    """

    def __init__(self, name: str) -> None:
        self.text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        self._blocks = BLOCK.findall(self.text)
        named = ((fence.split(" ")[-1], content) for fence, content in self._blocks)
        self.files = {name: content for name, content in named if "." in name}
        self.commands = [
            shlex.split(line)
            for fence, content in self._blocks
            if fence == "sh"
            for line in content.replace("\\\n", "").splitlines()
        ]

    def command(self, *words: str) -> list[str]:
        """The only command that begins with these words."""
        (found,) = (c for c in self.commands if c[: len(words)] == list(words))
        return found

    def output(self, line: str) -> str:
        """The plain block behind the block in which a line begins so."""
        for (_, content), (fence, output) in zip(self._blocks, self._blocks[1:], strict=False):
            if fence == "" and any(of.startswith(line) for of in content.splitlines()):
                return output
        raise AssertionError(f"The guide shows no output of {line!r}")


class Reader:
    """Somebody who follows a guide.

    Args:
        folder: Where the files are written to and the commands run; made if need be.
        files: Content by name, such as `Guide.files`.
        paths: Folders from which the reader's Python imports, beside the zoo's.
    """

    def __init__(self, folder: Path, files: dict[str, str], paths: tuple[Path, ...] = ()) -> None:
        self.folder, self.paths = folder, paths
        folder.mkdir(parents=True, exist_ok=True)
        write_files(folder, files)

    def start(self, *commands: list[str], **streams: object) -> subprocess.Popen:
        """A process that runs console scripts and `python FILE.py`, one after the other."""
        paths = os.pathsep.join(map(str, (*self.paths, ROOT)))
        return subprocess.Popen(
            [sys.executable, "-P", "-c", RUN, json.dumps(commands)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"},
            text=True,
            **streams,
        )

    def run(self, *commands: list[str]) -> str:
        """What the commands print; the test fails if one of them does."""
        process = self.start(*commands, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, output[-3000:] + errors[-3000:]
        return output

    @contextlib.contextmanager
    def serve(self, command: list[str]) -> Iterator[Callable[..., bytes]]:
        """A server, started by a `zoo-serve` command of the guide.

        It takes a free port in place of 8501. Yields `ask(url, body=None) -> answer`, bytes,
        which takes URLs as the guide has them, and waits until the server is up.
        """
        port, log = free_port(), self.folder / "serve.log"
        words = [word.replace("$PWD", str(self.folder)) for word in command]
        with open(log, "w") as file:
            process = self.start(
                [*words, f"--rest_api_port={port}", "--port=0"], stdout=file, stderr=file
            )

        def ask(url: str, body: bytes | None = None) -> bytes:
            return _when_there(process, log, url.replace(":8501/", f":{port}/"), body)

        try:
            yield ask
        finally:
            process.terminate()
            assert process.wait(30) == 0

    def curl(self, ask: Callable[..., bytes], command: list[str]) -> object:
        """What a `curl` command of the guide is answered: its JSON, by `ask` of `serve`."""
        return json.loads(ask(command[-1], command[command.index("-d") + 1].encode()))


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Writes files, by their names below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _when_there(process: subprocess.Popen, log: Path, url: str, body: bytes | None) -> bytes:
    """What a server answers, as soon as it is up and has loaded the model."""
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as response:
                return response.read()
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"The server does not answer: {log.read_text()}")
        time.sleep(0.2)
