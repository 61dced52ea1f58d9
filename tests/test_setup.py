"""What `setup.py` packs: every module and every data file of the four rooms."""

import runpy
from pathlib import Path

import pytest
import setuptools

ROOT = Path(__file__).parents[1]
ROOMS = ("export", "serving", "training", "zoo")


def installed(path):
    """Where a file of a room goes: the other rooms become packages of `zoo`."""
    path = path.relative_to(ROOT)
    return str(path if path.parts[0] == "zoo" else "zoo" / path)


@pytest.fixture(scope="module")
def distribution():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        arguments = {}
        patch.setattr(setuptools, "setup", lambda **given: arguments.update(given))
        runpy.run_path("setup.py")
        yield setuptools.Distribution({"script_name": "setup.py", **arguments})


def test_a_wheel_has_all_that_is_in_the_rooms(distribution, tmp_path):
    command = distribution.get_command_obj("build_py")
    command.build_lib = str(tmp_path)
    command.ensure_finalized()
    packed = {str(Path(path).relative_to(tmp_path)) for path in command.get_outputs(False)}
    there = {
        installed(path)
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"zoo/presets/__init__.py", "zoo/export/session_run.py"} <= packed
    assert packed == there


def test_every_console_script_has_its_function(distribution):
    scripts = distribution.entry_points["console_scripts"]
    assert len(scripts) == len(ROOMS)
    for script in scripts:
        module, _, function = script.partition(" = ")[2].partition(":")
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        assert f"def {function}(" in path.read_text(encoding="utf-8")
