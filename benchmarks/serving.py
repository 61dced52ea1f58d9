"""Throughput and latency of `zoo-serve` over REST, against the same Session called directly.

    python -m benchmarks.serving [--seconds 5] [--models sentiment,nmt_attention]
    python -m benchmarks.serving --models "" --memory 100000

The server is a process of its own on the loopback address. Its clients share one other process,
keep their connections, and send one text at a time, each as soon as it has its answer. The ceiling
is what the model gives without a server: the same `Session` called in this process, by threads with
one text each, as many as clients or as cores, or, against batching, by two threads with half of the
clients' texts each. `added` is the median latency of a request less that of a direct call.

`sentiment` has random weights: 10,000 words, embeddings of 100, one LSTM of 128 units in each
direction, attention. `nmt_attention` is the preset, with greedy search. With `--memory`, the
server's resident memory is read while it answers so many requests for `sentiment`.
"""

import asyncio
import contextlib
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import click
import numpy as np
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from zoo.serving.inference.servable import Servable

BATCH_THREADS = 2
CLIENTS = (1, 8, 64)
BATCHING = f"""
max_batch_size {{ value: 64 }}  batch_timeout_micros {{ value: 0 }}
max_enqueued_batches {{ value: 1000 }}  num_batch_threads {{ value: {BATCH_THREADS} }}
"""
TEXTS = {
    "sentiment": [
        "One of the few films this year that I would gladly see again: warm, funny, well played.",
        "The plot makes no sense at all and the acting is wooden, but the music was rather good.",
        "I wanted to like it. After an hour of car chases and shouting I looked at my watch, and "
        "then at the door, and in the end I left with most of the others in the row.",
        "Boring.",
    ],
    "nmt_attention": [
        "A man in an orange hat is looking at something.",
        "Two dogs are playing in the snow.",
        "People are fixing the roof of a house.",
        "A group of children stands in front of a large red building and waits for the bus.",
    ],
}


def export_models(names: Iterable[str], folder: Path) -> None:
    """Writes each model's first version below `folder`."""
    import zoo
    from zoo import export
    from zoo.models.text_classifier import TextClassifier
    from zoo.text.vocabulary import WordVocabulary

    for name in names:
        if name == "sentiment":
            letters = np.random.default_rng(0).integers(ord("a"), ord("z") + 1, size=(9_900, 6))
            words = {bytes(word.astype(np.uint8)).decode() for word in letters}
            words |= {word.lower() for text in TEXTS[name] for word in text.split()}
            model = TextClassifier(WordVocabulary(sorted(words)), embedding_units=100, units=128)
        else:
            model = zoo.load(name)
        export.saved_model(model, folder / name, verify=False)


