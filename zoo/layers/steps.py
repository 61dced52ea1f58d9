"""One step of each cell, forward and back through time: the equations that all kernels share.

`x` is what the inputs bring to the gates of a step, biases counted in: `[n, gates * units]`.
Gates in `direct`, which stand first, read the state itself: `from_h = h U_direct`. What the others
read is made of it in the step (`r * h` in the GRU), so that `U_inner` is theirs.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

import tensorflow as tf

Rows = Callable[[int], tf.Tensor]


class Step:
    """What a kernel needs to know of a cell; a subclass gives `forward` and `backward`.

    Attributes:
        gates: Number of gates.
        direct: How many of them read the state itself.
        states: Number of states, `h` first.
        kept: Number of tensors `[n, units]` that a step keeps for the way back.
        row: Units of what `backward` gives for each row: deltas of all gates, and what inner gates
            read.
    """

    gates: ClassVar[int] = 1
    direct: ClassVar[int] = 1
    states: ClassVar[int] = 1
    kept: ClassVar[int] = 1
    row: ClassVar[int] = 1

    @classmethod
    def units(cls, recurrent_kernel: tf.Tensor) -> int:
        """Units of each state, from a recurrent kernel whose columns alone may be known."""
        return recurrent_kernel.shape[1] // cls.gates

    @classmethod
    def kernels(cls, recurrent_kernel: tf.Tensor) -> list[tf.Tensor]:
        """Splits `[units, gates * units]` into `U_direct` and `U_inner`."""
        if cls.direct == cls.gates:  # nothing to copy
            return [recurrent_kernel, recurrent_kernel[:, :0]]
        units = cls.units(recurrent_kernel)
        sizes = [cls.direct * units, (cls.gates - cls.direct) * units]
        return tf.split(recurrent_kernel, sizes, axis=1)

    @staticmethod
    def forward(
        x: tf.Tensor, from_h: tf.Tensor, inner_kernel: tf.Tensor, *states: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        """Takes a step.

        Args:
            x: `[n, gates * units]`.
            from_h: `[n, direct * units]`.
            inner_kernel: `U_inner`.
            *states: `[n, units]` each.

        Returns:
            `(new states, kept)`.
        """
        raise NotImplementedError

    @staticmethod
    def backward(
        kept: Sequence[tf.Tensor],
        before: Rows,
        after: Rows,
        inner_back: tf.Tensor,
        *gradients: tf.Tensor,
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...], tuple[tf.Tensor | None, ...]]:
        """Takes a step back.

        Args:
            kept: What `forward` kept.
            before: `before(k)` is state `k` before the step.
            after: `after(k)` is state `k` after it.
            inner_back: `U_inner` transposed: a GEMM with `transpose_b` is half as fast as one
                without, so it is done once for all steps.
            *gradients: Of the states after the step.

        Returns:
            `(direct deltas, rest, gradients)`: a row is the direct deltas and then the rest. The
            gradients are those of the states before the step, but for what comes through `from_h`;
            None for nothing.
        """
        raise NotImplementedError

    @classmethod
    def recurrent_gradient(cls, before: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """The gradient of the recurrent kernel: one GEMM for all steps (one more if inner).

        Args:
            before: `[n, units]`, `h` before each step.
            rows: `[n, row * units]`, what `backward` gave.
        """
        if cls.direct == cls.gates:
            return tf.matmul(before, rows, transpose_a=True)
        units = before.shape[-1]
        sizes = [cls.direct * units, (cls.gates - cls.direct) * units, units]
        direct, inner, read = tf.split(rows, sizes, axis=1)
        gradients = [(before, direct), (read, inner)]
        return tf.concat([tf.matmul(a, b, transpose_a=True) for a, b in gradients], axis=1)


class BasicRNNStep(Step):
    """Elman's cell.

        h_t     = tanh(x_t + h_{t-1} U)

    Back through time:

        delta_t = dh_t * (1 - h_t^2)
    """

    @staticmethod
    def forward(x: tf.Tensor, from_h: tf.Tensor, inner_kernel: tf.Tensor, h: tf.Tensor) -> tuple:
        """As in the base class; the equations are those of this class."""
        h = tf.tanh(x + from_h)
        return (h,), (h,)

    @staticmethod
    def backward(
        kept: Sequence[tf.Tensor], before: Rows, after: Rows, inner_back: tf.Tensor, dh: tf.Tensor
    ) -> tuple:
        """As in the base class; the equations are those of this class."""
        return tf.raw_ops.TanhGrad(y=kept[0], dy=dh), (), (None,)


class LSTMStep(Step):
    """The LSTM (Hochreiter & Schmidhuber 1997, forget gate of Gers et al. 1999).

        i, f, o = sigmoid(x + h U)      input, forget and output gate
        g       = tanh(x + h U)         candidate
        c'      = f * c + i * g
        h'      = o * tanh(c')

    Gates are in the order i, f, g, o. Back through time, the lecture's deltas:

        dh_t    = dE/dh_t + delta_{t+1} U^T
        dc_t    = dc_{t+1} * f_{t+1} + dh_t * o * (1 - tanh(c)^2)
        delta_t = [dc * g * i (1 - i),  dc * c_{t-1} * f (1 - f),
                   dc * i * (1 - g^2),  dh * tanh(c) * o (1 - o)]
    """

    gates = direct = kept = row = 4
    states = 2

    @staticmethod
    def forward(
        x: tf.Tensor, from_h: tf.Tensor, inner_kernel: tf.Tensor, h: tf.Tensor, c: tf.Tensor
    ) -> tuple:
        """As in the base class; the equations are those of this class."""
        i, f, g, o = tf.split(x + from_h, 4, axis=-1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * c + i * g
        return (o * tf.tanh(c), c), (i, f, g, o)

    @staticmethod
    def backward(
        kept: Sequence[tf.Tensor],
        before: Rows,
        after: Rows,
        inner_back: tf.Tensor,
        dh: tf.Tensor,
        dc: tf.Tensor,
    ) -> tuple:
        """As in the base class; the equations are those of this class."""
        i, f, g, o = kept
        # Computed again: keeping it for every token would cost memory, and time to move it.
        tanh_c = tf.tanh(after(1))
        # sigmoid_grad(y, d) = d * y * (1 - y) and tanh_grad(y, d) = d * (1 - y^2), in one go.
        dc = dc + tf.raw_ops.TanhGrad(y=tanh_c, dy=dh * o)
        delta = tf.concat(
            [
                tf.raw_ops.SigmoidGrad(y=i, dy=dc * g),
                tf.raw_ops.SigmoidGrad(y=f, dy=dc * before(1)),
                tf.raw_ops.TanhGrad(y=g, dy=dc * i),
                tf.raw_ops.SigmoidGrad(y=o, dy=dh * tanh_c),
            ],
            axis=-1,
        )
        return delta, (), (None, dc * f)


class GRUStep(Step):
    """The GRU of Cho et al. 2014 (arXiv:1406.1078), the reset gate before the recurrent product.

        z, r = sigmoid(x + h U)             update and reset gate
        g    = tanh(x + (r * h) U_g)        candidate
        h'   = z * h + (1 - z) * g

    Gates are in the order z, r, candidate. Back through time, `h` being the state before the step:

        delta_g  = dh * (1 - z) * (1 - g^2),    ds = delta_g U_g^T  (s = r * h)
        delta_z  = dh * (h - g) * z (1 - z),    delta_r = ds * h * r (1 - r)
        dh_{t-1} = dh * z + ds * r + [delta_z, delta_r] U^T

    A row is `[delta_z, delta_r, delta_g, s]`: the gradient of `U_g` needs `s`.
    """

    gates, direct, kept, row = 3, 2, 3, 4

    @staticmethod
    def forward(x: tf.Tensor, from_h: tf.Tensor, inner_kernel: tf.Tensor, h: tf.Tensor) -> tuple:
        """As in the base class; the equations are those of this class."""
        units = inner_kernel.shape[1]
        to_gates, to_candidate = tf.split(x, [2 * units, units], axis=-1)
        z, r = tf.split(tf.sigmoid(to_gates + from_h), 2, axis=-1)
        g = tf.tanh(to_candidate + (r * h) @ inner_kernel)
        return (z * h + (1 - z) * g,), (z, r, g)

    @staticmethod
    def backward(
        kept: Sequence[tf.Tensor], before: Rows, after: Rows, inner_back: tf.Tensor, dh: tf.Tensor
    ) -> tuple:
        """As in the base class; the equations are those of this class."""
        z, r, g = kept
        h = before(0)
        delta_g = tf.raw_ops.TanhGrad(y=g, dy=dh * (1 - z))
        ds = delta_g @ inner_back
        delta_z = tf.raw_ops.SigmoidGrad(y=z, dy=dh * (h - g))
        delta_r = tf.raw_ops.SigmoidGrad(y=r, dy=ds * h)
        return tf.concat([delta_z, delta_r], -1), (delta_g, r * h), (dh * z + ds * r,)
