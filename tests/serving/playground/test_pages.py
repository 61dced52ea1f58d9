"""What the server delivers for the playground; how it behaves is tested in a browser."""

import json
import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from zoo.serving.playground.pages import playground_response

REPOSITORY = Path(__file__).parents[3]
PLAYGROUND = REPOSITORY / "serving" / "playground"


def _text(path, names=()):
    response = playground_response(path, names)
    assert response.status == 200
    return response.body.decode()


class _Parser(HTMLParser):
    """Collects the files that a page asks for, and the texts of its JSON scripts by id."""

    def __init__(self, text):
        super().__init__()
        self.links, self.data, self._inside = [], {"model-names": "", "view-files": ""}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self._inside = attributes["id"] if attributes.get("id") in self.data else None
        if link := attributes.get("src") or (tag == "link" and attributes["href"]):
            self.links.append(link)

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside:
            self.data[self._inside] += data


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["nmt_attention", "half"],
        ["</script><script>alert(1)</script>", "<!--", "a\"b'&ü\u2028😀", "{{view_files}}"],
    ],
)
def test_the_page_carries_the_names(names):
    assert json.loads(_Parser(_text("/", names)).data["model-names"]) == names


def test_every_view_is_found_and_no_model_is_named_in_any():
    views = json.loads(_Parser(_text("/")).data["view-files"])
    assert views == sorted(path.name for path in (PLAYGROUND / "views").iterdir())
    presets = sorted(path.name for path in (REPOSITORY / "zoo" / "presets").iterdir())
    for script in PLAYGROUND.rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not [name for name in presets if re.search(rf"['\"`/]{name}\b", text)], script


def test_names_may_come_from_any_iterable():
    assert json.loads(_Parser(_text("/", iter(["a"]))).data["model-names"]) == ["a"]


def test_every_file_that_is_asked_for_is_there():
    page = _Parser(_text("/"))
    waiting = [f"/{link}" for link in page.links]
    waiting += [f"/playground/views/{file}" for file in json.loads(page.data["view-files"])]
    seen = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        imports = re.findall(r'from "([^"]+)"', _text(path)) if path.endswith(".js") else []
        folder = posixpath.dirname(path)
        waiting += [posixpath.normpath(posixpath.join(folder, imported)) for imported in imports]
    assert {"/playground/style.css", "/playground/icon.svg", "/playground/app.js"} < seen
    assert "/playground/views/translation.js" in seen


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html"),
        ("/?from=a-mail", "text/html"),
        ("/playground/style.css", "text/css"),
        ("/playground/app.js", "text/javascript"),
        ("/playground/icon.svg", "image/svg+xml"),
    ],
)
def test_headers(path, content_type):
    response = playground_response(path, [])
    assert response.headers["Content-Type"] == f"{content_type}; charset=utf-8"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/index.html",
        "/playground",
        "/playground/",
        "/playground/index.html",
        "/playground/../playground.py",
        "/playground/..%2Fplayground.py",
        "/playground//etc/passwd",
        "/playground/views",
        "/v1/models/half",
        "//",
    ],
)
def test_other_paths_are_somebody_elses(path):
    assert playground_response(path, ["half"]) is None


def test_no_file_names_another_server():
    for path in ("/", "/playground/style.css", "/playground/app.js", "/playground/api.js"):
        assert not re.search(r"https?://|url\(", _text(path))
