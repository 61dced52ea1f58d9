"""The flags of `zoo-serve`, in TensorFlow Serving's names and spelling."""

from collections.abc import Callable
from pathlib import Path

import click

#: Which requests are logged; `zoo.serving.logs`, which imports much, does it.
ACCESS_LOGS = ("none", "errors", "all")
LOG_FORMATS = ("text", "json")
# Flags of TensorFlow Serving that change what is served or how; refused rather than ignored.
NOT_BUILT = frozenset(
    {
        "enable_grpc_healthcheck_service",
        "enable_per_model_batching_parameters",
        "enable_profiler",
        "enable_serialization_as_tensor_content",
        "http_socket_path",
        "mixed_precision",
        "num_tflite_interpreters_per_pool",
        "num_tflite_pools",
        "platform_config_file",
        "prefer_tflite_model",
        "response_compression_level",
        "thread_pool_factory_config_file",
        "use_alts_credentials",
        "use_tflite_model",
        "xla_cpu_compilation_enabled",
    }
)
# Flags that only tune TensorFlow Serving's inside; accepted, so that command lines can be shared.
IGNORED = (
    "flush_filesystem_caches",
    "num_unload_threads",
    "remove_unused_fields_from_bundle_metagraph",
)


class ServingCommand(click.Command):
    """Says of a flag that only TensorFlow Serving has that it is one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the command line, once no flag in it is one of `NOT_BUILT`."""
        for arg in args:
            name = arg.lstrip("-").partition("=")[0]
            if arg.startswith("--") and name in NOT_BUILT:
                raise click.UsageError(
                    f"--{name} is a flag of TensorFlow Serving that zoo-serve does not have. "
                    "Leave it out here; docs/serving.md says what is served.",
                    ctx,
                )
        return super().parse_args(ctx, args)


def serving_flags(command: Callable) -> Callable:
    """Decorates a click command with all flags; their values arrive under the flags' names."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command


#: What declares a flag of a command.
_Flag = Callable[[Callable], Callable]


def _switch(name: str, default: bool, text: str) -> _Flag:
    """Makes a boolean flag in TensorFlow Serving's spelling: `--name`, or `--name=false`."""
    return click.option(
        f"--{name}", type=bool, is_flag=False, flag_value=True, default=default, help=text
    )


def _port(name: str, default: int, text: str) -> _Flag:
    return click.option(f"--{name}", type=click.IntRange(0, 65535), default=default, help=text)


def _at_least(minimum: int, name: str, default: int, text: str) -> _Flag:
    return click.option(f"--{name}", type=click.IntRange(minimum), default=default, help=text)


def _file(name: str, text: str) -> _Flag:
    kind = click.Path(path_type=Path, dir_okay=False)
    return click.option(f"--{name}", type=kind, help=text)


def _ignored(name: str) -> _Flag:
    return click.option(
        f"--{name}", is_flag=False, flag_value="true", expose_value=False, hidden=True
    )


_FLAGS = [
    # Where to listen.
    _port("port", 8500, "gRPC port; 0: none."),
    _port("rest_api_port", 8501, "REST port; 0: none."),
    click.option(
        "--host",
        default="127.0.0.1",
        help="Address to listen on. 0.0.0.0 lets other machines in (TensorFlow Serving always "
        "does).",
    ),
    click.option("--grpc_socket_path", help="Listen for gRPC on a Unix socket, too."),
    _file("ssl_config_file", "SSLConfig in protobuf's text form: TLS for the gRPC port."),
    # What to serve.
    click.option("--model_name", default="default", help="Name of the model in --model_base_path."),
    click.option("--model_base_path", help="Directory whose numbered children are the versions."),
    _file(
        "model_config_file",
        "ModelServerConfig in protobuf's text form; --model_name and --model_base_path are then "
        "ignored.",
    ),
    _at_least(
        0,
        "model_config_file_poll_wait_seconds",
        0,
        "Read the model config file again this often; 0: never.",
    ),
    click.option(
        "--model_repository",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where presets are exported to and served from.  [default: the user's cache "
        "directory]",
    ),
    click.option(
        "--file_system_poll_wait_seconds",
        type=float,
        default=1.0,
        help="Look for new and deleted versions this often; 0: only once.",
    ),
    click.option("--saved_model_tags", default="serve", help="Comma-separated, of the meta graph."),
    _switch(
        "allow_version_labels_for_unavailable_models",
        False,
        "Accept labels of versions that are not loaded, unless they move.",
    ),
    _switch(
        "force_allow_any_version_labels_for_unavailable_models",
        False,
        "Accept labels of versions that are not loaded.",
    ),
    _at_least(
        0,
        "num_load_threads",
        0,
        "Versions that are loaded at a time; 0: as many as there are cores, at least two.",
    ),
    _at_least(
        0, "max_num_load_retries", 5, "Tries after the first one for a version that fails to load."
    ),
    click.option(
        "--load_retry_interval_micros",
        type=int,
        default=60_000_000,
        help="Between those tries, unless the version's files change; negative: no wait.",
    ),
    _switch("enable_model_warmup", True, "Replay assets.extra/tf_serving_warmup_requests."),
    _at_least(1, "num_request_iterations_for_warmup", 1, "How often each of them runs."),
    # How requests run.
    _at_least(
        0,
        "rest_api_timeout_in_ms",
        30000,
        "For an answer once its body is there, and for the next piece of a body; 0: none.",
    ),
    _at_least(0, "max_text_bytes", 1_000_000, "Of one string of a request; 0: any."),
    _at_least(0, "max_batch_texts", 10_000, "Strings in one request; 0: any."),
    _at_least(0, "max_batch_bytes", 8_000_000, "Of all strings of a request; 0: any."),
    _at_least(1, "rest_api_num_threads", 16, "REST requests at a time."),
    _at_least(1, "grpc_max_threads", 16, "gRPC calls at a time."),
    click.option("--grpc_channel_arguments", default="", help="key=value,... for gRPC."),
    _switch("playground", True, "Offer a page at / to try the models in."),
    click.option(
        "--access_log",
        type=click.Choice(ACCESS_LOGS),
        default="none",
        help="Requests to log: those that failed, or all.",
    ),
    click.option(
        "--log_format",
        type=click.Choice(LOG_FORMATS),
        default="text",
        help="Lines of the log: to read, or objects of JSON.",
    ),
    _switch("rest_api_enable_cors_support", False, "Let pages of other origins call the REST API."),
    _switch("enable_batching", False, "Run requests that come together as one batch."),
    _file("batching_parameters_file", "BatchingParameters in protobuf's text form."),
    _file("monitoring_config_file", "MonitoringConfig in protobuf's text form: for Prometheus."),
    _switch(
        "enable_signature_method_name_check",
        False,
        "Let classify and regress run signatures of these method names only.",
    ),
    _at_least(0, "tensorflow_session_parallelism", 0, "Threads of a session; 0: TensorFlow's own."),
    _at_least(0, "tensorflow_intra_op_parallelism", 0, "Threads of one op; 0: the flag above."),
    _at_least(0, "tensorflow_inter_op_parallelism", 0, "Ops at a time; 0: the flag above it."),
    _file("tensorflow_session_config_file", "ConfigProto in protobuf's text form."),
    click.option(
        "--per_process_gpu_memory_fraction",
        type=click.FloatRange(0, 1),
        default=0.0,
        help="Of each GPU; 0: as TensorFlow sees fit.",
    ),
    *map(_ignored, IGNORED),
]
