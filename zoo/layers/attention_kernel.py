"""A whole target sequence of the attention decoder, with its hand-derived gradient.

Automatic differentiation of the step loop would add up the gradient of every weight matrix once per
step. By hand, the reverse loop carries only the deltas, as on the lecture's BPTT slides, and each
weight matrix gets its gradient from one matrix product over all steps.
"""

import tensorflow as tf

from zoo.layers.attention import additive_alignment
from zoo.layers.custom_gradient import custom_gradient


def attention_lstm(
    projected,
    output,
    cell,
    keys,
    memory,
    mask,
    context_kernel,
    recurrent_kernel,
    query_kernel,
    energy,
):
    """Unroll an LSTM that attends to a memory before each step.

    With ``s = h_{t-1}``, for each step ``t`` (Bahdanau et al. 2015; gates in Keras's order)::

        x_t, y_t = projected_t
        alpha = softmax_j(v . tanh(y_t + s W_q + K_j)),  context = sum_j alpha_j M_j
        i, f, g, o = x_t + context W_c + s W_h
        c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g),  h_t = sigmoid(o) tanh(c_t)

    Args:
        projected: float ``[time, batch, 4 units + attention_units]``: what the inputs give to the
            gates, all biases counted in, and then what they give to the query.
        output: ``h_0``, float ``[batch, units]``.
        cell: ``c_0``, float ``[batch, units]``.
        keys: ``K``, float ``[batch, source, attention_units]``.
        memory: ``M``, float ``[batch, source, memory_units]``.
        mask: bool ``[batch, source]``, true at real positions.
        context_kernel: ``W_c``, float ``[memory_units, 4 units]``.
        recurrent_kernel: ``W_h``, float ``[units, 4 units]``.
        query_kernel: ``W_q``, float ``[units, attention_units]``.
        energy: ``v``, float ``[attention_units]``.

    Returns:
        ``(outputs, contexts, alignments, last_cell)``: float ``[time, batch, units]``, ``[time,
        batch, memory_units]``, ``[time, batch, source]``, ``[batch, units]``.
    """

    @custom_gradient
    def run(
        projected,
        output,
        cell,
        keys,
        memory,
        context_kernel,
        recurrent_kernel,
        query_kernel,
        energy,
    ):
        units = recurrent_kernel.shape[0]
        # The state is multiplied once for both its uses: gates and query.
        state_kernel = tf.concat([recurrent_kernel, query_kernel], axis=1)
        outputs, contexts, alignments, queries, gates, cells = _forward(
            projected, output, cell, keys, memory, mask, context_kernel, state_kernel, energy
        )

        def gradient(d_outputs, d_contexts, d_alignments, d_last_cell):
            before = tf.concat([output[tf.newaxis], outputs], axis=0)[:-1]
            cells_before = tf.concat([cell[tf.newaxis], cells], axis=0)[:-1]
            saved = (alignments, queries, gates, cells, cells_before)
            upstream = (d_outputs, d_contexts, d_alignments, d_last_cell)
            transposed = (tf.transpose(context_kernel), tf.transpose(state_kernel))
            deltas, d_output, d_cell, d_keys, d_energy, d_context = _backward(
                saved, upstream, keys, memory, mask, energy, transposed
            )
            d_state_kernel = _outer(before, deltas)
            # M enters through the context alone: alpha_t (outer) dcontext_t, all t at once.
            d_memory = tf.einsum("tbs,tbm->bsm", alignments, d_context)
            return (
                deltas,
                d_output,
                d_cell,
                d_keys,
                d_memory,
                _outer(contexts, deltas[:, :, : 4 * units]),
                d_state_kernel[:, : 4 * units],
                d_state_kernel[:, 4 * units :],
                d_energy,
            )

        last_cell = tf.concat([cell[tf.newaxis], cells], axis=0)[-1]
        return (outputs, contexts, alignments, last_cell), gradient

    return run(
        projected,
        output,
        cell,
        keys,
        memory,
        context_kernel,
        recurrent_kernel,
        query_kernel,
        energy,
    )


