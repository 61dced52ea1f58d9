"""An LSTM or GRU layer's speed and memory beside those of Keras and torch, on this CPU.

    python -m benchmarks.recurrent [--cell gru] [--repeats 9] [--shapes 0,3] [--no-memory]

All implementations are measured in one process, one after the other in each round, and the table
shows medians over the rounds. A training step is forward plus the gradients of the weights and of
the inputs. The last shape is a padded batch with lengths like those of film reviews; Keras gets a
mask there and torch a packed sequence. Memory is how much a training step raises the highest
resident memory of a fresh process. torch is optional (`pip install torch==2.13.0`); its GRU has the
reset gate after the recurrent product, the other two have it before.
"""

import argparse
import importlib.util
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from zoo.layers import BasicLSTMCell, DynamicRNN, GRUCell

# (batch, time, input, units); the last one is padded.
SHAPES = [
    (64, 50, 256, 256),
    (32, 100, 128, 128),
    (64, 30, 512, 512),
    (1, 30, 256, 256),
    (20, 35, 650, 650),
    (32, 1000, 128, 128),
]
PADDED = len(SHAPES) - 1
Runs = tuple[Callable, Callable]  # forward, training step


def make_batch(index: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Random inputs `[B, T, I]`, and lengths `[B]` (mean 230, max 1000) for the padded shape."""
    random = np.random.default_rng(index)
    batch, steps, width, _ = SHAPES[index]
    inputs = random.normal(size=(batch, steps, width)).astype(np.float32)
    if index != PADDED:
        return inputs, None
    lengths = np.clip(random.lognormal(5.15, 0.7, batch), 10, steps)
    lengths[0] = steps
    rest = lengths[1:]
    rest *= (230 * batch - steps) / rest.sum()
    return inputs, lengths.astype(np.int32)


def tensorflow_runs(layer: keras.layers.Layer, call: Callable, inputs: np.ndarray) -> Runs:
    """Compiled forward and training-step functions of a Keras layer."""
    inputs = tf.constant(inputs)
    call(inputs)
    weights = [variable.value for variable in layer.trainable_variables]

    @tf.function
    def forward() -> Any:
        return call(inputs)

    @tf.function
    def train() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(call(inputs) ** 2)
        return tape.gradient(loss, [inputs, *weights])

    return lambda: forward().numpy(), lambda: [g.numpy() for g in train()]


def zoo_runs(cell: str, index: int) -> Runs:
    """Compiled runs of the zoo's layer."""
    inputs, lengths = make_batch(index)
    layer = DynamicRNN({"lstm": BasicLSTMCell, "gru": GRUCell}[cell](SHAPES[index][-1]))
    lengths = None if lengths is None else tf.constant(lengths)
    return tensorflow_runs(layer, lambda x: layer(x, lengths)[0], inputs)


def keras_runs(cell: str, index: int) -> Runs:
    """Compiled runs of Keras's layer with the same equations."""
    inputs, lengths = make_batch(index)
    units = SHAPES[index][-1]
    if cell == "lstm":
        layer = keras.layers.LSTM(units, return_sequences=True)
    else:
        layer = keras.layers.GRU(units, return_sequences=True, reset_after=False)
    mask = None if lengths is None else tf.sequence_mask(lengths, inputs.shape[1])
    return tensorflow_runs(layer, lambda x: layer(x, mask=mask), inputs)


def torch_runs(cell: str, index: int) -> Runs:
    """Runs of torch's layer."""
    import torch

    inputs, lengths = make_batch(index)
    layer = getattr(torch.nn, cell.upper())(*SHAPES[index][-2:], batch_first=True)
    inputs = torch.tensor(inputs, requires_grad=True)

    def call() -> Any:
        if lengths is None:
            return layer(inputs)[0]
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            inputs, torch.tensor(lengths), batch_first=True, enforce_sorted=False
        )
        return torch.nn.utils.rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)[0]

    def forward() -> Any:
        with torch.no_grad():
            call()

    def train() -> Any:
        layer.zero_grad()
        inputs.grad = None
        (call() ** 2).sum().backward()

    return forward, train


RUNS = {"zoo": zoo_runs, "keras": keras_runs, "torch": torch_runs}


def measure(
    cell: str, index: int, names: list[str], repeats: int
) -> dict[str, tuple[float, float]]:
    """Median milliseconds `{name: (forward, train)}`, the implementations taking turns."""
    runs = {name: RUNS[name](cell, index) for name in names}
    seconds = {(name, kind): [] for name in names for kind in (0, 1)}
    for turn in range(repeats + 1):
        for name, kind in seconds:
            start = time.perf_counter()
            runs[name][kind]()
            if turn:  # the first round compiles
                seconds[name, kind].append(time.perf_counter() - start)
    return {
        name: tuple(1000 * statistics.median(seconds[name, kind]) for kind in (0, 1))
        for name in names
    }


def highest_memory() -> float:
    """Highest resident memory of this program so far, in MiB (Linux).

    `getrusage` would not do: a child process starts with the peak of its parent.
    """
    with open("/proc/self/status", encoding="ascii") as status:
        (line,) = (line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def memory_of_training(name: str, cell: str, index: int) -> float:
    """Peak memory of three training steps in a fresh process, in MiB."""
    command = [sys.executable, "-m", "benchmarks.recurrent", "--memory-of"]
    command += [name, cell, str(index)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def print_memory(name: str, cell: str, index: str) -> None:
    """Prints what `memory_of_training` reads, in a process of its own."""
    forward, train = RUNS[name](cell, int(index))
    forward()
    before = highest_memory()
    for _ in range(3):
        train()
    print(highest_memory() - before)


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cell", choices=("lstm", "gru"), default="lstm")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--shapes", default=",".join(map(str, range(len(SHAPES)))))
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--memory-of", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        return print_memory(*options.memory_of)

    names = list(RUNS)
    if importlib.util.find_spec("torch") is None:
        names.remove("torch")
        print("torch is not installed: measuring without it (pip install torch==2.13.0)")
    else:
        import torch

        torch.set_num_threads(os.cpu_count())
    print(f"{os.cpu_count()} cores, TensorFlow {tf.__version__}, Keras {keras.__version__}")
    print("milliseconds: forward / training step; MiB: peak of a training step")
    print(f"{'batch, time, input, units':<28}" + "".join(f"{name:>26}" for name in names))
    ratios = {(name, kind): [] for name in names[1:] for kind in (0, 1)}
    for index in map(int, options.shapes.split(",")):
        times = measure(options.cell, index, names, options.repeats)
        line = (
            f"{SHAPES[index]!s:<28}" if index != PADDED else f"{SHAPES[index]!s} padded".ljust(28)
        )
        for name in names:
            memory = ""
            if not options.no_memory:
                memory = f"{memory_of_training(name, options.cell, index):.0f} MiB"
            line += f"{times[name][0]:8.1f} /{times[name][1]:7.1f}{memory:>9}"
        print(line, flush=True)
        for name, kind in ratios:
            ratios[name, kind].append(math.log(times[name][kind] / times["zoo"][kind]))
    for name in names[1:]:
        forward, train = (math.exp(statistics.mean(ratios[name, kind])) for kind in (0, 1))
        worst = math.exp(min(ratios[name, 1]))
        print(
            f"zoo against {name}, geometric mean: forward {forward:.2f}x, training step "
            f"{train:.2f}x (worst shape {worst:.2f}x)"
        )
    return None


if __name__ == "__main__":
    main()
