"""What the wings of the server may import: only REST and the playground know of JSON."""

import ast
from pathlib import Path

import pytest

SERVING = Path(__file__).parents[2] / "serving"
WINGS_WITHOUT_JSON = ("inference", "lifecycle", "batching", "grpc_api")
FORBIDDEN = ("json", "rapidjson", "google.protobuf.json_format", "zoo.serving.rest")


def imported(path):
    """Full names of every import in a file, those within functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("wing", WINGS_WITHOUT_JSON)
def test_only_rest_knows_of_json(wing):
    paths = sorted((SERVING / wing).glob("*.py"))
    assert len(paths) > 1
    for path in paths:
        wrong = {
            name
            for name in imported(path)
            if any(name == module or name.startswith(f"{module}.") for module in FORBIDDEN)
        }
        assert not wrong, f"{path.relative_to(SERVING.parent)} imports {', '.join(sorted(wrong))}"