def _forward(projected, output, cell, keys, memory, mask, context_kernel, state_kernel, energy):
    steps = tf.shape(projected)[0]
    dtype = projected.dtype
    units = output.shape[-1]
    widths = (units, memory.shape[-1], None, keys.shape[-1], 4 * units, units)
    arrays = [tf.TensorArray(dtype, size=steps, element_shape=[None, w]) for w in widths]

    def body(step, output, cell, *arrays):
        joined = projected[step] + tf.matmul(output, state_kernel)
        query = joined[:, 4 * units :]
        alignment, _ = additive_alignment(query, keys, energy, mask)
        context = tf.matmul(alignment, memory)[:, 0]
        inner = joined[:, : 4 * units] + tf.matmul(context, context_kernel)
        i, f, g, o = tf.split(inner, 4, axis=1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        cell = f * cell + i * g
        output = o * tf.tanh(cell)
        values = (output, context, alignment[:, 0], query, tf.concat([i, f, g, o], axis=1), cell)
        written = [array.write(step, value) for array, value in zip(arrays, values, strict=True)]
        return step + 1, output, cell, *written

    _, _, _, *arrays = tf.while_loop(
        lambda step, *_: step < steps, body, (0, output, cell, *arrays), maximum_iterations=steps
    )
    return [array.stack() for array in arrays]


def _backward(saved, upstream, keys, memory, mask, energy, transposed):
    """Deltas of all steps ``[time, batch, 4 units + attention_units]``, and the rest."""
    alignments, queries, gates, cells, cells_before = saved
    d_outputs, d_contexts, d_alignments, d_last_cell = upstream
    context_kernel_t, state_kernel_t = transposed
    steps, batch = tf.unstack(tf.shape(gates)[:2])
    units, attention_units = cells.shape[-1], keys.shape[-1]
    dtype = gates.dtype
    deltas = tf.TensorArray(dtype, size=steps, element_shape=[None, 4 * units + attention_units])
    d_context_rows = tf.TensorArray(dtype, size=steps, element_shape=[None, memory.shape[-1]])

    def body(step, deltas, d_context_rows, d_output, d_cell, d_keys, d_energy):
        i, f, g, o = tf.split(gates[step], 4, axis=1)
        squashed = tf.tanh(cells[step])
        d_output += d_outputs[step]
        # sigmoid_grad(y, d) = d y (1 - y) and tanh_grad(y, d) = d (1 - y^2), each in one go.
        d_cell += tf.raw_ops.TanhGrad(y=squashed, dy=d_output * o)
        d_gates = tf.concat(
            [
                tf.raw_ops.SigmoidGrad(y=i, dy=d_cell * g),
                tf.raw_ops.SigmoidGrad(y=f, dy=d_cell * cells_before[step]),
                tf.raw_ops.TanhGrad(y=g, dy=d_cell * i),
                tf.raw_ops.SigmoidGrad(y=o, dy=d_output * squashed),
            ],
            axis=1,
        )
        d_context = tf.matmul(d_gates, context_kernel_t) + d_contexts[step]
        # Through context = alpha M, then the softmax, then v . tanh(q + K).
        alignment = alignments[step]
        d_alignment = tf.linalg.matvec(memory, d_context) + d_alignments[step]
        inner = tf.reduce_sum(alignment * d_alignment, axis=1, keepdims=True)
        d_scores = alignment * (d_alignment - inner)
        # tanh(q + K) is cheaper to compute again than to keep for every step.
        activated = tf.tanh(keys + queries[step][:, tf.newaxis])
        d_energy += tf.einsum("bs,bsa->a", d_scores, activated)
        d_sum = tf.raw_ops.TanhGrad(y=activated, dy=d_scores[:, :, tf.newaxis] * energy)
        d_query = tf.reduce_sum(d_sum, axis=1)
        delta = tf.concat([d_gates, d_query], axis=1)
        d_output = tf.matmul(delta, state_kernel_t)
        return (
            step - 1,
            deltas.write(step, delta),
            d_context_rows.write(step, d_context),
            d_output,
            d_cell * f,
            d_keys + d_sum,
            d_energy,
        )

    start = (
        steps - 1,
        deltas,
        d_context_rows,
        tf.zeros([batch, units], dtype),
        d_last_cell,
        tf.zeros_like(keys),
        tf.zeros_like(energy),
    )
    _, deltas, d_context_rows, d_output, d_cell, d_keys, d_energy = tf.while_loop(
        lambda step, *_: step >= 0, body, start, maximum_iterations=steps
    )
    return deltas.stack(), d_output, d_cell, d_keys, d_energy, d_context_rows.stack()


def _outer(left, right):
    """Sum over time and batch of ``left^T right``: one product for a weight matrix's gradient."""
    left = tf.reshape(left, [-1, left.shape[-1]])
    right = tf.reshape(right, [-1, right.shape[-1]])
    return tf.matmul(left, right, transpose_a=True)
