"""Back-propagation through time as the lecture derives it, in NumPy, letter by letter.

The network is the slides' vanilla RNN, without biases, for one sequence and the squared error::

    u_t = W_xh x_t + W_hh h_{t-1}       h_t = f(u_t)
    v_t = W_hy h_t                      y_t = g(v_t)            E = 1/2 sum_t |l_t - y_t|^2

(The slides' `c` is 1/2 here, which makes their deltas come out without a factor.) `f` is tanh, `g`
the identity. `docs/bptt.md` goes through it; nothing else in the zoo uses it.
"""

from typing import NamedTuple, Self

import numpy as np


class Passed(NamedTuple):
    """What the way forward leaves: float arrays.

    Attributes:
        hidden: `h_0` to `h_T`, `[T + 1, N]`.
        outputs: `y_1` to `y_T`, `[T, L]`.
    """

    hidden: np.ndarray
    outputs: np.ndarray


class Deltas(NamedTuple):
    """What flows back: `-dE/dv_t` and `-dE/du_t`.

    Attributes:
        of_outputs: `delta^y`, `[T, L]`.
        of_hidden: `delta^h`, `[T, N]`.
    """

    of_outputs: np.ndarray
    of_hidden: np.ndarray


class VanillaRNN(NamedTuple):
    """The weights, and the lecture's formulas on them.

    Attributes:
        w_xh: `[N, I]`, from the input.
        w_hh: `[N, N]`, from the step before.
        w_hy: `[L, N]`, to the output.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> rnn = VanillaRNN(rng.normal(size=[4, 3]), rng.normal(size=[4, 4]), np.ones([2, 4]))
        >>> inputs, targets = rng.normal(size=[6, 3]), rng.normal(size=[6, 2])
        >>> before = rnn.error(inputs, targets)
        >>> rnn = rnn.updated(inputs, targets, rate=0.01)
        >>> bool(rnn.error(inputs, targets) < before)
        True
    """

    w_xh: np.ndarray
    w_hh: np.ndarray
    w_hy: np.ndarray

    def forward(
        self, inputs: np.ndarray, length: int | None = None, initial: np.ndarray | None = None
    ) -> Passed:
        """The way forward.

        Args:
            inputs: `[T, I]`.
            length: Steps that are real; those after it are padding, where `h_t = 0`. None: all.
            initial: `h_0`, `[N]`; None: zeros. Of a text in pieces it is where the last one ended.
        """
        length = len(inputs) if length is None else length
        hidden = np.zeros([len(inputs) + 1, len(self.w_hh)])
        if initial is not None:
            hidden[0] = initial
        for t in range(1, length + 1):
            u = self.w_xh @ inputs[t - 1] + self.w_hh @ hidden[t - 1]
            hidden[t] = np.tanh(u)
        return Passed(hidden, hidden[1:] @ self.w_hy.T)

    def error(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        length: int | None = None,
        initial: np.ndarray | None = None,
    ) -> float:
        """`E`, of the real steps.

        Args:
            inputs: As of `forward`.
            targets: `l_1` to `l_T`, `[T, L]`.
            length: As of `forward`.
            initial: Likewise.
        """
        outputs = self.forward(inputs, length, initial).outputs
        return 0.5 * float(np.sum((targets - outputs)[:length] ** 2))

    def deltas(self, passed: Passed, targets: np.ndarray, length: int | None = None) -> Deltas:
        """The way back, from the last real step to the first.

        Args:
            passed: What `forward` left.
            targets: `[T, L]`.
            length: As of `forward`.
        """
        length = len(targets) if length is None else length
        of_outputs = np.zeros_like(passed.outputs)
        of_hidden = np.zeros_like(passed.hidden[1:])
        later = np.zeros(len(self.w_hh))  # delta^h_{T+1}: nothing comes after the last step
        for t in reversed(range(length)):
            # delta^y_t(j) = (l_t(j) - y_t(j)) g'(v_t(j)), and g' = 1
            of_outputs[t] = targets[t] - passed.outputs[t]
            # delta^h_t(j) = [sum_i delta^h_{t+1}(i) w_hh(i, j)
            #                 + sum_i delta^y_t(i) w_hy(i, j)] f'(u_t(j)),  f' = 1 - h^2
            back = self.w_hh.T @ later + self.w_hy.T @ of_outputs[t]
            later = of_hidden[t] = back * (1 - passed.hidden[t + 1] ** 2)
        return Deltas(of_outputs, of_hidden)

    def steepest(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        length: int | None = None,
        initial: np.ndarray | None = None,
    ) -> Self:
        """`-dE/dW` of the three weights: sums of outer products over the steps.

        A step of padding adds nothing: its deltas are 0. So "W is not updated".

        Args:
            inputs: As of `error`, as are those below.
            targets: Likewise.
            length: Likewise.
            initial: Likewise. No gradient goes through it: that is the truncation.
        """
        passed = self.forward(inputs, length, initial)
        of_outputs, of_hidden = self.deltas(passed, targets, length)
        return type(
            self
        )(
            of_hidden.T @ inputs,  # sum_t delta^h_t x_t^T
            of_hidden.T @ passed.hidden[:-1],  # sum_t delta^h_t h_{t-1}^T
            of_outputs.T @ passed.hidden[1:],  # sum_t delta^y_t h_t^T
        )

    def updated(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        rate: float,
        length: int | None = None,
        initial: np.ndarray | None = None,
    ) -> Self:
        """The weights after a step: `W_new = W + rate * steepest`.

        Args:
            inputs: As of `error`.
            targets: Likewise.
            rate: The slides' gamma, above 0.
            length: As of `error`.
            initial: Likewise.
        """
        steps = self.steepest(inputs, targets, length, initial)
        return type(self)(*(w + rate * step for w, step in zip(self, steps, strict=True)))