def direct(
    servable: "Servable", name: str, threads: int, rows: int, seconds: float
) -> tuple[float, list[float]]:
    """Texts per second, and seconds of each call, of a session that threads call directly."""
    texts = [text.encode() for text in TEXTS[name]]
    batches = [
        {"text": np.array([texts[(first + row) % len(texts)] for row in range(rows)], object)}
        for first in range(len(texts))
    ]
    calls = []

    def call(number: int, started: float) -> None:
        for inputs in itertools.cycle(batches[number:] + batches[:number]):
            if (before := time.perf_counter()) > started + seconds:
                break
            servable.run("serving_default", inputs)
            calls.append(time.perf_counter() - before)

    call(0, time.perf_counter() - seconds * 4 / 5)  # warm
    calls.clear()
    started = time.perf_counter()
    workers = [
        threading.Thread(target=call, args=(number % len(texts), started))
        for number in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return rows * len(calls) / (time.perf_counter() - started), calls


def ceilings(
    folder: Path, name: str, seconds: float
) -> dict[tuple[int, bool], tuple[float, float]]:
    """`(clients, batching) -> (texts per second, median seconds of a call)`, without a server.

    Without batching these are of as many threads as clients or as cores, whichever is faster.
    """
    from zoo.serving.inference.servable import Servable

    servable = Servable(folder / name / "1")
    results = {}
    for clients in CLIENTS:
        settings = {
            False: {(clients, 1), (min(clients, os.cpu_count()), 1)},
            True: {(threads := min(clients, BATCH_THREADS), clients // threads)},
        }
        for batching, choices in settings.items():
            rate, calls = max(direct(servable, name, *choice, seconds) for choice in choices)
            results[clients, batching] = rate, statistics.median(calls)
    servable.close()
    return results


@contextlib.contextmanager
def running_server(folder: Path, names: Iterable[str], batching: bool) -> Iterator[tuple[int, int]]:
    """Runs a `zoo-serve` with the models: its port and process id."""
    config = folder / "models.config"
    config.write_text(
        "model_config_list {"
        + "".join(
            f'config {{ name: "{name}" base_path: "{folder / name}" model_platform: "tensorflow" }}'
            for name in names
        )
        + "}"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "zoo.serving", f"--model_config_file={config}"]
    command += [f"--rest_api_port={port}", "--port=0", f"--rest_api_num_threads={max(CLIENTS)}"]
    if batching:
        (folder / "batching.config").write_text(BATCHING)
        command += ["--enable_batching", f"--batching_parameters_file={folder / 'batching.config'}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            if not any("REST at" in line for line in process.stdout):
                raise RuntimeError(f"The server did not start: {' '.join(command)}")
            yield port, process.pid
        finally:
            process.terminate()


async def load(
    port: int, name: str, clients: int, seconds: float | None = None, requests: int | None = None
) -> tuple[float, list[float]]:
    """Requests per second, and seconds of each, of clients that never wait, until either limit."""
    bodies = [json.dumps({"instances": [text]}).encode() for text in TEXTS[name]]
    posts = [
        f"POST /v1/models/{name}:predict HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
        for body in bodies
    ]
    latencies = []
    started = time.perf_counter()

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for post in itertools.cycle(posts[number % len(posts) :] + posts[: number % len(posts)]):
            before = time.perf_counter()
            late = seconds is not None and before > started + seconds
            if late or (requests is not None and len(latencies) >= requests):
                break
            writer.write(post)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            answer = await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(f"Expected 200. Received: {head!r} {answer!r}")
            latencies.append(time.perf_counter() - before)
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return len(latencies) / (time.perf_counter() - started), latencies


def resident_memory(pid: int) -> float:
    """The resident memory of a process, in MiB (Linux)."""
    (line,) = (
        line
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmRSS:")
    )
    return int(line.split()[1]) / 1024


@click.command()
@click.option("--seconds", default=5.0, show_default=True, help="Of each setting.")
@click.option(
    "--models", default=",".join(TEXTS), show_default=True, help="To measure; may be none."
)
@click.option("--memory", default=0, show_default=True, help="Requests to watch the memory for.")
def main(seconds: float, models: str, memory: int) -> None:
    """Measures the server."""
    names = [name for name in models.split(",") if name]
    console = Console(width=100)
    table = Table("model", "batching", "clients", "requests/s", "p50 ms", "p99 ms", "ceiling/s")
    for column in ("of it", "added ms"):
        table.add_column(column)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        export_models({*names, *(["sentiment"] if memory else [])}, folder)
        best = {name: ceilings(folder, name, seconds) for name in names}
        for batching in (False, True) if names else ():
            with running_server(folder, names, batching) as (port, _):
                for name, clients in itertools.product(names, CLIENTS):
                    asyncio.run(load(port, name, clients, seconds=seconds / 5))  # warm
                    rate, latencies = asyncio.run(load(port, name, clients, seconds=seconds))
                    p50, p99 = np.percentile(latencies, [50, 99]) * 1000
                    ceiling, call = best[name][clients, batching]
                    added = f"{p50 - call * 1000:.2f}" if clients == 1 else ""
                    cells = [name, "on" if batching else "off", str(clients), f"{rate:.0f}"]
                    cells += [f"{p50:.1f}", f"{p99:.1f}", f"{ceiling:.0f}"]
                    table.add_row(*cells, f"{rate / ceiling:.0%}", added)
        if names:
            console.print(table)
        if memory:
            with running_server(folder, ["sentiment"], batching=True) as (port, pid):
                for part in range(11):
                    console.print(
                        f"after {part * memory // 10:>7} requests: {resident_memory(pid):.0f} MiB"
                    )
                    if part < 10:
                        asyncio.run(load(port, "sentiment", max(CLIENTS), requests=memory // 10))


if __name__ == "__main__":
    main()
