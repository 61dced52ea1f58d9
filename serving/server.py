"""Puts the parts together: the ports open first, and answer for their status while models load."""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from zoo.serving import needed  # noqa: F401 (first: it says what is missing)

# isort: split
from aiohttp import web

from zoo.serving.batching.session import Batching
from zoo.serving.errors import ServingError
from zoo.serving.grpc_api.port import open_grpc_port
from zoo.serving.lifecycle.config import ModelConfig, read_config_file
from zoo.serving.lifecycle.loader import Loader
from zoo.serving.lifecycle.manager import Lifecycle
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.logs import AccessLog
from zoo.serving.metrics import Metrics
from zoo.serving.options import Options
from zoo.serving.playground.pages import playground_response
from zoo.serving.rest.api import RestApi
from zoo.serving.rest.front import in_front_of

_LONGEST_GRACE_SECONDS = 3600

_log = logging.getLogger(__name__)


class Server:
    """The embedded server: `start`, then `stop`, or a `with` block.

    Args:
        models: Model name -> configuration.
        options: How to serve.
        config_file: The file that `models` came from, if it is to be read again.
        prepare: Called with the configuration of each model before it is served, one after the
            other. It may take long: the ports are open by then, and the models before it load.

    Raises:
        ServingError: A file that the options name cannot be used.

    Example:
        >>> with Server(single_model("half", "/models/half"), Options(rest_api_port=0)) as server:
        ...     server.rest_api_port  # the models are available and the ports are open
        45123
    """

    def __init__(
        self,
        models: Mapping[str, ModelConfig],
        options: Options | None = None,
        config_file: Path | None = None,
        prepare: Callable[[ModelConfig], None] | None = None,
    ) -> None:
        self.options = options or Options()
        self._models = models
        self._config_file = config_file
        self._prepare = prepare
        #: Models that the playground lists although they are not served yet.
        self._announced: Collection[str] = models
        self.registry = Registry(
            labels_before_available=self.options.allow_version_labels_for_unavailable_models,
            move_labels_before_available=(
                self.options.force_allow_any_version_labels_for_unavailable_models
            ),
        )
        self.metrics = Metrics()
        self._prometheus_path = self.options.prometheus_path()
        self._batching: Batching | None = None
        if parameters := self.options.batching_parameters():
            observe = partial(self.metrics.time_queuing, parameters.thread_pool_name)
            self._batching = Batching(parameters, observe)
        self._lifecycle = Lifecycle(
            self.registry,
            Loader(self.options, self.metrics, self._batching),
            poll_seconds=self.options.file_system_poll_wait_seconds,
            max_retries=self.options.max_num_load_retries,
            retry_seconds=self.options.load_retry_interval_micros / 1e6,
            load_threads=self.options.load_threads(),
        )
        # How long running requests may go on when the server stops.
        self._grace_seconds = self.options.rest_api_timeout_in_ms / 1000 or _LONGEST_GRACE_SECONDS
        self.port: int | None = None
        self.rest_api_port: int | None = None
        self._executor = ThreadPoolExecutor(self.options.rest_api_num_threads, "rest")
        self._loop = asyncio.new_event_loop()
        self._loop_thread = threading.Thread(target=self._loop.run_forever, name="rest-loop")
        self._runner: web.ServerRunner | None = None
        self._grpc = None
        self._stopped = threading.Event()
        self._reloader: threading.Thread | None = None

    def start(self) -> None:
        """Opens the ports, and returns when the models are loaded.

        Until then a model that is asked for is one that is not loaded yet: its status tells how
        far it is, and requests to run it get NOT_FOUND.

        Raises:
            ServingError: A model did not become available, a label's version is not there, or a
                port is taken.
        """
        try:
            self.registry.configure({} if self._prepare else self._models)
            self._open_ports()
            self._lifecycle.start()
            self._prepare_models()
            self.registry.reload(self._models)
        except BaseException:
            self.stop()
            raise
        self._announced = ()
        if self._config_file and self.options.model_config_file_poll_wait_seconds > 0:
            self._reloader = threading.Thread(target=self._reload_forever, name="model-config")
            self._reloader.start()

    def stop(self) -> None:
        """Closes the ports, lets running requests end, and unloads the models."""
        _log.info("Stopping: the ports close, running requests have %g s", self._grace_seconds)
        self._stopped.set()
        self.registry.close()  # calls that wait for models to come up wait no more
        # gRPC takes no more calls from here on, while those it has go on beside REST's.
        grpc_ended = self._grpc.stop(self._grace_seconds) if self._grpc else None
        if self._loop_thread.is_alive():
            if self._runner:
                asyncio.run_coroutine_threadsafe(self._close_rest_port(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop_thread.join()
        self._loop.close()
        self._executor.shutdown()
        if grpc_ended:
            grpc_ended.wait()
        self._lifecycle.stop()
        if self._batching:
            self._batching.stop()
        if self._reloader:
            self._reloader.join()
        _log.info("Stopped: all models are unloaded")

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def _prepare_models(self) -> None:
        """Serves each model as soon as it is prepared, beside those before it."""
        if not self._prepare:
            return
        prepared = {}
        for name, config in self._models.items():
            self._prepare(config)
            prepared[name] = config
            self.registry.configure(prepared)

    def _open_ports(self) -> None:
        options = self.options
        if options.port is not None or options.grpc_socket_path:
            self._grpc, self.port = open_grpc_port(self.registry, options, self.metrics)
            self._grpc.start()
        if options.rest_api_port is not None:
            self._loop_thread.start()
            opening = asyncio.run_coroutine_threadsafe(self._open_rest_port(), self._loop)
            try:
                self.rest_api_port = opening.result()
            except OSError as error:
                raise ServingError(
                    "UNAVAILABLE",
                    f"Cannot listen on {options.host}:{options.rest_api_port} for REST: "
                    f"{error.strerror}. Choose another --rest_api_port.",
                ) from error
        _log.info(
            "Ports on %s are open, REST: %s, gRPC: %s. Each model answers as soon as it is loaded",
            options.host,
            self.rest_api_port or "none",
            self.port or "none",
        )

    async def _open_rest_port(self) -> int:
        api = RestApi(
            self.registry,
            self._executor,
            timeout_ms=self.options.rest_api_timeout_in_ms,
            cors=self.options.rest_api_enable_cors_support,
        )
        server = api.server()
        pages = self._playground if self.options.playground else None
        counted = in_front_of(server.request_handler, self.metrics, self._prometheus_path, pages)
        server.request_handler = AccessLog(self.options.access_log).in_front_of(counted)
        self._runner = web.ServerRunner(server, shutdown_timeout=self._grace_seconds)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.options.host, self.options.rest_api_port)
        await site.start()
        return self._runner.addresses[0][1]

    def _playground(self, path: str) -> web.Response | None:
        names = dict.fromkeys([*self._announced, *self.registry.names()])
        return playground_response(path, names, self.registry.directory)

    async def _close_rest_port(self) -> None:
        await self._runner.cleanup()
        # Connections kept alive are cancelled by now; they must still come to their end.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _reload_forever(self) -> None:
        """Reads the config file again and again; one that cannot be read changes nothing.

        What it says goes before a configuration that came over gRPC meanwhile.
        """
        current, seconds = self._models, self.options.model_config_file_poll_wait_seconds
        while not self._stopped.wait(seconds):
            try:
                models = read_config_file(self._config_file, again=bool(current))
                if models != current or models != self.registry.configs():
                    # Not for ever: the next content of the file may not need what is missing.
                    self.registry.reload(models, timeout=seconds)
                    current = models  # if not all came up, it is tried again
                    _log.info("%s is applied", self._config_file)
            except ServingError as error:
                _log.error("%s is not applied: %s", self._config_file, error)
