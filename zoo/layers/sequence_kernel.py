"""A cell over a whole sequence, with the lecture's back-propagation through time by hand."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from zoo.graphs.traced_once import traced_once
from zoo.layers import packed_loop
from zoo.layers.custom_gradient import custom_gradient
from zoo.layers.packing import Packing, pack
from zoo.layers.steps import Step


def run_sequence(
    step: type[Step],
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
    states: Sequence[tf.Tensor],
    lengths: tf.Tensor | None = None,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Runs a cell over time. The equations are those of `step`.

    Args:
        step: One of the classes of `zoo.layers.steps`, `G` gates and `U` units.
        inputs: `[B, T, I]`.
        kernel: `[I, G * U]`.
        recurrent_kernel: `[U, G * U]`.
        bias: `[G * U]`.
        states: Initial states, `[B, U]` each.
        lengths: `[B]` int, or None when all rows are `T` long.

    Returns:
        `(outputs [B, T, U], states)`, outputs 0 and states kept past the length.
    """
    packing = pack(inputs, lengths)

    @custom_gradient
    def run(
        tokens: tf.Tensor,
        kernel: tf.Tensor,
        recurrent_kernel: tf.Tensor,
        bias: tf.Tensor,
        *states: tf.Tensor,
    ) -> tuple[tuple[tf.Tensor, ...], Callable]:
        weights = (kernel, recurrent_kernel, bias)
        histories, gates, last = _forward(packing.parts, tokens, weights, states, step=step)

        def gradient(d_outputs: tf.Tensor, *d_last: tf.Tensor) -> list[tf.Tensor]:
            kept = (tokens, states, histories, gates)
            return _backward(
                packing.parts, kept, (kernel, recurrent_kernel), d_outputs, d_last, step=step
            )

        return (histories[0], *last), gradient

    outputs, *states = run(packing.tokens(inputs), kernel, recurrent_kernel, bias, *states)
    return packing.sequence(outputs), states


@traced_once
def _forward(
    parts: dict[str, Any],
    tokens: tf.Tensor,
    weights: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
    states: tuple[tf.Tensor, ...],
    *,
    step: type[Step],
) -> tuple[list[tf.Tensor], tf.Tensor, list[tf.Tensor]]:
    """Each state after each token `[N, U]`; what the steps kept; and the rows' last states."""
    packing = Packing(parts)
    kernel, recurrent_kernel, bias = weights
    recurrent_kernel.set_shape([step.units(recurrent_kernel), None])  # not known when traced once
    states = [packing.sort(state) for state in states]
    direct_kernel, inner_kernel = step.kernels(recurrent_kernel)
    # One GEMM for the input projections of all tokens.
    projected = tf.nn.bias_add(tokens @ kernel, bias)

    def forward(x: tf.Tensor, h: tf.Tensor, *others: tf.Tensor) -> tuple:
        return step.forward(x, h @ direct_kernel, inner_kernel, h, *others)

    histories, gates = packed_loop.forward(packing, projected, states, forward, step.kept)
    last = [packing.last(*pair) for pair in zip(states, histories, strict=True)]
    return histories, gates, [packing.unsort(state) for state in last]


@traced_once
def _backward(
    parts: dict[str, Any],
    kept: tuple,
    weights: tuple[tf.Tensor, tf.Tensor],
    d_outputs: tf.Tensor,
    d_last: tuple[tf.Tensor, ...],
    *,
    step: type[Step],
) -> list[tf.Tensor]:
    """Gradients of tokens, kernel, recurrent kernel, bias and initial states."""
    packing = Packing(parts)
    tokens, states, histories, gates = kept
    kernel, recurrent_kernel = weights
    recurrent_kernel.set_shape([step.units(recurrent_kernel), None])
    states = [packing.sort(state) for state in states]
    before = [packing.before(*pair) for pair in zip(states, histories, strict=True)]
    direct_back, inner_back = (tf.transpose(part) for part in step.kernels(recurrent_kernel))

    def backward(
        at: Callable[[tf.Tensor], tf.Tensor],
        kept: list[tf.Tensor],
        d_h: tf.Tensor,
        *d_others: tf.Tensor,
    ) -> tuple:
        deltas, rest, (d_h, *d_others) = step.backward(
            kept,
            lambda k: at(before[k]),
            lambda k: at(histories[k]),
            inner_back,
            d_h + at(d_outputs),
            *d_others,
        )
        from_h = deltas @ direct_back
        d_h = from_h if d_h is None else d_h + from_h
        return tf.concat([deltas, *rest], axis=-1) if rest else deltas, (d_h, *d_others)

    rows, d_states = packed_loop.backward(
        packing,
        gates,
        step.kept,
        [packing.sort(state) for state in d_last],
        backward,
        step.row * step.units(recurrent_kernel),
    )
    # One GEMM each for all steps.
    deltas = rows[:, : kernel.shape[1]]
    return [
        tf.matmul(deltas, kernel, transpose_b=True),
        tf.matmul(tokens, deltas, transpose_a=True),
        step.recurrent_gradient(before[0], rows),
        tf.reduce_sum(deltas, 0),
        *(packing.unsort(state) for state in d_states),
    ]
