"""The REST API: HTTP requests in, the bytes of TensorFlow Serving's answers out.

Paths that start with `/v1/` belong to the API; all others get a page, as libevent makes it.
"""

import asyncio
import logging
import re
import zlib
from concurrent.futures import Executor
from typing import Any

from aiohttp import web
from tensorflow_serving.apis import classification_pb2, regression_pb2

from zoo.serving.errors import ServingError, invalid_argument
from zoo.serving.inference.classify import run_classification_request, run_regression_request
from zoo.serving.inference.predict import check_method_name
from zoo.serving.inference.servable import DEFAULT_SIGNATURE
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.lifecycle.status import metadata_of, status_of
from zoo.serving.rest import json_writer, predict_body
from zoo.serving.rest.deadline import Deadline
from zoo.serving.rest.examples_body import read_examples
from zoo.serving.rest.paths import Call, is_api, is_uri, local_part, parse_call
from zoo.serving.rest.status_body import metadata_json, status_json

MAX_BODY_BYTES = 100 * 2**20

_METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
_JSON = {"Content-Type": "application/json"}
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}
_PAGE = (
    "<HTML><HEAD>\n<TITLE>{status} {reason}</TITLE>\n</HEAD><BODY>\n"
    "<H1>{reason}</H1>\n</BODY></HTML>\n"
)
# Method of a call -> its message, what runs that, and what writes the result.
_ON_EXAMPLES = {
    "classify": (
        classification_pb2.ClassificationRequest,
        run_classification_request,
        json_writer.classification_results,
    ),
    "regress": (
        regression_pb2.RegressionRequest,
        run_regression_request,
        json_writer.regression_results,
    ),
}

_log = logging.getLogger(__name__)


class ApiResponse(web.Response):
    """The answer to a call of the API, which ended with a canonical code."""

    def __init__(self, code: str, **options: Any) -> None:
        super().__init__(**options)
        self.code = code


