"""What may import what: the rooms' direction, that within `zoo`, and a light `import zoo`."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import zoo

REPOSITORY = Path(__file__).parents[2]
ROOMS = {"zoo", "training", "export", "serving"}
MAY_IMPORT = {"zoo": set(), "training": {"zoo"}, "export": {"zoo"}, "serving": set()}
# Given a preset's name, the command line exports what is missing; the server itself never does.
COMMAND_LINE_OF_SERVING = {("serving", "__main__.py"), ("serving", "presets.py")}
HEAVY = {"tensorflow_datasets", "aiohttp", "grpc", "sacrebleu", "sacremoses", "sentencepiece"}
HEAVY |= {"seqeval"}  # scikit-learn is loaded by Keras itself where it is installed

# What a part of `zoo` may import of the zoo besides itself.
PARTS = {
    "data": set(),
    "layers": {"zoo.startup", "zoo.graphs.traced_once"},
    "text": {"zoo.data", "zoo.graphs.traced_once"},
    "decoding": set(),
    "pictures": set(),
    "audio": {"zoo.pictures"},  # what is read out of the headers of files
    "graphs": {"zoo.files"},
    "models": {
        *("zoo.data", "zoo.layers", "zoo.text", "zoo.pictures", "zoo.audio"),
        *("zoo.decoding", "zoo.graphs"),
        *("zoo.close_names", "zoo.provenance", "zoo.registry"),
    },
    "drawing": {"zoo.files"},
    "reports": {"zoo.extras", "zoo.text"},
}
# And within a function, when it is called and not before, or only for a type.
LATER = {
    "graphs": {"zoo.models"},
    "models": {"zoo.drawing", "zoo.reports"},
    "drawing": {"zoo.models", "zoo.reports"},
    "reports": {"zoo.drawing", "zoo.models"},
}
FILES = {"glob", "h5py", "io", "os", "pathlib", "shutil", "tempfile"}
NOT_FOR = {
    "layers": FILES | {"tensorflow_text"},
    "text": {"keras"},
    "pictures": {"keras"},
    "audio": {"keras"},
    "decoding": FILES | {"keras"},
}


def modules(path, later=True):
    """Full names of every import in a file, or only of those that are done when it is loaded."""
    pending = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            if node.module != "zoo":
                yield node.module
            # The names may be modules: `from zoo import registry`.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if later or not (
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        ):
            pending += ast.iter_child_nodes(node)


def room_of(name):
    """The room that a module stands in; for one of another library its top-level name."""
    top, _, rest = name.partition(".")
    inner = rest.partition(".")[0]
    return inner if top == "zoo" and inner in ROOMS else top


def imported(path):
    """Rooms and libraries of every import in a file, of those within functions too."""
    return {room_of(name) for name in modules(path)}


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


@pytest.mark.parametrize("part", PARTS)
def test_imports_run_one_way_within_the_zoo(part):
    paths = sorted((REPOSITORY / "zoo" / part).rglob("*.py"))
    assert paths
    for path in paths:
        for later in (False, True):
            allowed = {f"zoo.{part}", *PARTS[part], *(LATER.get(part, ()) if later else ())}
            for name in modules(path, later):
                inside = any(f"{name}.".startswith(f"{prefix}.") for prefix in allowed)
                assert inside or name.partition(".")[0] != "zoo", (path, name)
        wrong = imported(path) & NOT_FOR.get(part, set())
        assert not wrong, f"{path.relative_to(REPOSITORY)} imports {', '.join(sorted(wrong))}"


def test_the_exporter_names_no_model():
    for path in sorted((REPOSITORY / "export").rglob("*.py")):
        words = set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        assert not words & set(zoo.list_models()), path


def loaded_by(module):
    code = f"import sys, {module}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return set(map(room_of, result.stdout.split()))


def light_modules():
    """What stands in `zoo` itself; and the presets."""
    stems = {path.stem for path in REPOSITORY.glob("zoo/*.py")} - {"__init__"}
    return ["zoo", "zoo.data", "zoo.presets", *(f"zoo.{stem}" for stem in sorted(stems))]


@pytest.mark.parametrize("module", light_modules())
def test_the_door_opens_at_once(module):
    """`zoo list` and `zoo --help` need no TensorFlow, so they do not wait for it."""
    loaded = loaded_by(module)
    assert not loaded & (HEAVY | ROOMS - {"zoo"} | {"tensorflow", "keras", "matplotlib"})


def test_the_models_load_no_other_rooms_tools():
    # Not said of matplotlib: Keras loads it by itself where it is installed.
    assert not loaded_by("zoo.models, zoo.weights, zoo.drawing.plotting, zoo.reports.measuring") & (
        HEAVY | ROOMS - {"zoo"}
    )


def test_the_server_loads_no_model_code():
    loaded = loaded_by("zoo.serving.__main__, zoo.serving.server")
    # TensorFlow brings Keras; `zoo` itself is no more than the door.
    assert not loaded & (ROOMS - {"serving", "zoo"})


@pytest.mark.parametrize("room", sorted(ROOMS - {"zoo"}))
def test_a_room_has_one_name(room):
    """Imported under two names, every class of it would be there twice."""
    code = f"import zoo, zoo.{room}; assert zoo.{room} is getattr(zoo, '{room}'); import {room}"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert f"ImportError: `{room}` is imported as `zoo.{room}`" in result.stderr
