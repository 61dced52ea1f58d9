"""The GRU over a whole sequence, with its back-propagation through time by hand."""

import tensorflow as tf

from zoo.layers import packed_loop
from zoo.layers.custom_gradient import custom_gradient
from zoo.layers.packing import Packing

_GATES = 3


def gru_sequence(inputs, kernel, recurrent_kernel, bias, h, lengths=None):
    """Runs a GRU over time. The equations are those of `zoo.layers.cells.GRUCell`.

    Args:
        inputs: `[B, T, I]`.
        kernel: `[I, 3U]`, in the order z, r, candidate.
        recurrent_kernel: `[U, 3U]`.
        bias: `[3U]`.
        h: initial state, `[B, U]`.
        lengths: int `[B]`, or None when all rows are `T` long.

    Returns:
        `(outputs [B, T, U], h [B, U])`, outputs 0 and state kept past the length.
    """
    packing = Packing(inputs, lengths)
    units = recurrent_kernel.shape[0]

    @custom_gradient
    def run(tokens, kernel, recurrent_kernel, bias, h):
        h = packing.sort(h)
        gate_kernel, candidate_kernel = tf.split(recurrent_kernel, [2 * units, units], axis=1)
        # One GEMM for the input projections of all tokens.
        projected = tf.nn.bias_add(tokens @ kernel, bias)
        step = _forward_step(gate_kernel, candidate_kernel)
        (hs,), gates = packed_loop.forward(packing, projected, [h], step, _GATES)

        def gradient(d_hs, d_h):
            before = packing.before(h, hs)
            step = _backward_step(gate_kernel, candidate_kernel, before, d_hs)
            rows, (d_h,) = packed_loop.backward(
                packing, gates, _GATES, [packing.sort(d_h)], step, 4 * units
            )
            deltas, reset = tf.split(rows, [3 * units, units], axis=1)
            d_gates, d_candidate = tf.split(deltas, [2 * units, units], axis=1)
            # One GEMM each for all steps.
            d_kernel = tf.matmul(tokens, deltas, transpose_a=True)
            d_recurrent = [
                tf.matmul(before, d_gates, transpose_a=True),
                tf.matmul(reset, d_candidate, transpose_a=True),
            ]
            d_tokens = tf.matmul(deltas, kernel, transpose_b=True)
            d_bias = tf.reduce_sum(deltas, 0)
            return d_tokens, d_kernel, tf.concat(d_recurrent, 1), d_bias, packing.unsort(d_h)

        return (hs, packing.unsort(packing.last(h, hs))), gradient

    hs, h = run(packing.tokens(inputs), kernel, recurrent_kernel, bias, h)
    return packing.sequence(hs), h


def _forward_step(gate_kernel, candidate_kernel):
    units = candidate_kernel.shape[0]

    def step(x, h):
        to_gates, to_candidate = tf.split(x, [2 * units, units], axis=-1)
        z, r = tf.split(tf.sigmoid(to_gates + h @ gate_kernel), 2, axis=-1)
        g = tf.tanh(to_candidate + (r * h) @ candidate_kernel)
        return (z * h + (1 - z) * g,), (z, r, g)

    return step


def _backward_step(gate_kernel, candidate_kernel, before, d_hs):
    """The deltas, `h` being the state before the step.

        delta_g = dh * (1 - z) * (1 - g^2),    ds = delta_g U_g^T  (s = r * h)
        delta_z = dh * (h - g) * z (1 - z),    delta_r = ds * h * r (1 - r)
        dh_{t-1} = dh * z + ds * r + [delta_z, delta_r] U_zr^T

    Each row of the result is `[delta_z, delta_r, delta_g, s]`: the gradient of `U_g` needs `s`.
    """
    # Transposed once, not at each step: a GEMM with `transpose_b` is half as fast.
    gates_back, candidate_back = tf.transpose(gate_kernel), tf.transpose(candidate_kernel)

    def step(at, gates, dh):
        z, r, g = gates
        h = at(before)
        dh = dh + at(d_hs)
        # sigmoid_grad(y, d) = d * y * (1 - y) and tanh_grad(y, d) = d * (1 - y^2), in one go.
        delta_g = tf.raw_ops.TanhGrad(y=g, dy=dh * (1 - z))
        ds = delta_g @ candidate_back
        delta_z = tf.raw_ops.SigmoidGrad(y=z, dy=dh * (h - g))
        delta_r = tf.raw_ops.SigmoidGrad(y=r, dy=ds * h)
        d_gates = tf.concat([delta_z, delta_r], axis=-1)
        rows = tf.concat([d_gates, delta_g, r * h], axis=-1)
        return rows, (dh * z + ds * r + d_gates @ gates_back,)

    return step
