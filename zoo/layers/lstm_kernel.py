"""The LSTM over a whole sequence, with the lecture's back-propagation through time by hand."""

import tensorflow as tf

from zoo.layers import packed_loop
from zoo.layers.custom_gradient import custom_gradient
from zoo.layers.packing import Packing

_GATES = 4


def lstm_sequence(inputs, kernel, recurrent_kernel, bias, h, c, lengths=None):
    """Runs an LSTM over time. The equations are those of `zoo.layers.cells.lstm_step`.

    Args:
        inputs: `[B, T, I]`.
        kernel: `[I, 4U]`, gates in the order i, f, g, o.
        recurrent_kernel: `[U, 4U]`.
        bias: `[4U]`.
        h, c: initial state, `[B, U]` each.
        lengths: int `[B]`, or None when all rows are `T` long.

    Returns:
        `(outputs [B, T, U], h [B, U], c [B, U])`, outputs 0 and state kept past the length.
    """
    packing = Packing(inputs, lengths)

    @custom_gradient
    def run(tokens, kernel, recurrent_kernel, bias, h, c):
        h, c = packing.sort(h), packing.sort(c)
        # One GEMM for the input projections of all tokens.
        projected = tf.nn.bias_add(tokens @ kernel, bias)
        step = _forward_step(recurrent_kernel)
        (hs, cs), gates = packed_loop.forward(packing, projected, [h, c], step, _GATES)

        def gradient(d_hs, d_h, d_c):
            step = _backward_step(recurrent_kernel, cs, packing.before(c, cs), d_hs)
            last = [packing.sort(d_h), packing.sort(d_c)]
            width = kernel.shape[1]
            deltas, first = packed_loop.backward(packing, gates, _GATES, last, step, width)
            # One GEMM each for all steps.
            d_kernel = tf.matmul(tokens, deltas, transpose_a=True)
            d_recurrent = tf.matmul(packing.before(h, hs), deltas, transpose_a=True)
            d_tokens = tf.matmul(deltas, kernel, transpose_b=True)
            d_h, d_c = (packing.unsort(state) for state in first)
            return d_tokens, d_kernel, d_recurrent, tf.reduce_sum(deltas, 0), d_h, d_c

        last_h, last_c = packing.last(h, hs), packing.last(c, cs)
        return (hs, packing.unsort(last_h), packing.unsort(last_c)), gradient

    hs, h, c = run(packing.tokens(inputs), kernel, recurrent_kernel, bias, h, c)
    return packing.sequence(hs), h, c


def _forward_step(recurrent_kernel):
    def step(x, h, c):
        i, f, g, o = tf.split(x + h @ recurrent_kernel, _GATES, axis=-1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * c + i * g
        return (o * tf.tanh(c), c), (i, f, g, o)

    return step


def _backward_step(recurrent_kernel, cs, cs_before, d_hs):
    """The lecture's deltas.

    dh_t    = dE/dh_t + delta_{t+1} U^T
    dc_t    = dc_{t+1} * f_{t+1} + dh_t * o * (1 - tanh(c)^2)
    delta_t = [dc * g * i (1 - i),  dc * c_{t-1} * f (1 - f),
               dc * i * (1 - g^2),  dh * tanh(c) * o (1 - o)]
    """
    # A GEMM with `transpose_b` is half as fast as one without: transpose once, not at each step.
    transposed = tf.transpose(recurrent_kernel)

    def step(at, gates, dh, dc):
        i, f, g, o = gates
        # Computed again: keeping it for every token would cost memory, and time to move it.
        tanh_c = tf.tanh(at(cs))
        dh = dh + at(d_hs)
        # sigmoid_grad(y, d) = d * y * (1 - y) and tanh_grad(y, d) = d * (1 - y^2), in one go.
        dc = dc + tf.raw_ops.TanhGrad(y=tanh_c, dy=dh * o)
        delta = tf.concat(
            [
                tf.raw_ops.SigmoidGrad(y=i, dy=dc * g),
                tf.raw_ops.SigmoidGrad(y=f, dy=dc * at(cs_before)),
                tf.raw_ops.TanhGrad(y=g, dy=dc * i),
                tf.raw_ops.SigmoidGrad(y=o, dy=dh * tanh_c),
            ],
            axis=-1,
        )
        return delta, (delta @ transposed, dc * f)

    return step
