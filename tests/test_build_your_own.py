"""`docs/build_your_own.md` keeps its word: its files make a package, its commands a served model.

The package is installed as pip leaves it, in a folder of its own, and the commands run in processes
that find it by its entry points alone.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import zoo
from tests.serving.test_process import free_port

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "build_your_own.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+ (\S+\.\w+)\n(.*?)^```$", TEXT, re.M | re.S))
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"^```sh\n(.*?)^```$", TEXT, re.M | re.S)
    for line in block.splitlines()
]
ANSWERS = dict(re.findall(r"^\| (.+?) \| (\d{4}-\d\d-\d\d) \|$", TEXT, re.M))
# Runs console scripts one after the other, so that TensorFlow is imported once for all of them.
RUN = """
import importlib.metadata, json, sys
entry_points = importlib.metadata.entry_points(group="console_scripts")
scripts = {script.name: script for script in entry_points}
for sys.argv in json.loads(sys.argv[1]):
    try:
        code = scripts[sys.argv[0]].load()()
    except SystemExit as end:
        code = end.code
    if code:
        sys.exit(f"{sys.argv}: {code}")
"""


def command(name):
    """The document's command of this name; `evaluate` is `zoo-train`'s."""
    (found,) = (c for c in COMMANDS if name == (c[1] if c[1] == "evaluate" else c[0]))
    return found


class Project:
    """The user's folder, and the place where the package is installed."""

    def __init__(self, folder):
        self.folder, self.site = folder / "dates", folder / "site"
        for name, content in FILES.items():
            for place in (self.folder, self.site):
                path = place / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
        settings = tomllib.loads((self.site / "pyproject.toml").read_text())["project"]
        self.name = settings["name"]
        info = self.site / f"{self.name.replace('-', '_')}-{settings['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {settings['version']}\n"
        )
        groups = settings["entry-points"].items()
        (info / "entry_points.txt").write_text(
            "".join(
                f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in of.items())
                for group, of in groups
            )
        )

    def start(self, *commands, **streams):
        variables = {"PYTHONPATH": f"{self.site}{os.pathsep}{ROOT}", "TF_CPP_MIN_LOG_LEVEL": "3"}
        return subprocess.Popen(
            [sys.executable, "-P", "-c", RUN, json.dumps(commands)],
            cwd=self.folder,
            env={**os.environ, **variables},
            text=True,
            **streams,
        )

    def run(self, *commands):
        process = self.start(*commands, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, output[-3000:] + errors[-3000:]
        return output


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The document's project, trained for one epoch and measured."""
    project = Project(tmp_path_factory.mktemp("build_your_own"))
    project.run([*command("zoo-train"), "--epochs", "1"], command("evaluate"))
    return project


@pytest.fixture(scope="module")
def answered(project):
    """What `zoo run` printed, in a process that also exported and ran the user's test."""
    quiet = ["-p", "no:cacheprovider", "--no-header"]
    # Without the check of an export in a process of its own: below it is served and asked.
    export = [*command("zoo-export"), "--no-verify"]
    return project.run(command("zoo"), export, [*command("pytest"), *quiet])


def test_the_users_lines_are_below_a_hundred():
    lines = [line for content in FILES.values() for line in content.splitlines() if line.strip()]
    assert {"my_dates/model.py", "my_dates/recipe.py", "pyproject.toml"} <= set(FILES)
    assert f"in {len(lines)} lines of your own" in TEXT
    assert len(lines) < 100
    assert max(map(len, lines)) <= 100


def test_it_is_trained_and_measured(project):
    preset = project.folder / "runs" / "dates" / "preset"
    splits = json.loads((preset / "metrics.json").read_text())["splits"]
    assert set(splits) == {"dev", "test"}
    assert min(split["exact_match"] for split in splits.values()) > 90
    assert "| test |" in zoo.card(preset)
    config = json.loads((preset / "config.json").read_text())
    assert (config["model"], config["package"]) == ("date_reader", project.name)


def test_zoo_run_finds_the_class_and_answers(answered):
    texts = command("zoo")[3:]
    assert set(texts) == set(ANSWERS)
    assert answered.splitlines()[: len(texts)] == [ANSWERS[text] for text in texts]


def test_the_users_test_passes(answered):
    assert "2 passed" in answered


def test_without_the_package_the_error_names_it(project):
    with pytest.raises(ValueError, match=r"'date_reader'.*package 'my-dates': install that"):
        zoo.load(project.folder / "runs" / "dates" / "preset")


def test_it_is_served(project, answered):
    port = free_port()
    serve = [word.replace("$PWD", str(project.folder)) for word in command("zoo-serve")]
    curl = command("curl")
    url = curl[-1].replace(":8501/", f":{port}/")
    log = project.folder / "serve.log"
    with open(log, "w") as file:
        process = project.start(
            [*serve, f"--rest_api_port={port}", "--port=0"], stdout=file, stderr=file
        )
    try:
        answer = _when_there(process, log, url, curl[curl.index("-d") + 1].encode())
        (prediction,) = json.loads(answer)["predictions"]
        assert prediction["iso"] == ANSWERS["the third of May, 1998"]
        assert prediction["score"] < 0
        page = _fetch(f"http://127.0.0.1:{port}/")
        assert b'"my_dates"' in page
    finally:
        process.terminate()
        assert process.wait(30) == 0


def _fetch(url, body=None):
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as response:
        return response.read()


def _when_there(process, log, url, body):
    """What a server answers, as soon as it is up and has loaded the model."""
    end = time.monotonic() + 120
    while True:
        try:
            return _fetch(url, body)
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"The server does not answer: {log.read_text()}")
        time.sleep(0.2)
