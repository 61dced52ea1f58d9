"""What may import what: the rooms' direction, and a light `import zoo`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOMS = {"zoo", "training", "export", "serving"}
MAY_IMPORT = {"zoo": set(), "training": {"zoo"}, "export": {"zoo"}, "serving": set()}
# Given a preset's name, the command line exports what is missing; the server itself never does.
COMMAND_LINE_OF_SERVING = {("serving", "__main__.py"), ("serving", "presets.py")}
HEAVY = {"tensorflow_datasets", "aiohttp", "grpc", "sacrebleu", "sacremoses", "sentencepiece"}


def imported(path):
    """Top-level names of every import in a file, those within functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_imports_run_one_way(room):
    paths = sorted((REPOSITORY / room).rglob("*.py"))
    assert paths
    for path in paths:
        allowed = MAY_IMPORT[room]
        if path.parts[-2:] in COMMAND_LINE_OF_SERVING:
            allowed = {"export", "zoo"}
        wrong = imported(path) & (ROOMS - {room} - allowed)
        assert not wrong, f"{path.relative_to(REPOSITORY)} imports {', '.join(sorted(wrong))}"


def loaded_by(module):
    code = f"import sys, {module}; print(*{{m.partition('.')[0] for m in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.parametrize("module", ["zoo", "zoo.__main__"])
def test_the_door_opens_at_once(module):
    """`zoo list` and `zoo --help` need no TensorFlow, so they do not wait for it."""
    loaded = loaded_by(module)
    assert not loaded & (HEAVY | ROOMS - {"zoo"} | {"tensorflow", "keras", "matplotlib"})


def test_the_models_load_no_other_rooms_tools():
    # Not said of matplotlib: Keras loads it by itself where it is installed.
    assert not loaded_by("zoo.models, zoo.weights, zoo.drawing.plotting") & (
        HEAVY | ROOMS - {"zoo"}
    )


def test_the_server_loads_no_model_code():
    assert not loaded_by("serving.__main__, serving.server") & (ROOMS - {"serving"})
