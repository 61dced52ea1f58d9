"""CIDEr-D of single captions, fast enough to be a reward in training.

Vedantam, Zitnick and Parikh (2015), arXiv:1411.5726: how alike the n-grams of a caption and those
of a picture's references are, an n-gram weighing more the fewer pictures it is said of.

`coco_scores` of `zoo.training.metrics.captions` is for reporting; it weighs by the split that it
measures, and computes the weights of the references anew each time.
"""

import collections
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

MOST = 4  # the longest n-gram
SIGMA = 6.0  # of the penalty for another length

Words = Sequence[Hashable]
Ngram = tuple[Hashable, ...]


class _Weighed(NamedTuple):
    """A text's n-grams, for each n: weights by n-gram, and their norm; and its length."""

    weights: list[dict[Ngram, float]]
    norms: list[float]
    length: int


class Consensus:
    """Scores captions against the references of a picture.

    Args:
        references: For each picture a list of texts, each a sequence of words or ids.

    Raises:
        ValueError: There are no pictures, or one has no references.

    Example:
        >>> consensus = Consensus([[["a", "dog"]], [["two", "men"]]])
        >>> consensus.score(0, ["a", "dog"]) > consensus.score(1, ["a", "dog"])
        True
    """

    def __init__(self, references: Sequence[Sequence[Words]]) -> None:
        if not len(references) or not all(map(len, references)):
            raise ValueError("`references` must have one or more texts for each of its pictures")
        counted = [[_counts(text) for text in of] for of in references]
        pictures = collections.Counter(ngram for of in counted for ngram in set().union(*of))
        most = math.log(len(references))
        self._rarity = {ngram: most - math.log(of) for ngram, of in pictures.items()}
        self._unseen = most
        self._references = [[self._weighed(counts) for counts in of] for of in counted]

    def score(self, picture: int, words: Words) -> float:
        """CIDEr-D of one caption, from 0 to 10.

        Args:
            picture: Its place in `references`.
            words: The caption.
        """
        weighed, references = self._weighed(_counts(words)), self._references[picture]
        found = sum(_likeness(weighed, reference) for reference in references)
        return 10 * found / len(references)

    def _weighed(self, counts: Mapping[Ngram, int]) -> _Weighed:
        weights: list[dict[Ngram, float]] = [{} for _ in range(MOST)]
        for ngram, count in counts.items():
            weights[len(ngram) - 1][ngram] = count * self._rarity.get(ngram, self._unseen)
        norms = [math.sqrt(sum(value * value for value in of.values())) for of in weights]
        # As coco-caption has it: a text is as long as it has pairs of words.
        return _Weighed(weights, norms, sum(n for ngram, n in counts.items() if len(ngram) == 2))


def _counts(words: Words) -> Mapping[Ngram, int]:
    return collections.Counter(_ngrams(words))


def _ngrams(words: Words) -> Iterable[Ngram]:
    words = tuple(words)
    for size in range(1, MOST + 1):
        for start in range(len(words) - size + 1):
            yield words[start : start + size]


def _likeness(caption: _Weighed, reference: _Weighed) -> float:
    """The mean over n of the clipped cosine, less for another length."""
    total = 0.0
    for mine, theirs, norm, other in zip(
        caption.weights, reference.weights, caption.norms, reference.norms, strict=True
    ):
        if norm and other:
            shared = (
                min(mine[ngram], theirs[ngram]) * theirs[ngram] for ngram in mine if ngram in theirs
            )
            total += sum(shared) / (norm * other)
    apart = caption.length - reference.length
    return total / MOST * math.exp(-(apart**2) / (2 * SIGMA**2))
