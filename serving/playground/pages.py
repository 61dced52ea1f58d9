"""The playground: a page at `/` that shows what the models see, made of files in `playground/`.

The page talks to the REST API of the server that it came from, and to nothing else. The API has no
call that lists the models, so their names and titles are written into the page. So are the names
of the scripts in `views/`: each says itself which signatures it can show. What a model's card says
is at `/playground/cards/NAME`.
"""

import dataclasses
import functools
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable
from pathlib import Path

from aiohttp import web

from zoo.serving.playground.cards import Card, read_card

_FOLDER = Path(__file__).parent
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_CARDS = "/playground/cards/"
_HEADERS = {
    # No script or style but our own files, no request to any other server.
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def playground_response(
    path: str,
    model_names: Iterable[str],
    directory: Callable[[str], Path | None] = lambda name: None,
) -> web.Response | None:
    """Answers GET or HEAD of a path, if the path is one of the playground's.

    Args:
        path: The target of the request, perhaps with a query: `/` or `/playground/FILE`.
        model_names: The models that the page offers, in its order.
        directory: From a model's name to the directory of the version that answers, if any does.

    Returns:
        None for every other path: it is somebody else's.

    Example:
        >>> playground_response("/", ["half"]).content_type
        'text/html'
        >>> playground_response("/v1/models/half", ["half"]) is None
        True
    """
    path, names = path.partition("?")[0], list(model_names)
    if path.startswith(_CARDS):
        name = urllib.parse.unquote(path.removeprefix(_CARDS))
        return _card_response(_card(directory(name))) if name in names else None
    file = _files().get(path)
    if file is None:
        return None
    content_type, content = file
    if content_type == "text/html":
        cards = {name: _card(directory(name)) for name in names}
        titles = {name: card.title for name, card in cards.items() if card and card.title}
        content = _filled(content, model_names=names, model_titles=titles, view_files=_views())
    return web.Response(body=content, content_type=content_type, charset="utf-8", headers=_HEADERS)


def _card(directory: Path | None) -> Card | None:
    return directory and read_card(directory)


def _card_response(card: Card | None) -> web.Response:
    if card is None:
        return web.Response(status=204, headers=_HEADERS)
    body = json.dumps(dataclasses.asdict(card))
    return web.Response(text=body, content_type="application/json", headers=_HEADERS)


@functools.cache
def _files() -> dict[str, tuple[str, bytes]]:
    """Path in a URL -> type and content; what is not in here cannot be asked for."""
    files = {
        f"/playground/{file.relative_to(_FOLDER).as_posix()}": (
            _TYPES[file.suffix],
            file.read_bytes(),
        )
        for file in sorted(_FOLDER.rglob("*"))
        if file.suffix in _TYPES
    }
    files["/"] = files.pop("/playground/index.html")
    return files


@functools.cache
def _views() -> list[str]:
    return sorted(file.name for file in (_FOLDER / "views").glob("*.js"))


def _filled(page: bytes, **values: list[str] | dict[str, str]) -> bytes:
    """The page with values for its `{{names}}`, as JSON that no HTML parser takes for markup."""

    def value(match: re.Match) -> bytes:
        return json.dumps(values[match[1].decode()]).replace("<", "\\u003c").encode()

    # All at once: a value may look like such a name.
    return re.sub(rb"\{\{(\w+)\}\}", value, page)
