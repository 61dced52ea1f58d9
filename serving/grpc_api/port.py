"""Where gRPC listens: a TCP port, a Unix socket, or both; in the clear or with TLS."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from zoo.serving.errors import ServingError
from zoo.serving.grpc_api.interceptor import MetricsInterceptor
from zoo.serving.grpc_api.services import Services
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.logs import AccessLog
from zoo.serving.metrics import Metrics
from zoo.serving.options import Options

_MAX_MESSAGE_BYTES = 2**31 - 1


def open_grpc_port(
    registry: Registry, options: Options, metrics: Metrics
) -> tuple[grpc.Server, int | None]:
    """Builds the gRPC server and binds it; call `start` on it.

    Args:
        registry: Where the models are.
        options: Where to listen, with which credentials and how many threads.
        metrics: Where calls are noted.

    Returns:
        The server, and the port it is bound to; None if it has a Unix socket only.

    Raises:
        ServingError: UNAVAILABLE if the port or the socket cannot be bound, INVALID_ARGUMENT for
            options that cannot be used.
    """
    server = grpc.server(
        ThreadPoolExecutor(options.grpc_max_threads, "grpc"),
        options=[
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),
            *options.grpc_arguments(),
        ],
        interceptors=[AccessLog(options.access_log), MetricsInterceptor(metrics)],
    )
    services = Services(registry)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(services, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(services, server)
    if options.grpc_socket_path:
        path = Path(options.grpc_socket_path).absolute()
        if not _bind(server, f"unix:{path}", None):
            raise ServingError(
                "UNAVAILABLE",
                f"Cannot listen on {path} for gRPC. Choose another --grpc_socket_path.",
            )
    port = None
    if options.port is not None:
        host = f"[{options.host}]" if ":" in options.host else options.host
        address = f"{host}:{options.port}"
        port = _bind(server, address, options.grpc_credentials())
        if not port:
            raise ServingError(
                "UNAVAILABLE", f"Cannot listen on {address} for gRPC. Choose another --port."
            )
    return server, port


def _bind(server: grpc.Server, address: str, credentials: grpc.ServerCredentials | None) -> int:
    """The port bound (1 for a Unix socket), or 0 if it could not be."""
    try:
        if credentials:
            return server.add_secure_port(address, credentials)
        return server.add_insecure_port(address)
    except RuntimeError:
        return 0