class RestApi:
    """Answers HTTP requests from the models of a `Registry`.

    Args:
        registry: Where the models are.
        executor: What runs parsing and models, off the event loop.
        timeout_ms: The time from a body being there to its answer, whatever takes it, and for the
            next piece of a body to come; 0 is any time.
        cors: Whether to send the headers that let pages of other origins call the API.
    """

    def __init__(
        self, registry: Registry, executor: Executor, *, timeout_ms: int, cors: bool = False
    ) -> None:
        self._registry = registry
        self._executor = executor
        self._timeout_ms = timeout_ms
        self._cors = cors

    def server(self) -> web.Server:
        """Makes aiohttp's low-level server of the handler; bodies arrive as they were sent."""
        return web.Server(
            self.handle, handler_cancellation=True, auto_decompress=False, access_log=None
        )

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers a request; never raises."""
        path = local_part(request.raw_path)
        if request.method not in _METHODS:
            return _page(501, "Not Implemented")
        if not is_uri(path):
            return _page(400, "Bad Request")
        if not is_api(path):
            return _page(404, "Not Found")
        code = "OK"
        try:
            if request.method == "OPTIONS":
                code, status, body = *_preflight(request), b""
            else:
                content = await self._read(request)
                gzipped = "gzip" in request.headers.get("Content-Encoding", "")
                status = 200
                body = await self._answer_in_time(request.method, path, content, gzipped)
        except ServingError as error:
            code, status, body = (
                error.code,
                error.http_status,
                json_writer.error_body(error.message),
            )
        except web.HTTPRequestEntityTooLarge as error:
            code, status, body = (
                "INVALID_ARGUMENT",
                error.status,
                json_writer.error_body(error.text),
            )
        except (ConnectionError, web.RequestPayloadError):
            code, status = "CANCELLED", 400
            body = json_writer.error_body("The request body was cut short.")
        except TimeoutError:
            code, status = "DEADLINE_EXCEEDED", 408
            body = json_writer.error_body("The request body did not arrive in time.")
        except Exception:
            _log.exception("%s %s", request.method, path)
            code, status = "INTERNAL", 500
            body = json_writer.error_body("Internal error; the server's log tells more.")
        headers = _JSON | _CORS if self._cors else _JSON
        response = ApiResponse(code, status=status, body=body, headers=headers)
        if status in (408, 413):
            response.force_close()
        return response

    async def _answer_in_time(self, method: str, path: str, content: bytes, gzipped: bool) -> bytes:
        """Answers a call in a thread of the executor, or raises `ServingError`.

        When its time is over the client is told so at once; the thread stops after the stage that
        it is at.
        """
        deadline = Deadline(self._timeout_ms)
        answer = asyncio.get_running_loop().run_in_executor(
            self._executor, self._answer, method, path, content, gzipped, deadline
        )
        try:
            async with asyncio.timeout(self._timeout_ms / 1000 or None):
                return await answer
        except TimeoutError:
            raise deadline.error from None
        except asyncio.CancelledError:  # the client has left; a call that waits is not begun
            deadline.abandon()
            raise

    def _answer(
        self, method: str, path: str, content: bytes, gzipped: bool, deadline: Deadline
    ) -> bytes:
        call = parse_call(method, path)
        if call.method == "status":
            return status_json(status_of(self._registry, call.model, call.version))
        if call.method == "metadata":
            metadata = metadata_of(self._registry, call.model, call.version, call.label)
            return metadata_json(metadata)
        body = _inflate(content) if gzipped else content
        deadline.left_ms()  # raises if there is none
        if call.method == "predict":
            return self._predict(call, body, deadline)
        return self._infer(call, body, deadline)

    def _predict(self, call: Call, content: bytes, deadline: Deadline) -> bytes:
        body = predict_body.read_body(content)
        deadline.left_ms()
        with self._registry.acquire(call.model, call.version, call.label) as (servable, _):
            signature_name = body.signature_name or DEFAULT_SIGNATURE
            if signature_name not in servable.signatures:
                raise invalid_argument(
                    f'Serving signature name: "{signature_name}" not found in signature def'
                )
            inputs, layout = predict_body.read_tensors(body, servable.input_dtypes(signature_name))
            check_method_name(servable, signature_name)
            outputs = servable.run(signature_name, inputs, timeout_ms=deadline.left_ms())
        deadline.left_ms()
        return predict_body.encode_outputs(outputs, layout)

    def _infer(self, call: Call, content: bytes, deadline: Deadline) -> bytes:
        """Classifies or regresses; the whole body is judged before the model is looked for."""
        kind, run, encode = _ON_EXAMPLES[call.method]
        signature_name, examples = read_examples(content)
        request = kind(input=examples)
        request.model_spec.signature_name = signature_name
        with self._registry.acquire(call.model, call.version, call.label) as (servable, _):
            return encode(run(servable, request, deadline.left_ms()))

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


def _page(status: int, reason: str) -> web.Response:
    """Makes the page that libevent answers with, beneath TensorFlow Serving's API."""
    body = _PAGE.format(status=status, reason=reason).encode()
    response = web.Response(
        status=status, reason=reason, body=body, headers={"Content-Type": "text/html"}
    )
    response.force_close()
    return response


def _preflight(request: web.BaseRequest) -> tuple[str, int]:
    """Code and status of an answer to OPTIONS; why it is refused, only the log tells."""
    if re.search("https?://", request.headers.get("Origin", "")):
        return "OK", 200
    _log.debug("%s: Origin header is missing in CORS preflight", request.raw_path)
    return "FAILED_PRECONDITION", 400


def _inflate(content: bytes) -> bytes:
    """Inflates a gzip body; one that is broken or too large counts as empty."""
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(content, MAX_BODY_BYTES + 1)
    except zlib.error:
        return b""
    whole = inflater.eof and not inflater.unused_data
    return inflated if whole and len(inflated) <= MAX_BODY_BYTES else b""
