"""The two loops over time of a whole-sequence kernel: forward, and back through time.

A kernel gives the equations of one step; here are the lanes, the rows that have ended, and the
arrays. See `zoo.layers.packing` for the order of the tokens.
"""

from collections.abc import Callable

import tensorflow as tf

from zoo.layers.packing import Packing


def forward(
    packing: Packing,
    projected: tf.Tensor,
    states: list[tf.Tensor],
    step: Callable[..., tuple],
    kept: int,
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """Runs `step` over all tokens.

    Args:
        packing: The batch's `Packing`.
        projected: `[N, G]`, what the inputs bring to the gates of each token.
        states: List of sorted initial states `[B, U]`.
        step: `(x [n, G], *states [n, U]) -> (new states, kept)`, two tuples of `[n, U]`.
        kept: Number of tensors which a step keeps for the way back.

    Returns:
        `(histories, gates)`: for each state `[N, U]`, its value after each token; and what the
        steps kept, `[kept * N, U]`, step by step and lane by lane.
    """
    lanes, units = packing.lanes, states[0].shape[1]

    def body(t: tf.Tensor, lane_states: tuple, histories: tuple, gates: tf.TensorArray) -> tuple:
        lane_states = list(lane_states)
        for lane, current in enumerate(lane_states):
            size = tf.gather(packing.sizes[lane], t)
            x = tf.slice(projected, tf.gather(packing.begins[lane], t), size)
            if packing.padded:  # the rows which have ended are the last ones
                current = [tf.slice(state, [0, 0], size) for state in current]
            current, values = step(x, *current)
            lane_states[lane] = tuple(current)
            place = t * lanes + lane
            histories = [
                history.write(place, state)
                for history, state in zip(histories, current, strict=True)
            ]
            for k, value in enumerate(values):
                gates = gates.write(place * kept + k, value)
        return t + 1, tuple(lane_states), tuple(histories), gates

    start = tuple(zip(*(tf.split(state, packing.rows) for state in states), strict=True))
    arrays = tuple(_array(packing, projected.dtype, units) for _ in states)
    any_shape = tf.TensorShape(None)
    _, _, histories, gates = tf.while_loop(
        lambda t, *_: t < packing.time,
        body,
        (0, start, arrays, _array(packing, projected.dtype, units, kept)),
        shape_invariants=(
            tf.TensorShape([]),
            _any_rows(start),
            tuple(any_shape for _ in states),
            any_shape,
        ),
        maximum_iterations=packing.time,
    )
    return [history.concat() for history in histories], gates.concat()


def backward(
    packing: Packing,
    gates: tf.Tensor,
    kept: int,
    gradients: list[tf.Tensor],
    step: Callable[..., tuple],
    width: int,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Runs `step` back through time.

    Args:
        packing: The batch's `Packing`.
        gates: What `forward` kept.
        kept: Number of tensors which a step kept.
        gradients: List of gradients `[B, U]` of the sorted last states.
        step: `(at, gates, *gradients) -> (delta [n, width], gradients before)`. `at(tensor)` gives
            this step's rows `[n, ...]` of a tensor `[N, ...]`; `gates` is a list of `[n, U]`.
        width: Of the deltas.

    Returns:
        `(deltas [N, width], gradients)`, the latter of the sorted initial states.
    """
    lasts = [tf.split(gradient, packing.rows) for gradient in gradients]

    def body(t: tf.Tensor, lane_gradients: tuple, deltas: tf.TensorArray) -> tuple:
        lane_gradients = list(lane_gradients)
        for lane, current in enumerate(lane_gradients):
            begin, size = tf.gather(packing.begins[lane], t), tf.gather(packing.sizes[lane], t)
            if packing.padded:
                current = _join(current, [last[lane] for last in lasts], size)

            def at(
                tensor: tf.Tensor, begin: tf.Tensor = begin, size: tf.Tensor = size
            ) -> tf.Tensor:
                return tf.slice(tensor, begin, size)

            values = tf.split(tf.slice(gates, begin * kept, size * [kept, 1]), kept)
            delta, current = step(at, values, *current)
            lane_gradients[lane] = tuple(current)
            deltas = deltas.write(t * packing.lanes + lane, delta)
        return t - 1, tuple(lane_gradients), deltas

    start = tuple(zip(*lasts, strict=True))
    if packing.padded:  # nobody is alive after the last step
        start = tf.nest.map_structure(lambda gradient: gradient[:0], start)
    _, lane_gradients, deltas = tf.while_loop(
        lambda t, *_: t >= 0,
        body,
        (packing.time - 1, start, _array(packing, gates.dtype, width)),
        shape_invariants=(tf.TensorShape([]), _any_rows(start), tf.TensorShape(None)),
        maximum_iterations=packing.time,
    )
    if packing.padded:  # rows of length 0 only had their initial state
        lane_gradients = [
            _join(current, [last[lane] for last in lasts], [rows, -1])
            for lane, (current, rows) in enumerate(zip(lane_gradients, packing.rows, strict=True))
        ]
    return deltas.concat(), [tf.concat(lanes, 0) for lanes in zip(*lane_gradients, strict=True)]


def _join(gradients: list[tf.Tensor], lasts: list[tf.Tensor], size: tf.Tensor) -> list[tf.Tensor]:
    """Adds the rows that end here, with the gradient of their last state, up to `size` rows."""
    return [
        tf.concat([g, tf.slice(last, [tf.shape(g)[0], 0], [size[0] - tf.shape(g)[0], -1])], 0)
        for g, last in zip(gradients, lasts, strict=True)
    ]


def _array(packing: Packing, dtype: tf.DType, width: int, each: int = 1) -> tf.TensorArray:
    """An array for `each` tensors `[rows, width]` per step and lane."""
    count = packing.time * packing.lanes * each
    array = tf.TensorArray(dtype, size=count + 1, element_shape=[None, width], infer_shape=False)
    # A batch without steps would leave the array empty, and an empty one cannot be joined.
    return array.write(count, tf.zeros([0, width], dtype))


def _any_rows(states: tuple) -> tuple:
    """Shapes for a loop in which the number of rows changes."""
    return tf.nest.map_structure(lambda state: tf.TensorShape([None, state.shape[1]]), states)
