"""Logistic regression on n-grams weighed by naive Bayes: no network, and hard to beat on reviews.

Wang and Manning (2012), "Baselines and Bigrams", P12-2018; with n-grams of up to three words and
logistic regression in place of the SVM as in Mesnil et al. (2014), arXiv:1412.5335.
`x_g` is whether a text has n-gram g, `n_g` in how many texts of a label g occurs:

    r_g = log (1 + n_g+) / |1 + n+|  -  log (1 + n_g-) / |1 + n-|
    P(positive) = 1 / (1 + exp(-(w . (r * x) + b)))

An LSTM knows the words of few labelled reviews in their order; this knows which phrases of many
tell the label. `sentiment` learns from its guesses at the labels of reviews that have none.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from zoo.extras import extra
from zoo.training.corpora.reviews import Reviews

with extra("training"):
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

LONGEST = 3  # words
# Words with their apostrophes, and the marks that end a thought or bracket it.
TOKENS = r"[\w']+|[!?.,:;()*\"-]"


class NGramClassifier:
    """Is a review negative or positive, by its n-grams?

    It holds every n-gram that two reviews have: a million for IMDB, and 2 GB while it learns.

    Args:
        reviews: Labelled `Reviews` of both labels.
        seed: Of the order in which the solver takes the reviews.

    Raises:
        ValueError: `reviews` have one label only, or no two of them share a word.

    Example:
        >>> reviews = Reviews(["Dull.", "A dull plot.", "Witty.", "A witty plot."], [0, 0, 1, 1])
        >>> NGramClassifier(reviews).probabilities(["How dull!", "How witty!"]).round(1)
        array([0.3, 0.7], dtype=float32)
    """

    def __init__(self, reviews: Reviews, seed: int = 0) -> None:
        self._counter = CountVectorizer(
            ngram_range=(1, LONGEST), token_pattern=TOKENS, binary=True, min_df=2, dtype=np.float32
        )
        labels = np.array(reviews.labels)
        if {*reviews.labels} != {0, 1}:
            raise ValueError(f"`reviews` must have both labels. Received: {set(reviews.labels)}")
        has = self._counter.fit_transform(_without_markup(reviews.texts))
        shares = []
        for label in (0, 1):
            counts = 1 + np.asarray(has[labels == label].sum(axis=0), np.float64).ravel()
            shares.append(counts / counts.sum())
        self._ratios = sparse.diags_array(np.log(shares[1] / shares[0]).astype(np.float32))
        self._regression = LogisticRegression(solver="liblinear", dual=True, random_state=seed)
        self._regression.fit(self._weighed(has), labels)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """The probability that a review is positive.

        Args:
            texts: At least one.

        Returns:
            float32 `[texts]`.
        """
        has = self._counter.transform(_without_markup(texts))
        return self._regression.predict_proba(self._weighed(has))[:, 1].astype(np.float32)

    def _weighed(self, has: sparse.spmatrix) -> sparse.spmatrix:
        return (has @ self._ratios).tocsr()


def _without_markup(texts: Iterable[str]) -> list[str]:
    return [text.replace("<br />", " ") for text in texts]
