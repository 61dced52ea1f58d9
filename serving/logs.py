"""What the server writes to its log: the form of the lines, and a line for each request."""

import json
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import grpc
from aiohttp import web
from google.protobuf.message import Message

from zoo.serving.errors import CODES

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
# What these have to say is about deprecated calls, and about clients that do not speak HTTP.
_QUIET = ("absl", "tensorflow", "aiohttp.server")

_log = logging.getLogger("zoo.serving.access")


def set_up_logging(log_format: str) -> None:
    """Makes the log of the process go to the standard error stream.

    Args:
        log_format: "text" for lines to read, "json" for an object a line, to be collected.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    if log_format == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonFormatter())
    for library in _QUIET:
        logging.getLogger(library).setLevel(logging.CRITICAL)


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON: `time`, `level`, `logger`, `message`, and the rest.

    A record about a request has its parts as further keys; one about an exception, `exception`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line, without its end."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "request", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class AccessLog(grpc.ServerInterceptor):
    """Logs requests of both ports when they have been answered.

    Those that the client got wrong are warnings, those that the server failed at are errors.

    Args:
        which: `none`, `errors` or `all`: no request, those that did not succeed, or all.
    """

    def __init__(self, which: str) -> None:
        self._lowest_status = {"none": None, "errors": 400, "all": 0}[which]

    def in_front_of(self, handler: _Handler) -> _Handler:
        """Wraps the handler of the REST port."""
        if self._lowest_status is None:
            return handler

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            started = time.perf_counter()
            status = 499  # unless the handler ends: then the client has left
            try:
                response = await handler(request)
                status = response.status
                return response
            finally:
                call = f"{request.method} {_printable(request.raw_path)}"
                self._note("REST", call, status, status, started, str(request.remote))

        return handle

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        """Wraps the handler of one gRPC call."""
        handler = continuation(handler_call_details)
        if self._lowest_status is None or handler is None or not handler.unary_unary:
            return handler

        def logged(request: Message, context: grpc.ServicerContext) -> Message:
            started, code = time.perf_counter(), "OK"
            try:
                return handler.unary_unary(request, context)
            except BaseException:
                code = context.code().name if context.code() else "UNKNOWN"
                raise
            finally:
                method = handler_call_details.method
                self._note("gRPC", method, code, CODES[code][1], started, context.peer())

        return grpc.unary_unary_rpc_method_handler(
            logged, handler.request_deserializer, handler.response_serializer
        )

    def _note(
        self, api: str, call: str, answer: int | str, status: int, started: float, client: str
    ) -> None:
        """Logs a request; `answer` is its status in the words of `api`, `status` that of HTTP."""
        if status < self._lowest_status:
            return
        level = logging.INFO if status < 400 else logging.WARNING
        level = level if status < 500 else logging.ERROR
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        parts = {
            "api": api,
            "call": call,
            "status": answer,
            "milliseconds": milliseconds,
            "client": client,
        }
        text = f"{api} {call} {answer}, {milliseconds} ms, from {client}"
        _log.log(level, "%s", text, extra={"request": parts})


def _printable(path: str) -> str:
    """The path on one line, whatever a client has put into it."""
    return path.encode("unicode_escape").decode()
