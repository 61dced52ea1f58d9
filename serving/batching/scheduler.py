"""Queues of tasks that a few shared threads empty in batches.

Each queue collects tasks of one kind in batches: the last one is open, those before it are closed
and wait for a thread. The threads go round the queues and take one batch at a time. An open batch
is taken when it is full, or when its first task has waited long enough.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from zoo.serving.batching.parameters import BatchingParameters
from zoo.serving.errors import ServingError, invalid_argument


class Task(Protocol):
    """What a queue holds: rows to run, and where their results go."""

    rows: int
    future: Future

    def split(self, sizes: Sequence[int]) -> "list[Task]":
        """Cuts the task into several of these many rows each."""


class _Batch:
    """Tasks that are to run together, and when the first of them came."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.rows = 0
        self.opened = 0.0

    def add(self, task: Task) -> None:
        if not self.tasks:
            self.opened = time.monotonic()
        self.tasks.append(task)
        self.rows += task.rows


class BatchScheduler:
    """The threads that all queues share.

    Args:
        parameters: Those of every queue, and the number of threads.
    """

    def __init__(self, parameters: BatchingParameters) -> None:
        self.parameters = parameters
        self._lock = threading.Lock()
        self._work_there = threading.Condition(self._lock)
        self._queue_idle = threading.Condition(self._lock)
        self._queues: deque[Queue] = deque()
        self._stopping = False
        self._threads = [
            threading.Thread(
                target=self._work, name=f"{parameters.thread_pool_name}_{index}", daemon=True
            )
            for index in range(parameters.num_batch_threads)
        ]
        self._started = False

    def add_queue(self, process: Callable[[list[Task]], None]) -> "Queue":
        """Makes a queue.

        Args:
            process: Called with the tasks of a batch, on one of the threads. It must give every
                task's future a result or an exception, and raise nothing.
        """
        queue = Queue(self.parameters, process, self._work_there)
        with self._lock:
            self._queues.append(queue)
            if not self._started:
                self._started = True
                for thread in self._threads:
                    thread.start()
        return queue

    def remove_queue(self, queue: "Queue") -> None:
        """Takes a queue away once the tasks it still has are done."""
        with self._lock:
            queue.closed = True
            self._work_there.notify_all()
            self._queue_idle.wait_for(queue.idle)
            self._queues.remove(queue)

    def stop(self) -> None:
        """Ends the threads; the queues must be gone."""
        with self._lock:
            self._stopping = True
            self._work_there.notify_all()
        if self._started:
            for thread in self._threads:
                thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                while (found := self._next_batch()) is None:
                    if self._stopping:
                        return
                    self._work_there.wait(self._seconds_to_the_next())
                queue, tasks = found
                queue.running += 1
            queue.process(tasks)
            with self._lock:
                queue.running -= 1
                if queue.idle():
                    self._queue_idle.notify_all()

    def _next_batch(self) -> "tuple[Queue, list[Task]] | None":
        """A batch from the queue that was not asked for the longest time and has one."""
        for _ in range(len(self._queues)):
            queue = self._queues[0]
            self._queues.rotate(-1)
            if tasks := queue.take():
                return queue, tasks
        return None

    def _seconds_to_the_next(self) -> float | None:
        """The time until an open batch has waited long enough; None if there is none."""
        due = [queue.due() for queue in self._queues]
        soonest = min((moment for moment in due if moment is not None), default=None)
        return None if soonest is None else max(0.0, soonest - time.monotonic())


class Queue:
    """Tasks of one kind; made by `BatchScheduler.add_queue`."""

    def __init__(
        self,
        parameters: BatchingParameters,
        process: Callable[[list[Task]], None],
        work_there: threading.Condition,
    ) -> None:
        self.process = process
        self.closed = False
        self.running = 0
        self._parameters = parameters
        self._limit = max(1, parameters.max_enqueued_batches)
        self._patience = parameters.batch_timeout_micros / 1e6
        self._work_there = work_there
        self._batches: deque[_Batch] = deque([_Batch()])

    def put(self, task: Task) -> list[Future]:
        """Adds a task.

        Returns:
            The future of the task, or those of its parts, in their order.

        Raises:
            ServingError: INVALID_ARGUMENT for a task that is too large, UNAVAILABLE if the queue
                is full.
        """
        with self._work_there:
            self._check_room(task)
            room = self._parameters.batch_rows - self._batches[-1].rows
            tasks = [task]
            if self._parameters.enable_large_batch_splitting and task.rows > room:
                tasks = task.split(self._part_sizes(task.rows, room))
            for part in tasks:
                if self._batches[-1].rows + part.rows > self._parameters.batch_rows:
                    self._batches.append(_Batch())
                self._batches[-1].add(part)
            # One thread a batch; one that waits for an open batch must learn of its first task.
            self._work_there.notify(len(tasks))
        return [part.future for part in tasks]

    def take(self) -> "list[Task] | None":
        """The tasks of the batch that is to run next, if there is one. The lock is held."""
        if len(self._batches) == 1:
            due = self.due()
            if due is None or due > time.monotonic():
                return None
            self._batches.append(_Batch())
        return self._batches.popleft().tasks

    def due(self) -> float | None:
        """The moment to run the first batch at, on the monotonic clock; None if there is none."""
        first = self._batches[0]
        if not first.tasks:
            return None
        full = first.rows >= self._parameters.batch_rows
        if len(self._batches) > 1 or full or self.closed:
            return 0.0
        return first.opened + self._patience

    def idle(self) -> bool:
        """Whether nothing waits or runs. The lock is held."""
        return not self.running and len(self._batches) == 1 and not self._batches[0].tasks

    def _check_room(self, task: Task) -> None:
        largest, rows = self._parameters.max_batch_size, self._batches[-1].rows
        if task.rows > largest:
            raise invalid_argument(
                f"Task size {task.rows} is larger than maximum input batch size {largest}"
            )
        full = "The batch scheduling queue to which this task was submitted is full; "
        if self._parameters.enable_large_batch_splitting:
            capacity = (self._limit - len(self._batches)) * self._parameters.batch_rows
            capacity += self._parameters.batch_rows - rows
            if task.rows > capacity:
                raise ServingError(
                    "UNAVAILABLE",
                    f"{full}task size is {task.rows} but scheduling capacity is only {capacity} "
                    f"(num_enqueued_batches={len(self._batches)}, "
                    f"max_enqueued_batches={self._limit}, open_batch_size={rows}, "
                    f"max_execution_batch_size={self._parameters.batch_rows})",
                )
        elif rows + task.rows > largest and len(self._batches) >= self._limit:
            raise ServingError(
                "UNAVAILABLE",
                f"{full}currently {len(self._batches)} batches enqueued and max_enqueued_batches "
                f"is {self._limit}",
            )

    def _part_sizes(self, rows: int, room: int) -> list[int]:
        """Rows of each part: what the open batch has room for, whole batches, then the rest."""
        sizes = [room] if room else []
        whole, rest = divmod(rows - room, self._parameters.batch_rows)
        return sizes + [self._parameters.batch_rows] * whole + ([rest] if rest else [])
