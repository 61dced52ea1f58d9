"""The REST API: which path means what, and the bytes on the wire.

Paths that start with `/v1/` belong to the API and are matched whole, query string included, as
TensorFlow Serving does; all others go to `_page`.
"""

import asyncio
import logging
import re
import zlib
from concurrent.futures import Executor
from urllib.parse import unquote

from aiohttp import web

from serving import codec, json_out
from serving.errors import ServingError, invalid_argument
from serving.registry import Registry
from serving.reports import metadata_json, metadata_of, status_json, status_of

MAX_BODY_BYTES = 100 * 2**20

_API = re.compile(r"/v1/.*", re.IGNORECASE)
_VERSION = r"(?:/versions/([0-9]+)|/labels/([^/:]+))?"
_INFERENCE = re.compile(rf"/v1/models/([^/:]+){_VERSION}:(classify|regress|predict)", re.IGNORECASE)
_MODEL = re.compile(rf"/v1/models(?:/([^/:]+))?{_VERSION}(?:/(metadata))?", re.IGNORECASE)
_INT64_MAX = 2**63 - 1

_JSON = {"Content-Type": "application/json"}
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}
_NOT_FOUND = (
    b"<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n"
    b"<H1>Not Found</H1>\n</BODY></HTML>\n"
)

_log = logging.getLogger(__name__)


class RestApi:
    """Answers HTTP requests from the models of a `Registry`.

    Args:
        registry: Where the models are.
        executor: Runs parsing and models, off the event loop.
        timeout_ms: For one run of a model, and for the client to send the next piece of a body.
        cors: Send the headers that let pages of other origins call the API.
    """

    def __init__(
        self, registry: Registry, executor: Executor, *, timeout_ms: int, cors: bool = False
    ):
        self._registry = registry
        self._executor = executor
        self._timeout_ms = timeout_ms
        self._cors = cors

    def server(self) -> web.Server:
        """The handler as aiohttp's low-level server; bodies arrive as sent, still compressed."""
        return web.Server(self._handle, auto_decompress=False, access_log=None)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = re.sub(r"^https?://[^/]*", "", request.raw_path).partition("#")[0]
        if not _API.fullmatch(path):
            return _page()
        try:
            if request.method == "OPTIONS":
                _check_preflight(request)
                status, body = 200, b""
            else:
                content = await self._read(request)
                gzipped = "gzip" in request.headers.get("Content-Encoding", "").lower()
                status = 200
                body = await asyncio.get_running_loop().run_in_executor(
                    self._executor, self._answer, request.method, path, content, gzipped
                )
        except ServingError as error:
            status, body = error.http_status, json_out.error_body(error.message)
        except web.HTTPRequestEntityTooLarge as error:
            status, body = error.status, json_out.error_body(error.text)
        except (ConnectionError, web.RequestPayloadError):
            status, body = 400, json_out.error_body("The request body was cut short.")
        except TimeoutError:
            status, body = 408, json_out.error_body("The request body did not arrive in time.")
        except Exception:
            _log.exception("%s %s", request.method, path)
            status, body = 500, json_out.error_body("Internal error; the server's log tells more.")
        headers = _JSON | _CORS if self._cors else _JSON
        response = web.Response(status=status, body=body, headers=headers)
        if status in (408, 413):
            response.force_close()
        return response

    def _answer(self, method: str, path: str, content: bytes, gzipped: bool) -> bytes:
        """Runs in a thread of the executor. Raises `ServingError`."""
        body = _inflate(content) if gzipped else content
        if method == "POST" and (match := _INFERENCE.fullmatch(path)):
            name, version, label = _model(match)
            if match[4] == "predict":
                return self._predict(name, version, label, body)
            if match[4] in ("classify", "regress"):
                raise ServingError("UNIMPLEMENTED", f"zoo-serve does not serve {match[4]} yet.")
        elif method == "GET" and (match := _MODEL.fullmatch(path)):
            name, version, label = _model(match)
            if not name:
                raise invalid_argument("Missing model name in request.")
            if match[4] == "metadata":
                return metadata_json(metadata_of(self._registry, name, version, label))
            return status_json(status_of(self._registry, name, version))
        raise invalid_argument(f"Malformed request: {method} {path}")

    def _predict(self, name: str, version: int | None, label: str | None, content: bytes) -> bytes:
        body = codec.read_body(content)
        with self._registry.acquire(name, version, label) as (servable, _):
            signature_name = body.signature_name or codec.DEFAULT_SIGNATURE
            if signature_name not in servable.signatures:
                raise invalid_argument(
                    f'Serving signature name: "{signature_name}" not found in signature def'
                )
            inputs, layout = codec.read_tensors(body, servable.input_dtypes(signature_name))
            outputs = servable.run(signature_name, inputs, timeout_ms=self._timeout_ms)
        return codec.encode_outputs(outputs, layout)

    async def _read(self, request: web.BaseRequest) -> bytes:
        """Reads the body, at most `MAX_BODY_BYTES` of it."""
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # that was not yet the answer
        content = bytearray()
        seconds = self._timeout_ms / 1000 or None
        while True:
            async with asyncio.timeout(seconds):
                chunk = await request.content.readany()
            if not chunk:
                break
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                raise web.HTTPRequestEntityTooLarge(
                    MAX_BODY_BYTES,
                    len(content),
                    text=f"The request body is larger than {MAX_BODY_BYTES} bytes.",
                )
        return bytes(content)


def _page() -> web.Response:
    """What is not the API's: TensorFlow Serving has nothing here."""
    response = web.Response(status=404, body=_NOT_FOUND, headers={"Content-Type": "text/html"})
    response.force_close()
    return response


def _model(match: re.Match) -> tuple[str, int | None, str | None]:
    """Name, version and label out of a path."""
    name, digits, label = match[1] or "", match[2], match[3]
    version = int(digits) if digits and len(digits.lstrip("0")) < 20 else None
    if digits and (version is None or version > _INT64_MAX):
        raise invalid_argument(f"Failed to convert version: {digits} to numeric.")
    return unquote(name), version, unquote(label) if label else None


def _check_preflight(request: web.BaseRequest) -> None:
    if not re.search("https?://", request.headers.get("Origin", "")):
        raise ServingError("FAILED_PRECONDITION", "Origin header is missing in CORS preflight")


def _inflate(content: bytes) -> bytes:
    """Inflates a gzip body; one that is broken or too large counts as empty."""
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(content, MAX_BODY_BYTES + 1)
    except zlib.error:
        return b""
    return inflated if inflater.eof and len(inflated) <= MAX_BODY_BYTES else b""
