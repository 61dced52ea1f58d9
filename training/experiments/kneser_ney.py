"""What came before RNNs: a window of words, counted. Interpolated modified Kneser-Ney n-grams.

Chen and Goodman (1998), "An Empirical Study of Smoothing Techniques for Language Modeling". With
`c` the count of an n-gram, its context and `w`, and `D(c)` a discount for counts of 1, 2 and more::

    p_n(w | context) = max(c - D(c), 0) / c(context) + left_over(context) p_{n-1}(w | shorter)

The longest n-grams count how often they were seen, all others after how many different words. An
n-gram has a number, its place among those of its length; it is kept as the number of its context
and its last word. So a corpus is counted by sorting, one length after the other.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Order(NamedTuple):
    """All n-grams of one length.

    Attributes:
        keys: Sorted int64 `[n-grams]`, context and last word as one number.
        discounted: Float `[n-grams]`, `max(c - D(c), 0)`.
        totals: Float `[contexts]`, the counts after each context.
        left_over: Float `[contexts]`, the share that goes to shorter ones; 1 where there are none.
    """

    keys: np.ndarray
    discounted: np.ndarray
    totals: np.ndarray
    left_over: np.ndarray


class KneserNey:
    """A model of n-grams.

    Args:
        lines: Ids of the words of each sentence, int `[words]`, its end among them.
        size: Words in the vocabulary.
        order: Words of the window, the one that is foretold among them.

    Raises:
        ValueError: `order` below 1, or no words.

    Example:
        >>> model = KneserNey([np.array([1, 2, 0]), np.array([1, 2, 2, 0])], size=3, order=2)
        >>> one, other = model.log_probabilities([np.array([1, 2])])
        >>> bool(one > np.log(0.5))
        True
    """

    def __init__(self, lines: Sequence[np.ndarray], size: int, order: int) -> None:
        if order < 1 or not sum(map(len, lines)):
            raise ValueError(
                "`order` must be at least 1 and `lines` must have words. "
                f"Received: order={order} and {sum(map(len, lines))} words"
            )
        self.size = size
        words = self._in_a_row(lines)
        found, numbers = [], []
        for n in range(1, order + 1):
            keys = self._keys(words, numbers[-1] if numbers else None)
            real = np.flatnonzero(keys >= 0)
            kinds, first, places, counts = np.unique(keys[real], True, True, True)
            numbers.append(np.full(len(words), -1))
            numbers[-1][real] = places
            if n > 1:
                # After how many different words those one shorter stand; none is before a start.
                after = np.bincount(numbers[-2][real[first]], minlength=len(found[-1][0]))
                found[-1] = found[-1][0], np.where(after > 0, after, found[-1][1])
            found.append((kinds, counts))
        kinds, counts = found[0]
        found[0] = kinds, np.where(kinds == size, 0, counts)  # a start is never foretold
        contexts = [1, *(len(kinds) for kinds, _ in found)]
        self.orders = [
            self._order(kinds, counts, contexts[n])
            for n, (kinds, counts) in enumerate(found)
            if len(kinds)  # sentences may all be shorter
        ]

    def log_probabilities(self, lines: Sequence[np.ndarray]) -> np.ndarray:
        """The natural logarithm of the probability of each word, after those before it.

        Args:
            lines: As those that were counted.

        Returns:
            Float `[all words]`, line by line.
        """
        words = self._in_a_row(lines)
        probability, numbers = np.full(len(words), 1 / self.size), None
        for order in self.orders:
            keys = self._keys(words, numbers)
            context = np.zeros(len(words), np.int64) if numbers is None else _before(numbers)
            place = np.minimum(np.searchsorted(order.keys, keys), len(order.keys) - 1)
            seen = order.keys[place] == keys
            own = np.where(seen, order.discounted[place], 0) / np.maximum(order.totals[context], 1)
            longer = own + order.left_over[context] * probability
            probability = np.where(context >= 0, longer, probability)
            numbers = np.where(seen, place, -1)
        return np.log(probability[words < self.size])

    def perplexity(self, lines: Sequence[np.ndarray]) -> float:
        """`exp` of the mean negative log-probability of a word."""
        return float(np.exp(-np.mean(self.log_probabilities(lines))))

    def _in_a_row(self, lines: Sequence[np.ndarray]) -> np.ndarray:
        """All words, int64, with a mark before each sentence."""
        mark = np.array([self.size])
        return np.concatenate([of for line in lines for of in (mark, line)]).astype(np.int64)

    def _keys(self, words: np.ndarray, shorter: np.ndarray | None) -> np.ndarray:
        """Of the n-gram that ends at each word; -1 where there is none.

        `shorter` has the numbers of the n-grams of one word less that end there; None: n is 1.
        """
        if shorter is None:
            return words
        context = _before(shorter)
        # A window ends at no mark, and so reaches over none.
        real = (context >= 0) & (words < self.size)
        return np.where(real, context * (self.size + 1) + words, -1)

    def _order(self, keys: np.ndarray, counts: np.ndarray, contexts: int) -> Order:
        context = keys // (self.size + 1)  # of single words there is one, 0
        discounts = discounts_of(counts)[np.minimum(counts, 3)]
        totals = np.bincount(context, counts, contexts)
        spared = np.bincount(context, np.minimum(discounts, counts), contexts)
        left_over = np.where(totals > 0, spared / np.maximum(totals, 1), 1.0)
        return Order(keys, np.maximum(counts - discounts, 0), totals, left_over)


def discounts_of(counts: np.ndarray) -> np.ndarray:
    """Of counts of 0, 1, 2 and 3 or more: what the counts of counts make best.

    Where there are too few to tell, as in a very small corpus, they are 0.5, 1 and 1.5.

    Args:
        counts: Int `[n-grams]`.

    Returns:
        Float `[4]`.
    """
    ones, twos, threes, fours = (np.count_nonzero(counts == n) for n in range(1, 5))
    if not ones * twos * threes * fours:
        return np.array([0, 0.5, 1.0, 1.5])
    share = ones / (ones + 2 * twos)
    best = [
        1 - 2 * share * twos / ones,
        2 - 3 * share * threes / twos,
        3 - 4 * share * fours / threes,
    ]
    return np.clip([0, *best], 0, [0, 1, 2, 3])


def _before(numbers: np.ndarray) -> np.ndarray:
    """What stands one place before, -1 before the first."""
    return np.concatenate([[-1], numbers[:-1]])
