"""The LSTM over a whole sequence, with the lecture's back-propagation through time by hand."""

import tensorflow as tf

from zoo.layers.packing import Packing


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

    @tf.custom_gradient
    def run(tokens, kernel, recurrent_kernel, bias, h, c):
        h, c = packing.sort(h), packing.sort(c)
        # One GEMM for the input projections of all tokens.
        projected = tf.nn.bias_add(tokens @ kernel, bias)
        hs, cs, gates = _forward(packing, projected, recurrent_kernel, h, c)

        def gradient(d_hs, d_h, d_c):
            d_h, d_c = packing.sort(d_h), packing.sort(d_c)
            cells = cs, packing.before(c, cs)
            deltas, d_h, d_c = _backward(packing, recurrent_kernel, gates, cells, d_hs, d_h, d_c)
            # One GEMM each for all steps.
            d_kernel = tf.matmul(tokens, deltas, transpose_a=True)
            d_recurrent = tf.matmul(packing.before(h, hs), deltas, transpose_a=True)
            d_tokens = tf.matmul(deltas, kernel, transpose_b=True)
            d_bias = tf.reduce_sum(deltas, 0)
            d_h, d_c = packing.unsort(d_h), packing.unsort(d_c)
            return d_tokens, d_kernel, d_recurrent, d_bias, d_h, d_c

        last_h, last_c = packing.last(h, hs), packing.last(c, cs)
        return (hs, packing.unsort(last_h), packing.unsort(last_c)), gradient

    hs, h, c = run(packing.tokens(inputs), kernel, recurrent_kernel, bias, h, c)
    return packing.sequence(hs), h, c


def _forward(packing, projected, recurrent_kernel, h, c):
    """The loop over time. Returns `h`, `c` and the four gates of each token, time by time."""
    units, lanes = recurrent_kernel.shape[0], packing.lanes

    def step(t, lane_states, hs, cs, gates):
        lane_states = list(lane_states)
        for lane, (h, c) in enumerate(lane_states):
            size = tf.gather(packing.sizes[lane], t)
            x = tf.slice(projected, tf.gather(packing.begins[lane], t), size)
            if packing.padded:  # the rows which have ended are the last ones
                h, c = tf.slice(h, [0, 0], size), tf.slice(c, [0, 0], size)
            i, f, g, o = tf.split(x + h @ recurrent_kernel, 4, axis=-1)
            i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
            c = f * c + i * g
            h = o * tf.tanh(c)
            lane_states[lane] = h, c
            place = t * lanes + lane
            hs, cs = hs.write(place, h), cs.write(place, c)
            for k, gate in enumerate((i, f, g, o)):
                gates = gates.write(place * 4 + k, gate)
        return t + 1, tuple(lane_states), hs, cs, gates

    start = tuple(zip(tf.split(h, packing.rows), tf.split(c, packing.rows), strict=True))
    arrays = [_array(packing, projected.dtype, units, each) for each in (1, 1, 4)]
    _, _, *arrays = tf.while_loop(
        lambda t, *_: t < packing.time,
        step,
        (0, start, *arrays),
        shape_invariants=(tf.TensorShape([]), _any_rows(start), *[tf.TensorShape(None)] * 3),
        maximum_iterations=packing.time,
    )
    # Plain tensors, because a SavedModel cannot hold a gradient function that captures a list.
    return [array.concat() for array in arrays]


