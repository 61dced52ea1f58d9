"""The playground: a page at `/` that shows what the models see, made of files in `playground/`.

The page talks to the REST API of the server that it came from, and to nothing else. The API has no
call that lists the models, so their names are written into the page. So are the names of the
scripts in `views/`: each says itself which signatures it can show.
"""

import functools
import json
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).parent
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_NAMES_HERE, _VIEWS_HERE = b"{{model_names}}", b"{{view_files}}"
_HEADERS = {
    # No script or style but our own files, no request to any other server.
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def playground_response(path: str, model_names: Iterable[str]) -> web.Response | None:
    """Answers GET or HEAD of a path, if the path is one of the playground's.

    Args:
        path: The target of the request, perhaps with a query: `/` or `/playground/FILE`.
        model_names: The models that the page offers, in its order.

    Returns:
        None for every other path: it is somebody else's.

    Example:
        >>> playground_response("/", ["half"]).content_type
        'text/html'
        >>> playground_response("/v1/models/half", ["half"]) is None
        True
    """
    file = _files().get(path.partition("?")[0])
    if file is None:
        return None
    content_type, content = file
    if content_type == "text/html":
        content = content.replace(_NAMES_HERE, _json_for_html(list(model_names)))
    return web.Response(body=content, content_type=content_type, charset="utf-8", headers=_HEADERS)


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
    content_type, page = files.pop("/playground/index.html")
    views = sorted(file.name for file in (_FOLDER / "views").glob("*.js"))
    files["/"] = content_type, page.replace(_VIEWS_HERE, _json_for_html(views))
    return files


def _json_for_html(value: list[str]) -> bytes:
    """JSON that no HTML parser takes for markup, whatever the strings in it."""
    return json.dumps(value).replace("<", "\\u003c").encode()
