"""`zoo-serve`: TensorFlow Serving's command line, in this process, for any SavedModel."""

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import click

# Flags of TensorFlow Serving that change what is served or how; refused rather than ignored.
NOT_BUILT = frozenset(
    {
        "batching_parameters_file",
        "enable_batching",
        "enable_grpc_healthcheck_service",
        "enable_profiler",
        "enable_serialization_as_tensor_content",
        "enable_signature_method_name_check",
        "flush_filesystem_caches",
        "force_allow_any_version_labels_for_unavailable_models",
        "grpc_channel_arguments",
        "grpc_max_threads",
        "grpc_socket_path",
        "http_socket_path",
        "mixed_precision",
        "monitoring_config_file",
        "num_load_threads",
        "num_request_iterations_for_warmup",
        "num_unload_threads",
        "per_process_gpu_memory_fraction",
        "platform_config_file",
        "prefer_tflite_model",
        "remove_unused_fields_from_bundle_metagraph",
        "response_compression_level",
        "ssl_config_file",
        "tensorflow_inter_op_parallelism",
        "tensorflow_intra_op_parallelism",
        "tensorflow_session_config_file",
        "tensorflow_session_parallelism",
        "thread_pool_factory_config_file",
        "use_alts_credentials",
        "use_tflite_model",
        "xla_cpu_compilation_enabled",
    }
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SAMPLES = {"string": '"A dog runs."', "float": "1.0", "double": "1.0", "bool": "true"}


class _Command(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for arg in args:
            name = arg.lstrip("-").partition("=")[0]
            if arg.startswith("--") and name in NOT_BUILT:
                raise click.UsageError(
                    f"--{name} is a flag of TensorFlow Serving that zoo-serve does not have. "
                    "Leave it out here; docs/serving.md says what is served.",
                    ctx,
                )
        return super().parse_args(ctx, args)


def _switch(name: str, default: bool, text: str):
    """A boolean flag in TensorFlow Serving's spelling: `--name`, `--name=true`, `--name=false`."""
    return click.option(
        f"--{name}", type=bool, is_flag=False, flag_value=True, default=default, help=text
    )


@click.command(cls=_Command, context_settings={"show_default": True})
@click.argument("presets", nargs=-1, metavar="[PRESET]...")
@click.option("--port", type=click.IntRange(0, 65535), default=8500, help="gRPC port; 0: none.")
@click.option(
    "--rest_api_port", type=click.IntRange(0, 65535), default=8501, help="REST port; 0: none."
)
@click.option(
    "--host",
    default="127.0.0.1",
    help="Address to listen on. 0.0.0.0 lets other machines in (TensorFlow Serving always does).",
)
@click.option("--model_name", default="default", help="Name of the model in --model_base_path.")
@click.option("--model_base_path", help="Directory whose numbered children are the versions.")
@click.option(
    "--model_config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="ModelServerConfig in protobuf's text form; --model_name and --model_base_path are "
    "then ignored.",
)
@click.option(
    "--model_config_file_poll_wait_seconds",
    type=click.IntRange(0),
    default=0,
    help="Read the model config file again this often; 0: never.",
)
@click.option(
    "--model_repository",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where presets are exported to and served from.  [default: the user's cache directory]",
)
@click.option(
    "--file_system_poll_wait_seconds",
    type=float,
    default=1.0,
    help="Look for new and deleted versions this often; 0: only once.",
)
@click.option(
    "--rest_api_timeout_in_ms",
    type=click.IntRange(0),
    default=30000,
    help="For a run of a model, and for the next piece of a body to arrive; 0: none.",
)
@click.option(
    "--rest_api_num_threads", type=click.IntRange(1), default=16, help="Requests at a time."
)
@_switch("rest_api_enable_cors_support", False, "Let pages of other origins call the REST API.")
@_switch("enable_model_warmup", True, "Replay assets.extra/tf_serving_warmup_requests.")
@_switch(
    "allow_version_labels_for_unavailable_models",
    False,
    "Accept labels of versions that are not loaded.",
)
@click.option(
    "--max_num_load_retries",
    type=click.IntRange(0),
    default=5,
    help="Tries after the first one for a version that fails to load.",
)
@click.option(
    "--load_retry_interval_micros",
    type=click.IntRange(0),
    default=60_000_000,
    help="Between those tries, unless the version's files change.",
)
@click.option("--saved_model_tags", default="serve", help="Comma-separated, of the meta graph.")
def main(presets, model_name, model_base_path, model_config_file, model_repository, **flags):
    """Serves SavedModels over TensorFlow Serving's REST and gRPC API.

    Name presets of the zoo, which are exported first if need be:

        zoo-serve nmt_attention nmt_vanilla

    or serve any SavedModel with TensorFlow Serving's own flags:

        zoo-serve --model_name=half --model_base_path=/models/half
    """
    # Before TensorFlow is imported: its start-up notes are not about the models.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    # What these have to say is about deprecated calls, and about clients that do not speak HTTP.
    for library in ("absl", "tensorflow", "aiohttp.server"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    _check_combination(presets, model_base_path, model_config_file, model_repository, flags)

    from serving.config import read_config_file, single_model
    from serving.errors import ServingError
    from serving.repository import preset_models
    from serving.server import Options, Server

    flags["saved_model_tags"] = tuple(flags["saved_model_tags"].split(","))
    for port in ("port", "rest_api_port"):
        flags[port] = flags[port] or None
    options = Options(**flags)
    try:
        if presets:
            models = preset_models(presets, model_repository, click.echo)
        elif model_config_file:
            models = read_config_file(model_config_file)
        else:
            models = single_model(model_name, model_base_path)
        with Server(models, options, model_config_file) as server:
            _say_where(server, models)
            threading.Event().wait()
    except ServingError as error:
        click.echo(f"Failed to start server. Error: {error}", err=True)
        sys.exit(1)


def _stop(*_) -> None:
    """Leaves `main` through the server's exit, which lets running requests end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


def _check_combination(presets, base_path, config_file, repository, flags) -> None:
    if not (presets or base_path or config_file):
        raise click.UsageError(
            "Nothing to serve. Name a preset, or give --model_base_path or --model_config_file."
        )
    if presets and (base_path or config_file):
        raise click.UsageError(
            "Presets cannot be combined with --model_base_path or --model_config_file."
        )
    if repository and not presets:
        raise click.UsageError("--model_repository is for presets; name at least one.")
    if flags["port"] == flags["rest_api_port"]:
        raise click.UsageError("--port and --rest_api_port must differ, and one must be open.")


def _say_where(server, models) -> None:
    """Tells a newcomer what to call: models, addresses, and a command to copy."""
    options = server.options
    for name in models:
        with server.registry.acquire(name) as (servable, version):
            names = sorted(key for key in servable.signatures if not key.startswith("__"))
            click.echo(f"Serving {name}, version {version}: signatures {', '.join(names)}")
    host = "localhost" if options.host in ("0.0.0.0", "::") else options.host
    host = f"[{host}]" if ":" in host else host
    if server.port:
        click.echo(f"gRPC at {host}:{server.port}")
    if server.rest_api_port:
        url = f"http://{host}:{server.rest_api_port}/v1/models"
        click.echo(f"REST at {url}/NAME:predict. Try:")
        for name in models:
            click.echo(f"  curl -d '{_sample(server, name)}' {url}/{quote(name, '')}:predict")
    if options.host not in _LOOPBACK:
        click.echo(
            f"Listening on {options.host}: whoever can reach this machine can use the models."
        )


def _sample(server, name: str) -> str:
    """A body for the model's first input; a start, not a promise that it fits the model."""
    with server.registry.acquire(name) as (servable, _):
        callable_names = [key for key in servable.signatures if servable.input_dtypes(key)]
        if not callable_names:
            return "{}"
        default = "serving_default"
        chosen = default if default in callable_names else min(callable_names)
        dtypes = servable.input_dtypes(chosen)
    prefix = "" if chosen == default else f'"signature_name": "{chosen}", '
    values = {key: _SAMPLES.get(dtype, "1") for key, dtype in dtypes.items()}
    if len(values) == 1:
        (row,) = values.values()
    else:
        row = "{" + ", ".join(f'"{key}": {value}' for key, value in values.items()) + "}"
    return f'{{{prefix}"instances": [{row}]}}'


if __name__ == "__main__":
    main()