def _backward(packing, recurrent_kernel, gates, cells, d_hs, d_h, d_c):
    """The loop back through time: the lecture's deltas.

        dh_t    = dE/dh_t + delta_{t+1} U^T
        dc_t    = dc_{t+1} * f_{t+1} + dh_t * o * (1 - tanh(c)^2)
        delta_t = [dc * g * i (1 - i),  dc * c_{t-1} * f (1 - f),
                   dc * i * (1 - g^2),  dh * tanh(c) * o (1 - o)]

    Returns:
        `(deltas [N, 4U], d_h, d_c)`: the gradient of what enters the gates, for all tokens, and of
        the initial state.
    """
    units, lanes = recurrent_kernel.shape[0], packing.lanes
    # A GEMM with `transpose_b` is half as fast as one without: transpose once, not at each step.
    transposed = tf.transpose(recurrent_kernel)
    cs, cs_before = cells
    last_h, last_c = tf.split(d_h, packing.rows), tf.split(d_c, packing.rows)

    def step(t, lane_gradients, deltas):
        lane_gradients = list(lane_gradients)
        for lane, (dh, dc) in enumerate(lane_gradients):
            begin, size = tf.gather(packing.begins[lane], t), tf.gather(packing.sizes[lane], t)
            i, f, g, o = tf.split(tf.slice(gates, begin * 4, size * [4, 1]), 4)
            # Computed again: keeping it for every token would cost memory, and time to move it.
            tanh_c = tf.tanh(tf.slice(cs, begin, size))
            before = tf.slice(cs_before, begin, size)
            if packing.padded:
                dh, dc = _join(dh, last_h[lane], size), _join(dc, last_c[lane], size)
            dh = dh + tf.slice(d_hs, begin, size)
            # sigmoid_grad(y, d) = d * y * (1 - y) and tanh_grad(y, d) = d * (1 - y^2), in one go.
            dc = dc + tf.raw_ops.TanhGrad(y=tanh_c, dy=dh * o)
            delta = tf.concat(
                [
                    tf.raw_ops.SigmoidGrad(y=i, dy=dc * g),
                    tf.raw_ops.SigmoidGrad(y=f, dy=dc * before),
                    tf.raw_ops.TanhGrad(y=g, dy=dc * i),
                    tf.raw_ops.SigmoidGrad(y=o, dy=dh * tanh_c),
                ],
                axis=-1,
            )
            lane_gradients[lane] = delta @ transposed, dc * f
            deltas = deltas.write(t * lanes + lane, delta)
        return t - 1, tuple(lane_gradients), deltas

    start = tuple(zip(last_h, last_c, strict=True))
    if packing.padded:  # nobody is alive after the last step
        start = tf.nest.map_structure(lambda gradient: gradient[:0], start)
    _, lane_gradients, deltas = tf.while_loop(
        lambda t, *_: t >= 0,
        step,
        (packing.time - 1, start, _array(packing, d_hs.dtype, 4 * units)),
        shape_invariants=(tf.TensorShape([]), _any_rows(start), tf.TensorShape(None)),
        maximum_iterations=packing.time,
    )
    if packing.padded:  # rows of length 0 only had their initial state
        everybody = [[rows, -1] for rows in packing.rows]
        lane_gradients = [
            (_join(dh, h, size), _join(dc, c, size))
            for (dh, dc), h, c, size in zip(lane_gradients, last_h, last_c, everybody, strict=True)
        ]
    d_h, d_c = zip(*lane_gradients, strict=True)
    return deltas.concat(), tf.concat(d_h, 0), tf.concat(d_c, 0)


def _join(gradient, last, size):
    """Adds the rows that end here, with the gradient of their last state, up to `size` rows."""
    joined = tf.shape(gradient)[0]
    return tf.concat([gradient, tf.slice(last, [joined, 0], [size[0] - joined, -1])], 0)


def _array(packing, dtype, width, each=1):
    """An array for `each` tensors `[rows, width]` per step and lane."""
    count = packing.time * packing.lanes * each
    array = tf.TensorArray(dtype, size=count + 1, element_shape=[None, width], infer_shape=False)
    # A batch without steps would leave the array empty, and an empty one cannot be joined.
    return array.write(count, tf.zeros([0, width], dtype))


def _any_rows(states):
    """Shapes for a loop in which the number of rows changes."""
    return tf.nest.map_structure(lambda state: tf.TensorShape([None, state.shape[1]]), states)
