"""The docstrings' dialect, as far as ruff has no rule for it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("benchmarks", "export", "serving", "training", "zoo")
SECTION = re.compile(r"(Args|Call arguments|Attributes|Raises|Returns|Yields):")
NAMED = re.compile(r"\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*: +")

SMALL = re.compile(r"(?!bool\b|(?:u?int|float)\d)[a-z]")  # a dtype is written as it is


def docstrings(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield getattr(node, "name", "the module"), ast.get_docstring(node) or ""


def entries(docstring):
    """Section and text of each entry, its continued lines joined to it."""
    found, section = [], None
    for line in filter(str.strip, docstring.split("\n")):
        indent = len(line) - len(line.lstrip())
        if indent == 0:
            heading = SECTION.fullmatch(line)
            section = heading and heading[1]
            fresh = True
        elif section and indent == 4 and (fresh or section not in ("Returns", "Yields")):
            found.append([section, line.strip()])
            fresh = False
        elif section:
            found[-1][1] += " " + line.strip()
    return found


def faults(docstring):
    """What is wrong with a docstring."""
    if "``" in docstring:
        yield "code stands between single backticks"
    if re.search(r":\w+:`", docstring):
        yield "no roles of reStructuredText"
    for section, text in entries(docstring):
        name = NAMED.match(text)
        if section not in ("Returns", "Yields") and not name:
            yield f"an entry is `name: What it is.` Received: {text:.60}"
        elif SMALL.match(text[name.end() if name else 0 :]):
            yield f"an entry begins with a capital: {text:.60}"
        elif text[-1] not in ".:":
            yield f"an entry ends in a period: {text:.60}"


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_have_one_dialect(room):
    paths = sorted((ROOT / room).rglob("*.py"))
    assert paths
    told = [
        f"{path.relative_to(ROOT)}, {name}: {fault}"
        for path in paths
        for name, docstring in docstrings(path)
        for fault in faults(docstring)
    ]
    assert not told, "\n".join(told)


@pytest.mark.parametrize(
    ("docstring", "fault"),
    [
        ("As in ``call``.", "single backticks"),
        ("As in :class:`Cell`.", "roles"),
        ("A.\n\nArgs:\n    units: size.", "capital: units: size"),
        ("A.\n\nReturns:\n    the size.", "capital: the size"),
        ("A.\n\nRaises:\n    TypeError: Not\n        a number", "period: TypeError: Not a number"),
        ("A.\n\nCall arguments:\n    The inputs.", "`name: What it is.` Received: The inputs."),
    ],
)
def test_what_is_told(docstring, fault):
    (told,) = faults(docstring)
    assert fault in told


def test_what_is_right():
    assert not list(
        faults(
            "A.\n\nArgs:\n    x, *rest: `[batch]` int32,\n        ids.\n    y: What:\n"
            "        like: this.\n\nReturns:\n    int32 `[batch]`.\n\n    More of it.\n\n"
            "Example:\n    units: 3"
        )
    )
