"""The n-gram classifier against its equations in NumPy."""

import numpy as np
import pytest

from zoo.training.corpora.reviews import Reviews
from zoo.training.recipes.ngrams import NGramClassifier

REVIEWS = Reviews(
    [
        "Not good at all.",
        "Not good, and not<br />short.",
        "It's dull",
        "A DULL story, not good.",
        "It's good!",
        "All in all a good story, and short.",
        "All good!",
    ],
    [0, 0, 0, 0, 1, 1, 1],
)
WORDS = [
    "not good at all .",
    "not good , and not short .",
    "it's dull",
    "a dull story , not good .",
    "it's good !",
    "all in all a good story , and short .",
    "all good !",
]


def ngrams(text):
    words = text.split()
    return {" ".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1)}


def test_its_weights_are_the_minimum_of_the_published_objective():
    """Wang and Manning's ratios; then liblinear's objective, in which the bias is a weight too."""
    model = NGramClassifier(REVIEWS)
    of_texts = [ngrams(text) for text in WORDS]
    names = sorted({g for of in of_texts for g in of if sum(g in other for other in of_texts) > 1})
    assert names == model._counter.get_feature_names_out().tolist()
    assert {"not good", "not good .", "good , and", "it's"} & {*names} == {"not good", "it's"}

    x = np.array([[float(name in of) for name in names] for of in of_texts])
    y = np.array(REVIEWS.labels)
    positive, negative = (1 + x[y == label].sum(0) for label in (1, 0))
    ratios = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    np.testing.assert_allclose(model._ratios.diagonal(), ratios, rtol=1e-5)

    (weights,), bias = model._regression.coef_, model._regression.intercept_[0]
    probabilities = 1 / (1 + np.exp(-(x * ratios @ weights + bias)))
    errors = probabilities - y
    np.testing.assert_allclose(weights + errors @ (x * ratios), 0, atol=2e-3)
    assert bias + errors.sum() == pytest.approx(0, abs=2e-3)
    np.testing.assert_allclose(model.probabilities(REVIEWS.texts), probabilities, rtol=1e-5)


def test_it_judges_unseen_texts_by_what_they_share():
    dull, good, unknown = NGramClassifier(REVIEWS).probabilities(["dull", "all good", "Ein Film"])
    assert dull < unknown < good


def test_one_seed_gives_the_same_guesses():
    first, second = (NGramClassifier(REVIEWS, seed=3).probabilities(WORDS) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_reviews_of_one_label_cannot_be_learnt_from():
    with pytest.raises(ValueError, match="both labels"):
        NGramClassifier(Reviews(["good", "good film"], [1, 1]))
