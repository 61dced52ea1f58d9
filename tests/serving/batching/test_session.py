"""Requests put together into batches, with a stand-in for the session that notes what it ran."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from zoo.serving.batching.parameters import BatchingParameters, read_batching_parameters
from zoo.serving.batching.session import Batching
from zoo.serving.errors import ServingError


def signature(*inputs: str, outputs=("y:0",), dtype=tf.float32):
    info = tf.compat.v1.saved_model.build_tensor_info
    with tf.Graph().as_default():
        tensor = info(tf.compat.v1.placeholder(dtype))
    built = tf.compat.v1.saved_model.build_signature_def(
        dict.fromkeys(inputs, tensor), dict.fromkeys(outputs, tensor)
    )
    for names in (built.inputs, built.outputs):
        for name in names:
            names[name].name = name
    return built


class Session:
    """Adds one to its first input; can be held, to let requests gather behind a running one."""

    def __init__(self):
        self.batches = []
        self.timeouts = []
        self.may_run = threading.Event()
        self.may_run.set()
        self.started = threading.Semaphore(0)
        self.answer = lambda array: array + 1

    def run(self, feeds, fetches, timeout_ms):
        self.started.release()
        self.batches.append(feeds)
        self.timeouts.append(timeout_ms)
        assert self.may_run.wait(20)
        return [self.answer(next(iter(feeds.values()))) for _ in fetches]

    def hold(self):
        self.may_run.clear()


class Server:
    """A batched session, requests that run in threads of their own, and the end of it all."""

    def __init__(self, *signatures, **parameters):
        parameters = {"num_batch_threads": 1, **parameters}
        self.waits = []
        self.batching = Batching(BatchingParameters(**parameters), self.waits.append)
        self.session = Session()
        self.batched = self.batching.session(self.session.run, signatures or [signature("x:0")])
        self.clients = ThreadPoolExecutor(32)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.may_run.set()
        self.clients.shutdown()
        self.batched.close()
        self.batching.stop()

    def run(self, rows, timeout_ms=0, fetches=("y:0",), **feeds):
        feeds = {"x:0": rows} | feeds
        feeds = {name: np.asarray(value) for name, value in feeds.items()}
        feeds = {
            name: value.astype(np.float32) if value.dtype.kind in "fi" else value
            for name, value in feeds.items()
        }
        return self.batched.run(feeds, fetches, timeout_ms)[0]

    def send(self, *args, **kwargs):
        """Starts a request, and returns when it is in the queue."""
        before = self.queued()
        future = self.clients.submit(self.run, *args, **kwargs)
        while self.queued() == before and not future.done():
            pass
        return future

    def queued(self) -> int:
        (queue, *_) = self.batched._queues.values()
        return sum(len(batch.tasks) for batch in tuple(queue._batches))

    def occupy(self, rows=(0.0,)):
        """Holds the only thread with a request of its own."""
        self.session.hold()
        self.clients.submit(self.run, rows)
        assert self.session.started.acquire(timeout=20)

    def sizes(self):
        return [len(next(iter(feeds.values()))) for feeds in self.session.batches]


def refused(future_or_call, code, message):
    with pytest.raises(ServingError) as caught:
        future_or_call() if callable(future_or_call) else future_or_call.result(20)
    assert caught.value.code == code
    assert message in caught.value.message


def test_requests_behind_a_running_one_share_a_batch():
    with Server() as server:
        server.occupy()
        sent = [server.send([float(number)] * number) for number in (1, 2, 3)]
        server.session.may_run.set()
        assert [future.result().tolist() for future in sent] == [[2.0], [3.0] * 2, [4.0] * 3]
        assert server.sizes() == [1, 6]
        assert len(server.waits) == 4
        assert min(server.waits) >= 0


def test_an_open_batch_waits_for_company_and_no_longer():
    with Server(batch_timeout_micros=60_000_000, max_batch_size=2) as server:
        first = server.send([1.0])
        assert not server.session.batches  # waits for a minute, or until there are two
        assert server.run([2.0]).tolist() == [3.0]
        assert first.result(20).tolist() == [2.0]
        assert server.sizes() == [2]
    with Server(batch_timeout_micros=30_000) as server:
        assert server.run([1.0]).tolist() == [2.0]
        assert server.waits[0] >= 30_000


def test_a_signature_of_what_no_request_can_carry_is_not_batched():
    with Server(signature("x:0"), signature("table:0", dtype=tf.resource)) as server:
        assert server.run([1.0]).tolist() == [2.0]
        assert len(server.waits) == 1


def test_a_batch_is_at_most_max_batch_size():
    with Server(max_batch_size=4) as server:
        server.occupy()
        sent = [server.send([1.0, 2.0]) for _ in range(3)]
        server.session.may_run.set()
        assert [future.result().tolist() for future in sent] == [[2.0, 3.0]] * 3
        assert server.sizes() == [1, 4, 2]
        refused(
            lambda: server.run([0.0] * 5),
            "INVALID_ARGUMENT",
            "Task size 5 is larger than maximum input batch size 4",
        )


def test_a_full_queue_refuses_tasks():
    with Server(max_batch_size=1, max_enqueued_batches=2) as server:
        server.occupy()
        sent = [server.send([1.0]), server.send([2.0])]
        refused(
            lambda: server.run([3.0]),
            "UNAVAILABLE",
            "The batch scheduling queue to which this task was submitted is full; currently 2 "
            "batches enqueued and max_enqueued_batches is 2",
        )
        server.session.may_run.set()
        assert [future.result(20).tolist() for future in sent] == [[2.0], [3.0]]
        assert server.run([3.0]).tolist() == [4.0]  # there is room again


def test_a_timeout_counts_the_wait_in_the_queue():
    with Server() as server:
        server.occupy()
        late = server.send([1.0], timeout_ms=1)
        threading.Event().wait(0.02)
        server.session.may_run.set()
        refused(
            late, "RESOURCE_EXHAUSTED", "Run() timeout exceeded while waiting in batching queue"
        )
        assert server.sizes() == [1]


def test_a_batch_has_the_time_of_its_most_patient_request():
    with Server() as server:
        server.occupy()
        for timeout_ms in (1, 60_000):
            server.send([1.0], timeout_ms=timeout_ms)
        threading.Event().wait(0.02)
        server.session.may_run.set()
    assert server.sizes() == [1, 2]
    assert 50_000 < server.session.timeouts[1] < 60_000
    with Server() as server:
        server.occupy()
        server.send([1.0], timeout_ms=1)
        server.send([1.0], timeout_ms=0)
        server.session.may_run.set()
    assert server.session.timeouts == [0, 0]


def test_inputs_that_cannot_be_batched():
    with Server(signature("x:0", "z:0")) as server:
        refused(
            lambda: server.run(1.0, **{"z:0": [1.0]}),
            "INVALID_ARGUMENT",
            "Batching Run() input tensors must have at least one dimension",
        )
        refused(
            lambda: server.run([1.0, 2.0], **{"z:0": [1.0]}),
            "INVALID_ARGUMENT",
            "Batching Run() input tensors must have equal 0th-dimension size",
        )
        assert server.run([1.0], **{"z:0": [[1.0, 2.0]]}).tolist() == [2.0]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.sum, "Batched output tensor has 0 dimensions"),
        (
            lambda array: array[:1],
            "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension "
            "sizes of the input tensors",
        ),
    ],
)
def test_outputs_that_cannot_be_split(answer, message):
    with Server() as server:
        server.session.answer = answer
        refused(lambda: server.run([1.0, 2.0]), "FAILED_PRECONDITION", message)


def test_runs_of_other_outputs_go_past_the_queue():
    with Server(signature("x:0", outputs=("y:0", "w:0"))) as server:
        blocked = server.clients.submit(server.run, [1.0], fetches=("y:0", "w:0"))
        assert server.session.started.acquire(timeout=20)
        blocked.result(20)
        assert len(server.waits) == 1
        assert server.run([1.0], fetches=("y:0",)).tolist() == [2.0]
        assert server.run([1.0], fetches=("w:0", "y:0")).tolist() == [2.0]
        assert len(server.waits) == 2


def test_each_signature_has_its_queue_and_equal_ones_share_it():
    signatures = [signature("x:0"), signature("x:0"), signature("z:0"), signature()]
    with Server(*signatures, max_batch_size=1, max_enqueued_batches=1) as server:
        assert len(server.batched._queues) == 2
        server.occupy()
        server.send([1.0])
        refused(lambda: server.run([1.0]), "UNAVAILABLE", "is full")
        other = server.clients.submit(
            server.batched.run, {"z:0": np.ones(1, np.float32)}, ["y:0"], 0
        )
        server.session.may_run.set()
        assert other.result(20)[0].tolist() == [2.0]


def test_different_shapes_without_padding_fail_together():
    with Server() as server:
        server.occupy()
        sent = [server.send([[1.0]]), server.send([[1.0, 2.0]])]
        server.session.may_run.set()
        for future in sent:
            refused(
                future,
                "FAILED_PRECONDITION",
                "Tensors with name 'x:0' from different tasks have different shapes and padding "
                "is turned off",
            )
        assert server.run([[1.0, 2.0]]).tolist() == [[2.0, 3.0]]


def test_padding_repeats_each_requests_own_first_element():
    with Server(pad_variable_length_inputs=True) as server:
        server.occupy()
        shapes = [[[1.0, 2.0], [3.0, 4.0]], [[5.0]], [[6.0, 7.0, 8.0]]]
        sent = [server.send(rows) for rows in shapes]
        server.session.may_run.set()
        answers = [(future.result(20) - 1).tolist() for future in sent]
        assert answers == [  # at the full length: nothing is cut back
            [[1.0, 2.0, 1.0], [3.0, 4.0, 1.0]],
            [[5.0, 5.0, 5.0]],
            [[6.0, 7.0, 8.0]],
        ]


def test_padding_of_strings_and_of_several_dimensions():
    with Server(signature("x:0", dtype=tf.string), pad_variable_length_inputs=True) as server:
        server.session.answer = lambda array: array
        server.occupy(np.array([[[b"z"]]], object))
        sent = [
            server.send(np.array(rows, object)) for rows in ([[[b"a", b"b"]]], [[[b"c"], [b"d"]]])
        ]
        server.session.may_run.set()
        assert [future.result(20).tolist() for future in sent] == [
            [[[b"a", b"b"], [b"a", b"a"]]],
            [[[b"c", b"c"], [b"d", b"c"]]],
        ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((1, 0)), "Got empty tensor in batch of non-empty tensors."),
        (np.zeros((1, 2, 2)), "Only tensors of one rank from 1 to 6 can be padded"),
    ],
)
def test_what_cannot_be_padded(rows, message):
    with Server(pad_variable_length_inputs=True) as server:
        server.occupy()
        sent = [server.send([[1.0, 2.0]]), server.send(rows)]
        server.session.may_run.set()
        for future in sent:
            refused(future, "INVALID_ARGUMENT", message)
    with Server(pad_variable_length_inputs=True) as server:
        seven = np.zeros([1] * 7)
        refused(lambda: server.run(seven), "INVALID_ARGUMENT", "rank")


def test_batches_are_filled_up_to_an_allowed_size():
    with Server(max_batch_size=8, allowed_batch_sizes=(4, 8)) as server:
        server.occupy()
        sent = [server.send([1.0, 2.0]), server.send([3.0, 4.0, 5.0])]
        server.session.may_run.set()
        assert [future.result(20).tolist() for future in sent] == [[2.0, 3.0], [4.0, 5.0, 6.0]]
        assert [feeds["x:0"].tolist() for feeds in server.session.batches] == [
            [0.0] * 4,
            [1.0, 2.0, 3.0, 4.0, 5.0, 3.0, 3.0, 3.0],  # the last request's first row
        ]
        assert server.run(np.zeros(0)).tolist() == []


def test_large_requests_are_split_over_batches():
    with Server(
        max_batch_size=10, enable_large_batch_splitting=True, max_execution_batch_size=4
    ) as server:
        server.occupy()
        sent = [server.send([0.0]), server.send(np.arange(9.0)), server.send([20.0])]
        server.session.may_run.set()
        assert sent[1].result(20).tolist() == list(np.arange(1.0, 10.0))
        assert (sent[0].result(20).tolist(), sent[2].result(20).tolist()) == ([1.0], [21.0])
        assert server.sizes() == [1, 4, 4, 3]


def test_splitting_asks_for_room_for_every_part():
    with Server(
        max_batch_size=8,
        enable_large_batch_splitting=True,
        max_execution_batch_size=2,
        max_enqueued_batches=2,
    ) as server:
        server.occupy()
        server.send([1.0])
        refused(
            lambda: server.run(np.zeros(4)),
            "UNAVAILABLE",
            "is full; task size is 4 but scheduling capacity is only 3 (num_enqueued_batches=1, "
            "max_enqueued_batches=2, open_batch_size=1, max_execution_batch_size=2)",
        )
        fits = server.send(np.arange(3.0))
        server.session.may_run.set()
        assert fits.result(20).tolist() == [1.0, 2.0, 3.0]


def test_an_error_of_the_model_is_that_of_all_in_the_batch_and_of_no_other():
    def fail_on_negative(array):
        if (array < 0).any():
            raise ValueError("negative")
        return array

    with Server(max_batch_size=2) as server:
        server.session.answer = fail_on_negative
        server.occupy()
        sent = [server.send([value]) for value in (1.0, -1.0, 2.0)]
        server.session.may_run.set()
        for future in sent[:2]:
            with pytest.raises(ValueError, match="negative"):
                future.result(20)
        assert sent[2].result(20).tolist() == [2.0]


def test_what_one_client_sends_does_not_fail_the_others():
    def refuse_negative(array):
        wrong = np.flatnonzero(array < 0)
        if len(wrong):
            raise tf.errors.InvalidArgumentError(None, None, f"instances[{wrong[0]}] is negative")
        return array

    with Server(max_batch_size=4) as server:
        server.session.answer = refuse_negative
        server.occupy()
        sent = [server.send(values) for values in ([1.0], [2.0, -1.0], [3.0])]
        server.session.may_run.set()
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"instances\[1\] is negative"):
            sent[1].result(20)
        assert [sent[n].result(20).tolist() for n in (0, 2)] == [[1.0], [3.0]]
        assert server.sizes() == [1, 4, 1, 2, 1]


def test_a_wrong_dtype_fails_alone():
    def strict(array):
        if array.dtype != np.float32:
            raise TypeError("dtype")
        return array

    with Server(num_batch_threads=1) as server:
        server.session.answer = strict
        server.occupy()
        good = server.send([1.0])
        wrong = server.clients.submit(server.batched.run, {"x:0": np.ones(1, np.int64)}, ["y:0"], 0)
        server.session.may_run.set()
        with pytest.raises(TypeError):
            wrong.result(20)
        assert good.result(20).tolist() == [1.0]


def test_closing_a_session_lets_its_requests_end():
    with Server(batch_timeout_micros=60_000_000) as server:
        waiting = server.send([1.0])
        server.batched.close()
        assert waiting.result(20).tolist() == [2.0]
        server.batched._queues.clear()


def test_many_clients_get_their_own_rows():
    with Server(
        num_batch_threads=3, max_batch_size=16, max_enqueued_batches=1000, batch_timeout_micros=200
    ) as server:
        values = np.random.default_rng(0).integers(0, 1000, size=(400, 3))
        answers = list(server.clients.map(server.run, values))
        assert [answer.tolist() for answer in answers] == (values + 1.0).tolist()
        assert max(server.sizes()) <= 16


def read(tmp_path, text):
    path = tmp_path / "batching.config"
    path.write_text(text)
    return read_batching_parameters(path)


def test_the_file_of_batching_parameters(tmp_path):
    parameters = read(
        tmp_path,
        """
        max_batch_size { value: 128 }  batch_timeout_micros: { value: 0 }  # a comment
        max_enqueued_batches { value: 1000000 };  num_batch_threads { value: 8 }
        allowed_batch_sizes: 8, allowed_batch_sizes: 32
        pad_variable_length_inputs: true
        enable_large_batch_splitting { value: true }  max_execution_batch_size { value: 32 }
        thread_pool_name { value: "x" }
        """,
    )
    assert parameters == BatchingParameters(
        max_batch_size=128,
        batch_timeout_micros=0,
        max_enqueued_batches=1_000_000,
        num_batch_threads=8,
        thread_pool_name="x",
        allowed_batch_sizes=(8, 32),
        pad_variable_length_inputs=True,
        enable_large_batch_splitting=True,
        max_execution_batch_size=32,
    )
    assert read(tmp_path, "") == BatchingParameters()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_size: 3", "Invalid protobuf file"),
        ("max_bach_size { value: 3 }", 'has no field named "max_bach_size"'),
        ("num_batch_threads { value: 0 }", "num_batch_threads must be positive; was 0"),
        ("max_enqueued_batches { value: 0 } enable_large_batch_splitting { value: true }",
         "max_enqueued_batches must be positive; was 0"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros must be non-negative; was -1"),
        ("max_batch_size { value: 8 } allowed_batch_sizes: 4",
         "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 4; "
         "expected 8"),
        ("allowed_batch_sizes: 8 allowed_batch_sizes: 4",
         "allowed_batch_sizes entries must be monotonically increasing"),
        ("max_batch_size { value: 8 } enable_large_batch_splitting { value: true } "
         "max_execution_batch_size { value: 9 }",
         "greater than or equal to max_execution_batch_size"),
        ("max_batch_size { value: 8 } enable_large_batch_splitting { value: true } "
         "max_execution_batch_size { value: 4 } allowed_batch_sizes: 8",
         "must match max_execution_batch_size; last entry was 8; expected 4"),
    ],
)  # fmt: skip
def test_batching_parameters_that_are_refused(tmp_path, text, message):
    with pytest.raises(ServingError) as caught:
        read(tmp_path, text)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert message in caught.value.message


def test_a_parameters_file_that_is_not_there(tmp_path):
    with pytest.raises(ServingError, match="Cannot read BatchingParameters file"):
        read_batching_parameters(tmp_path / "none")
