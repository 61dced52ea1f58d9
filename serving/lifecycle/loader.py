"""Loads a version of a model: the session, then its warm-up; timed for the metrics."""

import time
from functools import partial
from pathlib import Path

from zoo.serving.batching.session import Batching
from zoo.serving.errors import ServingError
from zoo.serving.inference.servable import Servable
from zoo.serving.lifecycle.warmup import warm_up
from zoo.serving.metrics import Metrics
from zoo.serving.options import Options


class Loader:
    """What the life cycle calls with a model's name and the directory of a version.

    Args:
        options: How to load.
        metrics: Where loads and warm-ups are noted.
        batching: What the versions batch their requests with, if they do.
    """

    def __init__(self, options: Options, metrics: Metrics, batching: Batching | None) -> None:
        self._options = options
        self._session_config = options.session_config()
        self._metrics = metrics
        self._batching = batching

    def __call__(self, model_name: str, directory: Path) -> Servable:
        """Returns the version, ready to serve.

        Raises:
            ServingError: It cannot be loaded, or one of its warm-up requests fails.
        """
        servable = self._load(model_name, directory)
        if self._options.enable_model_warmup:
            try:
                self._warm_up(servable, directory)
            except BaseException:
                servable.close()
                raise
        return servable

    def _load(self, model_name: str, directory: Path) -> Servable:
        started = time.perf_counter()
        try:
            servable = Servable(
                directory,
                self._options.saved_model_tags,
                config=self._session_config,
                batching=self._batching,
                check_method_names=self._options.enable_signature_method_name_check,
                limits=self._options.text_limits(),
                observe_run=partial(self._metrics.time_run, model_name),
                observe_examples=partial(self._metrics.count_examples, model_name),
            )
        except ServingError:
            self._metrics.time_load(str(directory), False, time.perf_counter() - started)
            raise
        self._metrics.time_load(str(directory), True, time.perf_counter() - started)
        return servable

    def _warm_up(self, servable: Servable, directory: Path) -> None:
        started = time.perf_counter()
        if warm_up(servable, directory, self._options.num_request_iterations_for_warmup):
            self._metrics.time_warmup(str(directory), time.perf_counter() - started)
