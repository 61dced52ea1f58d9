"""Counts and times the calls of the gRPC port."""

import time
from collections.abc import Callable

import grpc
from google.protobuf.message import Message

from zoo.serving.metrics import Metrics

_APIS = ("Predict", "Classify", "Regress", "MultiInference")


class MetricsInterceptor(grpc.ServerInterceptor):
    """Stands between the port and the services.

    Args:
        metrics: Where calls that run a model are noted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        """Wraps the handler of one call."""
        handler = continuation(handler_call_details)
        api = handler_call_details.method.rpartition("/")[2]
        if handler is None or api not in _APIS:
            return handler

        def observed(request: Message, context: grpc.ServicerContext) -> Message:
            started = time.perf_counter()
            name = _model_name(request)
            try:
                reply = handler.unary_unary(request, context)
            except BaseException:
                code = context.code()  # what `context.abort` was called with
                self._metrics.count_request(name, code.name if code else "UNKNOWN")
                raise
            self._metrics.count_request(name, "OK")
            self._metrics.time_request(name, api, "GRPC", time.perf_counter() - started)
            return reply

        return grpc.unary_unary_rpc_method_handler(
            observed, handler.request_deserializer, handler.response_serializer
        )


def _model_name(request: Message) -> str:
    """The model that a request names, MultiInference in each of its tasks, the others once."""
    if hasattr(request, "tasks"):
        return request.tasks[0].model_spec.name if request.tasks else ""
    return request.model_spec.name
