"""What stands before the REST API on its port: other pages, and the counting for the metrics."""

import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from zoo.serving.errors import ServingError
from zoo.serving.metrics import Metrics
from zoo.serving.rest.api import ApiResponse
from zoo.serving.rest.paths import is_api, local_part, parse_call

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
#: Path -> the page there, or None.
Pages = Callable[[str], web.Response | None]
_INFERENCES = ("predict", "classify", "regress")


def in_front_of(
    handler: Handler, metrics: Metrics, prometheus_path: str | None, pages: Pages | None = None
) -> Handler:
    """Counts and times the requests of a handler, and answers those for other pages itself.

    Args:
        handler: The handler of the REST API.
        metrics: Where requests are noted.
        prometheus_path: The path of the page of metrics; None for no page.
        pages: What answers GET and HEAD of further pages.
    """

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        path = local_part(request.raw_path)
        if prometheus_path and path.partition("?")[0] == prometheus_path:
            return _metrics_page(metrics, path, prometheus_path)
        if pages and request.method in ("GET", "HEAD") and (page := pages(path)) is not None:
            return page
        started = time.perf_counter()
        response = await handler(request)
        if is_api(path):
            seconds = time.perf_counter() - started
            # A method that HTTP does not have is answered with a page.
            code = response.code if isinstance(response, ApiResponse) else "UNIMPLEMENTED"
            _note(metrics, request.method, path, code, seconds)
        return response

    return handle


def _metrics_page(metrics: Metrics, path: str, prometheus_path: str) -> web.Response:
    """Answers any method; only the path must be exact."""
    status, body = 200, metrics.page()
    if path != prometheus_path:
        status = 400
        body = f"Unexpected path: {path}. Should be {prometheus_path}".encode()
    return web.Response(status=status, body=body, headers={"Content-Type": "text/plain"})


def _note(metrics: Metrics, method: str, path: str, code: str, seconds: float) -> None:
    try:
        call = parse_call(method, path)
    except ServingError:
        metrics.count_request("", code)
        return
    metrics.count_request(call.model, code)
    if code == "OK" and call.method in _INFERENCES:
        metrics.time_request(call.model, call.method, "REST", seconds)
