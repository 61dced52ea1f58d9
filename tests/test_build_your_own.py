"""`docs/build_your_own.md` keeps its word: its files make a package, its commands a served model.

The package is installed as pip leaves it, in a folder of its own, and the commands run in processes
that find it by its entry points alone.
"""

import json
import re
import tomllib

import pytest

import zoo
from tests.guides import Guide, Reader, write_files

GUIDE = Guide("build_your_own.md")
ANSWERS = dict(re.findall(r"^\| (.+?) \| (\d{4}-\d\d-\d\d) \|$", GUIDE.text, re.M))


class Project(Reader):
    """The user's folder, and the place where the package is installed."""

    def __init__(self, folder):
        site = folder / "site"
        super().__init__(folder / "dates", GUIDE.files, paths=(site,))
        write_files(site, GUIDE.files)
        settings = tomllib.loads((site / "pyproject.toml").read_text())["project"]
        self.name = settings["name"]
        groups = settings["entry-points"].items()
        metadata = {
            "METADATA": f"Metadata-Version: 2.1\nName: {self.name}\n"
            f"Version: {settings['version']}\n",
            "entry_points.txt": "".join(
                f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in of.items())
                for group, of in groups
            ),
        }
        write_files(
            site / f"{self.name.replace('-', '_')}-{settings['version']}.dist-info", metadata
        )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The document's project, trained for one epoch and measured."""
    project = Project(tmp_path_factory.mktemp("build_your_own"))
    train, evaluate = GUIDE.command("zoo-train", "my_dates"), GUIDE.command("zoo-train", "evaluate")
    project.run([*train, "--epochs", "1"], evaluate)
    return project


@pytest.fixture(scope="module")
def answered(project):
    """What `zoo run` printed, in a process that also exported and ran the user's test."""
    quiet = ["-p", "no:cacheprovider", "--no-header"]
    # Without the check of an export in a process of its own: below it is served and asked.
    export = [*GUIDE.command("zoo-export"), "--no-verify"]
    return project.run(GUIDE.command("zoo"), export, [*GUIDE.command("pytest"), *quiet])


def test_the_users_lines_are_below_a_hundred():
    files = GUIDE.files
    lines = [line for content in files.values() for line in content.splitlines() if line.strip()]
    assert {"my_dates/model.py", "my_dates/recipe.py", "pyproject.toml"} <= set(files)
    assert f"in {len(lines)} lines of your own" in GUIDE.text
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
    texts = GUIDE.command("zoo")[3:]
    assert set(texts) == set(ANSWERS)
    assert answered.splitlines()[: len(texts)] == [ANSWERS[text] for text in texts]


def test_the_users_test_passes(answered):
    assert "2 passed" in answered


def test_without_the_package_the_error_names_it(project):
    with pytest.raises(ValueError, match=r"'date_reader'.*package 'my-dates': install that"):
        zoo.load(project.folder / "runs" / "dates" / "preset")


def test_it_is_served(project, answered):
    with project.serve(GUIDE.command("zoo-serve")) as ask:
        (prediction,) = project.curl(ask, GUIDE.command("curl"))["predictions"]
        assert prediction["iso"] == ANSWERS["the third of May, 1998"]
        assert prediction["score"] < 0
        assert b'"my_dates"' in ask("http://127.0.0.1:8501/")
