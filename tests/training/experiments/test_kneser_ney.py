"""Kneser-Ney n-grams: probabilities that add up, and Chen and Goodman's formula by dictionaries."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.training.experiments.kneser_ney import KneserNey, discounts_of

SIZE = 5
SENTENCES = st.lists(st.lists(st.integers(1, SIZE - 1), max_size=7), min_size=1, max_size=12)
_rng = np.random.default_rng(0)
CORPUS = [[*_rng.integers(1, SIZE, _rng.integers(1, 9)), 0] for _ in range(200)]


def lines_of(sentences):
    return [np.array([*words, 0]) for words in sentences]


class Dictionaries:
    """The same, written down as in the paper, for one word at a time."""

    def __init__(self, lines, order):
        self.counts = [Counter() for _ in range(order + 1)]
        for line in lines:
            words = ("<s>", *line)
            for end in range(1, len(words)):
                for n in range(1, min(order, end + 1) + 1):
                    self.counts[n][words[end - n + 1 : end + 1]] += 1
        for n in range(1, order):
            before = defaultdict(set)
            for gram in self.counts[n + 1]:
                before[gram[1:]].add(gram[0])
            for gram, words in before.items():
                self.counts[n][gram] = len(words)

    def probability(self, word, context):
        n = len(context) + 1
        shorter = self.probability(word, context[1:]) if context else 1 / SIZE
        after = {gram: c for gram, c in self.counts[n].items() if gram[:-1] == context}
        if not after:
            return shorter
        discounts = discounts_of(np.array(list(self.counts[n].values())))
        spared = sum(min(discounts[min(c, 3)], c) for c in after.values())
        count = after.get((*context, word), 0)
        own = max(count - discounts[min(count, 3)], 0)
        return (own + spared * shorter) / sum(after.values())


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_it_is_the_papers_formula(order):
    model, by_hand = KneserNey(CORPUS, SIZE, order), Dictionaries(CORPUS, order)
    text = [[1, 2, 2, 4, 0], [3, 3, 3, 3, 3, 3, 0], [0]]
    found = iter(model.log_probabilities([np.array(line) for line in text]))
    for line in text:
        words = ("<s>", *line)
        for end in range(1, len(words)):
            context = words[max(0, end - order + 1) : end]
            expected = np.log(by_hand.probability(words[end], context))
            assert next(found) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(SENTENCES, st.lists(st.integers(1, SIZE - 1), max_size=5), st.integers(1, 5))
def test_probabilities_add_up_to_one(sentences, context, order):
    model = KneserNey(lines_of(sentences), SIZE, order)
    lines = [np.array([*context, word]) for word in range(SIZE)]
    last = np.cumsum([len(line) for line in lines]) - 1
    assert np.exp(model.log_probabilities(lines)[last]).sum() == pytest.approx(1)


def test_a_window_does_not_reach_over_the_start_of_a_sentence():
    model = KneserNey(CORPUS, SIZE, 3)
    one = model.log_probabilities([np.array([1, 2, 0]), np.array([3, 4, 0])])
    apart = [model.log_probabilities([np.array(line)]) for line in ([1, 2, 0], [3, 4, 0])]
    np.testing.assert_array_equal(one, np.concatenate(apart))
    assert model.perplexity([np.array([1, 2, 0])]) == pytest.approx(np.exp(-np.mean(apart[0])))


@pytest.mark.parametrize(("lines", "order"), [([], 2), ([np.array([], int)], 2), ([[0]], 0)])
def test_nothing_to_count_is_told(lines, order):
    with pytest.raises(ValueError, match="`order` must be at least 1 and `lines` must have words"):
        KneserNey(lines, SIZE, order)
