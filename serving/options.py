"""How to serve: TensorFlow Serving's flags as one value, and the files that some of them name."""

import os
from dataclasses import dataclass
from pathlib import Path

import grpc
from tensorflow.core.protobuf import config_pb2

from zoo.serving.batching.parameters import BatchingParameters, read_batching_parameters
from zoo.serving.errors import invalid_argument
from zoo.serving.inference.limits import TextLimits
from zoo.serving.metrics import PROMETHEUS_PATH
from zoo.serving.text_protos import parse_text, read_text_file


@dataclass(frozen=True)
class Options:
    """How to serve. The names are those of TensorFlow Serving's flags where it has one.

    Attributes:
        host: The address to listen on.
        port: The port of gRPC; None for no gRPC over TCP, 0 for any free one.
        grpc_socket_path: The path of a Unix socket for gRPC, beside the port.
        rest_api_port: The port of REST; None for no REST, 0 for any free one.
        max_text_bytes: How long one string of a request may be; 0 for any length.
        max_batch_texts: How many strings it may have; 0 for any number.
        max_batch_bytes: How long they may be together; 0 for any length.
        num_load_threads: How many versions are loaded at a time; 0 for as many as there are cores,
            but at least two.
        access_log: Which requests are logged: "none", "errors" or "all".
        playground: Whether the REST port offers a page at `/` to try the models in.
    """

    host: str = "127.0.0.1"
    port: int | None = 8500
    grpc_socket_path: str | None = None
    grpc_max_threads: int = 16
    grpc_channel_arguments: str = ""
    ssl_config_file: Path | None = None
    rest_api_port: int | None = 8501
    rest_api_num_threads: int = 16
    rest_api_timeout_in_ms: int = 30000
    rest_api_enable_cors_support: bool = False
    max_text_bytes: int = 1_000_000
    max_batch_texts: int = 10_000
    max_batch_bytes: int = 8_000_000
    playground: bool = False
    access_log: str = "none"
    file_system_poll_wait_seconds: float = 1.0
    num_load_threads: int = 0
    max_num_load_retries: int = 5
    load_retry_interval_micros: int = 60_000_000
    enable_model_warmup: bool = True
    num_request_iterations_for_warmup: int = 1
    saved_model_tags: tuple[str, ...] = ("serve",)
    allow_version_labels_for_unavailable_models: bool = False
    force_allow_any_version_labels_for_unavailable_models: bool = False
    model_config_file_poll_wait_seconds: int = 0
    enable_batching: bool = False
    batching_parameters_file: Path | None = None
    monitoring_config_file: Path | None = None
    enable_signature_method_name_check: bool = False
    tensorflow_session_parallelism: int = 0
    tensorflow_intra_op_parallelism: int = 0
    tensorflow_inter_op_parallelism: int = 0
    tensorflow_session_config_file: Path | None = None
    per_process_gpu_memory_fraction: float = 0.0

    def load_threads(self) -> int:
        """How many versions are loaded at a time, at least one."""
        return self.num_load_threads or max(2, os.cpu_count() or 1)

    def text_limits(self) -> TextLimits:
        """How much text one request may bring."""
        return TextLimits(self.max_text_bytes, self.max_batch_texts, self.max_batch_bytes)

    def batching_parameters(self) -> BatchingParameters | None:
        """How to batch, or None if requests run one by one.

        Raises:
            ServingError: The file cannot be used, or is given although batching is off.
        """
        if self.enable_batching:
            path = self.batching_parameters_file
            return read_batching_parameters(path) if path else BatchingParameters()
        if self.batching_parameters_file:
            raise invalid_argument(
                "batching_parameters_file is set without setting enable_batching to true."
            )
        return None

    def prometheus_path(self) -> str | None:
        """Where the page of metrics is, or None if there is none.

        Raises:
            ServingError: The monitoring file cannot be used.
        """
        if not self.monitoring_config_file:
            return None
        config = read_text_file(self.monitoring_config_file, "MonitoringConfig").prometheus_config
        return (config.path or PROMETHEUS_PATH) if config.enable else None

    def grpc_credentials(self) -> grpc.ServerCredentials | None:
        """Makes the credentials for TLS on the gRPC port; None is for a port in the clear.

        Raises:
            ServingError: The file cannot be used, or lacks the key or the certificate.
        """
        if not self.ssl_config_file:
            return None
        config = read_text_file(self.ssl_config_file, "SSLConfig")
        if not config.server_key or not config.server_cert:
            raise invalid_argument(
                f"{self.ssl_config_file} must give server_key and server_cert, in PEM form."
            )
        return grpc.ssl_server_credentials(
            [(config.server_key.encode(), config.server_cert.encode())],
            root_certificates=config.custom_ca.encode() or None,
            require_client_auth=config.client_verify,
        )

    def grpc_arguments(self) -> list[tuple[str, int | str]]:
        """The channel arguments, `key=value,...`; values that are whole numbers become ints.

        Raises:
            ServingError: INVALID_ARGUMENT for an argument without a value.
        """
        arguments = []
        for argument in filter(None, self.grpc_channel_arguments.split(",")):
            key, equals, value = argument.partition("=")
            if not equals:
                raise invalid_argument(
                    "grpc_channel_arguments must be key=value pairs with commas between them. "
                    f"Received: {argument}"
                )
            arguments.append((key, int(value) if value.lstrip("-").isdecimal() else value))
        return arguments

    def session_config(self) -> config_pb2.ConfigProto:
        """Threads and memory of the sessions that models run in; flags go before the file.

        Raises:
            ServingError: The file cannot be used, or all three numbers of threads are given.
        """
        config, path = config_pb2.ConfigProto(), self.tensorflow_session_config_file
        if path:
            parse_text(path, config)
        both = self.tensorflow_session_parallelism
        if both and self.tensorflow_intra_op_parallelism and self.tensorflow_inter_op_parallelism:
            raise invalid_argument(
                "Either configure tensorflow_session_parallelism or "
                "(tensorflow_intra_op_parallelism, tensorflow_inter_op_parallelism) separately. "
                "You cannot configure all."
            )
        if intra := self.tensorflow_intra_op_parallelism or both:
            config.intra_op_parallelism_threads = intra
        if inter := self.tensorflow_inter_op_parallelism or both:
            config.inter_op_parallelism_threads = inter
        if self.per_process_gpu_memory_fraction:
            fraction = self.per_process_gpu_memory_fraction
            config.gpu_options.per_process_gpu_memory_fraction = fraction
        return config
