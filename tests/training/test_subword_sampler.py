"""The vocabulary and sub-word regularisation: repeatable draws with the promised odds."""

import itertools

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from training.subwords import SubwordSampler, train_subwords
from zoo.text.subwords import END_ID, SubwordTokenizer

STEMS, ENDINGS = ["low", "slow", "new", "warm", "wide", "green"], ["", "er", "est", "ly", "ness"]
WORDS = ["".join(parts) for parts in itertools.product(STEMS, ENDINGS)]
SENTENCES = [" ".join(pair) for pair in itertools.permutations(WORDS, 2)]
TEXTS = [*SENTENCES[::60], "", "  ", "warmest 😀 漢字!"]
SIZE = 300


@pytest.fixture(scope="module")
def model():
    return train_subwords(SENTENCES, SIZE)


def processor(model):
    return sentencepiece.SentencePieceProcessor(model_proto=model)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_same_sentences_give_the_same_model(model):
    assert model == train_subwords(iter(SENTENCES), SIZE)
    assert model != train_subwords(SENTENCES[:600], SIZE)


def test_the_vocabulary_has_the_size_asked_for_and_spells_bytes(model):
    pieces = processor(model)
    assert pieces.vocab_size() == SIZE
    assert pieces.piece_to_id("<0xF0>") != pieces.unk_id()


@pytest.mark.parametrize(
    ("sentences", "size"), [(["a dog"], 5000), (["a dog"], 10), ([], 305), (["", " "], 305)]
)
def test_sentences_that_give_no_such_vocabulary_are_told(sentences, size):
    with pytest.raises(ValueError, match=f"Received: vocabulary_size={size}"):
        train_subwords(sentences, size)


def test_a_huge_alpha_takes_the_best_segmentation(model):
    """The one the tokenizer in the graph takes too."""
    drawn = SubwordSampler(model, alpha=1e6)(TEXTS, rng())
    ids, lengths = SubwordTokenizer(model).encode(tf.constant(TEXTS))
    for row, expected, length in zip(drawn, ids.numpy(), lengths.numpy(), strict=True):
        assert row.dtype == np.int32
        np.testing.assert_array_equal(row, expected[:length])


@pytest.mark.parametrize("alpha", [0.0, 0.2])
def test_a_draw_always_spells_the_text(model, alpha):
    sample, pieces = SubwordSampler(model, alpha), processor(model)
    segmentations = set()
    for seed in range(5):
        for text, ids in zip(TEXTS, sample(TEXTS, rng(seed)), strict=True):
            assert ids[-1] == END_ID
            assert pieces.decode(ids[:-1].tolist()) == text.strip()
            segmentations.add(tuple(ids))
    assert len(segmentations) > 1.5 * len(TEXTS)


def test_the_generator_decides_the_draw(model):
    first, second = SubwordSampler(model), SubwordSampler(model)
    second(TEXTS, rng(9))  # what was drawn before changes nothing
    for one, two in zip(first(TEXTS, rng(1)), second(TEXTS, rng(1)), strict=True):
        np.testing.assert_array_equal(one, two)
    generator = rng(1)
    draws = [np.concatenate(first(TEXTS, generator)).tolist() for _ in range(2)]
    assert draws[0] != draws[1]


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_segmentations_come_as_often_as_their_probability_to_the_alpha(model, alpha):
    """Kudo (2018), equation 8, over every way to cut a word, found by brute force."""
    word, draws = "▁lower", 4000
    pieces = processor(model)
    known = {pieces.id_to_piece(i): i for i in range(pieces.vocab_size())}
    odds = {}
    for cuts in itertools.product([False, True], repeat=len(word) - 1):
        bounds = [0, *(i + 1 for i, cut in enumerate(cuts) if cut), len(word)]
        parts = [word[a:b] for a, b in itertools.pairwise(bounds)]
        if all(part in known for part in parts):
            ids = tuple(known[part] for part in parts)
            odds[ids] = np.exp(alpha * sum(pieces.get_score(i) for i in ids))
    assert 3 <= len(odds) <= 16
    drawn = SubwordSampler(model, alpha)(["lower"] * draws, rng(5))
    counted = dict.fromkeys(odds, 0)
    for ids in drawn:
        counted[tuple(ids[:-1].tolist())] += 1
    share = np.array(list(odds.values())) / sum(odds.values())
    deviation = np.sqrt(draws * share * (1 - share))
    assert (np.abs(np.array(list(counted.values())) - draws * share) <= 4.5 * deviation + 1).all()


def test_only_the_best_segmentations_are_drawn(model):
    drawn = SubwordSampler(model, alpha=0.0, best=2)(["lower"] * 200, rng())
    assert len({tuple(ids) for ids in drawn}) == 2
