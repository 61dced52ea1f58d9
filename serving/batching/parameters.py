"""How requests are put together into batches: TensorFlow Serving's `BatchingParameters`."""

import os
from dataclasses import dataclass
from pathlib import Path

from zoo.serving.errors import invalid_argument
from zoo.serving.text_protos import read_text_file


@dataclass(frozen=True)
class BatchingParameters:
    """The parameters of batching, with the defaults that TensorFlow Serving has.

    Attributes:
        max_batch_size: Rows that one request may have; also of a batch, unless large requests are
            split.
        batch_timeout_micros: How long a batch that is not full waits for company.
        max_enqueued_batches: Batches waiting per signature; beyond them requests are refused.
        num_batch_threads: Batches running at a time, of all models together.
        thread_pool_name: The name of those threads, also in the metrics.
        allowed_batch_sizes: If not empty, batches are filled up to one of these sizes.
        pad_variable_length_inputs: Pad requests of different shapes to a common one.
        enable_large_batch_splitting: Let the rows of one request run in several batches.
        max_execution_batch_size: Rows of a batch when large requests are split; 0:
            `max_batch_size`.

    Raises:
        ServingError: INVALID_ARGUMENT, for parameters that do not fit each other.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = os.cpu_count() or 1
    thread_pool_name: str = "model_server_batch_threads"
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int = 0

    def __post_init__(self) -> None:
        positive = ["max_batch_size", "num_batch_threads"]
        if self.enable_large_batch_splitting:
            positive.append("max_enqueued_batches")  # without splitting, 0 stands for 1
        for name in positive:
            if getattr(self, name) < 1:
                raise invalid_argument(f"{name} must be positive; was {getattr(self, name)}")
        for name in ("batch_timeout_micros", "max_enqueued_batches", "max_execution_batch_size"):
            if getattr(self, name) < 0:
                raise invalid_argument(f"{name} must be non-negative; was {getattr(self, name)}")
        if self.batch_rows > self.max_batch_size:
            raise invalid_argument(
                "When enable_large_batch_splitting is true, max_batch_size must be greater than or "
                f"equal to max_execution_batch_size. Received: {self.max_batch_size} and "
                f"{self.batch_rows}"
            )
        self._check_allowed_sizes()

    def _check_allowed_sizes(self) -> None:
        sizes = self.allowed_batch_sizes
        if not sizes:
            return
        if list(sizes) != sorted(set(sizes)) or sizes[0] < 1:
            raise invalid_argument(
                "allowed_batch_sizes entries must be monotonically increasing. "
                f"Received: {', '.join(map(str, sizes))}"
            )
        name = (
            "max_batch_size"
            if self.batch_rows == self.max_batch_size
            else ("max_execution_batch_size")
        )
        if sizes[-1] != self.batch_rows:
            raise invalid_argument(
                f"Last entry in allowed_batch_sizes must match {name}; last entry was "
                f"{sizes[-1]}; expected {self.batch_rows}"
            )

    @property
    def batch_rows(self) -> int:
        """The most rows a batch has."""
        if self.enable_large_batch_splitting and self.max_execution_batch_size:
            return self.max_execution_batch_size
        return self.max_batch_size

    def rounded_up(self, rows: int) -> int:
        """The smallest allowed batch size that holds so many rows."""
        return next((size for size in self.allowed_batch_sizes if size >= rows), rows)


def read_batching_parameters(path: Path) -> BatchingParameters:
    """Reads the file that `--batching_parameters_file` names.

    Raises:
        ServingError: The file cannot be read, or its parameters do not fit each other.
    """
    message = read_text_file(path, "BatchingParameters")
    values = {}
    for field, value in message.ListFields():
        if field.name == "allowed_batch_sizes":
            values[field.name] = tuple(value)
        else:
            values[field.name] = value if field.message_type is None else value.value
    return BatchingParameters(**values)
