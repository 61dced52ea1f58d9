"""`zoo-serve`: TensorFlow Serving's command line, in this process, for any SavedModel."""

import resource
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from zoo.serving.flags import ServingCommand, serving_flags

if TYPE_CHECKING:
    from zoo.serving.server import Server

_OPEN_FILES = 65_536
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SAMPLES = {"string": '"A dog runs."', "float": "1.0", "double": "1.0", "bool": "true"}


@click.command(cls=ServingCommand, context_settings={"show_default": True})
@click.argument("presets", nargs=-1, metavar="[PRESET]...")
@serving_flags
def main(
    presets: tuple[str, ...],
    model_name: str,
    model_base_path: str | None,
    model_config_file: Path | None,
    model_repository: Path | None,
    log_format: str,
    **flags: Any,
) -> None:
    """Serves SavedModels over TensorFlow Serving's REST and gRPC API.

    Name presets of the zoo, which are exported first if need be:

        zoo-serve nmt_attention nmt_vanilla

    or serve any SavedModel with TensorFlow Serving's own flags:

        zoo-serve --model_name=half --model_base_path=/models/half
    """
    _leave_keras_out()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    _allow_many_connections()
    _check_combination(presets, model_base_path, model_config_file, model_repository, flags)

    _check_installed()

    from zoo.serving.errors import ServingError
    from zoo.serving.lifecycle.config import read_config_file, single_model
    from zoo.serving.logs import set_up_logging
    from zoo.serving.presets import Presets
    from zoo.startup import import_tensorflow

    set_up_logging(log_format)
    flags["saved_model_tags"] = tuple(flags["saved_model_tags"].split(","))
    for port in ("port", "rest_api_port"):
        flags[port] = flags[port] or None
    try:
        prepare = None
        if presets:
            exported = Presets(presets, model_repository, click.echo)
            models, prepare = exported.models, exported.export_if_missing
        elif model_config_file:
            models = read_config_file(model_config_file)
        else:
            models = single_model(model_name, model_base_path)
        # Names and files were right: what comes now takes seconds.
        import_tensorflow()
        from zoo.serving.options import Options
        from zoo.serving.server import Server

        options = Options(**flags)
        with Server(models, options, model_config_file, prepare) as server:
            _say_where(server, models)
            threading.Event().wait()
    except ServingError as error:
        click.echo(f"Failed to start server. Error: {error}", err=True)
        sys.exit(1)


def _check_installed() -> None:
    """Refuses to start without the packages of the extra `serving`."""
    try:
        from zoo.serving import needed  # noqa: F401
    except ModuleNotFoundError as error:
        raise click.ClickException(str(error)) from error


def _leave_keras_out() -> None:
    """Keeps TensorFlow from importing Keras, which takes longer than all the rest.

    A server runs graphs; presets are exported by a process of their own.
    """
    if "tensorflow" not in sys.modules:
        sys.modules.setdefault("keras", None)


def _allow_many_connections() -> None:
    """Raises the limit of file descriptors, one for each idle connection; a shell grants 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _stop(*_) -> None:
    """Leaves `main` through the server's exit, which lets running requests end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


def _check_combination(
    presets: tuple[str, ...],
    base_path: str | None,
    config_file: Path | None,
    repository: Path | None,
    flags: Mapping[str, Any],
) -> None:
    """Refuses flags that do not go together."""
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
    if flags["port"] == flags["rest_api_port"] and (flags["port"] or not flags["grpc_socket_path"]):
        raise click.UsageError("--port and --rest_api_port must differ, and one must be open.")


def _say_where(server: "Server", models: Iterable[str]) -> None:
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
    if options.grpc_socket_path:
        click.echo(f"gRPC at unix:{options.grpc_socket_path}")
    if server.rest_api_port:
        if options.playground:
            click.echo(f"Playground at http://{host}:{server.rest_api_port}/")
        url = f"http://{host}:{server.rest_api_port}/v1/models"
        click.echo(f"REST at {url}/NAME:predict. Try:")
        for name in models:
            click.echo(f"  curl -d '{_sample(server, name)}' {url}/{quote(name, '')}:predict")
    if options.host not in _LOOPBACK:
        click.echo(
            f"Listening on {options.host}: whoever can reach this machine can use the models."
        )


def _sample(server: "Server", name: str) -> str:
    """Makes a body for the model's first input; a start, not a promise that it fits the model."""
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
