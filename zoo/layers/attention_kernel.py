"""A whole target sequence of the attention decoder, with its hand-derived gradient.

Automatic differentiation of the step loop would add up the gradient of every weight matrix once per
step. By hand, the reverse loop carries only the deltas, as on the lecture's BPTT slides, and each
weight matrix gets its gradient from one matrix product over all steps.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from zoo.layers.attention import additive_alignment
from zoo.layers.custom_gradient import custom_gradient
from zoo.layers.steps import Step


def run_attention(
    step: type[Step],
    projected: tf.Tensor,
    states: Sequence[tf.Tensor],
    keys: tf.Tensor,
    memory: tf.Tensor,
    mask: tf.Tensor,
    context_kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    query_kernel: tf.Tensor,
    energy: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, list[tf.Tensor]]:
    """Unrolls a cell that attends to a memory before each step.

    With `h = h_{t-1}`, for each step `t` (Bahdanau et al. 2015):

        x_t, y_t = projected_t
        alpha    = softmax_j(v . tanh(y_t + h W_q + K_j)),  context = sum_j alpha_j M_j
        h_t      = step(x_t + context W_c, h)

    With one more column in `W_q` and `y_t`, the last of them is a gate on the context (Xu et al.
    2015, section 4.2.1): `context = sigmoid(y_t + h W_q)[-1] sum_j alpha_j M_j`.

    Args:
        step: One of the classes of `zoo.layers.steps`.
        projected: `[time, batch, gates * units + query_units]` float: what the inputs give to
            the gates, all biases counted in, and then what they give to the query.
        states: Initial states, `[batch, units]` float each.
        keys: `K`, `[batch, source, attention_units]` float.
        memory: `M`, `[batch, source, memory_units]` float.
        mask: `[batch, source]` bool, true at real positions.
        context_kernel: `W_c`, `[memory_units, gates * units]` float.
        recurrent_kernel: The cell's own, `[units, gates * units]` float.
        query_kernel: `W_q`, `[units, query_units]` float; `query_units` are `attention_units`, and
            one more with a gate.
        energy: `v`, `[attention_units]` float.

    Returns:
        `(outputs, contexts, alignments, states)`: `[time, batch, units]` float, `[time, batch,
        memory_units]`, `[time, batch, source]`, and the last states.
    """

    @custom_gradient
    def run(
        projected: tf.Tensor,
        keys: tf.Tensor,
        memory: tf.Tensor,
        context_kernel: tf.Tensor,
        recurrent_kernel: tf.Tensor,
        query_kernel: tf.Tensor,
        energy: tf.Tensor,
        *states: tf.Tensor,
    ) -> tuple[tuple[tf.Tensor, ...], Callable]:
        direct_kernel, inner_kernel = step.kernels(recurrent_kernel)
        # The state is multiplied once for both its uses: gates and query.
        state_kernel = tf.concat([direct_kernel, query_kernel], axis=1)
        attention = _Memory(keys, memory, mask, energy)
        weights = _Weights(context_kernel, state_kernel, inner_kernel)
        kept, contexts, histories = _forward(step, projected, states, attention, weights)
        outputs = histories[0]

        def gradient(
            d_outputs: tf.Tensor, d_contexts: tf.Tensor, d_alignments: tf.Tensor, *d_last: tf.Tensor
        ) -> list[tf.Tensor]:
            before = [
                tf.concat([state[tf.newaxis], history], axis=0)[:-1]
                for state, history in zip(states, histories, strict=True)
            ]
            upstream = (d_outputs, d_contexts, d_alignments)
            rows, d_context, d_states, d_keys, d_energy = _backward(
                step, kept, before, histories, upstream, d_last, attention, weights
            )
            before_h, rows, all_contexts = (_flat(x) for x in (before[0], rows, contexts))
            gates = context_kernel.shape[1]
            query_units = query_kernel.shape[1]
            row, d_query = rows[:, :-query_units], rows[:, -query_units:]
            return [
                tf.reshape(tf.concat([row[:, :gates], d_query], axis=1), tf.shape(projected)),
                d_keys,
                # M enters through the context alone: alpha_t (outer) dcontext_t, all t at once.
                tf.einsum("tbs,tbm->bsm", kept.alignments, d_context),
                tf.matmul(all_contexts, row[:, :gates], transpose_a=True),
                step.recurrent_gradient(before_h, row),
                tf.matmul(before_h, d_query, transpose_a=True),
                d_energy,
                *d_states,
            ]

        last = [
            tf.concat([state[tf.newaxis], history], axis=0)[-1]
            for state, history in zip(states, histories, strict=True)
        ]
        return (outputs, contexts, kept.alignments, *last), gradient

    outputs, contexts, alignments, *last = run(
        projected,
        keys,
        memory,
        context_kernel,
        recurrent_kernel,
        query_kernel,
        energy,
        *states,
    )
    return outputs, contexts, alignments, last


class _Memory(NamedTuple):
    keys: tf.Tensor
    memory: tf.Tensor
    mask: tf.Tensor
    energy: tf.Tensor


class _Weights(NamedTuple):
    context: tf.Tensor
    state: tf.Tensor
    inner: tf.Tensor


class _Kept(NamedTuple):
    """What the way back needs of every step, `[time, ...]`."""

    alignments: tf.Tensor
    queries: tf.Tensor  # with the logit of the context's gate, if there is one
    gates: tf.Tensor


def _forward(
    step: type[Step],
    projected: tf.Tensor,
    states: Sequence[tf.Tensor],
    attention: _Memory,
    weights: _Weights,
) -> tuple[_Kept, tf.Tensor, list[tf.Tensor]]:
    time, units = tf.shape(projected)[0], states[0].shape[-1]
    keys, memory, mask, energy = attention
    width = weights.context.shape[1]
    query_units = weights.state.shape[1] - step.direct * units
    attention_units = energy.shape[0]

    def array(*shape: int | None) -> tf.TensorArray:
        return tf.TensorArray(projected.dtype, size=time, element_shape=shape)

    arrays = _Kept(array(None, None), array(None, query_units), array(step.kept, None, units))
    contexts = array(None, memory.shape[-1])
    histories = [array(None, units) for _ in states]

    def body(
        t: tf.Tensor,
        states: list[tf.Tensor],
        arrays: _Kept,
        contexts: tf.TensorArray,
        histories: list[tf.TensorArray],
    ) -> tuple:
        from_inputs = projected[t]
        from_h = states[0] @ weights.state
        query = from_inputs[:, width:] + from_h[:, step.direct * units :]
        alignment, _ = additive_alignment(query[:, :attention_units], keys, energy, mask)
        context = tf.matmul(alignment, memory)[:, 0]
        if query_units > attention_units:
            context *= tf.sigmoid(query[:, attention_units:])
        x = from_inputs[:, :width] + context @ weights.context
        states, gates = step.forward(x, from_h[:, : step.direct * units], weights.inner, *states)
        values = (alignment[:, 0], query, tf.stack(gates))
        return (
            t + 1,
            list(states),
            _Kept(*(a.write(t, value) for a, value in zip(arrays, values, strict=True))),
            contexts.write(t, context),
            [a.write(t, state) for a, state in zip(histories, states, strict=True)],
        )

    _, _, arrays, contexts, histories = tf.while_loop(
        lambda t, *_: t < time,
        body,
        (0, list(states), arrays, contexts, histories),
        maximum_iterations=time,
    )
    kept = _Kept(*(a.stack() for a in arrays))
    return kept, contexts.stack(), [a.stack() for a in histories]


def _backward(
    step: type[Step],
    kept: _Kept,
    before: list[tf.Tensor],
    after: list[tf.Tensor],
    upstream: tuple[tf.Tensor, ...],
    d_last: Sequence[tf.Tensor],
    attention: _Memory,
    weights: _Weights,
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor], tf.Tensor, tf.Tensor]:
    """Rows of all steps `[time, batch, row * units + query_units]`, and the rest."""
    d_outputs, d_contexts, d_alignments = upstream
    keys, memory, _, energy = attention
    context_back, state_back, inner_back = (tf.transpose(weight) for weight in weights)
    time, dtype = tf.shape(kept.alignments)[0], kept.gates.dtype
    inner_gates = step.gates - step.direct
    attention_units, query_units = energy.shape[0], kept.queries.shape[-1]
    width = step.row * before[0].shape[-1] + query_units
    rows = tf.TensorArray(dtype, size=time, element_shape=[None, width])
    d_context_rows = tf.TensorArray(dtype, size=time, element_shape=[None, memory.shape[-1]])

    def body(
        t: tf.Tensor,
        rows: tf.TensorArray,
        d_context_rows: tf.TensorArray,
        d_states: list[tf.Tensor],
        d_keys: tf.Tensor,
        d_energy: tf.Tensor,
    ) -> tuple:
        deltas, rest, (d_h, *d_others) = step.backward(
            tf.unstack(kept.gates[t], step.kept),
            lambda k: before[k][t],
            lambda k: after[k][t],
            inner_back,
            d_states[0] + d_outputs[t],
            *d_states[1:],
        )
        of_gates = tf.concat([deltas, *rest[:inner_gates]], axis=1) if inner_gates else deltas
        d_context = of_gates @ context_back + d_contexts[t]
        # Through context = alpha M, then the softmax, then v . tanh(q + K).
        alignment, query = kept.alignments[t], kept.queries[t]
        d_alignment = tf.linalg.matvec(memory, d_context)
        d_logit = []
        if query_units > attention_units:  # context = gate alpha M
            gate = tf.sigmoid(query[:, attention_units:])
            d_gate = tf.reduce_sum(alignment * d_alignment, axis=1, keepdims=True)
            d_logit = [d_gate * gate * (1 - gate)]
            d_context, d_alignment = gate * d_context, gate * d_alignment
        d_alignment += d_alignments[t]
        mean = tf.reduce_sum(alignment * d_alignment, axis=1, keepdims=True)
        d_scores = alignment * (d_alignment - mean)
        # tanh(q + K) is cheaper to compute again than to keep for every step.
        activated = tf.tanh(keys + query[:, tf.newaxis, :attention_units])
        d_energy += tf.einsum("bs,bsa->a", d_scores, activated)
        d_sum = tf.raw_ops.TanhGrad(y=activated, dy=d_scores[:, :, tf.newaxis] * energy)
        d_query = tf.concat([tf.reduce_sum(d_sum, axis=1), *d_logit], axis=1)
        from_h = tf.concat([deltas, d_query], axis=1) @ state_back
        return (
            t - 1,
            rows.write(t, tf.concat([deltas, *rest, d_query], axis=1)),
            d_context_rows.write(t, d_context),
            [from_h if d_h is None else d_h + from_h, *d_others],
            d_keys + d_sum,
            d_energy,
        )

    start = (
        time - 1,
        rows,
        d_context_rows,
        list(d_last),
        tf.zeros_like(keys),
        tf.zeros_like(energy),
    )
    _, rows, d_context_rows, d_states, d_keys, d_energy = tf.while_loop(
        lambda t, *_: t >= 0, body, start, maximum_iterations=time
    )
    return rows.stack(), d_context_rows.stack(), d_states, d_keys, d_energy


def _flat(sequence: tf.Tensor) -> tf.Tensor:
    """`[time, batch, width]` as `[time * batch, width]`."""
    return tf.reshape(sequence, [-1, sequence.shape[-1]])
