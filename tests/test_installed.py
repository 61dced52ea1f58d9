"""The wheel, installed into an environment of its own beside a user's folders of the same names."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("export", "serving", "training")
SOURCES = ("README.md", "pyproject.toml", "setup.py", "zoo", *ROOMS)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The `bin` of an environment that has the wheel, and what the tests' one has besides."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "source").mkdir()
    # A copy: the build leaves its work in the folder. Weights are left empty: they take time.
    leave = shutil.ignore_patterns("*.h5", "__pycache__")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / "source" / name, symlinks=True, ignore=leave)
        else:
            shutil.copy(ROOT / name, folder / "source" / name)
    for path in ROOT.glob("zoo/presets/*/*.h5"):
        (folder / "source" / path.relative_to(ROOT)).touch()
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    wheel = ["wheel", "--no-build-isolation", "--wheel-dir", folder, folder / "source"]
    run(folder, [sys.executable, "-m", "pip", *wheel, *options])
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("rnn_zoo-*.whl")
    run(folder, [sys.executable, "-m", "pip", "--python", python, "install", wheel, *options])
    (site,) = folder.glob("venv/lib/python*/site-packages")
    # No file of paths within these counts, so an editable install of the zoo stays out of it.
    others = [path for path in sys.path if path.endswith("-packages")]
    (site / "others.pth").write_text("\n".join(others))
    return site, python.parent


@pytest.fixture
def project(tmp_path):
    """A user's own project, whose folders are called as ours."""
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("mine = True\n")
    return tmp_path


def run(folder, command, **environment):
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def test_the_wheel_takes_no_name_but_zoo(installed):
    site, _ = installed
    (record,) = site.glob("rnn_zoo-*.dist-info/RECORD")
    names = {line.partition("/")[0] for line in record.read_text().splitlines()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"..", "zoo"}
    assert not any((site / "zoo" / room).is_symlink() for room in ROOMS)


def test_the_commands_run_beside_folders_of_these_names(installed, project):
    _, commands = installed
    # The way in which many set up their own project.
    beside = {"PYTHONPATH": str(project)}
    assert "nmt_attention" in run(project, [commands / "zoo", "list"], **beside)
    assert "nmt_attention" in run(project, [commands / "zoo-train", "--help"], **beside)
    assert "--base" in run(project, [commands / "zoo-export", "--help"], **beside)
    assert "--rest_api_port" in run(project, [commands / "zoo-serve", "--help"], **beside)
    assert "evaluate" in run(project, [commands / "python", "-m", "zoo.training", "--help"])


def test_a_users_folders_and_the_rooms_stand_side_by_side(installed, project):
    site, commands = installed
    code = (
        "import export, serving, training, zoo\n"
        "from zoo.training.corpora.tatoeba import load_tatoeba\n"
        "import zoo.serving.flags\n"
        "assert export.mine and serving.mine and training.mine\n"
        "print(zoo.export.__file__, zoo.export.ExportError.__module__)"
    )
    printed = run(project, [commands / "python", "-c", code]).split()
    assert printed == [str(site / "zoo" / "export" / "__init__.py"), "zoo.export.errors"]
