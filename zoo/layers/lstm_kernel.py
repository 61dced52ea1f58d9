"""The LSTM over a whole sequence, with the lecture's back-propagation through time by hand."""

import tensorflow as tf

from zoo.layers.recurrent_cell import zero_padding


def lstm_sequence(inputs, kernel, recurrent_kernel, bias, h, c, sequence_length=None):
    """Runs an LSTM over time.

    Args:
        inputs: `[B, T, I]`.
        kernel: `[I, 4U]`, gates in the order i, f, g, o.
        recurrent_kernel: `[U, 4U]`.
        bias: `[4U]`.
        h, c: initial state, `[B, U]` each.
        sequence_length: int `[B]` or None.

    Returns:
        `(outputs [B, T, U], h [B, U], c [B, U])`, outputs 0 and state kept past the length.
    """
    batch, time = tf.shape(inputs)[0], tf.shape(inputs)[1]
    units = recurrent_kernel.shape[0]
    if sequence_length is None:
        lengths = tf.fill([batch], time)
    else:
        lengths = tf.clip_by_value(tf.cast(sequence_length, tf.int32), 0, time)
        inputs = zero_padding(inputs, lengths)
    # One GEMM for the input projections of all steps.
    projected = tf.transpose(inputs, [1, 0, 2]) @ kernel + bias  # [T, B, 4U]
    hs, cs = _recurrence(projected, recurrent_kernel, h, c, units)
    rows = tf.stack([lengths, tf.range(batch)], axis=1)
    h = tf.gather_nd(tf.concat([h[None], hs], 0), rows)
    c = tf.gather_nd(tf.concat([c[None], cs], 0), rows)
    outputs = tf.transpose(hs, [1, 0, 2])
    return (outputs if sequence_length is None else zero_padding(outputs, lengths)), h, c


def _recurrence(projected, recurrent_kernel, h0, c0, units):
    dtype = projected.dtype

    def array(time, width):
        return tf.TensorArray(dtype, size=time, element_shape=[h0.shape[0], width])

    @tf.custom_gradient
    def run(projected, recurrent_kernel, h0, c0):
        time = tf.shape(projected)[0]

        def step(t, h, c, hs, cs, gates):
            i, f, g, o = tf.split(projected[t] + h @ recurrent_kernel, 4, axis=-1)
            i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
            c = f * c + i * g
            h = o * tf.tanh(c)
            gate = tf.concat([i, f, g, o], -1)
            return t + 1, h, c, hs.write(t, h), cs.write(t, c), gates.write(t, gate)

        arrays = array(time, units), array(time, units), array(time, 4 * units)
        *_, hs, cs, gates = tf.while_loop(
            lambda t, *_: t < time, step, (0, h0, c0, *arrays), maximum_iterations=time
        )
        hs, cs, gates = hs.stack(), cs.stack(), gates.stack()

        def backward(d_hs, d_cs):
            transposed = tf.transpose(recurrent_kernel)
            previous_h = tf.concat([h0[None], hs[:-1]], 0)
            previous_c = tf.concat([c0[None], cs[:-1]], 0)

            def step_back(t, dh, dc, deltas):
                i, f, g, o = tf.split(gates[t], 4, axis=-1)
                tanh_c = tf.tanh(cs[t])
                dh = dh + d_hs[t]
                dc = dc + d_cs[t] + dh * o * (1 - tanh_c * tanh_c)
                delta = tf.concat(
                    [
                        dc * g * i * (1 - i),
                        dc * previous_c[t] * f * (1 - f),
                        dc * i * (1 - g * g),
                        dh * tanh_c * o * (1 - o),
                    ],
                    -1,
                )
                return t - 1, delta @ transposed, dc * f, deltas.write(t, delta)

            _, dh0, dc0, deltas = tf.while_loop(
                lambda t, *_: t >= 0,
                step_back,
                (time - 1, tf.zeros_like(h0), tf.zeros_like(c0), array(time, 4 * units)),
                maximum_iterations=time,
            )
            deltas = deltas.stack()
            d_kernel = tf.matmul(
                tf.reshape(previous_h, [-1, units]),
                tf.reshape(deltas, [-1, 4 * units]),
                transpose_a=True,
            )
            return deltas, d_kernel, dh0, dc0

        return (hs, cs), backward

    return run(projected, recurrent_kernel, h0, c0)
