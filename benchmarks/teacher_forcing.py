"""A training step of the attention decoder: the kernel beside the plain loop, on this CPU.

    python -m benchmarks.teacher_forcing [--repeats 60] [--batch 64] [--time 15] [--units 256]

The defaults are the sizes of the preset `nmt_attention`. A training step is all steps of a known
target, and the gradients of weights, inputs, states and memory. Both ways are measured in one
process and take turns; the table shows the least time of all repeats, which other work on the
machine disturbs least: of the clock, and of the processor, all threads together.
"""

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from zoo.layers import AttentionCell, BahdanauAttention, BasicLSTMCell, BasicRNNCell, GRUCell

CELLS = {"rnn": BasicRNNCell, "lstm": BasicLSTMCell, "gru": GRUCell}


def training_steps(cell: str, options: argparse.Namespace) -> dict[str, Callable]:
    """The compiled training steps `{"kernel": ..., "loop": ...}` of the same decoder."""
    decoder = AttentionCell(
        CELLS[cell](options.units), BahdanauAttention(options.units), options.input_in_query
    )
    random = np.random.default_rng(0)

    def draw(*shape: int) -> tf.Tensor:
        return tf.constant(random.normal(size=shape).astype("float32"))

    inputs = draw(options.batch, options.time, options.width)
    memory = draw(options.batch, options.source, 2 * options.units)
    states = [draw(options.batch, options.units) for _ in decoder.state_size]
    lengths = tf.constant(random.integers(1, options.source + 1, options.batch), tf.int32)
    decoder.build_for(options.width, 2 * options.units)
    decoder.attention.keys(memory)

    def training_step(unroll: Callable) -> Callable:
        @tf.function(autograph=False)
        def run() -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch([inputs, memory, *states])
                keys = decoder.attention.keys(memory)
                outputs, contexts, *_ = unroll(inputs, states, keys, memory, lengths, True)
                loss = tf.reduce_sum(outputs**2) + tf.reduce_sum(contexts**2)
            weights = [variable.value for variable in decoder.trainable_variables]
            return tape.gradient(loss, [inputs, memory, *states, *weights])

        return lambda: [gradient.numpy() for gradient in run()]

    return {
        "kernel": training_step(decoder.unroll),
        "loop": training_step(decoder._unroll_steps),
    }


def fastest(runs: dict[str, Callable], repeats: int) -> dict[str, np.ndarray]:
    """The least milliseconds of each run, by the clock and of the processor, in turns."""
    clocks = (time.perf_counter, time.process_time)
    seconds = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            start = [clock() for clock in clocks]
            run()
            if turn:  # the first round compiles
                seconds[name].append([clock() - s for clock, s in zip(clocks, start, strict=True)])
    return {name: 1000 * np.min(values, axis=0) for name, values in seconds.items()}


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", default=",".join(CELLS))
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--source", type=int, default=15)
    parser.add_argument("--time", type=int, default=15)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--input-in-query", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, TensorFlow {tf.__version__}")
    print("least milliseconds, clock / processor")
    print(f"{'cell':<6}{'loop':>16}{'kernel':>16}{'loop by kernel':>18}")
    for cell in options.cells.split(","):
        result = fastest(training_steps(cell, options), options.repeats)
        columns = [result["loop"], result["kernel"]]
        line = "".join(f"{clock:8.1f} /{cpu:6.1f}" for clock, cpu in columns)
        clock, cpu = columns[0] / columns[1]
        print(f"{cell:<6}{line}{clock:>10.2f} /{cpu:6.2f}", flush=True)


if __name__ == "__main__":
    main()
