"""TensorFlow Serving's metrics for Prometheus, and the page they are read from.

The names are TensorFlow's with every `/` as a colon, which Prometheus allows but its client library
writes differently from TensorFlow Serving (`_total`, `HELP`, `10.0`); so the page is written here,
from what the library's registry collects. Latencies are in microseconds.
"""

import math

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import Metric

#: Where the page is unless the configuration names another path.
PROMETHEUS_PATH = "/monitoring/prometheus/metrics"

_SERVING = ":tensorflow:serving:"
_SAVED_MODEL = ":tensorflow:cc:saved_model:"
# Names that clients ask for become label values for good; strangers' names beyond these share one.
_MAX_MODEL_NAMES = 1000
_LATENCIES = [10 * 1.8**power for power in range(33)]  # 10 us to about 25 minutes
# 1 to 16,384. TensorFlow's buckets end before their limits, the library's with them, which is the
# same for latencies, but not for whole numbers.
_EXAMPLES = [math.nextafter(2**power, 0) for power in range(15)]
_WAITS = [100 * 1.2**power for power in range(52)]  # 100 us to about one second


class Metrics:
    """What one server counts and times."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._model_names: set[str] = set()
        self._requests = self._counter(_SERVING + "request_count", "model_name", "status")
        self._request_latency = self._histogram(
            _SERVING + "request_latency", _LATENCIES, "model_name", "API", "entrypoint"
        )
        self._runtime_latency = self._histogram(
            _SERVING + "runtime_latency", _LATENCIES, "model_name", "API", "runtime"
        )
        self._example_counts = self._histogram(
            _SERVING + "request_example_counts", _EXAMPLES, "model"
        )
        self._example_total = self._counter(_SERVING + "request_example_count_total", "model")
        self._warmup_latency = self._histogram(
            _SERVING + "model_warmup_latency", _LATENCIES, "model_path", "status"
        )
        self._queuing_latency = self._histogram(
            _SERVING + "batching_session:queuing_latency", _WAITS, "thread_pool_name"
        )
        self._load_attempts = self._counter(
            _SAVED_MODEL + "load_attempt_count", "model_path", "status"
        )
        self._load_latency = self._counter(_SAVED_MODEL + "load_latency", "model_path")

    def count_request(self, model_name: str, status: str) -> None:
        """Notes that a request was answered.

        Args:
            model_name: The model asked for, whether or not there is one; empty if none was named.
            status: The canonical code, "OK" or the error's.
        """
        self._requests.labels(self._bounded(model_name), status).inc()

    def time_request(self, model_name: str, api: str, entrypoint: str, seconds: float) -> None:
        """Notes how long a request that succeeded took.

        Args:
            model_name: The name of the model that ran.
            api: The method; REST writes it small ("predict"), gRPC large ("Predict").
            entrypoint: The port it came by, "REST" or "GRPC".
            seconds: The time from the whole request being there to the whole answer.
        """
        labels = self._bounded(model_name), api, entrypoint
        self._request_latency.labels(*labels).observe(seconds * 1e6)

    def time_run(self, model_name: str, api: str, seconds: float) -> None:
        """Notes how long a run of a model took that succeeded, its wait for a batch included.

        Args:
            model_name: The name of the model.
            api: The method, "Predict", "Classify", "Regress" or "MultiInference", on either port.
            seconds: The time that the run took.
        """
        # A model that runs keeps its name, however many strangers' names were asked for before.
        self._model_names.add(model_name)
        # The runtime is that of TF1's sessions; TensorFlow Serving has another one, too.
        self._runtime_latency.labels(model_name, api, "TF1").observe(seconds * 1e6)

    def count_examples(self, model_name: str, number: int) -> None:
        """Notes how many examples a classifier or regressor, or several at once, ran on."""
        self._example_counts.labels(model_name).observe(number)
        self._example_total.labels(model_name).inc(number)

    def time_load(self, model_path: str, success: bool, seconds: float) -> None:
        """Notes a try to load a version, without its warm-up."""
        self._load_attempts.labels(model_path, "success" if success else "fail").inc()
        self._load_latency.labels(model_path).inc(round(seconds * 1e6))

    def time_warmup(self, model_path: str, seconds: float) -> None:
        """Notes the replay of a version's warm-up requests; only one that succeeds is timed."""
        self._warmup_latency.labels(model_path, "OK").observe(seconds * 1e6)

    def time_queuing(self, thread_pool_name: str, micros: float) -> None:
        """Notes how long a request waited for its batch."""
        self._queuing_latency.labels(thread_pool_name).observe(micros)

    def page(self) -> bytes:
        """All metrics in TensorFlow Serving's text form, sorted by name."""
        lines = []
        # The documentation holds the whole name: the library takes a `_total` off the other.
        for metric in sorted(self._registry.collect(), key=lambda each: each.documentation):
            lines.append(f"# TYPE {metric.documentation} {metric.type}")
            lines.extend(_sample_lines(metric))
        return ("\n".join(lines) + "\n").encode()

    def _counter(self, name: str, *labels: str) -> Counter:
        return Counter(name, name, labels, registry=self._registry)

    def _histogram(self, name: str, limits: list[float], *labels: str) -> Histogram:
        return Histogram(name, name, labels, buckets=limits, registry=self._registry)

    def _bounded(self, model_name: str) -> str:
        if model_name not in self._model_names:
            if len(self._model_names) >= _MAX_MODEL_NAMES:
                return ""
            self._model_names.add(model_name)
        return model_name


def _sample_lines(metric: Metric) -> list[str]:
    lines = []
    for sample in metric.samples:
        if sample.name.endswith("_created"):
            continue
        labels = dict(sample.labels)
        if "le" in labels and labels["le"] != "+Inf":
            labels["le"] = f"{float(labels['le']):g}"
        text = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
        value = int(sample.value) if sample.value == int(sample.value) else sample.value
        name = metric.documentation if metric.type == "counter" else sample.name
        lines.append(f"{name}{{{text}}} {value}")
    return lines


def _escaped(value: str) -> str:
    # A line break would end the sample; TensorFlow Serving lets it.
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
