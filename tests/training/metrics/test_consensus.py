"""CIDEr-D as a reward: against coco-caption's, where that is installed, and its invariants."""

import numpy as np
import pytest

from zoo.training.metrics.consensus import Consensus

REFERENCES = [
    ["a dog runs in the grass", "a brown dog is running on grass", "dog runs"],
    ["two men sit on a bench", "two old men are sitting"],
    ["a girl in a red dress jumps", "a girl jumps into the water", "the girl is jumping"],
]
CAPTIONS = ["a dog runs on grass", "two men sit on a bench", "a man in a red red shirt"]


@pytest.fixture(scope="module")
def consensus():
    return Consensus([[text.split() for text in of] for of in REFERENCES])


def test_agrees_with_coco_caption(consensus):
    scorer = pytest.importorskip("pycocoevalcap.cider.cider").Cider()
    texts = {n: [text] for n, text in enumerate(CAPTIONS)}
    _, expected = scorer.compute_score(dict(enumerate(REFERENCES)), texts)
    scores = [consensus.score(n, text.split()) for n, text in enumerate(CAPTIONS)]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    assert min(scores[:2]) > 1


def test_nothing_said_or_nothing_alike_is_worth_nothing(consensus):
    assert consensus.score(0, []) == 0
    assert consensus.score(0, ["zebra", "crossing"]) == 0


def test_what_is_said_of_all_pictures_is_worth_nothing():
    consensus = Consensus([[["a", "dog"]], [["a", "cat"]]])
    assert consensus.score(0, ["a"]) == 0
    assert consensus.score(0, ["dog"]) > 0


@pytest.mark.parametrize("references", [[], [["a"], []]])
def test_each_picture_needs_references(references):
    with pytest.raises(ValueError, match="`references` must have one or more texts"):
        Consensus(references)
