"""Puts the parts together: models first, then the ports, then the wait for the signal to stop."""

import asyncio
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from serving.config import ModelConfig, read_config_file
from serving.errors import ServingError
from serving.grpc_server import build_grpc_server
from serving.lifecycle import Lifecycle
from serving.registry import Registry
from serving.rest import RestApi
from serving.servable import Servable
from serving.warmup import warm_up

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How to serve. The names are those of TensorFlow Serving's flags where it has one.

    Attributes:
        host: Address to listen on.
        port: Of gRPC; None for no gRPC, 0 for any free one.
        rest_api_port: Of REST; None for no REST, 0 for any free one.
    """

    host: str = "127.0.0.1"
    port: int | None = 8500
    rest_api_port: int | None = 8501
    rest_api_num_threads: int = 16
    rest_api_timeout_in_ms: int = 30000
    rest_api_enable_cors_support: bool = False
    file_system_poll_wait_seconds: float = 1.0
    max_num_load_retries: int = 5
    load_retry_interval_micros: int = 60_000_000
    enable_model_warmup: bool = True
    saved_model_tags: tuple[str, ...] = ("serve",)
    allow_version_labels_for_unavailable_models: bool = False
    model_config_file_poll_wait_seconds: int = 0


class Server:
    """The embedded server: `start`, then `stop`, or a `with` block.

    Args:
        models: Model name -> configuration.
        options: How to serve.
        config_file: Where `models` came from, if it is to be read again.

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
    ):
        self.options = options or Options()
        self._models = models
        self._config_file = config_file
        self.registry = Registry(
            labels_before_available=self.options.allow_version_labels_for_unavailable_models
        )
        self._lifecycle = Lifecycle(
            self.registry,
            self._load,
            poll_seconds=self.options.file_system_poll_wait_seconds,
            max_retries=self.options.max_num_load_retries,
            retry_seconds=self.options.load_retry_interval_micros / 1e6,
        )
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
        """Loads the models, then opens the ports.

        Raises:
            ServingError: A model did not become available, a label's version is not there, or a
                port is taken.
        """
        self.registry.configure(self._models)
        self._lifecycle.start()
        try:
            self.registry.wait_until_served(self._models)
            self.registry.assign_labels()
            self._open_ports()
        except BaseException:
            self.stop()
            raise
        if self._config_file and self.options.model_config_file_poll_wait_seconds > 0:
            self._reloader = threading.Thread(target=self._reload_forever, name="model-config")
            self._reloader.start()

    def stop(self) -> None:
        """Closes the ports, lets running requests end, and unloads the models."""
        self._stopped.set()
        if self._grpc:
            self._grpc.stop(grace=self.options.rest_api_timeout_in_ms / 1000).wait()
        if self._loop_thread.is_alive():
            if self._runner:
                asyncio.run_coroutine_threadsafe(self._close_rest_port(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop_thread.join()
        self._loop.close()
        self._executor.shutdown()
        self._lifecycle.stop()
        if self._reloader:
            self._reloader.join()

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def _load(self, directory: Path) -> Servable:
        servable = Servable(directory, self.options.saved_model_tags)
        if self.options.enable_model_warmup:
            try:
                warm_up(servable, directory)
            except BaseException:
                servable.close()
                raise
        return servable

    def _open_ports(self) -> None:
        options = self.options
        if options.port is not None:
            self._grpc, self.port = build_grpc_server(self.registry, options.host, options.port)
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

    async def _open_rest_port(self) -> int:
        api = RestApi(
            self.registry,
            self._executor,
            timeout_ms=self.options.rest_api_timeout_in_ms,
            cors=self.options.rest_api_enable_cors_support,
        )
        self._runner = web.ServerRunner(
            api.server(), shutdown_timeout=self.options.rest_api_timeout_in_ms / 1000
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.options.host, self.options.rest_api_port)
        await site.start()
        return self._runner.addresses[0][1]

    async def _close_rest_port(self) -> None:
        await self._runner.cleanup()
        # Connections kept alive are cancelled by now; they must still come to their end.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _reload_forever(self) -> None:
        """Reads the config file again and again; one that cannot be read changes nothing."""
        current = self._models
        while not self._stopped.wait(self.options.model_config_file_poll_wait_seconds):
            try:
                models = read_config_file(self._config_file)
                if models != current:
                    self.registry.configure(models)
                    self.registry.wait_until_served(models)
                    self.registry.assign_labels()
                    current = models  # if not all came up, the labels are tried again
            except ServingError as error:
                _log.error("%s is not applied: %s", self._config_file, error)
